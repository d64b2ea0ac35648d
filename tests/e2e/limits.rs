//! What a run asks of its target and of its own memory is bounded: requests in flight, and what it reads of an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;

use crate::support::{Played, RunOf, Server, example};

#[derive(Default)]
struct Crowd {
    here: AtomicUsize,
    most: AtomicUsize,
}

async fn linger(State(crowd): State<Arc<Crowd>>) -> StatusCode {
    let here = crowd.here.fetch_add(1, Ordering::SeqCst) + 1;
    crowd.most.fetch_max(here, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(20)).await;
    crowd.here.fetch_sub(1, Ordering::SeqCst);
    StatusCode::OK
}

#[test]
fn no_more_requests_are_in_flight_than_allowed() {
    let options = |cap: u32| {
        format!(
            "--archetype first={} --users 40 --workers 2 --min-request-count 5 --max-request-count 5 \
             --delay-min 0 --delay-max 0 --max-connections {cap}",
            example("first").display()
        )
    };
    let most = |cap| {
        let crowd = Arc::new(Crowd::default());
        let server = Server::start(
            Router::new()
                .fallback(linger)
                .with_state(Arc::clone(&crowd)),
        );
        let played = RunOf::fine(&server.url, &options(cap));
        assert_eq!(played.sent(), 40 * 5);
        crowd.most.load(Ordering::SeqCst)
    };
    let capped = most(4);
    assert!((2..=4).contains(&capped), "{capped}");
    assert!(most(0) > 8, "without a cap they are all there");
}

/// A run of `behavior` against answers of 256 KiB, with this bound.
fn bounded(behavior: &str, max: &str) -> Played {
    let server = Server::start(Router::new().fallback(|| async { vec![b'x'; 256 << 10] }));
    let options = format!(
        "--archetype one={} --users 4 --min-request-count 5 --max-request-count 5 --delay-min 0 --delay-max 0 \
         --breaker off --max-body {max}",
        example(behavior).display()
    );
    RunOf::fine(&server.url, &options)
}

#[test]
fn an_answer_beyond_the_cap_is_a_failure_and_not_read() {
    let capped = bounded("bench", "64KiB");
    assert_eq!((capped.sent(), capped.errors()), (20, 20));
    let results = capped.summary["results"].as_array().unwrap();
    assert!(
        results
            .iter()
            .any(|result| result["failure"] == "too-large"),
        "{results:?}"
    );
    assert!(
        capped.ended.stdout.contains("too large: 20"),
        "{}",
        capped.ended.stdout
    );
}

#[test]
fn an_answer_that_nobody_wants_is_read_and_thrown_away_whatever_its_length() {
    for max in ["64KiB", "512KiB"] {
        let played = bounded("first", max);
        assert_eq!((played.sent(), played.errors()), (20, 0), "{max}");
    }
}
