//! What a journey can tell or ask the host besides its steps. Sessions call it; the bindings implement it for
//! the real host, the harness for a recorder. None of these calls may suspend a session.

use crate::contract::Level;

/// The contract's imports, one method for each.
pub trait Host {
    /// Write a line to the host's log.
    fn log(&self, level: Level, message: &str);
    /// Count a check and whether it held.
    fn check(&self, name: &str, passed: bool);
    /// Add a value to a custom metric.
    fn observe(&self, metric: &str, value: f64);
    /// Begin a transaction.
    fn begin(&self, transaction: &str);
    /// End one that is open, and say whether it passed.
    fn end(&self, transaction: &str, passed: bool);
    /// Say why the person gives up, and where.
    fn abandoned(&self, reason: &str, place: Option<&str>);
    /// Hand this to all sessions of the archetype.
    fn share(&self, value: &str);
    /// What was shared.
    fn shared(&self) -> Option<String>;
    /// Keep notes for the user's next sessions.
    fn remember(&self, notes: &str);
    /// The user's notes.
    fn remembered(&self) -> Option<String>;
    /// Say that something was created which cleanup has to remove.
    fn mark(&self, thing: &str);
    /// Say that a marked thing is gone.
    fn unmark(&self, thing: &str);
    /// The next row of a data feed, as JSON; `None` when there is none for this user.
    fn feed(&self, name: &str) -> Option<String>;
    /// One of the plan's secrets; `None` when it has no such one.
    fn secret(&self, name: &str) -> Option<String>;
}
