//! `vespeiro record`: what somebody does with a service through the recording's address becomes a journey that does the same.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    Running, Server, Service, eventually, get as get_text, samples, send, vespeiro,
};

/// A recording of a service, and where it listens.
fn recording(url: &str, folder: &TempDir, more: &[&str]) -> (Running, String) {
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    let listen = ["--listen", "127.0.0.1:0", "--base-url", url, "--out", out];
    let process = Running::start(&[&["record"], &listen[..], more].concat());
    let authority = eventually("the recording's address", || {
        let said = process.stdout();
        let (line, _) = said.split_once('\n')?;
        Some(line.strip_prefix("http://")?.to_owned())
    });
    (process, authority)
}

#[test]
fn what_somebody_does_becomes_a_journey_that_does_the_same() {
    let folder = TempDir::new().unwrap();
    let service = Service::start();
    let json = "content-type: application/json";
    let ana = json!({"username": "sim_ana", "email": "ana@simulation.test", "password": "SimPass123!", "name": "Ana"});
    let registered = send(
        service.url.trim_start_matches("http://"),
        "POST",
        "/api/v1/users",
        &[json],
        ana.to_string().as_bytes(),
    );
    assert_eq!(registered.unwrap().status, 201);
    let (process, authority) = recording(&service.url, &folder, &["--lang", "js"]);
    let ask = |method: &str, path: &str, headers: &[&str], body: Value| {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        send(&authority, method, path, headers, &body).unwrap()
    };
    let login = json!({"email": "ana@simulation.test", "password": "SimPass123!"});
    let answer = ask("POST", "/api/v1/auth/login", &[json], login);
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let token = answer["data"]["access_token"].as_str().unwrap();
    let id = answer["data"]["user"]["id"].as_str().unwrap();
    let bearer = format!("authorization: Bearer {token}");
    let looked = ask(
        "GET",
        &format!("/api/v1/users/{id}"),
        &[&bearer],
        Value::Null,
    );
    assert_eq!(looked.status, 200);
    process.signal("INT");
    let ended = process.ended().fine();
    assert!(
        ended.stdout.contains("1 journeys with 2 requests"),
        "{ended:?}"
    );
    let archive = folder.path().join("out/recording.har");
    let mode = fs::metadata(&archive).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds what was typed");
    // The token and the id are those of the new login.
    let script = fs::read_to_string(folder.path().join("out/recording.js")).unwrap();
    assert!(!script.contains(token) && !script.contains(id), "{script}");
    let plan = folder.path().join("out/plan.toml");
    let once = "--users 1 --min-request-count 2 --max-request-count 2 --profile user-budget --guest-timeout 5s";
    let mut run = vec!["run", "--no-panel", "--plan", plan.to_str().unwrap()];
    run.extend(once.split(' '));
    vespeiro(&run).fine();
    let page = get_text(service.url.trim_start_matches("http://"), "/metrics").unwrap();
    let counts = samples(&page, "user_service_requests_total");
    for route in ["/api/v1/auth/login", "/api/v1/users/{id}"] {
        let count = counts.iter().find(|sample| sample.label("route") == route);
        let count = count.unwrap();
        assert_eq!((count.label("status"), count.value), ("200", 2.0), "{page}");
    }
}

#[test]
fn links_and_cookies_lead_back_to_the_recording() {
    let app = Router::new()
        .route(
            "/enter",
            post(|headers: HeaderMap| async move {
                let host = headers["host"].to_str().unwrap().to_owned();
                let origin = headers
                    .get("origin")
                    .map(|it| it.to_str().unwrap().to_owned());
                let own = origin.is_some_and(|origin| origin == format!("http://{host}"));
                let status = if own {
                    StatusCode::SEE_OTHER
                } else {
                    StatusCode::FORBIDDEN
                };
                let to = format!("http://{host}/home");
                (
                    status,
                    [
                        ("location", to),
                        ("set-cookie", "id=1; Domain=a.test; Secure; Path=/".into()),
                    ],
                )
                    .into_response()
            }),
        )
        .route("/home", get(|| async { "home" }));
    let server = Server::start(app);
    let folder = TempDir::new().unwrap();
    let (process, authority) = recording(&server.url, &folder, &[]);
    let origin = format!("origin: http://{authority}");
    let answer = send(&authority, "POST", "/enter", &[&origin], b"").unwrap();
    assert_eq!(answer.status, 303);
    assert!(
        answer
            .head
            .contains(&format!("location: http://{authority}/home")),
        "{}",
        answer.head
    );
    assert!(
        answer.head.contains("set-cookie: id=1; Path=/\r"),
        "{}",
        answer.head
    );
    process.signal("INT");
    process.ended().fine();
}

#[test]
fn who_may_not_record_is_told_in_one_line() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    let record = |more: &[&str]| vespeiro(&[&["record", "--out", out], more].concat()).orderly();
    let open = record(&["--base-url", "http://127.0.0.1:9", "--listen", "0.0.0.0:0"]);
    assert_eq!(open.code, Some(2), "{open:?}");
    assert!(open.stderr.contains("listen on 127.0.0.1"), "{open:?}");
    let odd = record(&["--base-url", "ftp://127.0.0.1:9"]);
    assert_eq!(odd.code, Some(2), "{odd:?}");
    let (process, authority) = recording("http://127.0.0.1:9", &folder, &[]);
    let mut named = TcpStream::connect(&authority).unwrap();
    named
        .write_all(b"GET / HTTP/1.0\r\nHost: evil.test\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    named.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 403"), "{answer}");
    let gone = send(&authority, "GET", "/", &[], b"").unwrap();
    assert_eq!(gone.status, 502, "nobody listens there");
    process.signal("INT");
    let ended = process.ended().orderly();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("nothing was recorded"), "{ended:?}");
}
