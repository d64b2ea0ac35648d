//! `vespeiro import`: what comes of a document plays at once, and does at the target what the document says.

use std::fs;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ended, Server, vespeiro};

/// What journeys are written in.
pub const LANGUAGES: [&str; 3] = ["toml", "js", "ts"];

const OPENAPI: &str = include_str!("documents/shop.openapi.yaml");

/// A request as the target got it.
#[derive(Debug, Clone)]
pub struct Got {
    pub line: String,
    pub bearer: String,
    pub body: Value,
}

pub type Log = Arc<Mutex<Vec<Got>>>;

/// A shop that numbers what is made, and keeps what it is asked.
pub fn shop() -> (Server, Log) {
    async fn answer(
        State(log): State<Log>,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> (StatusCode, axum::Json<Value>) {
        let bearer = headers.get("authorization");
        let bearer = bearer.map_or("", |it| it.to_str().unwrap()).to_owned();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let mut log = log.lock().unwrap();
        let number = 1000 + log.len();
        log.push(Got {
            line: format!("{method} {uri}"),
            bearer,
            body,
        });
        match (method.as_str(), uri.path()) {
            ("POST", "/v1/login") => (
                StatusCode::OK,
                axum::Json(json!({"token": format!("secret-{number}")})),
            ),
            ("POST", _) => (
                StatusCode::CREATED,
                axum::Json(json!({"data": {"id": number}})),
            ),
            _ => (StatusCode::OK, axum::Json(json!({}))),
        }
    }
    let log = Log::default();
    let app = Router::new().fallback(answer).with_state(Arc::clone(&log));
    (Server::start(app), log)
}

pub fn import(folder: &TempDir, source: &str, more: &[&str]) -> Ended {
    let out = folder.path().join("out");
    vespeiro(&[&["import", source, "--out", out.to_str().unwrap()], more].concat()).orderly()
}

/// One user, one session.
pub fn play(folder: &TempDir) -> Ended {
    let plan = folder.path().join("out/plan.toml");
    let once = [
        "--users",
        "1",
        "--delay-min",
        "0",
        "--delay-max",
        "0",
        "--profile",
        "user-budget",
    ];
    let plan = ["run", "--no-panel", "--plan", plan.to_str().unwrap()];
    vespeiro(
        &[
            &plan[..],
            &once[..],
            &["--min-request-count", "6", "--max-request-count", "6"],
        ]
        .concat(),
    )
    .fine()
}

#[test]
fn an_openapi_document_creates_before_it_reads_changes_and_removes() {
    LANGUAGES.iter().for_each(|language| openapi_in(language));
}

fn openapi_in(language: &str) {
    let (server, log) = shop();
    let folder = TempDir::new().unwrap();
    let document = folder.path().join("shop.yaml");
    fs::write(&document, OPENAPI).unwrap();
    let base = format!("{}/v1", server.url);
    let told = import(
        &folder,
        document.to_str().unwrap(),
        &["--base-url", &base, "--lang", language],
    )
    .fine();
    assert!(
        told.stdout.contains("1 journeys with 6 requests"),
        "{told:?}"
    );
    assert!(told.stdout.contains("fill in `bearer`"), "{told:?}");
    assert!(
        told.stderr
            .contains("not taken over: POST /items/{itemId}/photo: its body is image/png"),
        "{told:?}"
    );
    let plan = folder.path().join("out/plan.toml");
    let filled = fs::read_to_string(&plan)
        .unwrap()
        .replace("bearer = \"\"", "bearer = \"k3y\"");
    fs::write(&plan, filled).unwrap();
    play(&folder);
    let log = log.lock().unwrap().clone();
    let id = 1000;
    let lines: Vec<_> = log.iter().map(|got| got.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "POST /v1/items".to_owned(),
            "GET /v1/items?limit=20".to_owned(),
            format!("POST /v1/items/{id}/reviews"),
            format!("GET /v1/items/{id}"),
            format!("PUT /v1/items/{id}"),
            format!("DELETE /v1/items/{id}"),
        ]
    );
    assert!(log.iter().all(|got| got.bearer == "Bearer k3y"), "{log:?}");
    assert_eq!(
        log[0].body,
        json!({"name": "Chair", "kind": "wood", "price": 0.5, "tags": ["tags"]})
    );
    let email = log[2].body["author"]["email"].as_str().unwrap();
    assert!(email.ends_with("@simulation.test"), "{email}");
}

#[test]
fn a_recording_keeps_order_and_takes_tokens_and_ids_from_its_own_answers() {
    LANGUAGES.iter().for_each(|language| recording_in(language));
}

fn recording_in(language: &str) {
    let (server, log) = shop();
    let folder = TempDir::new().unwrap();
    let har = folder.path().join("visit.har");
    let entry = |at: &str, method: &str, path: &str, header: Value, body: &str, answer: Value| {
        json!({
            "startedDateTime": format!("2026-01-31T12:00:{at}Z"), "time": 10.0,
            "request": {"method": method, "url": format!("{}{path}", server.url), "headers": header, "postData": {"text": body}},
            "response": {"status": 200, "content": {"mimeType": "application/json", "text": answer.to_string()}},
        })
    };
    let kind = json!({"name": "Content-Type", "value": "application/json"});
    let with = json!([kind, {"name": "Authorization", "value": "Bearer recorded-token"}, {"name": "Host", "value": "x"}]);
    let entries = json!([
        entry(
            "01.000",
            "POST",
            "/v1/login",
            json!([kind]),
            "{\"name\":\"ana ${x}\"}",
            json!({"token": "recorded-token"})
        ),
        entry("01.100", "GET", "/app.js", json!([]), "", Value::Null),
        entry(
            "02.000",
            "POST",
            "/v1/items",
            with.clone(),
            "{}",
            json!({"data": {"id": 7}})
        ),
        entry("02.020", "GET", "/v1/items/7?of=7", with, "", Value::Null),
    ]);
    fs::write(&har, json!({"log": {"entries": entries}}).to_string()).unwrap();
    let told = import(&folder, har.to_str().unwrap(), &["--lang", language]).fine();
    assert!(
        told.stderr.contains("1 pictures, scripts and styles"),
        "{told:?}"
    );
    let journey = folder.path().join(format!("out/recording.{language}"));
    let journey = fs::read_to_string(journey).unwrap();
    let pause = match language {
        "toml" => "pause = \"990ms\"",
        _ => "yield wait(990)",
    };
    assert!(journey.contains(pause), "{journey}");
    play(&folder);
    let log = log.lock().unwrap().clone();
    assert_eq!(log[0].line, "POST /v1/login");
    assert_eq!(log[0].body, json!({"name": "ana ${x}"}));
    assert_eq!(
        (log[1].line.as_str(), log[1].bearer.as_str()),
        ("POST /v1/items", "Bearer secret-1000")
    );
    assert_eq!(log[2].line, "GET /v1/items/1001?of=1001");
    assert_eq!(log[2].bearer, "Bearer secret-1000");
}

/// A service that knows its visitors by a cookie and sends them on after their login, each to a place of their own.
fn club() -> (Server, Log) {
    async fn answer(
        State(log): State<Log>,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
    ) -> (StatusCode, [(&'static str, String); 2]) {
        let cookie = headers.get("cookie");
        let cookie = cookie.map_or("", |it| it.to_str().unwrap()).to_owned();
        let mut log = log.lock().unwrap();
        let number = log.len();
        let line = format!("{method} {uri}");
        let (status, to) = match uri.path() {
            "/login" => (StatusCode::SEE_OTHER, format!("/home/{number}")),
            _ if cookie.starts_with("sid=fresh") => (StatusCode::OK, String::new()),
            _ => (StatusCode::FORBIDDEN, String::new()),
        };
        log.push(Got {
            line,
            bearer: cookie,
            body: status.as_u16().into(),
        });
        (
            status,
            [
                ("location", to),
                ("set-cookie", format!("sid=fresh-{number}; Path=/")),
            ],
        )
    }
    let log = Log::default();
    let app = Router::new().fallback(answer).with_state(Arc::clone(&log));
    (Server::start(app), log)
}

#[test]
fn a_recorded_login_by_cookie_plays_with_cookies_and_redirects_of_its_own() {
    LANGUAGES.iter().for_each(|language| login_in(language));
}

fn login_in(language: &str) {
    let (server, log) = club();
    let folder = TempDir::new().unwrap();
    let entry = |method: &str, path: &str, cookie: &str, status: u16, to: &str| {
        let said = json!([{"name": "Cookie", "value": cookie}]);
        let sets = json!([{"name": "Set-Cookie", "value": "sid=recorded; Path=/"}, {"name": "Location", "value": to}]);
        json!({
            "startedDateTime": "2026-01-31T12:00:01Z", "time": 10.0,
            "request": {"method": method, "url": format!("{}{path}", server.url), "headers": said},
            "response": {"status": status, "headers": sets, "redirectURL": to},
        })
    };
    let har = |away: &str| {
        let mut entries = vec![
            entry("POST", "/login", "seen=yes", 303, "/home/1"),
            entry("GET", "/home/1", "sid=recorded; seen=yes", 200, ""),
            entry("GET", "/data", "sid=recorded; seen=yes", 200, ""),
        ];
        if !away.is_empty() {
            entries.push(entry("GET", "/away", "", 302, away));
        }
        let path = folder.path().join("visit.har");
        fs::write(&path, json!({"log": {"entries": entries}}).to_string()).unwrap();
        path
    };
    let told = import(&folder, har("").to_str().unwrap(), &["--lang", language]).fine();
    assert!(
        told.stdout.contains("1 journeys with 2 requests"),
        "{told:?}"
    );
    assert!(
        told.stderr
            .contains("no answer of the recording sets: seen\n"),
        "{told:?}"
    );
    let written =
        fs::read_to_string(folder.path().join(format!("out/recording.{language}"))).unwrap();
    assert!(
        !written.contains("recorded") && !written.contains("cookie"),
        "{written}"
    );
    play(&folder);
    let got: Vec<_> = log
        .lock()
        .unwrap()
        .iter()
        .map(|got| (got.line.clone(), got.bearer.clone()))
        .collect();
    let fresh = |number: usize| format!("sid=fresh-{number}");
    for (session, got) in got.chunks(3).enumerate() {
        let number = 3 * session;
        assert_eq!(
            got,
            [
                ("POST /login".to_owned(), String::new()),
                (format!("GET /home/{number}"), fresh(number)),
                ("GET /data".to_owned(), fresh(number + 1)),
            ]
        );
    }
    assert_eq!(got.len(), 6);

    // Where one leads away none is followed, and each request stands for itself.
    fs::remove_dir_all(folder.path().join("out")).unwrap();
    let away = har("http://login.elsewhere.test/");
    let told = import(&folder, away.to_str().unwrap(), &["--lang", language]).fine();
    assert!(
        told.stdout.contains("1 journeys with 4 requests"),
        "{told:?}"
    );
    assert!(
        told.stderr
            .contains("one of which leads to http://login.elsewhere.test"),
        "{told:?}"
    );
    let plan = fs::read_to_string(folder.path().join("out/plan.toml")).unwrap();
    assert!(!plan.contains("\nredirects"), "{plan}");
}

#[test]
fn a_curl_line_plays_as_it_was_copied() {
    LANGUAGES.iter().for_each(|language| curl_in(language));
}

fn curl_in(language: &str) {
    let (server, log) = shop();
    let folder = TempDir::new().unwrap();
    let line = format!(
        "curl '{}/v1/items?a=b' \\\n  -H 'Authorization: Bearer x' -H 'Content-Type: application/json' --data-raw $'{{\"it\\'s\":1}}' --compressed -L",
        server.url
    );
    import(&folder, &line, &["--lang", language]).fine();
    let plan = fs::read_to_string(folder.path().join("out/plan.toml")).unwrap();
    assert!(plan.contains("\nredirects = 20\n"), "{plan}");
    play(&folder);
    let log = log.lock().unwrap().clone();
    assert!(!log.is_empty());
    for got in &log {
        assert_eq!(got.line, "POST /v1/items?a=b");
        assert_eq!(got.bearer, "Bearer x");
        assert_eq!(got.body, json!({"it's": 1}));
    }
}

#[test]
fn what_cannot_be_imported_is_refused_in_one_line() {
    let folder = TempDir::new().unwrap();
    let refused = |name: &str, text: &str, part: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let ended = import(&folder, path.to_str().unwrap(), &[]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    };
    refused("old.json", r#"{"swagger": "2.0"}"#, "OpenAPI 3.0 and 3.1");
    refused(
        "first.json",
        r#"{"requests": [], "order": []}"#,
        "Postman 2.0 and 2.1",
    );
    refused("any.json", "[1]", "neither an OpenAPI 3 document");
    refused("broken.yaml", "a: [", "neither JSON nor YAML");
    refused(
        "empty.yaml",
        "openapi: 3.0.0\npaths: {}",
        "no request in it",
    );
    let endless = import(&folder, "/dev/zero", &[]);
    assert!(
        endless.code == Some(2) && endless.stderr.contains("64 MiB"),
        "{endless:?}"
    );
    let gone = import(&folder, "nowhere.yaml", &[]);
    assert!(
        gone.code == Some(2) && gone.stderr.contains("check the path"),
        "{gone:?}"
    );
    let open = import(&folder, "curl 'http://x", &[]);
    assert!(
        open.code == Some(2) && open.stderr.contains("not closed"),
        "{open:?}"
    );
}
