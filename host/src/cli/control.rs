//! The control endpoint of a run, over HTTP: how it stands, and stop, pause, resume, users and swap. Taken before the
//! run, so that a taken port ends the command and not the run.
//!
//! What must stay true: without a token it is open to this machine alone, and never to a web page.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::status::Status;
use crate::exit::Misuse;
use crate::plan::{Module, Plan};
use crate::run::{Control, Mode, Source, Stopper, Swap, SwapError, Swapper};

/// Largest module that is taken: those of Python have 18 MB.
const MAX_MODULE: usize = 256 << 20;
/// How long open connections may keep the endpoint after the run.
const GRACE: Duration = Duration::from_millis(500);

/// A listening socket that nobody answers yet.
pub(super) struct Bound(TcpListener);

/// The endpoint at work.
pub(super) struct Desk {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// What the endpoint acts on.
pub(super) struct Reach {
    pub(super) plan: Arc<Plan>,
    pub(super) stopper: Stopper,
    pub(super) control: Control,
    pub(super) swapper: Swapper,
}

/// Take the address, if the plan has one.
pub(super) async fn bind(plan: &Plan) -> anyhow::Result<Option<Bound>> {
    let Some(address) = plan.control.address else {
        return Ok(None);
    };
    if !address.ip().is_loopback() && plan.control.token.is_none() {
        return Err(Misuse(format!(
            "control {address}: others could steer this run: listen on 127.0.0.1, or set control_token"
        ))
        .into());
    }
    let taken = |error: std::io::Error| {
        Misuse(format!(
            "control {address}: {error}: choose another address with --control HOST:PORT"
        ))
    };
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let address: SocketAddr = listener.local_addr().map_err(taken)?;
    // A stable line: port 0 is the system's choice, and scripts read it here.
    eprintln!("control: http://{address}");
    Ok(Some(Bound(listener)))
}

impl Desk {
    /// Answer from now on.
    pub(super) fn open(bound: Bound, reach: Reach) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let app = router(Arc::new(reach));
        let (down, is_down) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
            let _ = down.send(());
        };
        let server = axum::serve(bound.0, app).with_graceful_shutdown(shutdown);
        let task = tokio::spawn(async move {
            let overdue = async {
                let _ = is_down.await;
                tokio::time::sleep(GRACE).await;
            };
            tokio::select! {
                _ = server => {}
                () = overdue => {}
            }
        });
        Self { stop, task }
    }

    /// Answer no more.
    pub(super) async fn close(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

type Shared = State<Arc<Reach>>;

fn router(reach: Arc<Reach>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/stop", post(stop))
        .route("/pause", post(pause))
        .route("/resume", post(resume))
        .route("/users", post(users))
        .route("/swap/{archetype}", post(swap))
        .fallback(async || {
            Problem(
                StatusCode::NOT_FOUND,
                "there are GET /status, and POST /stop, /pause, /resume, /users and /swap/ARCHETYPE".into(),
            )
        })
        .layer(DefaultBodyLimit::max(MAX_MODULE))
        .layer(from_fn_with_state(Arc::clone(&reach), guard))
        .with_state(reach)
}

/// A refusal: a status and one line.
struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

/// Let in who may steer the run.
async fn guard(State(reach): Shared, request: Request, next: Next) -> Response {
    // A browser says so when a page asks; a page that somebody looks at meanwhile has no say in a run.
    if request.headers().contains_key(header::ORIGIN) {
        let why = "a web page may not steer a run".to_owned();
        return Problem(StatusCode::FORBIDDEN, why).into_response();
    }
    if let Some(token) = &reach.plan.control.token {
        let given = request.headers().get(header::AUTHORIZATION);
        let given = given.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if !given.is_some_and(|given| same(given, token)) {
            let why = "this run wants its control_token: Authorization: Bearer TOKEN".to_owned();
            return Problem(StatusCode::UNAUTHORIZED, why).into_response();
        }
    }
    next.run(request).await
}

/// Compared to the end whatever it begins with, so that the time it takes tells nothing of the secret.
fn same(given: &str, secret: &str) -> bool {
    let differing = given.bytes().zip(secret.bytes());
    let differing = differing.fold(0, |all, (a, b)| all | (a ^ b));
    differing == 0 && given.len() == secret.len()
}

async fn status(State(reach): Shared) -> Result<Json<Status>, Problem> {
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

async fn stop(State(reach): Shared) -> Json<Value> {
    reach.stopper.raise();
    Json(json!({ "stopping": true }))
}

async fn pause(State(reach): Shared) -> Json<Value> {
    reach.control.pause();
    Json(json!({ "paused": true }))
}

async fn resume(State(reach): Shared) -> Json<Value> {
    reach.control.resume();
    Json(json!({ "paused": false }))
}

#[derive(Deserialize)]
struct Users {
    users: u32,
}

async fn users(State(reach): Shared, body: Bytes) -> Result<Json<Value>, Problem> {
    let Users { users } = serde_json::from_slice(&body).map_err(|error| {
        let why = format!("{error}: send {{\"users\": 50}}");
        Problem(StatusCode::BAD_REQUEST, why)
    })?;
    if !reach.plan.lanes().iter().any(|lane| lane.is_shared) {
        let why = "every archetype has a load profile of its own: there are no users to share";
        return Err(Problem(StatusCode::CONFLICT, why.into()));
    }
    reach.control.users(users);
    Ok(Json(json!({ "users": users })))
}

/// What may be said of a swap in the query.
#[derive(Deserialize, Serialize, Default)]
pub(super) struct Wanted {
    /// What messages call the module that is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// Swap to this built-in behavior instead of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) builtin: Option<String>,
    /// `0.1` or `10%`; all of it when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) share: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<String>,
}

async fn swap(
    State(reach): Shared,
    Path(archetype): Path<String>,
    Query(wanted): Query<Wanted>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let bad = |why: String| Problem(StatusCode::BAD_REQUEST, why);
    let source = match wanted.builtin {
        Some(name) => Source::Module(Module::BuiltIn(name)),
        None => Source::Bytes {
            name: wanted.name.unwrap_or_else(|| "(sent)".into()),
            bytes: body.to_vec(),
        },
    };
    let swap = Swap {
        archetype,
        source,
        share: wanted
            .share
            .as_deref()
            .map_or(Ok(1.0), share)
            .map_err(bad)?,
        mode: wanted
            .mode
            .as_deref()
            .map_or(Ok(Mode::default()), mode)
            .map_err(bad)?,
    };
    let swapped = reach.swapper.swap(swap).await.map_err(|error| {
        let status = match error {
            SwapError::NoArchetype { .. } => StatusCode::NOT_FOUND,
            SwapError::Share => StatusCode::BAD_REQUEST,
            SwapError::Over(_) => StatusCode::CONFLICT,
            SwapError::Thread(_) | SwapError::Lost => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Problem(status, error.to_string())
    })?;
    Ok(Json(json!({
        "archetype": swapped.archetype,
        "before": swapped.before,
        "now": swapped.now,
        "share": swapped.share,
        "unchanged": swapped.unchanged,
        "told": swapped.to_string(),
    })))
}

/// Reads `10%` or `0.1`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let read = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|p| p / 100.0),
        None => text.trim().parse(),
    };
    read.ok()
        .filter(|share| *share > 0.0 && *share <= 1.0)
        .ok_or_else(|| {
            format!("{text:?} is no share: write it as 10% or 0.1, above 0% and at most 100%")
        })
}

/// Reads the name of a mode.
pub(super) fn mode(text: &str) -> Result<Mode, String> {
    let mut modes = Mode::ALL.into_iter();
    modes.find(|mode| mode.as_str() == text).ok_or_else(|| {
        let names = Mode::ALL.map(Mode::as_str).join(", ");
        format!("{text:?} is no mode: there are {names}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percents_or_parts() {
        assert_eq!(
            (share("10%"), share(" 0.25 "), share("100 %")),
            (Ok(0.1), Ok(0.25), Ok(1.0))
        );
        for text in ["0%", "101%", "-1%", "2", "ten", "", "NaN"] {
            assert!(share(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_has_to_be_the_whole_one() {
        assert!(same("secret", "secret"));
        for given in ["", "s", "secre", "secrets", "Secret"] {
            assert!(!same(given, "secret"), "{given}");
        }
    }
}
