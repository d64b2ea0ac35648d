//! Successful answers. Called by the handlers while they hold the store, so that what is shown is borrowed, not
//! cloned, on its way into the body.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::Error;

/// What a handler gives back.
pub type Reply = Result<Response, Error>;

#[derive(Serialize)]
struct Data<T> {
    data: T,
}

/// `{"data": value}` with `status`.
pub fn data(status: StatusCode, value: impl Serialize) -> Reply {
    json(status, &Data { data: value })
}

/// `value` as the whole body.
pub fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    let mut body = Vec::with_capacity(512);
    serde_json::to_writer(&mut body, value)?;
    Ok((status, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// 204, nothing to show.
pub fn nothing() -> Reply {
    Ok(StatusCode::NO_CONTENT.into_response())
}
