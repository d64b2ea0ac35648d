//! The author's tools: `check` says whether a module could play, `rehearse` shows what it does, the same each time, and
//! replies that a run has recorded are what a rehearsal plays against.

use tempfile::TempDir;

use crate::support::{RunOf, Service, by_hand, example, vespeiro};

fn trace(arguments: &[&str]) -> String {
    let ended = vespeiro(&[&["rehearse"], arguments].concat()).fine();
    assert_eq!(ended.stderr, "");
    ended.stdout
}

#[test]
fn the_old_name_of_the_command_does_the_same() {
    let old = vespeiro(&["trace", "builtin:newcomer", "--seed", "7"]).fine();
    assert_eq!(old.stdout, trace(&["builtin:newcomer", "--seed", "7"]));
}

#[test]
fn check_describes_a_module_that_can_play() {
    let module = example("first");
    let said = vespeiro(&["check", module.to_str().unwrap()]).fine().stdout;
    for part in [
        "core module with embedded WIT",
        "first 0.1.0, content ",
        "vespeiro:behavior/behavior@0.2.0",
        "GET /health (monitoring)",
        "9 sessions",
        "verdict     it can play",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn check_says_in_one_line_what_is_wrong() {
    let module = example("misbehaving");
    let module = module.to_str().unwrap();
    for (mode, says) in [
        ("trap", "crashed in next"),
        ("trap-constructor", "crashed in the session's constructor"),
        ("loop", "ran longer than 100 ms"),
        ("recursion", "recursed too deep"),
    ] {
        let config = format!("{{\"mode\": \"{mode}\"}}");
        let ended = vespeiro(&["check", module, "--config", &config]).orderly();
        assert_eq!(ended.code, Some(1), "{mode}: {}", ended.stderr);
        let told = format!("error: behavior {module}: ");
        assert!(
            ended.stderr.starts_with(&told) && ended.stderr.contains(says),
            "{mode}: {}",
            ended.stderr
        );
        assert_eq!(ended.stderr.lines().count(), 1, "{mode}: {}", ended.stderr);
    }
    // It only goes wrong after a good request, and then the target is the reason.
    let panics_on_failure = TempDir::new().unwrap();
    let panicking = by_hand(
        &panics_on_failure,
        // A failed outcome has 1 at its first byte.
        &[(
            "next again",
            "(if (i32.load8_u (local.get $outcomes)) (then (unreachable)))",
        )],
    );
    let ended = vespeiro(&["check", panicking.to_str().unwrap()]).orderly();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("when every request times out, it crashed in next"),
        "{}",
        ended.stderr
    );
    // A route that only 0.1 can name: the text that stands there for the category.
    let elsewhere = TempDir::new().unwrap();
    let undeclared = by_hand(
        &elsewhere,
        &[(
            "next",
            "(i32.store (i32.const 332) (i32.const 64)) (i32.store (i32.const 336) (i32.const 10))",
        )],
    );
    let noted = vespeiro(&["check", undeclared.to_str().unwrap()]).fine();
    assert!(
        noted
            .stdout
            .contains("GET monitoring is not among the routes of describe"),
        "{}",
        noted.stdout
    );
}

#[test]
fn what_is_no_module_and_what_is_not_there_are_told_apart() {
    let folder = TempDir::new().unwrap();
    let text = folder.path().join("text.wasm");
    std::fs::write(&text, "hello").unwrap();
    let ended = vespeiro(&["check", text.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("is not WebAssembly"),
        "{}",
        ended.stderr
    );
    for module in ["nowhere.wasm", "builtin:nobody"] {
        let ended = vespeiro(&["check", module]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
    let replies = folder.path().join("replies.jsonl");
    std::fs::write(&replies, "{\"method\": \"GET\"}").unwrap();
    let ended = vespeiro(&[
        "rehearse",
        "builtin:active",
        "--replies",
        replies.to_str().unwrap(),
    ]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("replies.jsonl:1: "),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_same_seed_traces_the_same() {
    let arguments = ["builtin:active", "--sessions", "2", "--seed", "7"];
    let (once, again) = (trace(&arguments), trace(&arguments));
    assert_eq!(once, again);
    assert!(once.contains("session 1: active"), "{once}");
    assert!(once.contains("POST /api/v1/auth/login"), "{once}");
    assert!(
        !once.contains("SimPass123!") && !once.contains("made-up-access-token"),
        "{once}"
    );
    assert_ne!(
        once,
        trace(&["builtin:active", "--sessions", "2", "--seed", "8"])
    );
}

#[test]
fn a_trace_gives_the_replies_of_a_file() {
    let folder = TempDir::new().unwrap();
    let module = by_hand(&folder, &[]);
    let replies = folder.path().join("replies.jsonl");
    let lines = [
        r#"{"method": "GET", "route": "/health", "status": 503}"#,
        r#"{"method": "GET", "path": "/health", "failed": "timeout"}"#,
    ];
    let shown = |lines: &[&str]| {
        std::fs::write(&replies, lines.join("\n")).unwrap();
        trace(&[
            module.to_str().unwrap(),
            "--replies",
            replies.to_str().unwrap(),
        ])
    };
    assert!(shown(&lines[..1]).contains("-> 503\n"));
    assert!(shown(&lines).contains("-> timeout\n"));
    assert!(trace(&[module.to_str().unwrap()]).contains("-> 200  (made up)\n"));
}

#[test]
fn a_run_records_one_users_replies_without_secrets_and_a_trace_plays_them() {
    let folder = TempDir::new().unwrap();
    let tape = folder.path().join("tape.jsonl");
    let tape = tape.to_str().unwrap();
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "--archetype newcomer --users 2 --min-request-count 20 --max-request-count 20 --delay-min 0 --delay-max 1 \
             --seed 3 --trace-record {tape}"
        ),
    );
    assert_eq!(played.sent(), 40);
    let text = std::fs::read_to_string(tape).unwrap();
    assert_eq!(text.lines().count(), 20, "{text}");
    assert!(text.contains("\"access_token\":\"(withheld)\""), "{text}");
    assert!(!text.contains("SimPass123!"), "{text}");
    let shown = trace(&["builtin:newcomer", "--replies", tape]);
    assert!(shown.contains("POST /api/v1/auth/login"), "{shown}");
    assert!(shown.contains("-> 200"), "{shown}");
}

#[test]
fn trace_record_runs_the_command_that_follows() {
    let folder = TempDir::new().unwrap();
    let tape = folder.path().join("tape.jsonl");
    let tape = tape.to_str().unwrap();
    let journal = folder.path().join("run.journal");
    let journal = format!("--journal={}", journal.display());
    let service = Service::start();
    let url = format!("--base-url={}", service.url);
    let run = [
        "run",
        "--no-panel",
        &url,
        &journal,
        "--users=1",
        "--min-request-count=5",
        "--max-request-count=5",
    ];
    let quick = ["--delay-min=0", "--delay-max=1", "--archetype=active"];
    vespeiro(&[&["rehearse", "--record", tape, "--"], &run[..], &quick[..]].concat()).fine();
    assert_eq!(std::fs::read_to_string(tape).unwrap().lines().count(), 5);
    let ended = vespeiro(&["rehearse", "--record", tape, "--", "serve"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("only a run can be recorded"),
        "{}",
        ended.stderr
    );
}
