//! A target that is well until the test says otherwise: every request is answered with 200, or from then on with 500.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The server, on a thread of its own until it is dropped.
pub struct Fickle {
    pub url: String,
    state: Arc<Mood>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Mood {
    failing: AtomicBool,
    answered: AtomicU64,
}

impl Fickle {
    pub fn start() -> Fickle {
        let state = Arc::new(Mood::default());
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&state));
        let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = axum::serve(listener, app) => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Fickle {
            url,
            state,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Answer with 500 from now on.
    pub fn fail(&self) {
        self.state.failing.store(true, Ordering::Relaxed);
    }

    pub fn answered(&self) -> u64 {
        self.state.answered.load(Ordering::Relaxed)
    }
}

impl Drop for Fickle {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been printed.
            let _ = thread.join();
        }
    }
}

async fn answer(State(mood): State<Arc<Mood>>) -> StatusCode {
    mood.answered.fetch_add(1, Ordering::Relaxed);
    match mood.failing.load(Ordering::Relaxed) {
        true => StatusCode::INTERNAL_SERVER_ERROR,
        false => StatusCode::OK,
    }
}
