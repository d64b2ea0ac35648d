//! What may be done to a run that goes on, over HTTP: stop, pause, resume, users and swap. The control endpoint and the
//! live page share these routes; each of them decides who may use them.
//!
//! What must stay true: what cannot be done is refused in one line, and the run goes on as before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use vespeiro_engine::{
    Control, MAX_MODULE, Mode, News, Source, Stopper, Swap, SwapError, Swapper, capacity,
};
use vespeiro_model::Word as _;
use vespeiro_model::text::harmless;
use vespeiro_output::{RunShape, SwapEvent};
use vespeiro_plan::Plan;

/// How long the first wrong token waits for its answer, doubled with each one, and the longest wait.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The run, for the routes that control it.
#[derive(Debug, Clone)]
pub struct RunHandle {
    pub plan: Arc<Plan>,
    pub shape: RunShape,
    pub stopper: Stopper,
    pub control: Control,
    pub swapper: Swapper,
    pub attempts: Attempts,
}

impl RunHandle {
    /// The latest swaps, oldest first.
    pub fn swap_events(&self) -> Vec<SwapEvent> {
        let event = |news: News| SwapEvent {
            elapsed_seconds: news.elapsed.as_secs_f64(),
            text: news.text,
            failed: news.is_bad,
        };
        self.control.news(0).into_iter().map(event).collect()
    }
}

type Shared = State<RunHandle>;

/// The routes, without a check of who calls them.
pub fn actions(run: &RunHandle) -> Router {
    Router::new()
        .route("/stop", post(stop))
        .route("/pause", post(pause))
        .route("/resume", post(resume))
        .route("/users", post(users))
        .route("/swap/{archetype}", post(swap))
        .layer(DefaultBodyLimit::max(MAX_MODULE))
        .with_state(run.clone())
}

/// A refusal: a status and one line.
#[derive(Debug)]
pub struct Problem(pub(super) StatusCode, pub(super) String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Behaviors and files name things in here, and the page shows it.
        (self.0, Json(json!({ "error": harmless(&self.1) }))).into_response()
    }
}

/// Middleware: requires the token, if the plan has one.
pub async fn admitted(
    State(run): Shared,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match (&run.plan.control.token, given) {
        (None, _) => {}
        (Some(token), Some(given)) if same(given, token) => run.attempts.right(),
        (Some(_), given) => {
            if given.is_some() {
                let wait = run.attempts.wrong();
                tokio::time::sleep(wait).await;
            }
            let why =
                "this run needs its control_token: send Authorization: Bearer TOKEN".to_owned();
            return Err(Problem(StatusCode::UNAUTHORIZED, why));
        }
    }
    Ok(next.run(request).await)
}

/// Wrong tokens since the last right one, over all connections.
#[derive(Debug, Clone, Default)]
pub struct Attempts(Arc<AtomicU32>);

impl Attempts {
    /// How long whoever sent another wrong one waits for the answer: longer each time, so that nobody can try many. The right
    /// one is never kept waiting.
    fn wrong(&self) -> Duration {
        let before = self.0.fetch_add(1, Ordering::Relaxed).min(20);
        (FIRST_WAIT * (1 << before)).min(LONGEST_WAIT)
    }

    fn right(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Compares in constant time, so that the time reveals nothing about the secret.
fn same(given: &str, secret: &str) -> bool {
    let differing = given.bytes().zip(secret.bytes());
    let differing = differing.fold(0, |all, (a, b)| all | (a ^ b));
    differing == 0 && given.len() == secret.len()
}

async fn stop(State(run): Shared) -> Json<Value> {
    run.stopper.raise();
    Json(json!({ "stopping": true }))
}

async fn pause(State(run): Shared) -> Json<Value> {
    run.control.pause();
    Json(json!({ "paused": true }))
}

async fn resume(State(run): Shared) -> Json<Value> {
    run.control.resume();
    Json(json!({ "paused": false }))
}

#[derive(Deserialize)]
struct Users {
    users: u32,
}

async fn users(State(run): Shared, body: Bytes) -> Result<Json<Value>, Problem> {
    let Users { users } = serde_json::from_slice(&body).map_err(|error| {
        let why = format!("{error}: send {{\"users\": 50}}");
        Problem(StatusCode::BAD_REQUEST, why)
    })?;
    if !run
        .plan
        .workloads()
        .iter()
        .any(|workload| workload.is_shared)
    {
        let why = "every archetype has a load profile of its own: there are no users to share";
        return Err(Problem(StatusCode::CONFLICT, why.into()));
    }
    // Those who are there take their place already.
    let there = run
        .control
        .status()
        .map_or(0, |now| now.users_active() as u32);
    capacity::check(users.saturating_sub(there))
        .map_err(|many| Problem(StatusCode::UNPROCESSABLE_ENTITY, many.to_string()))?;
    run.control.users(users);
    Ok(Json(json!({ "users": users })))
}

/// Query parameters of a swap.
#[derive(Debug, Default, Deserialize)]
pub struct SwapQuery {
    /// Name of the sent module in messages.
    pub name: Option<String>,
    /// Swap to this built-in behavior instead of the body.
    pub builtin: Option<String>,
    /// `0.1` or `10%`; all of it when left out.
    pub share: Option<String>,
    pub mode: Option<String>,
}

async fn swap(
    State(run): Shared,
    Path(archetype): Path<String>,
    Query(query): Query<SwapQuery>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let bad = |why: String| Problem(StatusCode::BAD_REQUEST, why);
    let body = body.map_err(|error| {
        let why = match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                format!("a module has at most {} MiB", MAX_MODULE >> 20)
            }
            _ => error.body_text(),
        };
        Problem(error.status(), why)
    })?;
    let source = match query.builtin {
        Some(name) => Source::BuiltIn(name),
        None => Source::Bytes {
            name: query.name.unwrap_or_else(|| "(sent)".into()),
            bytes: Arc::from(&body[..]),
        },
    };
    let swap = Swap {
        archetype,
        source,
        share: query.share.as_deref().map_or(Ok(1.0), share).map_err(bad)?,
        mode: query
            .mode
            .as_deref()
            .map_or(Ok(Mode::default()), mode)
            .map_err(bad)?,
    };
    let swapped = run.swapper.swap(swap).await.map_err(|error| {
        let status = match error {
            SwapError::NoArchetype { .. } => StatusCode::NOT_FOUND,
            SwapError::Share => StatusCode::BAD_REQUEST,
            SwapError::Follows | SwapError::Over(_) => StatusCode::CONFLICT,
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
pub fn share(text: &str) -> Result<f64, String> {
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
pub fn mode(text: &str) -> Result<Mode, String> {
    Mode::from_word(text).ok_or_else(|| format!("{text:?} is no mode: there are {}", Mode::list()))
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
    fn wrong_tokens_wait_longer_and_longer_and_a_right_one_begins_anew() {
        let attempts = Attempts::default();
        let waits: Vec<u128> = (0..9).map(|_| attempts.wrong().as_millis()).collect();
        assert_eq!(
            waits,
            [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        );
        assert!((0..100).all(|_| attempts.wrong() == LONGEST_WAIT));
        attempts.right();
        assert_eq!(attempts.wrong(), FIRST_WAIT);
    }

    #[test]
    fn a_token_has_to_be_the_whole_one() {
        assert!(same("secret", "secret"));
        for given in ["", "s", "secre", "secrets", "Secret"] {
            assert!(!same(given, "secret"), "{given}");
        }
    }
}
