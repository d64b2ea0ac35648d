//! The control endpoint of a run, over HTTP: how it stands, and stop, pause, resume, users and swap.
//!
//! What must stay true: without a token it is open to this machine alone, and never to a web page.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};

use super::actions::{Problem, RunHandle, actions, admitted};
use super::status::Status;
use crate::listener::{Listener, Server};

/// Answer from now on.
pub fn open(listener: Listener, run: &RunHandle) -> Server {
    let app = Router::new()
        .route("/status", get(status))
        .with_state(run.clone())
        .merge(actions(run))
        .fallback(async || {
            Problem(
                StatusCode::NOT_FOUND,
                "there are GET /status, and POST /stop, /pause, /resume, /users and /swap/ARCHETYPE".into(),
            )
        })
        .layer(from_fn_with_state(run.clone(), admitted))
        .layer(from_fn(guard));
    listener.serve(app)
}

/// Turn web pages away: a browser says so when a page asks, and one that somebody looks at meanwhile has no say in a run.
async fn guard(request: Request, next: Next) -> Result<Response, Problem> {
    if request.headers().contains_key(header::ORIGIN) {
        let why = "a web page may not steer a run".to_owned();
        return Err(Problem(StatusCode::FORBIDDEN, why));
    }
    Ok(next.run(request).await)
}

async fn status(State(run): State<RunHandle>) -> Result<Json<Status>, Problem> {
    let snapshot = run.control.status().ok_or_else(|| {
        let why = "the run has not begun yet".to_owned();
        Problem(StatusCode::SERVICE_UNAVAILABLE, why)
    })?;
    let news = run.control.news(0);
    Ok(Json(Status::new(
        &run.plan,
        &snapshot,
        run.control.wish(),
        &news,
    )))
}
