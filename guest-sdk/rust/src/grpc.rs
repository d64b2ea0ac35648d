//! How gRPC calls end: codes by their names, and what a reply says of them. Messages are bytes here; the feature `prost` has them
//! typed (`Call::message`, `Reply::message`).

use std::fmt::{self, Display, Formatter};

/// The status code of a gRPC call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // gRPC's own, in the order of their numbers
pub enum Code {
    Ok,
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

const CODES: [(Code, &str); 17] = [
    (Code::Ok, "OK"),
    (Code::Cancelled, "CANCELLED"),
    (Code::Unknown, "UNKNOWN"),
    (Code::InvalidArgument, "INVALID_ARGUMENT"),
    (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
    (Code::NotFound, "NOT_FOUND"),
    (Code::AlreadyExists, "ALREADY_EXISTS"),
    (Code::PermissionDenied, "PERMISSION_DENIED"),
    (Code::ResourceExhausted, "RESOURCE_EXHAUSTED"),
    (Code::FailedPrecondition, "FAILED_PRECONDITION"),
    (Code::Aborted, "ABORTED"),
    (Code::OutOfRange, "OUT_OF_RANGE"),
    (Code::Unimplemented, "UNIMPLEMENTED"),
    (Code::Internal, "INTERNAL"),
    (Code::Unavailable, "UNAVAILABLE"),
    (Code::DataLoss, "DATA_LOSS"),
    (Code::Unauthenticated, "UNAUTHENTICATED"),
];

impl Code {
    /// As gRPC numbers it.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// As gRPC names it, for instance `NOT_FOUND`.
    #[must_use]
    pub fn name(self) -> &'static str {
        CODES.get(self as usize).map_or("", |(_, name)| name)
    }
}

impl From<u32> for Code {
    /// A number that gRPC does not have is `UNKNOWN`.
    fn from(number: u32) -> Code {
        let place = usize::try_from(number).ok();
        let known = place.and_then(|place| CODES.get(place));
        known.map_or(Code::Unknown, |(code, _)| *code)
    }
}

impl Display for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a gRPC call has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its code.
    pub code: Code,
    /// The target's words; may be empty.
    pub message: String,
    /// Metadata that came with it; empty unless headers are captured.
    pub trailers: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_in_their_order() {
        for (number, (code, _)) in (0..).zip(CODES) {
            assert_eq!(
                (Code::from(number), u32::from(code.number())),
                (code, number)
            );
        }
        assert_eq!(Code::from(16).name(), "UNAUTHENTICATED");
        assert_eq!(Code::from(17), Code::Unknown);
    }
}
