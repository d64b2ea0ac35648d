//! What a step may ask for: its bounds, which hold in a run and in a rehearsal alike. Used by the engine's session driver and
//! by `guest.rs`.

use super::types::{Action, Body, Operation, Request, RouteRef, Step};

/// Longest delay that a step may ask for, in milliseconds: an hour.
pub const MAX_DELAY_MS: u32 = 3_600_000;
/// Most requests, or operations, that a step may carry out together.
pub const MAX_BATCH: usize = 256;
/// Most steps in a row that ask for neither a delay nor a request; a session that goes on so is ended.
pub const MAX_IDLE_STEPS: u32 = 100;
/// Most pieces of a body.
pub const MAX_PIECES: usize = 64;
/// Longest mark, in bytes, of a request and of `host.mark`.
pub const MAX_MARK: usize = 256;
/// The beginning of a mark that is a secret: such a mark is kept in memory only.
pub const TOKEN: &str = "token:";
/// Longest notes of a user, in bytes.
pub const MAX_NOTES: usize = 4 << 10;
/// Most that a preparation may share, in bytes.
pub const MAX_SHARED: usize = 64 << 10;
/// Longest mark that is a token, in bytes.
pub const MAX_TOKEN: usize = 8 << 10;

/// Most channels that a session has open.
pub const MAX_CHANNELS: usize = 16;

/// Bytes that a session hands over with what it answers.
pub(super) fn passed(answer: &Result<Step, String>) -> usize {
    match answer {
        Err(message) => message.len(),
        Ok(step) => match &step.action {
            Action::Requests(requests) => requests.iter().map(of_request).sum(),
            Action::Operations(operations) => operations.iter().map(of_operation).sum(),
            Action::Done(_) => 0,
        },
    }
}

fn of_operation(operation: &Operation) -> usize {
    match operation {
        Operation::Request(request) | Operation::Open(_, request) => of_request(request),
        Operation::Send { content, .. } => content.size(),
        Operation::Receive { .. } | Operation::Close(_) => 0,
    }
}

fn of_request(request: &Request) -> usize {
    let headers = request.headers.iter();
    let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
    let route = match &request.route {
        RouteRef::Described(_) => 0,
        RouteRef::Undescribed(path) => path.len(),
    };
    request.path.len()
        + route
        + headers
        + request.body.as_ref().map_or(0, Body::size)
        + request.mark.as_ref().map_or(0, String::len)
}
