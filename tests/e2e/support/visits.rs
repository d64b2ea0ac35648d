//! What a proxy has seen of the user service, put together to the visits of people: by their tokens, and by the names that
//! an administrator's session gives to what it creates, which carry the user's number.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Exchange, Log};

/// The account that many administrate with.
const OPERATOR: &str = "admin@example.test";

impl Exchange {
    /// The path's template, with `{id}` for any identifier.
    pub fn route(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let mut parts: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
        match parts.as_mut_slice() {
            ["users", "search"] | ["auth", _] => {}
            ["users", "email", of] => *of = "{email}",
            ["users", "username", of] => *of = "{username}",
            ["users", id, "roles", role] => (*id, *role) = ("{id}", "{roleId}"),
            ["users" | "roles" | "permissions", id, ..] => *id = "{id}",
            _ => {}
        }
        format!("/api/v1/{}", parts.join("/"))
    }

    /// The fields of the query, decoded.
    pub fn query(&self) -> BTreeMap<String, String> {
        let (_, query) = self.path.split_once('?').unwrap_or_default();
        let fields = query.split('&').filter_map(|field| field.split_once('='));
        fields
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect()
    }

    /// What was asked for has been done.
    pub fn is_good(&self) -> bool {
        (1..400).contains(&self.status)
    }

    /// The target failed of it, or the tool did not wait for its answer any more.
    pub fn is_down(&self) -> bool {
        matches!(self.status, 0 | 500..)
    }

    /// In a line.
    pub fn line(&self) -> String {
        let Exchange {
            method,
            path,
            status,
            connection,
            ..
        } = self;
        format!("{method} {path} {status} over {connection}")
    }
}

/// Without percent signs.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

/// From somebody's login, or registration, until they have logged out everywhere.
pub struct Visit<'a> {
    /// Whose it is: the account's address, or, of an operator, the number of the user or of the session.
    pub person: String,
    /// In the order of arrival.
    pub exchanges: Vec<&'a Exchange>,
    /// Tokens of the operator's sessions.
    operators: Rc<BTreeSet<String>>,
}

impl<'a> Visit<'a> {
    /// Whether the person has an account of their own.
    pub fn is_own(&self) -> bool {
        self.person.contains('@')
    }

    /// Whether it is done as the operator.
    pub fn is_operators(&self, exchange: &Exchange) -> bool {
        let given = ["email", "refresh_token"].map(|field| exchange.body[field].as_str());
        let known = |token: &str| token == OPERATOR || self.operators.contains(token);
        given.into_iter().flatten().any(known) || known(&exchange.token)
    }

    /// What was sent together: whatever came before the answer to what came before it.
    pub fn steps(&self) -> Vec<Vec<&'a Exchange>> {
        let mut steps: Vec<Vec<&Exchange>> = Vec::new();
        for exchange in &self.exchanges {
            match steps.last_mut() {
                Some(step) if step.iter().any(|e| exchange.arrived < e.answered) => {
                    step.push(exchange);
                }
                _ => steps.push(vec![exchange]),
            }
        }
        steps
    }

    /// Positions of what was sent together with others of the kind.
    pub fn batches(&self, of: impl Fn(&Exchange) -> bool) -> Vec<usize> {
        let (mut at, mut places) = (0, Vec::new());
        for step in self.steps() {
            if step.len() > 1 && step.iter().all(|e| of(e)) {
                places.extend(at..at + step.len());
            }
            at += step.len();
        }
        places
    }

    /// Where another session of the same account begins, while the first is open.
    pub fn second_login(&self) -> Option<usize> {
        let own = |e: &Exchange| e.route() == "/api/v1/auth/login" && e.status == 200;
        let numbered = self.exchanges.iter().enumerate();
        let mut logins = numbered.filter(|(_, e)| own(e) && !self.is_operators(e));
        logins.nth(1).map(|(at, _)| at)
    }

    /// All of it, to be read.
    pub fn lines(&self) -> Vec<String> {
        self.exchanges.iter().map(|e| e.line()).collect()
    }
}

/// All visits, those of a person in their order.
pub fn visits(log: &Log) -> Vec<Visit<'_>> {
    let sessions = Sessions::of(log);
    let mut people: BTreeMap<String, Vec<&Exchange>> = BTreeMap::new();
    for (exchange, session) in log.exchanges.iter().zip(&sessions.of_each) {
        if let Some(person) = sessions.person(exchange, *session) {
            people.entry(person).or_default().push(exchange);
        }
    }
    let operators = Rc::new(sessions.operators());
    people
        .into_iter()
        .flat_map(|(person, exchanges)| apart(&person, exchanges, &sessions, &operators))
        .collect()
}

/// A person's visits: one ends where the last session that was open is logged out.
fn apart<'a>(
    person: &str,
    exchanges: Vec<&'a Exchange>,
    sessions: &Sessions,
    operators: &Rc<BTreeSet<String>>,
) -> Vec<Visit<'a>> {
    let mut visits = Vec::new();
    let visit = |exchanges| Visit {
        person: person.to_owned(),
        exchanges,
        operators: Rc::clone(operators),
    };
    let mut open: BTreeSet<usize> = BTreeSet::new();
    let mut now = Vec::new();
    let mut ended = false;
    for exchange in exchanges {
        let entrance = matches!(
            exchange.route().as_str(),
            "/api/v1/auth/login" | "/api/v1/users"
        ) && exchange.token.is_empty();
        if ended && entrance {
            visits.push(visit(std::mem::take(&mut now)));
        }
        ended = false;
        if let Some(session) = sessions.begun_by(exchange) {
            open.insert(session);
        }
        if exchange.route() == "/api/v1/auth/logout" {
            if let Some(session) = sessions.by_token.get(&exchange.token) {
                open.remove(session);
            }
            ended = open.is_empty();
        }
        now.push(exchange);
    }
    if !now.is_empty() {
        visits.push(visit(now));
    }
    visits
}

/// Sessions as the service grants them: from a login over its refreshes to the logout.
struct Sessions {
    /// By access token and by refresh token.
    by_token: BTreeMap<String, usize>,
    /// The account, and the number of the user who administrates in it.
    accounts: Vec<(String, Option<String>)>,
    /// Addresses of those who have registered themselves, by the user's number.
    own: BTreeMap<String, String>,
    /// Of each exchange.
    of_each: Vec<Option<usize>>,
}

impl Sessions {
    fn of(log: &Log) -> Sessions {
        let mut sessions = Sessions {
            by_token: BTreeMap::new(),
            accounts: Vec::new(),
            own: BTreeMap::new(),
            of_each: Vec::new(),
        };
        // By when they were answered: a token is used after it was granted.
        for exchange in &log.exchanges {
            let granted = &exchange.reply["data"];
            let renewed = exchange.body["refresh_token"].as_str();
            let session = match granted["access_token"].as_str() {
                Some(token) => {
                    let session = match renewed {
                        Some(old) => sessions.by_token[old],
                        None => {
                            let email = exchange.body["email"].as_str().unwrap();
                            sessions.accounts.push((email.to_owned(), None));
                            sessions.accounts.len() - 1
                        }
                    };
                    let refresh = granted["refresh_token"].as_str().unwrap();
                    for token in [token, refresh] {
                        sessions.by_token.insert(token.to_owned(), session);
                    }
                    Some(session)
                }
                // One that was not renewed is known by what it was to be renewed with.
                None => {
                    let token = renewed.unwrap_or(&exchange.token);
                    sessions.by_token.get(token).copied()
                }
            };
            sessions.of_each.push(session);
            let named = exchange.body["username"]
                .as_str()
                .or(exchange.body["name"].as_str());
            let Some(number) = named.and_then(number) else {
                continue;
            };
            match session {
                Some(session) => sessions.accounts[session].1 = Some(number),
                None if exchange.status == 201 => {
                    let email = exchange.body["email"].as_str().unwrap();
                    sessions.own.insert(number, email.to_owned());
                }
                None => {}
            }
        }
        sessions
    }

    fn operators(&self) -> BTreeSet<String> {
        let of_operator = |session: &usize| self.accounts[*session].0 == OPERATOR;
        let tokens = self
            .by_token
            .iter()
            .filter(|(_, session)| of_operator(session));
        tokens.map(|(token, _)| token.clone()).collect()
    }

    /// The session that a login begins.
    fn begun_by(&self, exchange: &Exchange) -> Option<usize> {
        let begins = exchange.route() == "/api/v1/auth/login";
        let token = exchange.reply["data"]["access_token"].as_str()?;
        begins.then(|| self.by_token[token])
    }

    fn of_user(&self, number: &str) -> Option<String> {
        let own = self.own.get(number).cloned();
        Some(own.unwrap_or_else(|| format!("user {number}")))
    }

    /// Whose it is; nobody's where nothing tells: a look before the run, or a forged token.
    fn person(&self, exchange: &Exchange, session: Option<usize>) -> Option<String> {
        let Some(session) = session else {
            // A login that was refused names the account, a forged token names the user.
            let email = exchange.body["email"].as_str();
            if let Some(email) = email.filter(|email| email.ends_with("@simulation.test")) {
                return Some(email.to_owned());
            }
            let forged = exchange.body["refresh_token"]
                .as_str()
                .unwrap_or(&exchange.token);
            let name = forged.split('.').find(|part| part.starts_with("sim_user_"));
            return self.of_user(&name.and_then(number)?);
        };
        match &self.accounts[session] {
            (email, _) if email != OPERATOR => Some(email.clone()),
            (_, Some(number)) => self.of_user(number),
            (_, None) => Some(format!("session {session}")),
        }
    }
}

/// The user's number in a name that the run has made: `sim_user_<run>_<number>` and, of what it creates, more behind it.
fn number(name: &str) -> Option<String> {
    let mut parts = name.strip_prefix("sim_")?.split('_').skip(2);
    parts.next().map(str::to_owned)
}
