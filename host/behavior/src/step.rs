//! What a step may ask for: its bounds, which hold in a run and in a rehearsal alike, and the contract's words as HTTP and the
//! host have them. Used by the engine's session driver and by `guest.rs`.

use vespeiro_model::Failure;

use super::contract::types;

/// Longest delay that a step may ask for, in milliseconds: an hour.
pub const MAX_DELAY_MS: u32 = 3_600_000;
/// Most requests that a step may send together.
pub const MAX_BATCH: usize = 256;
/// Most steps in a row that ask for neither a delay nor a request; a session that goes on so is ended.
pub const MAX_IDLE_STEPS: u32 = 100;
/// Longest mark, in bytes, of a request and of `host.mark`.
pub const MAX_MARK: usize = 256;
/// The beginning of a mark that is a secret: such a mark is kept in memory only.
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

/// The contract's failures are the host's, by name.
macro_rules! failures {
    ($($failure:ident),+) => {
        impl From<Failure> for types::Failure {
            fn from(failure: Failure) -> Self {
                match failure {
                    $(Failure::$failure => Self::$failure,)+
                }
            }
        }

        impl From<types::Failure> for Failure {
            fn from(failure: types::Failure) -> Self {
                match failure {
                    $(types::Failure::$failure => Self::$failure,)+
                }
            }
        }
    };
}

failures!(
    Timeout,
    Connect,
    Tls,
    Reset,
    Protocol,
    TooLarge,
    CircuitOpen,
    Stopped
);

impl types::Failure {
    /// Its word, as scripts and metrics write it.
    pub fn name(self) -> &'static str {
        Failure::from(self).as_str()
    }
}
