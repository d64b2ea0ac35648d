//! The words of one measurement: what came of a request, how a session ended. Written by `run`, read everywhere.
//! `as_str` of each is a stable word: metrics, JSON and text use it, so it never changes its spelling.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::TraceId;

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

/// A failure that the tool causes on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Committed by a behavior: 401.
    BadCredentials,
    /// Committed by a behavior: 403.
    Forbidden,
    /// Committed by a behavior: 422 or 400.
    InvalidData,
    /// Committed by a behavior: 404.
    NotFound,
    /// Committed by a behavior: 429.
    RateLimit,
    /// Made by the host: a client timeout that is too short.
    Timeout,
    /// Made by the host: a header that asks the target for a 503.
    ServerError,
}

impl FaultKind {
    pub const ALL: [FaultKind; 7] = [
        FaultKind::BadCredentials,
        FaultKind::Forbidden,
        FaultKind::InvalidData,
        FaultKind::NotFound,
        FaultKind::RateLimit,
        FaultKind::Timeout,
        FaultKind::ServerError,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            FaultKind::BadCredentials => "bad-credentials",
            FaultKind::Forbidden => "forbidden",
            FaultKind::InvalidData => "invalid-data",
            FaultKind::NotFound => "not-found",
            FaultKind::RateLimit => "rate-limit",
            FaultKind::Timeout => "timeout",
            FaultKind::ServerError => "server-error",
        }
    }

    /// Whether the host makes it, without the behavior's knowledge.
    pub fn is_hosts(self) -> bool {
        matches!(self, FaultKind::Timeout | FaultKind::ServerError)
    }

    /// Whether this is the failure that was asked for: another one is not the tool's doing.
    pub fn is_met_by(self, outcome: Outcome) -> bool {
        match self {
            FaultKind::RateLimit => outcome == Outcome::Status(429),
            FaultKind::Timeout => outcome == Outcome::Failed(Failure::Timeout),
            FaultKind::ServerError => Class::of(outcome) == Class::Server,
            _ => Class::of(outcome) == Class::Client,
        }
    }
}

/// What the error mix tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A status below 400.
    Success,
    /// A status from 400 to 499.
    Client,
    /// A status of 500 and above, or no response.
    Server,
}

impl Class {
    pub const ALL: [Class; 3] = [Class::Success, Class::Client, Class::Server];

    pub fn of(outcome: Outcome) -> Class {
        match outcome {
            Outcome::Status(..400) => Class::Success,
            Outcome::Status(400..500) => Class::Client,
            Outcome::Status(_) | Outcome::Failed(_) => Class::Server,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Class::Success => "success",
            Class::Client => "client",
            Class::Server => "server",
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

/// Who plays: an archetype, and the version of its behavior.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role {
    /// Position in the catalog.
    pub archetype: u16,
    /// [`super::VersionLabels::number`].
    pub version: u32,
}

/// One request, as the worker saw it.
#[derive(Debug, Clone, Copy)]
pub struct RequestSample {
    pub role: Role,
    /// Position in the archetype's routes, or [`super::UNKNOWN`] for a route that was not announced.
    pub route: u16,
    /// Position in the catalog's categories, or [`super::UNKNOWN`].
    pub category: u16,
    /// Index of the virtual user.
    pub user: u32,
    pub outcome: Outcome,
    /// From the send to the last byte of the body, or to the failure; with a rate, from when it should have left.
    pub latency: Duration,
    /// With a rate: how long after it should have left it did. Part of `latency`.
    pub waited: Option<Duration>,
    /// The trace that it carried.
    pub trace: Option<TraceId>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// The tool asked for this failure: it is not held against the target.
    pub expected: bool,
}

/// What came of a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwapResult {
    /// New sessions get the new behavior, or a part of them does.
    Published,
    /// The new behavior cannot play: nothing has changed.
    Refused,
    /// The new behavior crashed too often, and the one before it is back.
    RolledBack,
}

impl SwapResult {
    pub const ALL: [SwapResult; 3] = [
        SwapResult::Published,
        SwapResult::Refused,
        SwapResult::RolledBack,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            SwapResult::Published => "published",
            SwapResult::Refused => "refused",
            SwapResult::RolledBack => "rolled-back",
        }
    }
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
        for kind in FaultKind::ALL {
            assert_eq!(
                serde_json::to_string(&kind).unwrap(),
                format!("\"{}\"", kind.as_str())
            );
        }
        for class in Class::ALL {
            assert_eq!(
                serde_json::to_string(&class).unwrap(),
                format!("\"{}\"", class.as_str())
            );
        }
        for result in SwapResult::ALL {
            assert_eq!(
                serde_json::to_string(&result).unwrap(),
                format!("\"{}\"", result.as_str())
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
