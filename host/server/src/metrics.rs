//! `GET /metrics` over HTTP: the latest snapshot for Prometheus. The address is taken before the run, and answers until
//! the last points of the run have been there for whoever scrapes it.
//!
//! What must stay true: a scrape reads the latest snapshot and never waits for the run.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::listener::{Listener, Server};
use crate::visitor::{is_own_page, is_this_machine};
use vespeiro_engine::Stopper;
use vespeiro_metrics::{RunInfo, Snapshot};
use vespeiro_model::Clock;
use vespeiro_output::prometheus::{Format, encode};
use vespeiro_output::{
    Console, Finish, MaybeOutput, Output, OutputContext, OutputError, RunResult, Update,
};

/// Times between scrapes that are remembered.
const REMEMBERED: usize = 8;
/// Longest wait for a last scrape.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// The endpoint as an output of the run.
struct Endpoint {
    server: Server,
    latest: watch::Sender<Option<Arc<Snapshot>>>,
    scrapes: Arc<Mutex<Scrapes>>,
    updated: Instant,
    clock: Clock,
    stopper: Stopper,
    console: Console,
}

/// The endpoint, if the plan asks for it. It answers from now on, with figures from the start of the load on.
pub fn output(context: &OutputContext<'_>, stopper: &Stopper) -> MaybeOutput {
    let Some(address) = context.plan.output.metrics else {
        return Ok(None);
    };
    let listener = Listener::bind("metrics", address).map_err(OutputError::new)?;
    let told = format!("metrics at http://{}/metrics", listener.address());
    match address.port() {
        // Nobody else knows it.
        0 => context.console.line(told),
        _ => tracing::info!("{told}"),
    }
    let (latest, snapshots) = watch::channel(None);
    let scrapes = Arc::<Mutex<Scrapes>>::default();
    let app = router(
        RunInfo::of(context.plan),
        snapshots,
        Arc::clone(&scrapes),
        context.clock,
    );
    Ok(Some(Box::new(Endpoint {
        server: listener.serve(match address.ip().is_loopback() {
            true => app.layer(from_fn(guard)),
            // Others are meant to scrape it, under whatever name it has.
            false => app,
        }),
        latest,
        scrapes,
        updated: context.clock.now(),
        clock: context.clock,
        stopper: stopper.clone(),
        console: context.console.clone(),
    })))
}

impl Output for Endpoint {
    fn name(&self) -> &'static str {
        "metrics endpoint"
    }

    fn update(&mut self, update: &Update<'_>) {
        self.latest.send_replace(Some(Arc::clone(update.snapshot)));
        self.updated = self.clock.now();
    }

    /// Stay open until whoever scraped the run has had the time to see its end, or until somebody asks again to stop.
    fn finish(self: Box<Self>, _result: Arc<RunResult>) -> Finish {
        Box::pin(async move {
            let wait = self
                .scrapes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .wait();
            let until = self.updated + wait;
            let left = until.saturating_duration_since(self.clock.now());
            if !left.is_zero() {
                let seconds = left.as_secs_f64().ceil();
                self.console.line(format!(
                    "metrics: waiting {seconds} s for the last scrape; Ctrl-C skips it"
                ));
                tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = self.stopper.raised() => {}
                }
            }
            self.server.close().await;
            Ok(())
        })
    }
}

/// Refuses pages in this machine's browsers that have another site's name or origin.
async fn guard(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !is_this_machine(headers) || !is_own_page(headers) {
        let why = "this answers to localhost and to IP addresses alone, and to no web page\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    next.run(request).await
}

/// When the run was scraped.
#[derive(Debug, Default)]
struct Scrapes {
    last: Option<Instant>,
    intervals: VecDeque<Duration>,
}

impl Scrapes {
    fn add(&mut self, now: Instant) {
        if let Some(last) = self.last.replace(now) {
            self.intervals.truncate(REMEMBERED - 1);
            self.intervals.push_front(now - last);
        }
    }

    /// How long after the end of the run one more scrape is to be expected.
    fn wait(&self) -> Duration {
        let longest = self.intervals.iter().max();
        longest.map_or(Duration::ZERO, |longest| {
            longest.mul_f64(1.5).min(LONGEST_WAIT)
        })
    }
}

/// What the routes share.
#[derive(Clone)]
struct Latest {
    run: Arc<RunInfo>,
    snapshots: watch::Receiver<Option<Arc<Snapshot>>>,
    scrapes: Arc<Mutex<Scrapes>>,
    clock: Clock,
}

fn router(
    run: RunInfo,
    snapshots: watch::Receiver<Option<Arc<Snapshot>>>,
    scrapes: Arc<Mutex<Scrapes>>,
    clock: Clock,
) -> Router {
    let home = "Vespeiro. Metrics for Prometheus: /metrics\n";
    Router::new()
        .route("/", routing::get(async move || home))
        .route("/metrics", routing::get(scrape))
        .with_state(Latest {
            run: Arc::new(run),
            snapshots,
            scrapes,
            clock,
        })
}

async fn scrape(State(latest): State<Latest>, headers: HeaderMap) -> Response {
    let Some(snapshot) = latest.snapshots.borrow().clone() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the run has not begun yet\n",
        )
            .into_response();
    };
    let mut scrapes = latest
        .scrapes
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    scrapes.add(latest.clock.now());
    drop(scrapes);
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let format = Format::negotiate(accept.unwrap_or_default());
    match encode(&snapshot, &latest.run, format) {
        Ok(page) => ([(header::CONTENT_TYPE, format.content_type())], page).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use tokio::net::TcpStream;

    use super::*;
    use vespeiro_metrics::testing::{about, snapshot};

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn serves_the_latest_snapshot_until_told_to_stop() {
        let listener = Listener::bind("metrics", "127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.address();
        let mut first = snapshot();
        first.elapsed = Duration::from_secs(7);
        let (publish, snapshots) = watch::channel(None);
        let server = listener.serve(router(about(), snapshots, Arc::default(), Clock::system()));

        let early = get(address, "/metrics").await;
        assert!(early.starts_with("HTTP/1.1 503"), "{early}");
        publish.send_replace(Some(Arc::new(first)));
        let answer = get(address, "/metrics").await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("text/plain; version=0.0.4"),
            "{answer}"
        );
        assert!(answer.contains("vespeiro_elapsed_seconds 7\n"));
        publish.send_replace(Some(Arc::new(snapshot())));
        assert!(
            get(address, "/metrics")
                .await
                .contains("vespeiro_elapsed_seconds 83\n")
        );
        assert!(get(address, "/nothing").await.starts_with("HTTP/1.1 404"));

        // A connection that says nothing does not hold the server back.
        let _silent = TcpStream::connect(address).await.unwrap();
        server.close().await;
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_taken_address_is_one_clear_line() {
        let first = Listener::bind("metrics", "127.0.0.1:0".parse().unwrap()).unwrap();
        let error = Listener::bind("metrics", first.address())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&first.address().to_string()) && error.contains("--metrics"),
            "{error}"
        );
    }

    #[test]
    fn the_wait_for_a_last_scrape_follows_the_intervals_that_were_seen() {
        let mut scrapes = Scrapes::default();
        let start = Clock::system().now();
        assert_eq!(scrapes.wait(), Duration::ZERO);
        scrapes.add(start);
        assert_eq!(scrapes.wait(), Duration::ZERO);
        for second in [1, 2, 4] {
            scrapes.add(start + Duration::from_secs(second));
        }
        assert_eq!(scrapes.wait(), Duration::from_secs(3));
        scrapes.add(start + Duration::from_secs(64));
        assert_eq!(scrapes.wait(), LONGEST_WAIT);
        for second in 65..75 {
            scrapes.add(start + Duration::from_secs(second));
        }
        assert_eq!(scrapes.wait(), Duration::from_millis(1_500));
    }
}
