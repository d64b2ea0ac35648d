//! A target that answers at once, but for one stall: whatever comes in during it is answered at its end.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;

use super::Server;

/// The server, until it is asked how long it has stalled.
pub struct Stalling {
    pub url: String,
    script: Script,
    server: Server,
}

#[derive(Clone)]
struct Script(Arc<Mutex<Stall>>);

struct Stall {
    after: Duration,
    lasts: Duration,
    first: Option<Instant>,
    began: Option<Instant>,
    /// When the last of those who were caught in it was let go.
    ended: Option<Instant>,
}

impl Stalling {
    /// Stalls so long after its first request.
    pub fn start(after: Duration, lasts: Duration) -> Stalling {
        let script = Script(Arc::new(Mutex::new(Stall {
            after,
            lasts,
            first: None,
            began: None,
            ended: None,
        })));
        let app = Router::new().fallback(answer).with_state(script.clone());
        let server = Server::start(app);
        Stalling {
            url: server.url.clone(),
            script,
            server,
        }
    }

    /// Stop, and tell how long the stall was.
    pub fn stalled(self) -> Duration {
        self.server.stop();
        let stall = self.script.0.lock().unwrap();
        stall.ended.unwrap() - stall.began.unwrap()
    }
}

async fn answer(State(script): State<Script>) -> StatusCode {
    let now = Instant::now();
    let until = {
        let mut stall = script.0.lock().unwrap();
        let first = *stall.first.get_or_insert(now);
        if now < first + stall.after {
            return StatusCode::OK;
        }
        *stall.began.get_or_insert(now) + stall.lasts
    };
    if now < until {
        tokio::time::sleep_until(until.into()).await;
        script.0.lock().unwrap().ended = Some(Instant::now());
    }
    StatusCode::OK
}
