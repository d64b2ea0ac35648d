//! A run removes what it has made and nothing else: neither a behavior nor an edited journal can have the administrator remove
//! an account that was there before.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{Answer, Ended, Service, by_hand, send, vespeiro};

/// Somebody real, who has registered long before any run.
const REAL: &str = "realhuman";
const RUN: &str = "k3x9a2b7";

fn take_name(service: &Service, name: &str, email: &str) -> Answer {
    let authority = service.url.strip_prefix("http://").unwrap();
    let person = format!(
        r#"{{"username":"{name}","email":"{email}@example.test","password":"Sup3rSecret!","name":"A Person"}}"#
    );
    let json = ["Content-Type: application/json"];
    send(authority, "POST", "/api/v1/users", &json, person.as_bytes()).unwrap()
}

#[track_caller]
fn register(service: &Service, name: &str) {
    let answer = take_name(service, name, name);
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// Nobody can take the name, since somebody has it.
#[track_caller]
fn is_still_there(service: &Service, name: &str) {
    let answer = take_name(service, name, "other");
    assert_eq!(answer.status, 409, "{name} is gone: {answer:?}");
}

/// A module that asks for GET /health, and marks `thing` by a call or by that request.
fn marking(folder: &TempDir, thing: &str, by_request: bool) -> PathBuf {
    let length = thing.len();
    let data = format!(r#"(data (i32.const 1024) "{thing}")"#);
    let next = match by_request {
        true => format!(
            "(i32.store8 (i32.const 380) (i32.const 1))
             (i32.store (i32.const 384) (i32.const 1024))
             (i32.store (i32.const 388) (i32.const {length}))"
        ),
        false => format!("(call $mark (i32.const 1024) (i32.const {length}))"),
    };
    by_hand(folder, &[("data", &data), ("next", &next)])
}

/// A run of one user with one request.
fn played(service: &Service, module: &Path, journal: &Path) -> Ended {
    let archetype = format!("hostile={}", module.display());
    vespeiro(&[
        "run",
        "--no-panel",
        "--base-url",
        &service.url,
        "--archetype",
        &archetype,
        "--users=1",
        "--workers=1",
        "--min-request-count=1",
        "--max-request-count=1",
        "--delay-min=0",
        "--delay-max=1",
        "--mix=off",
        "--error-mix=off",
        "--run-id",
        RUN,
        "--journal",
        journal.to_str().unwrap(),
    ])
    .orderly()
}

#[test]
fn a_stranger_that_a_behavior_marks_is_not_removed() {
    let service = Service::start();
    register(&service, REAL);
    let folder = TempDir::new().unwrap();
    let journal = folder.path().join("run.journal");
    let module = marking(&folder, &format!("user:{REAL}"), false);
    let log = played(&service, &module, &journal).fine().stderr;
    assert!(
        log.contains("archetype hostile: the mark \"user:realhuman\" is not kept"),
        "{log}"
    );
    assert!(!journal.exists(), "{log}");
    is_still_there(&service, REAL);
}

#[test]
fn a_stranger_that_a_request_claims_to_make_stays_and_is_listed() {
    let service = Service::start();
    register(&service, REAL);
    let folder = TempDir::new().unwrap();
    let journal = folder.path().join("run.journal");
    let module = marking(&folder, &format!("user:{REAL}"), true);
    let Ended {
        code, stderr: log, ..
    } = played(&service, &module, &journal);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("cleanup: left: user:realhuman"), "{log}");
    assert!(log.contains("does not carry the run's id"), "{log}");
    let again = vespeiro(&["cleanup", journal.to_str().unwrap()]);
    assert_eq!(again.code, Some(1), "{}", again.stderr);
    assert!(
        again.stdout.contains("left: user:realhuman"),
        "{}",
        again.stdout
    );
    is_still_there(&service, REAL);
}

#[test]
fn what_the_run_has_named_is_removed_by_either_kind_of_mark() {
    for by_request in [true, false] {
        let service = Service::start();
        let made = format!("bot-{RUN}-1");
        register(&service, &made);
        let folder = TempDir::new().unwrap();
        let journal = folder.path().join("run.journal");
        let module = marking(&folder, &format!("user:{made}"), by_request);
        played(&service, &module, &journal).fine();
        assert!(!journal.exists());
        register(&service, &made);
    }
}

#[test]
fn a_journal_that_was_edited_removes_no_stranger() {
    let service = Service::start();
    let folder = TempDir::new().unwrap();
    let journal = folder.path().join("run.journal");
    let place = journal.to_str().unwrap();
    vespeiro(&[
        "run",
        "--no-panel",
        "--base-url",
        &service.url,
        "--archetype=newcomer",
        "--users=3",
        "--min-request-count=5",
        "--max-request-count=5",
        "--delay-min=0",
        "--delay-max=1",
        "--journal",
        place,
        "--cleanup=never",
        "--run-id",
        RUN,
    ])
    .fine();
    register(&service, REAL);
    let written = std::fs::read_to_string(&journal).unwrap();
    let first = written.lines().nth(1).unwrap();
    let check = first.split(' ').nth(1).unwrap();
    let edited = format!("{written}+ user:{REAL}\n+ {check} user:{REAL}\n");
    std::fs::write(&journal, &edited).unwrap();
    let cleaned = vespeiro(&["cleanup", place]);
    assert_eq!(cleaned.code, Some(1), "{}", cleaned.stderr);
    assert!(
        cleaned.stdout.starts_with("3 removed, 0 left"),
        "{}",
        cleaned.stdout
    );
    assert!(
        cleaned
            .stderr
            .contains("was not written by this run, or was edited"),
        "{}",
        cleaned.stderr
    );
    assert!(journal.exists(), "somebody should look at it");

    // Nor do its lines count in the journal of another run.
    std::fs::write(&journal, edited.replace(RUN, "zzzzzzzz")).unwrap();
    let cleaned = vespeiro(&["cleanup", place]);
    assert_eq!(cleaned.code, Some(1), "{}", cleaned.stderr);
    assert!(
        cleaned.stdout.starts_with("0 removed, 0 left, 0 requests"),
        "{}",
        cleaned.stdout
    );
    is_still_there(&service, REAL);
}
