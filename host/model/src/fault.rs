//! The failures that the tool causes on purpose. Asked for by the error mix, committed by behaviors or made by the host.

use crate::{Failure, GrpcCode, Outcome, OutcomeClass};

crate::words! {
    /// A failure that the tool causes on purpose.
    pub enum FaultKind {
        /// Committed by a behavior: 401.
        BadCredentials => "bad-credentials",
        /// Committed by a behavior: 403.
        Forbidden => "forbidden",
        /// Committed by a behavior: 422 or 400.
        InvalidData => "invalid-data",
        /// Committed by a behavior: 404.
        NotFound => "not-found",
        /// Committed by a behavior: 429.
        RateLimit => "rate-limit",
        /// Made by the host: a client timeout that is too short.
        Timeout => "timeout",
        /// Made by the host: a header that asks the target for a 503.
        ServerError => "server-error",
    }
}

impl FaultKind {
    /// Whether the host makes it, without the behavior's knowledge.
    pub fn is_hosts(self) -> bool {
        matches!(self, FaultKind::Timeout | FaultKind::ServerError)
    }

    /// Whether this is the failure that was asked for: another one is not the tool's doing.
    pub fn is_met_by(self, outcome: Outcome) -> bool {
        match self {
            FaultKind::RateLimit => outcome.as_http() == Outcome::Status(429),
            FaultKind::Timeout => {
                let late = Outcome::Grpc(GrpcCode::DeadlineExceeded);
                outcome == Outcome::Failed(Failure::Timeout) || outcome == late
            }
            FaultKind::ServerError => OutcomeClass::of(outcome) == OutcomeClass::Server,
            _ => OutcomeClass::of(outcome) == OutcomeClass::Client,
        }
    }
}
