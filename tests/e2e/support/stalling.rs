//! A target that answers at once, but for one stall: whatever comes in during it is answered at its end.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The server, on a thread of its own until it is asked how long it has stalled.
pub struct Stalling {
    pub url: String,
    script: Script,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
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
        Stalling {
            url,
            script,
            stop,
            thread,
        }
    }

    /// Stop, and tell how long the stall was.
    pub fn stalled(self) -> Duration {
        drop(self.stop);
        self.thread.join().unwrap();
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
