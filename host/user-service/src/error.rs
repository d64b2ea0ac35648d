//! Every way a request can be refused, and the answer each becomes. Handlers return it; the JSON shape
//! `{"message", "errors"?}` is made nowhere else.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tonic::Status;

use crate::grpc;

/// Field name to what is wrong with it.
pub type FieldMap = BTreeMap<String, Vec<String>>;

/// Why a request was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("malformed request: {0}")]
    Malformed(String),
    #[error("{0}")]
    Unauthorized(&'static str),
    #[error("{0}")]
    Forbidden(String),
    #[error("no such {0}")]
    NotFound(&'static str),
    #[error("method not allowed")]
    MethodNotAllowed,
    #[error("{0}")]
    Conflict(String),
    #[error("the body is larger than {} bytes", crate::MAX_BODY)]
    TooLarge,
    #[error("send the body as application/json")]
    MediaType,
    #[error("a gRPC call takes HTTP/2 and the content type application/grpc")]
    NotGrpc,
    #[error("the given data is invalid")]
    Invalid(FieldMap),
    #[error("too many requests")]
    RateLimited { retry_after: Duration },
    #[error("the answer could not be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl Error {
    /// A 422 about one field.
    pub fn invalid(field: &str, problem: impl Into<String>) -> Self {
        Self::Invalid(FieldMap::from([(field.to_owned(), vec![problem.into()])]))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType | Self::NotGrpc => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unwritable(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut body = json!({ "message": self.to_string() });
        if let Self::Invalid(fields) = &self {
            body["errors"] = json!(fields);
        }
        let mut response = (self.status(), axum::Json(body)).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Unauthorized(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::RateLimited { retry_after } => {
                let seconds = whole_seconds(retry_after);
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            _ => {}
        }
        response
    }
}

/// A wait as `retry-after` tells it: rounded up, at least one.
pub fn whole_seconds(wait: Duration) -> u64 {
    let seconds = wait.as_micros().div_ceil(1_000_000).max(1);
    u64::try_from(seconds).unwrap_or(u64::MAX)
}

/// Answers a path that is not on the table.
pub async fn no_such_route(request: Request) -> Response {
    if grpc::is_call(&request) {
        return Status::unimplemented("no such method").into_http();
    }
    Error::NotFound("route").into_response()
}

/// Answers a path that is on the table, asked with another method.
pub async fn no_such_method() -> Error {
    Error::MethodNotAllowed
}
