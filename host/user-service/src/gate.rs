//! The gate that every request passes, once routed and before its handler: ledger, body, faults, rate limit, service
//! time, in this order. The ledger's entry is opened first, so that no way out of here goes uncounted.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;

use crate::app::App;
use crate::caller;
use crate::error::Error;
use crate::faults;

/// Largest request body accepted, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// How much of a larger body is still read and thrown away, so that its sender reads a 413 and not a reset.
const MAX_DRAINED: usize = 8 * 1024 * 1024;

/// The middleware around all routes and fallbacks.
pub async fn pass(State(app): State<App>, request: Request, next: Next) -> Response {
    let entry = app.ledger().open(&request);
    let response = admit(&app, request, next)
        .await
        .unwrap_or_else(Error::into_response);
    entry.close(&response);
    response
}

async fn admit(app: &App, request: Request, next: Next) -> Result<Response, Error> {
    let mut request = take_in(request).await?;
    if app.config().allow_faults {
        if let Some(delay) = faults::delay(request.headers()) {
            tokio::time::sleep(delay).await;
        }
        if let Some(answer) = faults::abort(request.headers()) {
            return Ok(answer);
        }
    }
    limit(app, &mut request)?;
    if let Some(median) = app.config().latency
        && request.uri().path().starts_with("/api/")
    {
        tokio::time::sleep(faults::service_time(median)).await;
    }
    Ok(next.run(request).await)
}

/// Takes the request out of its session's bucket. A bad token is left to the handler: it may be one that needs none.
pub fn limit(app: &App, request: &mut Request) -> Result<(), Error> {
    if let Some(limit) = app.limit()
        && let Ok(caller) = caller::identify(app, request.headers())
    {
        let wait = app
            .read()
            .sessions
            .bucket(caller.session)
            .and_then(|bucket| limit.take(bucket, app.now()).err());
        if let Some(retry_after) = wait {
            return Err(Error::RateLimited { retry_after });
        }
        request.extensions_mut().insert(caller);
    }
    Ok(())
}

/// Reads the body to its end whatever comes of the request: a connection with an unread rest cannot be kept alive,
/// and closing it early can cost the client an answer that the ledger has counted.
async fn take_in(request: Request) -> Result<Request, Error> {
    use axum::body::HttpBody;
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, mut body) = request.into_parts();
    let mut kept = Vec::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| Error::Malformed(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen += data.len();
        if seen <= MAX_BODY {
            kept.extend_from_slice(&data);
        } else if seen > MAX_DRAINED {
            break;
        }
    }
    if seen > MAX_BODY {
        return Err(Error::TooLarge);
    }
    Ok(Request::from_parts(parts, Body::from(Bytes::from(kept))))
}
