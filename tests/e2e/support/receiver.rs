//! A receiver of pushed metrics: keeps every post, and can be made to be busy at first.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Uri};

use super::Server;

/// One post that was taken.
#[derive(Debug, Clone)]
pub struct Post {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// The server, on a thread of its own until it is asked what it was sent.
pub struct Receiver {
    pub url: String,
    memory: Arc<Mutex<Memory>>,
    server: Server,
}

struct Memory {
    posts: Vec<Post>,
    /// Posts that are answered with 503.
    busy: usize,
}

impl Receiver {
    /// One that answers the first `busy` posts with 503 and takes all others.
    pub fn start(busy: usize) -> Receiver {
        let memory = Arc::new(Mutex::new(Memory {
            posts: Vec::new(),
            busy,
        }));
        let app = Router::new()
            .fallback(take)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&memory));
        let server = Server::start(app);
        Receiver {
            url: server.url.clone(),
            memory,
            server,
        }
    }

    /// Stop, and tell what was taken, in order; nothing may be busy by then.
    pub fn posts(self) -> Vec<Post> {
        self.server.stop();
        let mut memory = self.memory.lock().unwrap();
        assert_eq!(memory.busy, 0, "it was asked too rarely");
        std::mem::take(&mut memory.posts)
    }
}

async fn take(
    State(memory): State<Arc<Mutex<Memory>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut memory = memory.lock().unwrap();
    if memory.busy > 0 {
        memory.busy -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    memory.posts.push(Post {
        path: uri.path().to_owned(),
        headers,
        body: body.to_vec(),
    });
    StatusCode::OK
}
