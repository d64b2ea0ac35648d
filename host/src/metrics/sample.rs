//! The words of one measurement: what came of a request, how a session ended. Written by `run`, read everywhere.
//! `as_str` of each is a stable word: metrics, JSON and text use it, so it never changes its spelling.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a request has no complete response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    Timeout,
    Connect,
    Tls,
    Reset,
    Protocol,
    TooLarge,
    /// Never sent: the circuit breaker was open.
    CircuitOpen,
    /// Never sent: the run was stopping or the budget was spent.
    Stopped,
}

impl Failure {
    pub const ALL: [Failure; 8] = [
        Failure::Timeout,
        Failure::Connect,
        Failure::Tls,
        Failure::Reset,
        Failure::Protocol,
        Failure::TooLarge,
        Failure::CircuitOpen,
        Failure::Stopped,
    ];

    /// The two kinds that count as "not sent" and never as a request.
    pub const NOT_SENT: [Failure; 2] = [Failure::CircuitOpen, Failure::Stopped];

    pub fn as_str(self) -> &'static str {
        match self {
            Failure::Timeout => "timeout",
            Failure::Connect => "connect",
            Failure::Tls => "tls",
            Failure::Reset => "reset",
            Failure::Protocol => "protocol",
            Failure::TooLarge => "too-large",
            Failure::CircuitOpen => "circuit-open",
            Failure::Stopped => "stopped",
        }
    }

    /// Position in [`Failure::NOT_SENT`]; `None` for a request that did leave.
    pub(super) fn not_sent(self) -> Option<usize> {
        match self {
            Failure::CircuitOpen => Some(0),
            Failure::Stopped => Some(1),
            _ => None,
        }
    }
}

/// What came of one request.
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

/// One request, as the worker saw it.
#[derive(Debug, Clone, Copy)]
pub struct RequestSample {
    /// Position in the catalog.
    pub archetype: u16,
    /// Position in the archetype's routes, or their number for a route that was not announced.
    pub route: u16,
    /// Position in the catalog's categories.
    pub category: u16,
    /// Index of the virtual user.
    pub user: u32,
    pub outcome: Outcome,
    /// From the send to the last byte of the body, or to the failure.
    pub latency: Duration,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// The tool asked for this failure: it is not held against the target.
    pub expected: bool,
}

/// How a session came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Completed,
    Abandoned,
    /// The behavior answered with an error.
    Failed,
    /// The behavior trapped.
    Crashed,
    /// The host ended it: budget spent, duration over, run stopped.
    Cut,
}

impl Ending {
    pub const ALL: [Ending; 5] = [
        Ending::Completed,
        Ending::Abandoned,
        Ending::Failed,
        Ending::Crashed,
        Ending::Cut,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Completed => "completed",
            Ending::Abandoned => "abandoned",
            Ending::Failed => "failed",
            Ending::Crashed => "crashed",
            Ending::Cut => "cut",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_uses_the_stable_words_too() {
        for failure in Failure::ALL {
            assert_eq!(
                serde_json::to_string(&failure).unwrap(),
                format!("\"{}\"", failure.as_str())
            );
        }
        for ending in Ending::ALL {
            assert_eq!(
                serde_json::to_string(&ending).unwrap(),
                format!("\"{}\"", ending.as_str())
            );
        }
    }
}
