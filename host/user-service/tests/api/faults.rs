//! Faults on request, the rate limit and the service time. Time is paused: what is waited for passes at once, and
//! is measured.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use tokio::time::Instant;
use user_service::Config;

use crate::client::{Answer, Client};

const ABORT: &str = "x-envoy-fault-abort-request";
const DELAY: &str = "x-envoy-fault-delay-request";

async fn with(client: &Client, path: &str, headers: &[(&str, &str)]) -> (Answer, Duration) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let start = Instant::now();
    let answer = client.raw(request.body(Body::empty()).unwrap()).await;
    (answer, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn faults_do_nothing_unless_allowed() {
    let client = Client::new(Config::default());
    let (answer, took) = with(&client, "/health", &[(ABORT, "503"), (DELAY, "1000")]).await;
    assert_eq!((answer.status, took), (200, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn faults_delay_and_abort_as_asked() {
    let client = Client::new(Config {
        allow_faults: true,
        ..Config::default()
    });
    let (answer, took) = with(&client, "/api/v1/users", &[(ABORT, "503")]).await;
    assert_eq!((answer.status, took), (503, Duration::ZERO));
    let (answer, took) = with(&client, "/health", &[(DELAY, "250")]).await;
    assert_eq!((answer.status, took.as_millis()), (200, 250));
    let (answer, took) = with(&client, "/health", &[(DELAY, "999999999"), (ABORT, "429")]).await;
    assert_eq!((answer.status, took.as_secs()), (429, 60));
    for bad in ["100", "600", "x"] {
        assert_eq!(
            with(&client, "/health", &[(ABORT, bad)]).await.0.status,
            200
        );
    }
    assert_eq!(
        client
            .metric(
                "user_service_requests_total{method=\"GET\",route=\"/api/v1/users\",status=\"503\"}"
            )
            .await,
        1
    );
}

#[tokio::test(start_paused = true)]
async fn an_aborted_request_changes_nothing() {
    let client = Client::new(Config {
        allow_faults: true,
        ..Config::default()
    });
    let body = r#"{"username":"wasp","email":"wasp@x.test","password":"Secret123","name":"x"}"#;
    let request = Request::post("/api/v1/users")
        .header(ABORT, "500")
        .body(Body::from(body))
        .unwrap();
    client.raw(request).await.is(500);
    assert_eq!(client.metric("user_service_users").await, 1);
}

#[tokio::test(start_paused = true)]
async fn each_session_has_its_own_rate() {
    let client = Client::new(Config {
        rate_limit: Some(5.0),
        ..Config::default()
    });
    let (id, wasp) = client.plain("wasp").await;
    let path = format!("/api/v1/users/{id}");
    for _ in 0..5 {
        wasp.get(&path).await.is(200);
    }
    let refused = wasp.get(&path).await.is(429);
    assert_eq!(refused.headers["retry-after"], "1");
    refused.text("/message");
    // Another session of the same user, and the anonymous, go on.
    client
        .signed_in("wasp", "Secret123")
        .await
        .get(&path)
        .await
        .is(200);
    for _ in 0..20 {
        client.get("/health").await.is(200);
        client.login("wasp", "wrong").await.is(401);
    }
    tokio::time::advance(Duration::from_millis(201)).await;
    wasp.get(&path).await.is(200);
    wasp.get(&path).await.is(429);
    tokio::time::advance(Duration::from_secs(10)).await;
    for _ in 0..5 {
        wasp.get(&path).await.is(200);
    }
    wasp.get(&path).await.is(429);
}

#[tokio::test(start_paused = true)]
async fn waiting_as_told_is_enough_at_slow_rates() {
    let client = Client::new(Config {
        rate_limit: Some(0.1),
        ..Config::default()
    });
    let admin = client.admin().await;
    admin.get("/api/v1/users").await.is(200);
    let refused = admin.get("/api/v1/users").await.is(429);
    let wait: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(wait, 10);
    tokio::time::advance(Duration::from_secs(wait)).await;
    admin.get("/api/v1/users").await.is(200);
}

#[tokio::test(start_paused = true)]
async fn the_service_time_slows_the_api_and_not_its_supervision() {
    let client = Client::new(Config {
        latency: Some(Duration::from_millis(50)),
        ..Config::default()
    });
    assert_eq!(with(&client, "/health", &[]).await.1, Duration::ZERO);
    assert_eq!(with(&client, "/metrics", &[]).await.1, Duration::ZERO);
    let mut times = Vec::new();
    for _ in 0..501 {
        times.push(with(&client, "/api/v1/users", &[]).await.1);
    }
    times.sort();
    let median = times[250].as_millis();
    assert!((42..60).contains(&median), "median {median} ms");
    assert!(times[500] > times[0] * 3, "a log-normal time spreads");
}
