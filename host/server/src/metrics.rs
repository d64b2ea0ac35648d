//! `GET /metrics` over HTTP. Started by `run` when the plan asks for it: [`bind`] before the run, so that a taken
//! port is a configuration error, then [`serve`] beside it. Reads the latest snapshot and never waits for the run.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use tokio::net::TcpListener;
use tokio::sync::watch;

use vespeiro_metrics::{RunInfo, Snapshot};
use vespeiro_output::prometheus::{Format, encode};

/// How long open connections may keep the server after its shutdown.
const GRACE: Duration = Duration::from_millis(500);

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("metrics address {address}: {source}; choose another one with --metrics HOST:PORT")]
pub struct BindError {
    address: SocketAddr,
    source: std::io::Error,
}

/// A listening socket that nobody answers yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// The address with the port that the system chose for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Take the address. Needs a tokio runtime.
pub async fn bind(address: SocketAddr) -> Result<Bound, BindError> {
    let error = |source| BindError { address, source };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    let address = listener.local_addr().map_err(error)?;
    Ok(Bound { listener, address })
}

/// Answer scrapes with the latest snapshot until `shutdown` is ready.
pub async fn serve(
    bound: Bound,
    about: Arc<RunInfo>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = Router::new()
        .route(
            "/",
            routing::get(async || "Vespeiro. Metrics for Prometheus: /metrics\n"),
        )
        .route("/metrics", routing::get(scrape))
        .with_state((about, snapshots));
    let (down, is_down) = tokio::sync::oneshot::channel();
    let stop = async move {
        shutdown.await;
        let _ = down.send(());
    };
    let server = axum::serve(bound.listener, app).with_graceful_shutdown(stop);
    // A scraper that never finishes its request must not hold back the end of the run.
    let overdue = async move {
        let _ = is_down.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server => ended,
        () = overdue => Ok(()),
    }
}

async fn scrape(
    State((about, snapshots)): State<(Arc<RunInfo>, watch::Receiver<Arc<Snapshot>>)>,
    headers: HeaderMap,
) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let format = Format::negotiate(accept);
    let snapshot = snapshots.borrow().clone();
    match encode(&snapshot, &about, format) {
        Ok(page) => ([(header::CONTENT_TYPE, format.content_type())], page).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::*;
    use vespeiro_metrics::testing::{about, snapshot};

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn serves_the_latest_snapshot_until_told_to_stop() {
        let bound = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = bound.address();
        let mut first = snapshot();
        first.elapsed = Duration::from_secs(7);
        let (publish, snapshots) = watch::channel(Arc::new(first));
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(serve(bound, Arc::new(about()), snapshots, async {
            let _ = stopped.await;
        }));

        let answer = get(address, "/metrics").await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("text/plain; version=0.0.4"),
            "{answer}"
        );
        assert!(answer.contains("vespeiro_elapsed_seconds 7\n"));
        publish.send_replace(Arc::new(snapshot()));
        assert!(
            get(address, "/metrics")
                .await
                .contains("vespeiro_elapsed_seconds 83\n")
        );
        assert!(get(address, "/nothing").await.starts_with("HTTP/1.1 404"));

        // A connection that says nothing does not hold the server back.
        let _silent = TcpStream::connect(address).await.unwrap();
        stop.send(()).unwrap();
        server.await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_taken_address_is_one_clear_line() {
        let first = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let error = bind(first.address()).await.unwrap_err().to_string();
        assert!(
            error.contains(&first.address().to_string()) && error.contains("--metrics"),
            "{error}"
        );
    }
}
