//! What a harness has seen: everything that the session said and sent. Tests read it.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use super::Sent;
use crate::contract::{Action, Content, Ending, Level, MAX_NOTES, Method, Operation, Step};
use crate::host::Host;

/// A session that was played.
#[derive(Debug)]
#[non_exhaustive]
pub struct Played {
    /// How it ended; an error when the session failed, broke the contract or met no scripted reply.
    pub ending: Result<Ending, String>,
    /// Every step, as the host would have got it.
    pub steps: Vec<Step>,
    /// Every request, in order.
    pub requests: Vec<Sent>,
    /// Every message that was sent over a channel, in order.
    pub messages: Vec<Content>,
    /// Names of the checks and whether they held.
    pub checks: Vec<(String, bool)>,
    /// Names of the transactions that have ended and whether they passed; `None` of those that are open at the end.
    pub transactions: Vec<(String, Option<bool>)>,
    /// Why the person gave up, and where, if it is known.
    pub gave_up: Option<(String, Option<String>)>,
    /// What was shared, as JSON: by this session, or before it.
    pub shared: Option<String>,
    /// What the user remembers at the end, as JSON.
    pub remembered: Option<String>,
    /// Custom metrics and their values.
    pub observed: Vec<(String, f64)>,
    /// What was marked outside of a request.
    pub marks: Vec<String>,
    /// What was unmarked.
    pub unmarks: Vec<String>,
    /// Log lines.
    pub logs: Vec<(Level, String)>,
    /// When it ended, in milliseconds.
    pub elapsed_ms: u64,
    /// What the waiting journey held by itself, in bytes of this machine (about twice wasm32's); what it had boxed
    /// comes on top.
    pub state_bytes: usize,
    /// What the host would have ended it for.
    pub(super) refused: Option<String>,
}

impl Default for Played {
    fn default() -> Played {
        Played {
            ending: Err("not played".into()),
            steps: Vec::new(),
            requests: Vec::new(),
            messages: Vec::new(),
            checks: Vec::new(),
            transactions: Vec::new(),
            gave_up: None,
            shared: None,
            remembered: None,
            observed: Vec::new(),
            marks: Vec::new(),
            unmarks: Vec::new(),
            logs: Vec::new(),
            elapsed_ms: 0,
            state_bytes: 0,
            refused: None,
        }
    }
}

impl Played {
    /// Where it is kept how a transaction ends that is open.
    fn in_transaction(&mut self, name: &str) -> Option<&mut Option<bool>> {
        let mut all = self.transactions.iter_mut();
        all.find_map(|(known, passed)| (known == name && passed.is_none()).then_some(passed))
    }

    fn refuse(&mut self, why: String) {
        self.refused.get_or_insert(why);
    }

    /// The path of every request.
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        self.requests
            .iter()
            .map(|request| request.path.as_str())
            .collect()
    }

    /// The steps that send something, each with its requests.
    pub fn sends(&self) -> impl Iterator<Item = (&Step, &[Sent])> {
        let mut later = &self.requests[..];
        self.steps.iter().filter_map(move |step| {
            let count = match &step.action {
                Action::Requests(requests) => requests.len(),
                Action::Operations(all) => all.iter().filter(|one| is_request(one)).count(),
                Action::Done(_) => return None,
            };
            let (sent, rest) = later.split_at(count.min(later.len()));
            later = rest;
            (!sent.is_empty()).then_some((step, sent))
        })
    }

    /// Method and template of every request.
    #[must_use]
    pub fn routes(&self) -> Vec<(Method, &str)> {
        self.requests
            .iter()
            .map(|request| (request.method, request.route.as_str()))
            .collect()
    }

    /// Every mark, of requests and outside of them, that was not taken back.
    #[must_use]
    pub fn left_behind(&self) -> Vec<&str> {
        let marks = self
            .requests
            .iter()
            .filter_map(|request| request.mark.as_deref());
        let mut left: Vec<&str> = marks.chain(self.marks.iter().map(String::as_str)).collect();
        left.retain(|mark| !self.unmarks.iter().any(|gone| gone == mark));
        left
    }

    /// The JSON body of a request; null when it has none.
    #[must_use]
    pub fn body(&self, request: usize) -> Value {
        let body = self
            .requests
            .get(request)
            .and_then(|request| request.body.as_deref());
        body.and_then(|body| serde_json::from_slice(body).ok())
            .unwrap_or(Value::Null)
    }
}

fn is_request(operation: &Operation) -> bool {
    matches!(operation, Operation::Request(_) | Operation::Open(_))
}

/// The host's side of a played session.
pub(super) struct Recorder {
    played: Rc<RefCell<Played>>,
    feeds: Vec<(String, Vec<Value>)>,
    secrets: Vec<(String, String)>,
    read: RefCell<Vec<usize>>,
}

impl Recorder {
    pub(super) fn new(
        played: Rc<RefCell<Played>>,
        feeds: Vec<(String, Vec<Value>)>,
        secrets: Vec<(String, String)>,
    ) -> Recorder {
        let read = RefCell::new(vec![0; feeds.len()]);
        Recorder {
            played,
            feeds,
            secrets,
            read,
        }
    }
}

impl Host for Recorder {
    fn log(&self, level: Level, message: &str) {
        self.played.borrow_mut().logs.push((level, message.into()));
    }

    fn check(&self, name: &str, passed: bool) {
        self.played.borrow_mut().checks.push((name.into(), passed));
    }

    fn observe(&self, metric: &str, value: f64) {
        self.played
            .borrow_mut()
            .observed
            .push((metric.into(), value));
    }

    fn begin(&self, transaction: &str) {
        let mut played = self.played.borrow_mut();
        if played.in_transaction(transaction).is_some() {
            played.refuse(format!("the transaction `{transaction}` is open already"));
        }
        played.transactions.push((transaction.into(), None));
    }

    fn end(&self, transaction: &str, passed: bool) {
        let mut played = self.played.borrow_mut();
        match played.in_transaction(transaction) {
            Some(open) => *open = Some(passed),
            None => played.refuse(format!("the transaction `{transaction}` is not open")),
        }
    }

    fn abandoned(&self, reason: &str, place: Option<&str>) {
        let said = (reason.into(), place.map(Into::into));
        self.played.borrow_mut().gave_up = Some(said);
    }

    fn share(&self, value: &str) {
        self.played.borrow_mut().shared = Some(value.into());
    }

    fn shared(&self) -> Option<String> {
        self.played.borrow().shared.clone()
    }

    fn remember(&self, notes: &str) {
        let mut played = self.played.borrow_mut();
        if notes.len() > MAX_NOTES {
            let length = notes.len();
            played.refuse(format!(
                "notes of {length} bytes are over the {MAX_NOTES} that are allowed"
            ));
        }
        played.remembered = Some(notes.into());
    }

    fn remembered(&self) -> Option<String> {
        self.played.borrow().remembered.clone()
    }

    fn mark(&self, thing: &str) {
        self.played.borrow_mut().marks.push(thing.into());
    }

    fn unmark(&self, thing: &str) {
        self.played.borrow_mut().unmarks.push(thing.into());
    }

    fn feed(&self, name: &str) -> Option<String> {
        let index = self.feeds.iter().position(|(known, _)| known == name)?;
        let rows = &self.feeds[index].1;
        let read = &mut self.read.borrow_mut()[index];
        let row = rows.get(*read % rows.len().max(1))?;
        *read += 1;
        Some(row.to_string())
    }

    fn secret(&self, name: &str) -> Option<String> {
        let mut secrets = self.secrets.iter();
        let (_, value) = secrets.find(|(known, _)| known == name)?;
        Some(value.clone())
    }
}
