//! A listener: an address of this machine at which a run answers over HTTP. The control endpoint is one, the live page another.
//! Taken before the run, so that a taken port ends the command and not the run.
//!
//! What must stay true: without a token it is open to this machine alone.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use vespeiro_plan::Plan;

/// How long open connections may keep the listener after the run.
const GRACE: Duration = Duration::from_millis(500);

/// The address cannot be listened on: the command line has to change.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Taken(String);

/// A listening socket that nobody answers yet.
#[derive(Debug)]
pub struct Bound(TcpListener);

impl Bound {
    /// Take the address, if the plan has one; `name` is its setting. Without a token, the world must not reach it.
    pub async fn take(
        plan: &Plan,
        name: &str,
        address: Option<SocketAddr>,
    ) -> Result<Option<Self>, Taken> {
        let Some(address) = address else {
            return Ok(None);
        };
        if !address.ip().is_loopback() && plan.control.token.is_none() {
            return Err(Taken(format!(
                "{name} {address}: others could steer this run: listen on 127.0.0.1, or set control_token"
            )));
        }
        let taken = |error: std::io::Error| {
            Taken(format!(
                "{name} {address}: {error}: choose another address with --{name} HOST:PORT"
            ))
        };
        let listener = TcpListener::bind(address).await.map_err(taken)?;
        let address: SocketAddr = listener.local_addr().map_err(taken)?;
        // A stable line: port 0 is the system's choice, and scripts read it here.
        eprintln!("{name}: http://{address}");
        Ok(Some(Self(listener)))
    }
}

/// A listener at work.
#[derive(Debug)]
pub struct Listener {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Answer from now on.
    pub fn open(bound: Bound, app: Router) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
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
    pub async fn close(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}
