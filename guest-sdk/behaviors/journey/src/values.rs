//! What `${…}` can name: constants, what was captured, the columns of feeds, and what a session is told of itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use vespeiro_guest::Me;

/// Names that every session has.
const OWN: [&str; 9] = [
    "user.index",
    "user.username",
    "user.email",
    "user.password",
    "user.name",
    "run",
    "session",
    "round",
    "status",
];

/// What a secret's name stands behind: `${secret.api-key}`.
pub(crate) const SECRET: &str = "secret";

/// The names that a file may use, found before it is played.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: Vec<String>,
    /// Feeds and `config`: what follows the dot is known only when it is played.
    open: Vec<String>,
    /// Those of the plan that were named.
    secrets: RefCell<Vec<String>>,
}

impl Names {
    pub(crate) fn new() -> Names {
        Names {
            known: OWN.map(str::to_owned).to_vec(),
            open: vec!["config".to_owned(), SECRET.to_owned()],
            secrets: RefCell::default(),
        }
    }

    pub(crate) fn add(&mut self, name: &str) {
        self.known.push(name.to_owned());
    }

    pub(crate) fn open(&mut self, name: &str) {
        self.open.push(name.to_owned());
    }

    /// The secrets that were named.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.secrets.take()
    }

    /// Whether it names something; else what to do about it.
    pub(crate) fn check(&self, name: &str) -> Result<(), String> {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let is_open = !rest.is_empty() && self.open.iter().any(|open| open == first);
        if is_open && first == SECRET {
            let mut secrets = self.secrets.borrow_mut();
            if !secrets.iter().any(|known| known == rest) {
                secrets.push(rest.to_owned());
            }
        }
        if is_open || self.known.iter().any(|known| known == name) {
            return Ok(());
        }
        let mut names: Vec<_> = self.known.iter().map(String::as_str).collect();
        names.sort_unstable();
        Err(format!(
            "`{name}` names nothing; there are {}, the columns of feeds and of config, and secret.NAME",
            names.join(", ")
        ))
    }
}

/// The values of one session.
#[derive(Debug, Default)]
pub(crate) struct Values(BTreeMap<String, Value>);

impl Values {
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        // Mostly it is there from the last round.
        match self.0.get_mut(name) {
            Some(slot) => *slot = value,
            None => {
                self.0.insert(name.to_owned(), value);
            }
        }
    }

    /// `null` for what is not there (yet).
    pub(crate) fn get(&self, me: &Me, name: &str) -> Value {
        if let Some(value) = self.0.get(name) {
            return value.clone();
        }
        let user = me.user();
        match name {
            "user.index" => user.index.into(),
            "user.username" => user.username.clone().into(),
            "user.email" => user.email.clone().into(),
            "user.password" => user.password.clone().into(),
            "user.name" => user.name.clone().into(),
            "run" => me.run().into(),
            "session" => me.ordinal().into(),
            _ => self.column(name).unwrap_or(Value::Null),
        }
    }

    /// `feed.column`, or deeper: `config.shop.id`.
    fn column(&self, name: &str) -> Option<Value> {
        let mut parts = name.split('.');
        let first = self.0.get(parts.next()?)?;
        let found = parts.try_fold(first, |value, part| value.get(part))?;
        Some(found.clone())
    }
}

/// A value as text: strings as they are, nothing for `null`, all else as JSON.
pub(crate) fn text(value: &Value, into: &mut String) {
    match value {
        Value::String(text) => into.push_str(text),
        Value::Null => {}
        // Writing to a string cannot fail.
        other => drop(write!(into, "{other}")),
    }
}
