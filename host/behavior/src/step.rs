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

/// Bytes that a session hands over with what it answers.
pub(super) fn passed(answer: &Result<types::Step, String>) -> usize {
    let requests = match answer {
        Ok(types::Step {
            action: types::Action::Requests(requests),
            ..
        }) => requests,
        Ok(_) => return 0,
        Err(message) => return message.len(),
    };
    let of = |request: &types::Request| {
        let headers = request.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        request.path.len()
            + request.route.len()
            + request.category.len()
            + headers
            + request.body.as_ref().map_or(0, Vec::len)
            + request.mark.as_ref().map_or(0, String::len)
    };
    requests.iter().map(of).sum()
}

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

/// The contract of version 0.1 has fewer kinds than the host: a kind that it lacks becomes the nearest one.
impl From<Failure> for types::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Timeout => Self::Timeout,
            Failure::Connect | Failure::Generator => Self::Connect,
            Failure::Tls => Self::Tls,
            Failure::Reset | Failure::Unprocessed => Self::Reset,
            Failure::Protocol => Self::Protocol,
            Failure::TooLarge | Failure::Headers => Self::TooLarge,
            Failure::CircuitOpen => Self::CircuitOpen,
            Failure::Stopped => Self::Stopped,
        }
    }
}

impl From<types::Failure> for Failure {
    fn from(failure: types::Failure) -> Self {
        match failure {
            types::Failure::Timeout => Self::Timeout,
            types::Failure::Connect => Self::Connect,
            types::Failure::Tls => Self::Tls,
            types::Failure::Reset => Self::Reset,
            types::Failure::Protocol => Self::Protocol,
            types::Failure::TooLarge => Self::TooLarge,
            types::Failure::CircuitOpen => Self::CircuitOpen,
            types::Failure::Stopped => Self::Stopped,
        }
    }
}

impl types::Failure {
    /// Its word, as scripts and metrics write it.
    pub fn name(self) -> &'static str {
        Failure::from(self).as_str()
    }
}
