//! A server whose answers the test decides, and may change at any moment. It remembers when each request came.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Server;

/// A status, and what `Retry-After` says with it.
pub type Answer = (u16, Option<String>);

/// The server, on a thread of its own until it is dropped.
pub struct Moody {
    pub url: String,
    memory: Memory,
    _server: Server,
}

#[derive(Clone)]
struct Memory(Arc<Mutex<Inner>>);

struct Inner {
    /// Gets the number of the request, from 0; the look before a run is one too.
    mood: Box<dyn Fn(usize) -> Answer + Send>,
    seen: Vec<(Instant, u16)>,
}

impl Moody {
    pub fn start(mood: impl Fn(usize) -> Answer + Send + 'static) -> Moody {
        let memory = Memory(Arc::new(Mutex::new(Inner {
            mood: Box::new(mood),
            seen: Vec::new(),
        })));
        let app = Router::new().fallback(answer).with_state(memory.clone());
        let server = Server::start(app);
        Moody {
            url: server.url.clone(),
            memory,
            _server: server,
        }
    }

    pub fn change(&self, mood: impl Fn(usize) -> Answer + Send + 'static) {
        self.memory.0.lock().unwrap().mood = Box::new(mood);
    }

    /// Requests so far: when they came, and the status that they got.
    pub fn seen(&self) -> Vec<(Instant, u16)> {
        self.memory.0.lock().unwrap().seen.clone()
    }

    /// Requests that got this status.
    pub fn gave(&self, status: u16) -> usize {
        let seen = self.seen();
        seen.iter().filter(|(_, got)| *got == status).count()
    }
}

async fn answer(State(memory): State<Memory>) -> Response {
    let mut inner = memory.0.lock().unwrap();
    let (status, retry_after) = (inner.mood)(inner.seen.len());
    inner.seen.push((Instant::now(), status));
    let status = StatusCode::from_u16(status).unwrap();
    match retry_after {
        Some(text) => (status, [("retry-after", text)]).into_response(),
        None => status.into_response(),
    }
}
