//! A service that remembers, for tests of what happens over several sessions: accounts and their passwords, tokens,
//! profiles, roles and permissions, with the rules that the reference service has for them. What it was asked is its log.

mod pages;
mod things;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use vespeiro_guest::harness::{Harness, Sent};
use vespeiro_guest::{Behavior, Fault, Method};

use crate::routes::{self, ALL};
pub use pages::split;

/// The administrator whom [`service`](super::service) configures.
const ADMIN: (&str, &str) = ("admin@example.test", "Admin123!");

/// The service.
#[derive(Debug, Clone)]
pub struct Town {
    users: Vec<Resident>,
    roles: BTreeMap<String, String>,
    permissions: BTreeMap<String, String>,
    /// Tokens, and whose they are.
    tokens: BTreeMap<String, String>,
    /// What was made so far: the next identifier.
    made: u32,
    /// Seconds that a token lives.
    pub token_ttl: u64,
    /// Everything that was asked, in order.
    pub log: Vec<Asked>,
}

/// A request and what came of it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Login name of the account: the token's, or the one that the body names.
    pub account: String,
    /// The token; empty when there was none.
    pub token: String,
    /// The token that it was granted; empty when there was none.
    pub granted: String,
    /// HTTP method.
    pub method: Method,
    /// Path template.
    pub route: String,
    /// Path and query.
    pub path: String,
    /// The body; null when there was none, or no JSON.
    pub body: Value,
    /// Status of the answer.
    pub status: u16,
    /// How many were found, of a list.
    pub total: Option<usize>,
    /// Whether it was wrong on purpose.
    pub fault: Option<Fault>,
}

#[derive(Debug, Clone)]
struct Resident {
    id: String,
    username: String,
    email: String,
    password: String,
    name: String,
    active: bool,
    profile: Option<Map<String, Value>>,
    roles: Vec<String>,
}

impl Resident {
    fn shown(&self) -> Value {
        json!({ "id": self.id, "username": self.username, "email": self.email, "name": self.name, "active": self.active })
    }
}

type Answer = Result<(u16, Value), u16>;

impl Town {
    /// With nobody but the administrator.
    #[must_use]
    pub fn new() -> Rc<RefCell<Town>> {
        let (email, password) = ADMIN;
        let admin = Resident {
            id: "id-admin".into(),
            username: "admin".into(),
            email: email.into(),
            password: password.into(),
            name: "Administrator".into(),
            active: true,
            profile: None,
            roles: vec!["id-role-admin".into()],
        };
        Rc::new(RefCell::new(Town {
            users: vec![admin],
            roles: BTreeMap::from([("id-role-admin".into(), "admin".into())]),
            permissions: BTreeMap::from([("id-permission-0".into(), "users.manage".into())]),
            tokens: BTreeMap::new(),
            made: 0,
            token_ttl: 900,
            log: Vec::new(),
        }))
    }

    /// A harness for the behavior in this town.
    #[must_use]
    pub fn plays(town: &Rc<RefCell<Town>>, behavior: &'static Behavior) -> Harness {
        let harness = super::service(behavior);
        ALL.iter().fold(harness, |harness, &route| {
            let town = Rc::clone(town);
            harness.answer(route, move |request| town.borrow_mut().answer(request))
        })
    }

    /// Display name, and profile, of an account.
    #[must_use]
    pub fn person(&self, username: &str) -> Option<(String, Option<Value>)> {
        let user = self.users.iter().find(|user| user.username == username)?;
        let profile = user.profile.clone().map(Value::Object);
        Some((user.name.clone(), profile))
    }

    /// What it holds: users, roles, permissions.
    #[must_use]
    pub fn holds(&self) -> [usize; 3] {
        [self.users.len(), self.roles.len(), self.permissions.len()]
    }

    /// The answer to a request; it is in the log then.
    pub fn answer(&mut self, request: &Sent) -> (u16, Value) {
        let body: Result<Value, _> = request.body.as_deref().map_or(Ok(Value::Null), |body| {
            serde_json::from_slice(body).map_err(|_| ())
        });
        let bearer = request
            .headers
            .iter()
            .find(|(name, _)| name == "authorization");
        let token = bearer
            .and_then(|(_, value)| value.strip_prefix("Bearer "))
            .unwrap_or_default()
            .to_owned();
        let caller = self.tokens.get(&token).cloned();
        let said = body.clone().unwrap_or_default();
        let named = said["username"].as_str().or(said["email"].as_str());
        let account = caller.clone().or(named.map(|name| {
            let user = self
                .users
                .iter()
                .find(|user| user.email == name || user.username == name);
            user.map_or(name.to_owned(), |user| user.username.clone())
        }));
        let (status, reply) = self
            .decide(request, body.as_ref().ok(), caller.as_deref(), &token)
            .unwrap_or_else(|status| (status, json!({ "message": "no" })));
        self.log.push(Asked {
            account: account.unwrap_or_default(),
            token,
            granted: reply["data"]["access_token"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            method: request.method,
            route: request.route.clone(),
            path: request.path.clone(),
            body: said,
            status,
            total: reply["meta"]["total"].as_u64().map(|total| total as usize),
            fault: request.fault,
        });
        (status, reply)
    }

    fn decide(
        &mut self,
        request: &Sent,
        body: Option<&Value>,
        caller: Option<&str>,
        token: &str,
    ) -> Answer {
        let (path, query) = split(&request.path);
        let route = (request.method, request.route.as_str());
        let is = |known: vespeiro_guest::Route| route == (known.method, known.path);
        let text = |field: &str| {
            let value = body.and_then(|body| body.get(field));
            value.and_then(Value::as_str).map(str::to_owned)
        };
        if is(routes::LOGIN) {
            let (email, password) = (
                text("email").ok_or(422u16)?,
                text("password").ok_or(422u16)?,
            );
            let user = self.users.iter().find(|user| user.email == email);
            let user = user
                .filter(|user| user.password == password)
                .ok_or(401u16)?;
            let username = user.username.clone();
            return Ok(self.grant(&username));
        }
        if is(routes::REFRESH) {
            let old = text("refresh_token").ok_or(422u16)?;
            let old = old.strip_prefix("refresh-").ok_or(401u16)?.to_owned();
            let username = self.tokens.remove(&old).ok_or(401u16)?;
            return Ok(self.grant(&username));
        }
        if is(routes::CREATE_USER) {
            body.ok_or(400u16)?;
            return self.register(&text);
        }
        let caller = caller.ok_or(401u16)?.to_owned();
        let is_admin = caller == "admin";
        let me = self.at(|user| user.username == caller)?;
        if is(routes::LOGOUT) {
            self.tokens.remove(token);
            return Ok((204, Value::Null));
        }
        if request.body.is_some() {
            body.ok_or(400u16)?;
        }
        let segments: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
        match segments.as_slice() {
            ["auth", "me"] => Ok((200, json!({ "data": self.users[me].shown() }))),
            ["users"] | ["users", "search"] => self.list(&query),
            ["users", "email", email] => {
                let at = self.at(|user| user.email == *email)?;
                Ok((200, json!({ "data": self.users[at].shown() })))
            }
            ["users", "username", name] => {
                let at = self.at(|user| user.username == *name)?;
                Ok((200, json!({ "data": self.users[at].shown() })))
            }
            ["users", id, "change-password"] => {
                let own = self.at(|user| user.id == *id).ok().filter(|at| *at == me);
                let own = own.ok_or(403u16)?;
                let new = text("new_password").filter(|new| new.len() >= 8);
                let new = new.ok_or(422u16)?;
                if text("current_password").as_ref() != Some(&self.users[own].password) {
                    return Err(422);
                }
                self.users[own].password = new;
                Ok((204, Value::Null))
            }
            ["users", id, rest @ ..] => {
                let at = self.at(|user| user.id == *id);
                let own = at == Ok(me);
                let reads = request.method == Method::Get;
                if !(reads || is_admin || own && matches!(rest, [] | ["profile"])) {
                    return Err(403);
                }
                if request.method == Method::Delete && rest.is_empty() && !is_admin {
                    return Err(403);
                }
                self.user(at?, request.method, rest, body.unwrap_or(&Value::Null))
            }
            [kind @ ("roles" | "permissions"), rest @ ..] => {
                if request.method != Method::Get && !is_admin {
                    return Err(403);
                }
                let granted = body.and_then(|body| body["permissions"].as_array());
                let known = |name: &Value| self.permissions.values().any(|known| name == known);
                if !granted.is_none_or(|granted| granted.iter().all(known)) {
                    return Err(422);
                }
                self.catalog(kind, request.method, rest, &text)
            }
            _ => Err(404),
        }
    }

    fn at(&self, is: impl Fn(&Resident) -> bool) -> Result<usize, u16> {
        self.users.iter().position(is).ok_or(404)
    }

    fn grant(&mut self, username: &str) -> (u16, Value) {
        self.made += 1;
        let token = format!("{username}.{}", self.made);
        self.tokens.insert(token.clone(), username.to_owned());
        let user = self.users.iter().find(|user| user.username == username);
        (
            200,
            json!({ "data": {
                "access_token": token, "refresh_token": format!("refresh-{token}"), "expires_in": self.token_ttl,
                "user": user.map(Resident::shown),
            } }),
        )
    }

    fn register(&mut self, text: &dyn Fn(&str) -> Option<String>) -> Answer {
        let field = |name: &str, most: usize| {
            let given = text(name).filter(|text| !text.is_empty() && text.len() <= most);
            given.ok_or(422u16)
        };
        let (username, email) = (field("username", 64)?, field("email", 254)?);
        let (password, name) = (field("password", 128)?, field("name", 120)?);
        if self
            .users
            .iter()
            .any(|user| user.username == username || user.email == email)
        {
            return Err(409);
        }
        self.made += 1;
        let user = Resident {
            id: format!("id-{}", self.made),
            username,
            email,
            password,
            name,
            active: true,
            profile: None,
            roles: Vec::new(),
        };
        let shown = user.shown();
        self.users.push(user);
        Ok((201, json!({ "data": shown })))
    }
}
