//! What a refusal is called over gRPC.

use axum::http::{HeaderMap, StatusCode};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::error::Error;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Malformed(_) | Error::Invalid(_) => Code::InvalidArgument,
            Error::Unauthorized(_) => Code::Unauthenticated,
            Error::Forbidden(_) => Code::PermissionDenied,
            Error::NotFound(_) => Code::NotFound,
            Error::Conflict(_) => Code::AlreadyExists,
            Error::TooLarge | Error::RateLimited { .. } => Code::ResourceExhausted,
            Error::MethodNotAllowed | Error::MediaType | Error::NotGrpc => Code::Unimplemented,
            Error::Unwritable(_) => Code::Internal,
        };
        let mut message = error.to_string();
        if let Error::Invalid(fields) = &error {
            for (n, (field, problems)) in fields.iter().enumerate() {
                message += if n == 0 { ": " } else { "; " };
                message += &format!("{field} {}", problems.join(", "));
            }
        }
        let mut status = Self::new(code, message);
        if let Error::RateLimited { retry_after } = error {
            let seconds = crate::error::whole_seconds(retry_after);
            status
                .metadata_mut()
                .insert("retry-after", MetadataValue::from(seconds));
        }
        status
    }
}

/// The code that the head of an answer, or its trailers, have.
pub fn code_of(headers: &HeaderMap) -> Option<Code> {
    headers
        .get(Status::GRPC_STATUS)
        .map(|code| Code::from_bytes(code.as_bytes()))
}

/// What gRPC makes of an answer's status where the answer says nothing of its own.
pub fn of_http(status: StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// A code's name in the ledger, as gRPC writes it.
pub fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
