//! The gate of calls, as `crate::gate` is that of requests: ledger, faults, rate limit, service time, in this order. Messages are
//! bounded where they are read. A call is counted with its status, which ends the answer, before that leaves.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use tonic::{Code, Status};

use crate::app::App;
use crate::error::Error;
use crate::faults;
use crate::gate::limit;
use crate::ledger::Entry;

use super::status::{self, code_of};

/// The middleware around all methods.
pub async fn pass(State(app): State<App>, request: Request, next: Next) -> Response {
    if !is_call(&request) {
        let entry = app.ledger().open(&request);
        let response = Error::NotGrpc.into_response();
        entry.close(&response);
        return response;
    }
    let entry = app.ledger().open_call(&request);
    let response = admit(&app, request, next)
        .await
        .unwrap_or_else(Status::into_http);
    count(entry, response)
}

/// A call is always over HTTP/2, for its status comes behind the answer.
pub fn is_call(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let is_grpc = kind.is_some_and(|kind| {
        let kind = kind.as_bytes();
        kind == b"application/grpc" || kind.starts_with(b"application/grpc+proto")
    });
    is_grpc && request.version() == Version::HTTP_2
}

async fn admit(app: &App, mut request: Request, next: Next) -> Result<Response, Status> {
    if app.config().allow_faults {
        if let Some(delay) = faults::delay(request.headers()) {
            tokio::time::sleep(delay).await;
        }
        let asked = faults::abort_call(request.headers()).map(|code| Code::from(i32::from(code)));
        let asked = asked.or_else(|| {
            let answer = faults::abort(request.headers())?;
            Some(status::of_http(answer.status()))
        });
        if let Some(code) = asked {
            return Err(Status::new(code, faults::ABORTED));
        }
    }
    limit(app, &mut request)?;
    if let Some(median) = app.config().latency
        && request.uri().path().starts_with("/users.")
    {
        tokio::time::sleep(faults::service_time(median)).await;
    }
    Ok(next.run(request).await)
}

/// Count the call when its status is there: in the head of an answer that is nothing else, else in the trailers.
fn count(entry: Entry, response: Response) -> Response {
    if code_of(response.headers()).is_some() || !response.status().is_success() {
        entry.close(&response);
        return response;
    }
    let mut entry = Some(entry);
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            if let Some(code) = frame.trailers_ref().and_then(code_of)
                && let Some(entry) = entry.take()
            {
                entry.close_call(code);
            }
            frame
        }))
    })
}
