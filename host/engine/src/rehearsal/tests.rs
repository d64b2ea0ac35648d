//! Replies from text, made-up ones, and what a tape keeps of a run.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::replies::Line;
use super::{Asked, Bounds, Happening, Replies, Tape, play, veil_body};
use crate::driver::SessionEnd;
use vespeiro_behavior::types::{
    Body, Capture, Method, Outcome, Pace, Purpose, Request, RequestKind, Response, RouteRef, Setup,
    User,
};
use vespeiro_behavior::{Behavior, Compiler, Engine, Feeder, Limits, Slot};
use vespeiro_model::{Clock, Failure};

fn request(method: Method, path: &str) -> Request {
    Request {
        method,
        kind: RequestKind::Plain,
        grpc: false,
        path: path.into(),
        route: RouteRef::Described(0),
        category: None,
        headers: Vec::new(),
        body: None,
        expect: Vec::new(),
        capture: Capture {
            headers: true,
            body: true,
        },
        timeout_ms: None,
        mark: None,
        fault: None,
    }
}

fn status(replies: &mut Replies, request: &Request, route: &str) -> (u16, bool) {
    let answer = replies.answer(request, route);
    match answer.outcome {
        Outcome::Response(response) => (response.status, answer.made_up),
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_are_given_in_turn_and_a_path_goes_before_a_route() {
    let text = r#"
        {"method": "get", "route": "/users/{id}", "status": 200}
        {"method": "GET", "route": "/users/{id}", "status": 404}

        {"method": "GET", "path": "/users/7", "status": 410}
        {"method": "GET", "route": "/health", "failed": "connect"}
    "#;
    let mut replies = Replies::parse(text, "test").unwrap();
    let one = request(Method::Get, "/users/1");
    let given: Vec<_> = (0..3)
        .map(|_| status(&mut replies, &one, "/users/{id}"))
        .collect();
    assert_eq!(given, [(200, false), (404, false), (404, false)]);
    let seven = request(Method::Get, "/users/7");
    assert_eq!(status(&mut replies, &seven, "/users/{id}"), (410, false));
    let health = request(Method::Get, "/health");
    assert_eq!(
        replies.answer(&health, "/health").outcome,
        Outcome::Failed(Failure::Connect)
    );
    let other = request(Method::Post, "/users/1");
    assert_eq!(status(&mut replies, &other, "/users/{id}"), (201, true));
}

#[test]
fn a_line_that_is_wrong_is_named() {
    for (text, parts) in [
        (
            "{\"method\": \"GET\", \"route\": \"/\", \"status\": 200}\nhello",
            ["test:2: ", "one JSON object a line"],
        ),
        (
            r#"{"method": "GET", "status": 200}"#,
            ["test:1: ", "neither a route nor a path"],
        ),
        (
            r#"{"method": "GET", "route": "/"}"#,
            ["test:1: ", "a status from 100 to 599"],
        ),
        (
            r#"{"method": "GET", "route": "/", "status": 999}"#,
            ["test:1: ", "a status from 100 to 599"],
        ),
        (
            r#"{"method": "GET", "route": "/", "failed": "bored"}"#,
            ["\"bored\" is no failure", "timeout"],
        ),
        (
            r#"{"method": "GET", "route": "/", "status": 200, "staus": 1}"#,
            ["test:1: ", "staus"],
        ),
        (r#"{"\u001b[2J\n": 1}"#, ["test:1: ", "[2J"]),
    ] {
        let why = Replies::parse(text, "test").unwrap_err().to_string();
        for part in parts {
            assert!(why.contains(part), "{why}");
        }
        assert!(!why.contains(char::is_control), "{why}");
    }
}

#[test]
fn a_tape_is_a_file_of_replies_without_secrets() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("tape.jsonl");
    let mut tape = Tape::create(&path, &vespeiro_plan::Secrets::default()).unwrap();
    let login = request(Method::Post, "/login?token=abc&page=2");
    let answer = Outcome::Response(Response {
        status: 200,
        headers: vec![("set-cookie".into(), "id=abc".into()), ("x-page".into(), "2".into())],
        body: json!({ "data": { "access_token": "abc", "refresh_token": "abc", "user": { "password": "abc", "id": "7" } } })
            .to_string()
            .into_bytes(),
        latency_us: 1,
        grpc: None,
    });
    let health = request(Method::Get, "/health");
    let asked = vec![Asked::of(&login, "/login"), Asked::of(&health, "/health")];
    tape.keep(asked, &[answer, Outcome::Failed(Failure::Timeout)]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("abc"), "{text}");
    let first: Line = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first.path.as_deref(), Some("/login?token=withheld&page=2"));
    assert_eq!(first.body.unwrap()["data"]["user"]["id"], "7");
    let mut replies = Replies::read(&path).unwrap();
    assert_eq!(status(&mut replies, &login, "/login"), (200, false));
    assert_eq!(
        replies.answer(&health, "/health").outcome,
        Outcome::Failed(Failure::Timeout)
    );
}

#[test]
fn a_body_that_is_no_json_and_speaks_of_secrets_is_withheld() {
    assert_eq!(veil_body(b"hello"), json!("hello"));
    assert_eq!(veil_body(b"token=abc"), json!("(withheld)"));
}

proptest! {
    #[test]
    fn no_text_of_replies_panics(text in "\\PC*", lines in r#"(\{"(method|route|path|status|failed|body)": ?("GET"|"/x"|[0-9]{1,5}|null)\}?\n?){0,6}"#) {
        let _ = Replies::parse(&text, "test");
        let _ = Replies::parse(&lines, "test");
    }

    #[test]
    fn whatever_a_behavior_asks_gets_an_answer(path in ".{0,40}", route in ".{0,40}", body in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut asked = request(Method::Post, &path);
        asked.body = Some(Body::Bytes(body));
        let _ = Replies::made_up().answer(&asked, &route);
        let _ = Asked::of(&asked, &route);
    }
}

const BY_HAND: &str = include_str!("../../../../tests/e2e/guests/by_hand.wat");

fn setup() -> Setup {
    Setup {
        user: User {
            index: 0,
            seed: 1,
            username: String::new(),
            email: String::new(),
            password: String::new(),
            name: String::new(),
        },
        ordinal: 0,
        seed: 1,
        purpose: Purpose::Journey,
        pace: Pace {
            delay_min_ms: 0,
            delay_max_ms: 0,
        },
        run: "rehearse".into(),
        config: "{}".into(),
    }
}

/// What a guest may say in its first step: `(path, header, value, delay, requests, raw bytes in the path)`.
type Said = (String, String, String, u32, u32, Option<Vec<u8>>);

fn module((path, header, value, delay, requests, raw): &Said) -> Vec<u8> {
    let path = raw.as_deref().unwrap_or(path.as_bytes());
    let data = |at: usize, bytes: &[u8]| {
        let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        format!("(data (i32.const {at}) \"{escaped}\")")
    };
    // One header at 3584; the same request over and over would need a table of them, so a batch is a lie about its length.
    let mut headers = Vec::new();
    for number in [2048, header.len(), 2560, value.len()] {
        headers.extend((number as u32).to_le_bytes());
    }
    let text = BY_HAND
        .replace(
            ";; data\n",
            &[data(1024, path), data(2048, header.as_bytes()), data(2560, value.as_bytes()), data(3584, &headers)].join("\n"),
        )
        .replace(
            ";; next\n",
            &format!(
                "(i32.store (i32.const 260) (i32.const {delay})) (i32.store (i32.const 272) (i32.const {requests}))
                 (i32.store (i32.const 324) (i32.const 1024)) (i32.store (i32.const 328) (i32.const {}))
                 (i32.store (i32.const 348) (i32.const 3584)) (i32.store (i32.const 352) (i32.const 1))",
                path.len()
            ),
        );
    wat::parse_str(text).unwrap()
}

#[test]
fn whatever_a_guest_returns_ends_its_session_or_goes_to_the_target() {
    let text = || {
        prop_oneof![
            "/[a-z0-9/?=&%._-]{0,30}",
            "\\PC{0,30}",
            "(http|//|/)[ -~\r\n\t]{0,30}",
        ]
    };
    let numbers = || prop_oneof![Just(0u32), Just(1u32), any::<u32>()];
    let raw = prop::option::weighted(0.2, prop::collection::vec(any::<u8>(), 1..20));
    let said = (text(), "[ -~]{0,12}", text(), numbers(), numbers(), raw);
    let engine = Engine::new(None, Compiler::Here, Clock::system()).unwrap();
    let limits = Limits {
        memory: 1 << 20,
        call: Duration::from_secs(2),
    };
    let plan = vespeiro_plan::testing::plan(vespeiro_plan::Language::English);
    let mut runner = TestRunner::deterministic();
    let (mut refused, mut fine) = (0, 0);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        let said = said.new_tree(&mut runner).unwrap().current();
        let behavior = Behavior::load(&engine, "said", &module(&said), limits).unwrap();
        let mut slot = Slot::new(behavior, 1);
        let played = play(
            &mut slot,
            &setup(),
            &Feeder::default(),
            &mut Replies::made_up(),
            Bounds {
                plan: &plan,
                budget: 10,
                clock: Clock::system(),
            },
            |_, happening| {
                if let Happening::Sent { request, .. } = happening {
                    assert!(request.path.starts_with('/'), "{said:?}");
                    assert!(
                        request.path.bytes().all(|byte| byte.is_ascii_graphic()),
                        "{said:?}"
                    );
                    let (_, value) = &request.headers[0];
                    assert!(!value.contains(['\r', '\n']), "{said:?}");
                }
            },
        );
        match played.ended {
            SessionEnd::Completed => {
                assert!(said.3 <= 3_600_000, "{said:?}");
                fine += 1;
            }
            SessionEnd::Failed(why) | SessionEnd::Refused(why) => {
                assert!(!why.is_empty(), "{said:?}");
                refused += 1;
            }
            SessionEnd::Crashed(crash) => {
                assert!(
                    crash
                        .to_string()
                        .starts_with("behavior by-hand 0.1.0 crashed in next: "),
                    "{said:?}"
                );
                refused += 1;
            }
            SessionEnd::Abandoned | SessionEnd::Cut => panic!("{said:?}"),
        }
    }
    assert!(refused > 0 && fine > 0, "{refused} refused, {fine} fine");
}
