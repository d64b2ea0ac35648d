//! `vespeiro try`: what it shows is what the target got and gave, secrets apart; it shows it while it happens, and stops where
//! it is asked to.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::spawn;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    Ended, Owned, Server, Service, command, eventually, free_address, in_terminal, terminal,
    vespeiro,
};

/// What a request said: method, path with query, headers in their order, body.
type Got = (String, String, Vec<(String, String)>, String);

/// A shop that keeps what it gets.
struct Shop {
    server: Server,
    got: Arc<Mutex<Vec<Got>>>,
}

const TOKEN: &str = "eyJ-of-nobody-else";

impl Shop {
    fn start() -> Shop {
        async fn answer(
            State(got): State<Arc<Mutex<Vec<Got>>>>,
            method: Method,
            uri: Uri,
            headers: HeaderMap,
            body: Bytes,
        ) -> impl IntoResponse {
            let text = |value: &axum::http::HeaderValue| value.to_str().unwrap().to_owned();
            let fields = headers.iter();
            let fields = fields.map(|(name, value)| (name.to_string(), text(value)));
            let body = String::from_utf8_lossy(&body).into_owned();
            let kept = (method.to_string(), uri.to_string(), fields.collect(), body);
            got.lock().unwrap().push(kept);
            let html = [("content-type", "text/html"), ("x-odd", "plain")];
            let json = [
                ("content-type", "application/json"),
                ("set-cookie", "sid=a-cookie-of-mine"),
            ];
            match uri.path() {
                "/login" => (
                    json,
                    json!({ "key": { "access_token": TOKEN }, "page": 7 }).to_string(),
                ),
                "/big" => (html, "x".repeat(5000)),
                // What steers a terminal, and what turns a line around.
                path if path.starts_with("/odd/") => {
                    (html, format!("\x1b[2Jred\u{202e}\rtrailing {TOKEN}"))
                }
                _ => (html, "fine".to_owned()),
            }
        }
        let got = Arc::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&got));
        Shop {
            server: Server::start(app),
            got,
        }
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

const JOURNEY: &str = r#"
[[step]]
post = "/login?page=1"
json = { user = "ada", password = "opensesame" }
capture = { token = "/key/access_token", page = "/page" }
check = { "it is the seventh" = "page == 7", "it is the eighth" = "page == 8" }

[[step]]
pause = "60m"
get = "/big?n=${page}"
headers = { authorization = "Bearer ${token}" }

[[step]]
get = "/odd/${token}"
"#;

fn journey(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("a journey.toml");
    fs::write(&path, text).unwrap();
    path
}

fn tried(url: &str, behavior: &str, more: &[&str]) -> Ended {
    let folder = TempDir::new().unwrap();
    let journal = folder.path().join("journal");
    let flags = ["--base-url", url, "--journal", journal.to_str().unwrap()];
    vespeiro(&[&["try", behavior], &flags[..], more].concat()).orderly()
}

fn entries(ended: &Ended) -> Vec<Value> {
    let lines = ended.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of<'a>(entries: &'a [Value], event: &str) -> Vec<&'a Value> {
    entries.iter().filter(|one| one["event"] == event).collect()
}

#[test]
fn what_is_shown_is_what_the_target_got_and_gave() {
    let (shop, folder) = (Shop::start(), TempDir::new().unwrap());
    let path = journey(&folder, JOURNEY);
    let ended = tried(
        &shop.server.url,
        path.to_str().unwrap(),
        &["--json", "--max-body", "2KiB", "--body-chars", "1500"],
    )
    .fine();
    let all = entries(&ended);
    assert_eq!(all[0]["event"], "session", "{}", ended.stdout);
    let (sent, got) = (of(&all, "request"), shop.got());
    assert_eq!((sent.len(), got.len()), (3, 3), "{}", ended.stdout);
    for (sent, (method, path, headers, body)) in sent.iter().zip(&got) {
        assert_eq!(sent["method"], *method);
        // To the byte, where nothing of it is secret.
        let shown: Vec<(String, String)> = serde_json::from_value(sent["headers"].clone()).unwrap();
        let names = |fields: &[(String, String)]| -> Vec<String> {
            let mut names: Vec<_> = fields.iter().map(|(name, _)| name.clone()).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(&shown), names(headers));
        for (name, value) in &shown {
            let same = headers.contains(&(name.clone(), value.clone()));
            let is_secret = ["authorization", "cookie"].contains(&name.as_str());
            assert!(same ^ is_secret, "{name}: {value}");
        }
        assert_eq!(sent["body_bytes"], body.len());
        let veiled = path.replace(TOKEN, "(withheld)");
        assert_eq!(sent["path"], veiled);
    }
    assert_eq!(
        sent[0]["body"],
        json!({ "user": "ada", "password": "(withheld)" })
    );
    let answers = of(&all, "answer");
    let statuses: Vec<&Value> = answers.iter().map(|one| &one["status"]).collect();
    // A body that nobody asked for may be larger than max_body, as in a run.
    assert_eq!(statuses, [200, 200, 200], "{}", ended.stdout);
    assert_eq!(answers[0]["captured"], json!(["body"]));
    assert_eq!(
        answers[0]["body"],
        json!({ "key": { "access_token": "(withheld)" }, "page": 7 })
    );
    assert_eq!(answers[1]["captured"], json!([]));
    assert_eq!(
        (&answers[1]["body_bytes"], &answers[1]["body_cut"]),
        (&json!(5000), &json!(true))
    );
    assert_eq!(answers[1]["body"], "x".repeat(1500));
    for answer in &answers {
        let phases = answer["phases"].as_object().unwrap().values();
        let sum: f64 = phases.map(|took| took.as_f64().unwrap()).sum();
        let took = answer["seconds"].as_f64().unwrap();
        assert!(took > 0.0 && sum >= took, "{answer}");
        assert_eq!(answer["protocol"], "HTTP/1.1");
    }
    let reused: Vec<&Value> = answers.iter().map(|one| &one["reused"]).collect();
    assert_eq!(reused, [false, true, true]);
    let checks = of(&all, "check");
    let checks: Vec<_> = checks
        .iter()
        .map(|one| (&one["name"], &one["passed"]))
        .collect();
    let (right, wrong) = (json!("it is the seventh"), json!("it is the eighth"));
    assert_eq!(checks, [(&wrong, &json!(false)), (&right, &json!(true))]);
    let logs = of(&all, "log");
    let logs: Vec<&Value> = logs.iter().map(|one| &one["message"]).collect();
    assert_eq!(logs, ["captured page = 7", "captured token = (withheld)"]);
    let end = of(&all, "end")[0];
    assert_eq!(
        (&end["end"], &end["steps"]),
        (&json!("completed"), &json!(3))
    );
    assert_eq!(
        (&end["requests"], &end["checks_failed"]),
        (&json!(3), &json!(1))
    );
    for secret in [TOKEN, "opensesame", "a-cookie-of-mine"] {
        assert!(!ended.stdout.contains(secret), "{secret}: {}", ended.stdout);
    }
}

#[test]
fn what_steers_a_terminal_is_written_out_and_a_session_that_gives_up_fails() {
    let (shop, folder) = (Shop::start(), TempDir::new().unwrap());
    let path = journey(&folder, JOURNEY);
    let path = path.to_str().unwrap();
    let ended = tried(&shop.server.url, path, &["--body-chars", "100"]).fine();
    let text = &ended.stdout;
    assert!(!text.contains(['\x1b', '\u{202e}', '\r']), "{text}");
    assert!(
        !text.contains(TOKEN) && !text.contains("opensesame"),
        "{text}"
    );
    for part in [
        "→ POST /login?page=1 (#1: /login, request)",
        "            content-type: application/json\n",
        "← 200 (#1: ",
        "\\u{1b}[2Jred\\u{202e}\\rtrailing (withheld)\n",
        "captured page = 7\n",
        "check \"it is the eighth\": failed\n",
        "… 5000 bytes",
        "completed: 3 steps, 3 requests, checks: 1 passed, 1 failed\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let wrong = journey(&folder, "[[step]]\nget = \"/a\"\nexpect = 201\n");
    let ended = tried(&shop.server.url, wrong.to_str().unwrap(), &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("check \"GET /a answers 201\": failed"),
        "{ended:?}"
    );
    assert!(
        ended.stdout.contains("abandoned: 1 steps, 1 requests"),
        "{ended:?}"
    );
    let nobody = format!("http://{}", free_address());
    let ended = tried(&nobody, path, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("refused the connection"), "{ended:?}");
}

#[test]
fn it_stops_before_each_step_and_goes_on_or_ends_by_a_key() {
    let (shop, folder) = (Shop::start(), TempDir::new().unwrap());
    let path = journey(&folder, JOURNEY);
    let path = path.to_str().unwrap();
    let ended = tried(&shop.server.url, path, &["--break"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stderr.contains("standard input is no terminal"),
        "{ended:?}"
    );
    assert!(shop.got().is_empty());

    let (mut keys, name) = terminal();
    let mut child = command(env!("CARGO_BIN_EXE_vespeiro"))
        .args(["try", path, "--break", "--base-url", &shop.server.url])
        .args(["--journal", folder.path().join("journal").to_str().unwrap()])
        .stdin(in_terminal(&name))
        .stdout(in_terminal(&name))
        .stderr(in_terminal(&name))
        .spawn()
        .map(Owned)
        .unwrap();
    let screen = Arc::new(Mutex::new(String::new()));
    let (shown, mut reading) = (Arc::clone(&screen), keys.try_clone().unwrap());
    spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = reading.read(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            shown.lock().unwrap().push_str(&text);
        }
    });
    let see = |what: &str| {
        eventually(what, || screen.lock().unwrap().contains(what).then_some(()));
    };
    see("step 1: POST /login?page=1 (Enter goes on, q ends the session)");
    assert!(shop.got().is_empty());
    keys.write_all(b"\n").unwrap();
    see("step 2: GET /big?n=7 (Enter");
    assert_eq!(shop.got().len(), 1);
    // In color, where it is a terminal.
    see("\x1b[32m200\x1b[0m");
    keys.write_all(b"q\n").unwrap();
    see("2 steps, 1 requests");
    let status = eventually("its end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    assert_eq!(shop.got().len(), 1);
}

#[test]
fn what_a_session_creates_is_removed_as_after_a_run() {
    let service = Service::start();
    let ended = tried(&service.url, "newcomer", &["--json", "--seed", "5"]).fine();
    let all = entries(&ended);
    let answers = of(&all, "answer").len() as u64;
    assert!(answers > 3, "{}", ended.stdout);
    // The cleanup's own requests come on top, and leave nothing.
    assert!(service.answered_at_all() > answers);
    let metrics =
        crate::support::get(service.url.trim_start_matches("http://"), "/metrics").unwrap();
    assert!(metrics.contains("\nuser_service_users 1\n"), "{metrics}");
    let kept = tried(&service.url, "builtin:newcomer", &["--cleanup", "never"]).fine();
    assert!(kept.stderr.contains("cleanup: 1 thing left"), "{kept:?}");
}

#[test]
fn what_makes_no_sense_for_one_session_is_refused() {
    for (more, part) in [
        (["--users", "5"], "of which --users says nothing"),
        (["--html", "x.html"], "of which --html says nothing"),
        (["--archetype", "active"], "leave --archetype out"),
    ] {
        let ended = vespeiro(&[&["try", "active"], &more[..]].concat()).orderly();
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(part), "{ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    }
}
