//! A target that asks to be left alone is left alone, by the user that it asked; requests that fail are sent again where
//! the plan allows it, each attempt counted; and whoever waits ends at once when the run is stopped.

use std::time::{Duration, Instant, SystemTime};

use crate::support::{Moody, Played, RunOf, Service, eventually, example};

fn start(url: &str, users: u32, requests: u32, more: &str) -> RunOf {
    let module = example("first");
    let arguments = format!(
        "--archetype mine={} --users {users} --workers 1 --delay-min 0 --delay-max 1 \
         --min-request-count {requests} --max-request-count {requests} {more}",
        module.display()
    );
    RunOf::start(url, &arguments)
}

#[track_caller]
fn fine(run: RunOf) -> Played {
    let mut played = run.played();
    played.ended = played.ended.fine();
    played.adds_up();
    played
}

fn holds(played: &Played, reason: &str) -> u64 {
    let holds = played.summary["regard"]["holds"].as_array().unwrap();
    let hold = holds.iter().find(|hold| hold["reason"] == reason);
    hold.and_then(|hold| hold["count"].as_u64()).unwrap_or(0)
}

#[test]
fn retry_after_is_honored_in_seconds_and_as_a_date() {
    // Two seconds from now is at least one whole second: dates have no fractions.
    let date = || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    let target = Moody::start(move |n| match n {
        3 => (429, Some("1".into())),
        5 => (503, Some(date())),
        _ => (200, None),
    });
    let played = fine(start(&target.url, 1, 8, ""));
    let seen = target.seen();
    assert_eq!(seen.len(), 9, "eight requests, and the look before the run");
    for at in [3, 5] {
        let waited = seen[at + 1].0 - seen[at].0;
        assert!(
            waited >= Duration::from_millis(950),
            "{waited:?} after request {at}"
        );
    }
    assert_eq!(holds(&played, "retry-after"), 2);
}

#[test]
fn a_rate_limit_is_met_by_waiting_and_not_by_more_requests() {
    let service = Service::with(&["--rate-limit", "10"]);
    let played = RunOf::fine(
        &service.url,
        "--archetype active --users 3 --min-request-count 60 --max-request-count 60 --delay-min 0 --delay-max 1 --retries 3",
    );
    assert_eq!(played.answered(), service.ledger(1));
    assert_eq!(
        played.sent(),
        180,
        "each attempt is a request of the budget"
    );
    let limited: u64 = played
        .answered()
        .iter()
        .filter(|((.., status), _)| *status == 429)
        .map(|(_, count)| count)
        .sum();
    // After each one the user leaves the service alone for a second, in which its session earns ten requests.
    assert!((1..=24).contains(&limited), "{limited}");
    assert!(holds(&played, "retry-after") > 0);
}

#[test]
fn what_is_sent_again_is_counted_again_and_costs_budget() {
    // Every other request fails.
    let target = Moody::start(|n| (if n % 2 == 1 { 503 } else { 200 }, None));
    let played = fine(start(&target.url, 1, 20, "--retries 2 --breaker off"));
    assert_eq!(played.sent(), 20);
    assert_eq!(target.seen().len(), 21, "with the look before the run");
    assert_eq!(target.gave(503) as u64, played.errors());
    assert_eq!(played.summary["regard"]["retries"], 10);
}

#[test]
fn many_429s_slow_the_whole_run_down() {
    let target = Moody::start(|n| (if n % 2 == 1 { 429 } else { 200 }, None));
    let run = start(&target.url, 10, 100_000, "");
    eventually("a slower pace", || {
        let said = run.process.stderr();
        said.contains("times slower").then_some(())
    });
    run.process.signal("TERM");
    let played = fine(run);
    assert!(holds(&played, "backoff") > 0);
}

#[test]
fn a_stop_does_not_wait_for_those_who_wait() {
    let target = Moody::start(|n| match n {
        0 => (200, None),
        _ => (429, Some("3600".into())),
    });
    let run = start(&target.url, 10, 10, "");
    eventually("waits", || (target.gave(429) == 10).then_some(()));
    let asked = Instant::now();
    run.process.signal("TERM");
    let played = fine(run);
    assert!(asked.elapsed() < Duration::from_secs(20), "it waited");
    assert_eq!(played.sent(), 10);
    // And the same in the middle of a retry.
    target.change(|_| (503, Some("9".into())));
    let before = target.seen().len();
    let run = start(&target.url, 1, 10, "--retries 5 --breaker off");
    eventually("a retry", || {
        (target.seen().len() > before + 1).then_some(())
    });
    run.process.signal("TERM");
    assert_eq!(fine(run).sent(), 1);
}
