//! The control endpoint of a run, over HTTP: how it stands, and stop, pause, resume, users and swap.
//!
//! What must stay true: without a token it is open to this machine alone, and never to a web page.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};

use super::actions::{Problem, RunHandle, actions, admitted};
use crate::listener::{Listener, Server};
use crate::visitor::is_this_machine;
use vespeiro_output::Phase;
use vespeiro_output::status::{RowLimits, RunStatus};

/// Begin to answer.
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
        .layer(from_fn_with_state(run.clone(), guard));
    listener.serve(app)
}

/// Refuses web pages. A browser sends `Origin` with most of their requests, and to the others a name that somebody made
/// point at this machine; a page that has the token is no stranger's.
pub(super) async fn guard(
    State(run): State<RunHandle>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let refused = |why: &str| Err(Problem(StatusCode::FORBIDDEN, why.into()));
    if request.headers().contains_key(header::ORIGIN) {
        return refused("a web page may not control a run");
    }
    if run.plan.control.token.is_none() && !is_this_machine(request.headers()) {
        return refused(
            "without a control_token this answers to localhost and to IP addresses alone",
        );
    }
    Ok(next.run(request).await)
}

async fn status(State(run): State<RunHandle>) -> Result<Json<RunStatus>, Problem> {
    let snapshot = run.control.status().ok_or_else(|| {
        let why = "the run has not begun yet".to_owned();
        Problem(StatusCode::SERVICE_UNAVAILABLE, why)
    })?;
    let phase = Phase::of(&snapshot);
    let swaps = run.swap_events();
    let (plan, shape) = (&run.plan, run.shape);
    let mut status = RunStatus::new(plan, shape, &snapshot, phase, swaps, RowLimits::NONE);
    // What was asked for last, though the run may not have got there yet.
    let desired = run.control.desired();
    status.paused = desired.paused;
    status.users_wanted = plan.users_when(desired.users);
    Ok(Json(status))
}
