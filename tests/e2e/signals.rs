//! Somebody stops the run: it ends in order, with its summary and code 0, whatever its users are doing.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::{RunOf, Service, eventually, get};

#[test]
fn an_interrupt_ends_a_run_whose_users_think() {
    let service = Service::start();
    let run = RunOf::start(
        &service.url,
        "--users 20 --delay-min 10m --delay-max 20m --min-request-count 10 --max-request-count 10 --control 127.0.0.1:0",
    );
    // They think before their first request, so that only the run itself can say that they are there.
    let authority = run.authority("control: ");
    eventually("all users", || {
        let status: serde_json::Value =
            serde_json::from_str(&get(&authority, "/status").ok()?).ok()?;
        (status["users"] == 20).then_some(())
    });
    let asked = Instant::now();
    run.process.signal("INT");
    let mut played = run.played();
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "it waited for its thinkers"
    );
    played.ended = played.ended.fine();
    assert!(
        played.ended.stdout.contains("newcomer ("),
        "{}",
        played.ended.stdout
    );
    assert!(played.sessions("active", "cut") > 0);
    assert_eq!(played.answered(), service.ledger(1));
    played.adds_up();
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_under_way() {
    let service = Service::with(&["--latency", "60s"]);
    let run = RunOf::start(&service.url, "--users 20 --delay-min 0 --delay-max 0");
    // Nothing is answered yet, so that only the run itself can say that it has begun.
    eventually("the start of the run", || {
        (!run.process.stderr().is_empty()).then_some(())
    });
    let asked = Instant::now();
    run.process.signal("TERM");
    run.process.signal("INT");
    let mut played = run.played();
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "it waited for answers"
    );
    played.ended = played.ended.fine();
    // The service may have seen them, so they are counted, as unanswered.
    assert!(played.answered().is_empty());
    played.adds_up();
}

#[test]
fn a_third_signal_waits_for_nothing_at_all() {
    let service = Service::with(&["--latency", "60s"]);
    // Takes connections and never answers: the last push waits for it.
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let run = RunOf::start(
        &service.url,
        &format!(
            "--users 20 --delay-min 0 --delay-max 0 --remote-write http://{}/",
            hole.local_addr().unwrap()
        ),
    );
    eventually("the start of the run", || {
        (!run.process.stderr().is_empty()).then_some(())
    });
    run.process.signal("TERM");
    eventually("the wait for answers", || {
        run.process.stderr().contains("waiting for").then_some(())
    });
    run.process.signal("INT");
    eventually("the word on what stays", || {
        run.process
            .stderr()
            .contains("left; finish with")
            .then_some(())
    });
    run.process.signal("TERM");
    let ended = run.process.ended();
    assert_eq!(ended.code, Some(128 + 15), "{}", ended.stderr);
    assert!(ended.stdout.is_empty(), "it wrote a report");
}

#[test]
fn the_service_ends_when_it_is_told_to() {
    let mut service = Service::start();
    service.process.signal("TERM");
    let status = eventually("the end of the service", || service.process.has_ended());
    assert_eq!(status.code(), Some(0));
}
