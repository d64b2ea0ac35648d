//! What a step may ask for: the bounds that a run and a rehearsal hold alike, and the contract's words as HTTP has them.

use super::contract::types;

/// Longest delay that a step may ask for, in milliseconds: an hour.
pub const MAX_DELAY_MS: u32 = 3_600_000;
/// Most requests that a step may send together.
pub const MAX_BATCH: usize = 256;
/// Most steps in a row that ask for neither a delay nor a request; a session that goes on so is ended.
pub const MAX_IDLE_STEPS: u32 = 100;
/// Longest mark, in bytes, of a request and of `host.mark`.
pub const MAX_MARK: usize = 256;
/// What a mark begins with that is a secret: it is kept in memory only.
pub const TOKEN: &str = "token:";
/// Longest mark that is a token, in bytes.
pub const MAX_TOKEN: usize = 8 << 10;

impl types::Method {
    /// As HTTP names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// The failures of the contract and their names, as scripts and metrics write them.
pub const FAILURES: [(types::Failure, &str); 8] = [
    (types::Failure::Timeout, "timeout"),
    (types::Failure::Connect, "connect"),
    (types::Failure::Tls, "tls"),
    (types::Failure::Reset, "reset"),
    (types::Failure::Protocol, "protocol"),
    (types::Failure::TooLarge, "too-large"),
    (types::Failure::CircuitOpen, "circuit-open"),
    (types::Failure::Stopped, "stopped"),
];

impl types::Failure {
    /// Its name in scripts.
    pub fn name(self) -> &'static str {
        FAILURES
            .iter()
            .find(|(failure, _)| *failure == self)
            .map_or("stopped", |(_, name)| name)
    }
}
