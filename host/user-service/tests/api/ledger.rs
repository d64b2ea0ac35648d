//! The ledger: every request exactly once, whatever comes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use tower::ServiceExt;
use user_service::Config;

use crate::client::Client;

const TOTAL: &str = "user_service_requests_total";

/// The ledger's counts by `(method, route, status)`.
async fn counts(client: &Client) -> BTreeMap<(String, String, u16), u64> {
    let answer = client.anonymous().get("/metrics").await.is(200);
    let text = answer.body.as_str().unwrap();
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix(TOTAL)?.strip_prefix('{'));
    lines
        .map(|line| {
            let (labels, count) = line.split_once("} ").unwrap();
            let values: Vec<_> = labels.split('"').skip(1).step_by(2).collect();
            let [method, route, status] = values[..] else {
                panic!("{line}")
            };
            (
                (method.into(), route.into(), status.parse().unwrap()),
                count.parse().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn all_33_endpoints_are_counted_under_their_templates() {
    let client = Client::new(Config::default());
    let admin = client.admin().await;
    let id = client.register("wasp").await;
    let role = admin
        .post("/api/v1/roles", json!({"name": "builder"}))
        .await
        .is(201)
        .id();
    let permission = admin
        .post("/api/v1/permissions", json!({"name": "nests.build"}))
        .await
        .is(201)
        .id();
    let table = [
        ("POST", "/api/v1/auth/login"),
        ("POST", "/api/v1/auth/refresh"),
        ("POST", "/api/v1/auth/me"),
        ("GET", "/api/v1/users"),
        ("GET", "/api/v1/users/search"),
        ("GET", "/api/v1/users/{id}"),
        ("GET", "/api/v1/users/email/{email}"),
        ("GET", "/api/v1/users/username/{username}"),
        ("POST", "/api/v1/users"),
        ("PUT", "/api/v1/users/{id}"),
        ("PUT", "/api/v1/users/{id}/activate"),
        ("PUT", "/api/v1/users/{id}/deactivate"),
        ("PUT", "/api/v1/users/{id}/change-password"),
        ("PUT", "/api/v1/users/{id}/reset-password"),
        ("POST", "/api/v1/users/{userId}/profile"),
        ("GET", "/api/v1/users/{userId}/profile"),
        ("PUT", "/api/v1/users/{userId}/profile"),
        ("DELETE", "/api/v1/users/{userId}/profile"),
        ("GET", "/api/v1/roles"),
        ("POST", "/api/v1/roles"),
        ("GET", "/api/v1/roles/{id}"),
        ("PUT", "/api/v1/roles/{id}"),
        ("GET", "/api/v1/permissions"),
        ("POST", "/api/v1/permissions"),
        ("GET", "/api/v1/permissions/{id}"),
        ("PUT", "/api/v1/permissions/{id}"),
        ("GET", "/api/v1/users/{userId}/roles"),
        ("POST", "/api/v1/users/{userId}/roles/{roleId}"),
        ("DELETE", "/api/v1/users/{userId}/roles/{roleId}"),
        ("DELETE", "/api/v1/permissions/{id}"),
        ("DELETE", "/api/v1/roles/{id}"),
        ("DELETE", "/api/v1/users/{id}"),
        ("POST", "/api/v1/auth/logout"),
    ];
    for (method, route) in table {
        let own = if route.contains("/permissions/") {
            &permission
        } else {
            &id
        };
        let own = if route.starts_with("/api/v1/roles/") {
            &role
        } else {
            own
        };
        let path = route
            .replace("{id}", own)
            .replace("{userId}", &id)
            .replace("{roleId}", &role)
            .replace("{email}", "admin@example.test")
            .replace("{username}", "admin");
        let before = counts(&client).await;
        let body = matches!(method, "POST" | "PUT").then(|| json!({}));
        let status = admin.send(method, &path, body).await.status;
        let mut expected = before;
        *expected
            .entry((method.into(), route.into(), status))
            .or_default() += 1;
        // A scrape is counted once its own answer is made: the one above shows up now.
        *expected
            .entry(("GET".into(), "/metrics".into(), 200))
            .or_default() += 1;
        assert_eq!(counts(&client).await, expected, "{method} {route}");
        assert!(
            status != 404 && status != 405 && status < 500,
            "{method} {route}: {status}"
        );
    }
}

#[tokio::test]
async fn refused_and_unmatched_requests_are_counted_once_each() {
    let client = Client::new(Config {
        rate_limit: Some(1.0),
        allow_faults: true,
        ..Config::default()
    });
    let admin = client.admin().await;
    admin.get("/api/v1/roles").await.is(200);
    admin.get("/api/v1/roles").await.is(429);
    client.get("/api/v1/roles").await.is(401);
    client.send("PATCH", "/api/v1/roles", None).await.is(405);
    client.send("BREW", "/api/v1/roles", None).await.is(405);
    client.send("HEAD", "/health", None).await.is(200);
    client.get("/nowhere").await.is(404);
    client.get("/nowhere/else?x").await.is(404);
    client
        .raw(
            Request::post("/api/v1/users")
                .body(Body::from("{"))
                .unwrap(),
        )
        .await
        .is(400);
    client
        .raw(
            Request::post("/api/v1/users")
                .body(Body::from(vec![0; 100_000]))
                .unwrap(),
        )
        .await
        .is(413);
    let fault = Request::get("/nowhere").header("x-envoy-fault-abort-request", "502");
    client.raw(fault.body(Body::empty()).unwrap()).await.is(502);
    let expected = [
        ("POST", "/api/v1/auth/login", 200, 1),
        ("GET", "/api/v1/roles", 200, 1),
        ("GET", "/api/v1/roles", 429, 1),
        ("GET", "/api/v1/roles", 401, 1),
        ("PATCH", "/api/v1/roles", 405, 1),
        ("OTHER", "/api/v1/roles", 405, 1),
        ("HEAD", "/health", 200, 1),
        ("GET", "unmatched", 404, 2),
        ("GET", "unmatched", 502, 1),
        ("POST", "/api/v1/users", 400, 1),
        ("POST", "/api/v1/users", 413, 1),
    ];
    let expected = expected
        .map(|(method, route, status, count)| ((method.into(), route.into(), status), count));
    assert_eq!(counts(&client).await, BTreeMap::from(expected));
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_client_left_is_counted_as_such() {
    let client = Client::new(Config {
        latency: Some(Duration::from_secs(5)),
        ..Config::default()
    });
    let request = Request::get("/api/v1/users").body(Body::empty()).unwrap();
    let answer = client.router.clone().oneshot(request);
    tokio::time::timeout(Duration::from_millis(1), answer)
        .await
        .unwrap_err();
    let gone = ("GET".to_owned(), "/api/v1/users".to_owned(), 499);
    assert_eq!(counts(&client).await, BTreeMap::from([(gone, 1)]));
}

#[tokio::test]
async fn metrics_are_in_prometheus_form() {
    let client = Client::new(Config::default());
    assert_eq!(
        client.get("/health").await.is(200).body,
        json!({"status": "ok"})
    );
    let answer = client.get("/metrics").await.is(200);
    assert!(
        answer.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    let text = answer.body.as_str().unwrap();
    let gauges = [
        "users",
        "profiles",
        "roles",
        "permissions",
        "role_assignments",
        "sessions",
    ];
    for (gauge, value) in gauges.into_iter().zip([1, 0, 1, 3, 1, 0]) {
        let name = format!("user_service_{gauge}");
        assert!(
            text.contains(&format!("# TYPE {name} gauge\n{name} {value}\n")),
            "{text}"
        );
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(text.contains(&format!("# HELP {name} ")), "{line}");
    }
}
