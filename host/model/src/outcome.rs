//! What became of one request. Made by `http`, judged by `resilience`, counted by `metrics`.

use crate::Failure;

crate::words! {
    /// What the error mix tells apart.
    pub enum OutcomeClass {
        /// A status below 400.
        Success => "success",
        /// A status from 400 to 499.
        Client => "client",
        /// A status of 500 and above, or no response.
        Server => "server",
    }
}

crate::words! {
    /// Whether a request did what it was for, whoever is to blame.
    pub enum OutcomeKind {
        /// A status below 400.
        Success => "success",
        /// Any other status, or no response.
        Failure => "failure",
    }
}

impl OutcomeClass {
    pub fn of(outcome: Outcome) -> OutcomeClass {
        match outcome {
            Outcome::Status(..400) => OutcomeClass::Success,
            Outcome::Status(400..500) => OutcomeClass::Client,
            Outcome::Status(_) | Outcome::Failed(_) => OutcomeClass::Server,
        }
    }
}

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The target answered with this status code.
    Status(u16),
    Failed(Failure),
}

impl Outcome {
    /// A status below 400.
    pub fn is_good(self) -> bool {
        matches!(self, Outcome::Status(status) if status < 400)
    }
}
