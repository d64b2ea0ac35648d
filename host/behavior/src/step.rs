//! What a step may ask for: its bounds, which hold in a run and in a rehearsal alike. Used by the engine's session driver and
//! by `guest.rs`.

use super::types::{Action, Request, RouteRef, Step};

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
pub(super) fn passed(answer: &Result<Step, String>) -> usize {
    let requests = match answer {
        Ok(Step {
            action: Action::Requests(requests),
            ..
        }) => requests,
        Ok(_) => return 0,
        Err(message) => return message.len(),
    };
    let of = |request: &Request| {
        let headers = request.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        let route = match &request.route {
            RouteRef::Described(_) => 0,
            RouteRef::Undescribed(path) => path.len(),
        };
        request.path.len()
            + route
            + headers
            + request.body.as_ref().map_or(0, Vec::len)
            + request.mark.as_ref().map_or(0, String::len)
    };
    requests.iter().map(of).sum()
}
