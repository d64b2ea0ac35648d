//! A target that fails is left alone, but for a few probes, and played again when it is back; users wait meanwhile and
//! lose neither their budget nor their place in the run.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Moody, Played, RunOf, Service, eventually, example};

const USERS: u64 = 20;
const COOL_DOWN: Duration = Duration::from_millis(400);

/// Users of the smallest behavior: one request, one pause. The budget outlasts the test, so that a signal ends it.
fn start(url: &str, more: &str) -> RunOf {
    let module = example("first");
    let arguments = format!(
        "--archetype mine={} --users {USERS} --workers 1 --delay-min 5 --delay-max 20 \
         --min-request-count 100000 --max-request-count 100000 --breaker-cool-down 400ms {more}",
        module.display()
    );
    RunOf::start(url, &arguments)
}

fn says(run: &RunOf, what: &str) {
    eventually(what, || run.process.stderr().contains(what).then_some(()));
}

/// How often the breaker came into this state.
fn times(played: &Played, state: &str) -> u64 {
    let changes = played.summary["regard"]["breaker"].as_array().unwrap();
    let change = changes.iter().find(|change| change["to"] == state);
    let count = change.and_then(|c| c["count"].as_u64());
    count.unwrap_or_else(|| panic!("not {state}: {:#}", played.summary["regard"]))
}

fn not_sent(played: &Played) -> u64 {
    let reasons = played.summary["not_sent"].as_array().unwrap();
    let reason = reasons.iter().find(|r| r["failure"] == "circuit-open");
    reason.and_then(|r| r["count"].as_u64()).unwrap_or(0)
}

#[test]
fn a_target_that_fails_is_left_alone_until_it_is_back() {
    let target = Moody::start(|_| (200, None));
    let run = start(&target.url, "");
    eventually("load", || (target.gave(200) > 100).then_some(()));

    let began = Instant::now();
    target.change(|_| (503, None));
    says(&run, "the circuit breaker opened");
    // Three probes of one kind or another, so that it has opened again and again.
    let at_first = target.gave(503);
    eventually("probes", || (target.gave(503) > at_first + 2).then_some(()));
    let lasted = began.elapsed();
    target.change(|_| (200, None));
    says(&run, "the target is back");
    let so_far = target.gave(200);
    eventually("load again", || {
        (target.gave(200) > so_far + 100).then_some(())
    });

    run.process.signal("TERM");
    let mut played = run.played();
    played.ended = played.ended.fine();
    played.adds_up();
    assert_eq!(
        played.sent() + 1,
        target.seen().len() as u64,
        "with the look before the run"
    );
    assert!(times(&played, "open") >= 2 && times(&played, "closed") >= 1);

    // Enough failures to open it beside twice as many good ones of before, what was under way, and three probes at a time.
    let cycles = (lasted.as_secs_f64() / COOL_DOWN.as_secs_f64()).ceil() as u64 + 2;
    let failed = target.gave(503) as u64;
    assert!(failed <= 20_000, "{failed}");
    let probes = failed.saturating_sub(at_first as u64);
    assert!(
        probes <= 3 * cycles,
        "{probes} probes in {cycles} cool-downs"
    );
    // Each user is turned away a few times and does not ask over and over.
    let turned_away = not_sent(&played);
    assert!(
        turned_away > 0 && turned_away <= USERS * (cycles + 2),
        "{turned_away} in {cycles}"
    );
    assert_eq!(played.archetype("mine")["users"], USERS, "nobody gave up");
}

#[test]
fn a_service_that_dies_and_comes_back_is_played_on() {
    let service = Service::start();
    let url = service.url.clone();
    let run = start(&url, "");
    eventually("load", || (service.answered_at_all() > 200).then_some(()));
    service.process.signal("KILL");
    says(&run, "the circuit breaker opened");
    let service = Service::again(&url);
    says(&run, "the target is back");
    eventually("load again", || {
        (service.answered_at_all() > 200).then_some(())
    });
    run.process.signal("TERM");
    let mut played = run.played();
    played.ended = played.ended.fine();
    played.adds_up();
    let results = played.summary["results"].as_array().unwrap();
    let dead = |r: &&Value| r["failure"] == "connect" || r["failure"] == "reset";
    assert!(results.iter().any(|r| dead(&r)), "{results:?}");
}

#[test]
fn without_a_breaker_a_failing_target_is_loaded_all_the_same() {
    let target = Moody::start(|_| (503, None));
    let run = start(&target.url, "--breaker off");
    eventually("load", || (target.gave(503) > 500).then_some(()));
    run.process.signal("TERM");
    let mut played = run.played();
    played.ended = played.ended.fine();
    assert_eq!(not_sent(&played), 0);
    assert_eq!(played.errors(), played.sent());
}

#[test]
fn faults_on_purpose_never_open_it() {
    let service = Service::with(&["--allow-faults"]);
    let module = example("first");
    // The last mix on the command line counts, and here half of all requests are to fail.
    let arguments = format!(
        "--archetype mine={} --users 4 --workers 1 --delay-min 0 --delay-max 1 --min-request-count 300 --max-request-count 300",
        module.display()
    );
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.toml");
    std::fs::write(&plan, "breaker_threshold = 20\n").unwrap();
    let run = crate::support::vespeiro(
        &[
            "run",
            "--no-panel",
            "--base-url",
            &service.url,
            "--cleanup=never",
            "--journal",
            folder.path().join("journal").to_str().unwrap(),
            "--plan",
            plan.to_str().unwrap(),
            "--mix=off",
            "--error-mix",
            "success=50,client=0,server=50",
        ]
        .into_iter()
        .chain(arguments.split_whitespace())
        .collect::<Vec<_>>(),
    )
    .fine();
    assert!(run.stdout.contains("injected"), "{}", run.stdout);
    assert!(!run.stderr.contains("circuit breaker"), "{}", run.stderr);
    assert!(!run.stdout.contains("circuit open"), "{}", run.stdout);
}
