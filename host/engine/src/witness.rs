//! Somebody who looks on while one user plays: what they are shown, and their say in when a step is carried out. Made by
//! the command that tries a behavior, told by whatever plays users.
//!
//! What must stay true: who looks on changes nothing of what is sent and counted; in a run nobody does.

use std::fmt::Debug;

use futures_util::future::LocalBoxFuture;

use crate::driver::SessionEnd;
use vespeiro_behavior::GuestEvent;
use vespeiro_behavior::types::{Content, Step};
use vespeiro_http::{Call, Outcome};
use vespeiro_metrics::Span;

/// What has happened, in turn.
#[derive(Debug)]
pub enum Seen<'a> {
    /// The session has decided what comes next; its pause is still to come, where it takes one.
    Step {
        step: &'a Step,
        pauses: bool,
    },
    /// A request leaves. `number` counts those of the user, from 1.
    Sent {
        number: u32,
        call: &'a Call,
        /// The route that it counts as.
        route: &'a str,
        category: &'a str,
        /// It is wrong on purpose.
        is_fault: bool,
    },
    /// What came of it, whole; the session is told of what it has asked for.
    Answered {
        number: u32,
        call: &'a Call,
        sent: &'a Outcome,
    },
    /// A message was sent over a channel of the session, or one that has come is handed to it.
    Message {
        channel: u32,
        sent: bool,
        content: &'a Content,
        /// Name of an event.
        event: &'a str,
    },
    /// The session has said something to the host.
    Said(&'a GuestEvent),
    /// A transaction begins, or has ended: whether it passed, and how long it took.
    Transaction {
        name: &'a str,
        ended: Option<(bool, Span)>,
    },
    Ended(&'a SessionEnd),
}

/// Looks on.
pub trait Witness: Debug {
    fn saw(&self, seen: Seen<'_>);

    /// Waited for before a step is carried out; `false` ends the session instead.
    fn lets_go(&self) -> LocalBoxFuture<'_, bool>;
}
