//! What takes the decoder's events, and why bytes are no response. Below the decoder and its parts.

use httparse::Header;

use crate::Failure;

/// Why bytes are no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Refusal {
    pub failure: Failure,
    /// In words.
    pub cause: &'static str,
}

pub(super) fn invalid(cause: &'static str) -> Refusal {
    Refusal {
        failure: Failure::Protocol,
        cause,
    }
}

pub(super) fn over() -> Refusal {
    Refusal {
        failure: Failure::Headers,
        cause: "the answer's headers are larger than --max-headers allows",
    }
}

pub(super) fn cut(cause: &'static str) -> Refusal {
    Refusal {
        failure: Failure::Reset,
        cause,
    }
}

/// The first event of each response, after any interim ones (1xx), which are skipped.
#[derive(Debug)]
pub struct Head<'a> {
    pub status: u16,
    /// As they came.
    pub headers: &'a [Header<'a>],
    /// Bytes of the body, where they are known beforehand; `Some(0)` where there can be none.
    pub length: Option<u64>,
    /// The request or the status rules out a body, whatever the headers say of one.
    pub bodiless: bool,
}

/// What takes the events.
pub trait Receive {
    /// Once.
    fn head(&mut self, head: Head<'_>) -> Result<(), Refusal>;
    /// The body's next bytes, never none.
    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal>;
    /// At most once, behind the body.
    fn trailers(&mut self, fields: &[Header<'_>]) -> Result<(), Refusal>;
}
