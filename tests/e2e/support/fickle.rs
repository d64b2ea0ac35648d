//! A target that is well until the test says otherwise: every request is answered with 200 at once, or from then on with
//! 500, or late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;

use super::Server;

/// The server, on a thread of its own until it is dropped.
pub struct Fickle {
    pub url: String,
    state: Arc<Mood>,
    _server: Server,
}

#[derive(Default)]
struct Mood {
    failing: AtomicBool,
    /// How long each answer takes.
    slow_ms: AtomicU64,
    answered: AtomicU64,
}

impl Fickle {
    pub fn start() -> Fickle {
        let state = Arc::new(Mood::default());
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&state));
        let server = Server::start(app);
        Fickle {
            url: server.url.clone(),
            state,
            _server: server,
        }
    }

    /// Answer with 500 from now on.
    pub fn fail(&self) {
        self.state.failing.store(true, Ordering::Relaxed);
    }

    /// Answer no sooner than this from now on.
    pub fn slow_down(&self, by: Duration) {
        let millis = by.as_millis() as u64;
        self.state.slow_ms.store(millis, Ordering::Relaxed);
    }

    pub fn answered(&self) -> u64 {
        self.state.answered.load(Ordering::Relaxed)
    }
}

async fn answer(State(mood): State<Arc<Mood>>) -> StatusCode {
    let slow = Duration::from_millis(mood.slow_ms.load(Ordering::Relaxed));
    if !slow.is_zero() {
        tokio::time::sleep(slow).await;
    }
    mood.answered.fetch_add(1, Ordering::Relaxed);
    match mood.failing.load(Ordering::Relaxed) {
        true => StatusCode::INTERNAL_SERVER_ERROR,
        false => StatusCode::OK,
    }
}
