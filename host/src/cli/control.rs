//! The control endpoint of a run, over HTTP: how it stands, and stop, pause, resume, users and swap.
//!
//! What must stay true: without a token it is open to this machine alone, and never to a web page.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::actions::{Problem, Reach, actions, admit};
use super::desk::{Bound, Desk};
use super::status::Status;
use crate::exit::Misuse;
use crate::plan::Plan;

/// Take the address, if the plan has one.
pub(super) async fn bind(plan: &Plan) -> Result<Option<Bound>, Misuse> {
    match plan.control.address {
        Some(address) => {
            let token = plan.control.token.as_deref();
            Bound::take("control", address, token).await.map(Some)
        }
        None => Ok(None),
    }
}

/// Answer from now on.
pub(super) fn open(bound: Bound, reach: &Reach) -> Desk {
    let app = Router::new()
        .route("/status", get(status))
        .with_state(reach.clone())
        .merge(actions(reach))
        .fallback(async || {
            Problem(
                StatusCode::NOT_FOUND,
                "there are GET /status, and POST /stop, /pause, /resume, /users and /swap/ARCHETYPE".into(),
            )
        })
        .layer(from_fn_with_state(reach.clone(), guard));
    Desk::open(bound, app)
}

/// Let in who may steer the run.
async fn guard(State(reach): State<Reach>, request: Request, next: Next) -> Response {
    // A browser says so when a page asks; a page that somebody looks at meanwhile has no say in a run.
    if request.headers().contains_key(header::ORIGIN) {
        let why = "a web page may not steer a run".to_owned();
        return Problem(StatusCode::FORBIDDEN, why).into_response();
    }
    match admit(&reach, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn status(State(reach): State<Reach>) -> Result<Json<Status>, Problem> {
    let snapshot = reach.control.status().ok_or_else(|| {
        let why = "the run has not begun yet".to_owned();
        Problem(StatusCode::SERVICE_UNAVAILABLE, why)
    })?;
    let news = reach.control.news(0);
    Ok(Json(Status::new(
        &reach.plan,
        &snapshot,
        reach.control.wish(),
        &news,
    )))
}
