//! What became of one request. Made by `http`, judged by `resilience`, counted by `metrics`.

use serde::{Deserialize, Serialize};

use crate::Failure;

crate::words! {
    /// What the error mix tells apart.
    pub enum OutcomeClass {
        /// A status below 400, or one that is no error.
        Success => "success",
        /// Any other from 400 to 499.
        Client => "client",
        /// Any other of 500 and above, or no response.
        Server => "server",
    }
}

crate::words! {
    /// Whether a request did what it was for, whoever is to blame.
    pub enum OutcomeKind {
        /// A status below 400, or one that is no error.
        Success => "success",
        /// Any other status, or no response.
        Failure => "failure",
    }
}

impl OutcomeClass {
    pub fn of(outcome: Outcome) -> OutcomeClass {
        match outcome {
            Outcome::Status(..400) | Outcome::Accepted(_) => OutcomeClass::Success,
            Outcome::Status(400..500) => OutcomeClass::Client,
            Outcome::Status(_) | Outcome::Failed(_) => OutcomeClass::Server,
        }
    }
}

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The target answered with this status code.
    Status(u16),
    /// The same, with one from 400 on that the behavior has said to be no error of this request.
    Accepted(u16),
    Failed(Failure),
}

impl Outcome {
    /// A status below 400, or one that is no error.
    pub fn is_good(self) -> bool {
        matches!(self, Outcome::Status(..400) | Outcome::Accepted(_))
    }

    /// What the target answered with; `None` where it did not.
    pub fn status(self) -> Option<u16> {
        match self {
            Outcome::Status(status) | Outcome::Accepted(status) => Some(status),
            Outcome::Failed(_) => None,
        }
    }
}
