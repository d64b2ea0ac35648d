//! Load profiles: each gives what its name says, and a rate hides nothing of a target that stalls.

use std::time::{Duration, Instant};

use crate::support::{
    Played, RunOf, Service, Stalling, eventually, example, get, samples, vespeiro,
};

/// A behavior that asks for one thing and rests.
fn first() -> String {
    format!("--archetype=one={}", example("first").display())
}

fn number(value: &serde_json::Value) -> u64 {
    value.as_u64().unwrap()
}

fn seconds(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap()
}

/// Every arrival was sent, dropped, or overtaken by the end of the run.
#[track_caller]
fn accounts_for_all(played: &Played) -> (u64, u64) {
    let arrivals = &played.summary["arrivals"];
    let (due, dropped) = (number(&arrivals["due"]), number(&arrivals["dropped"]));
    let not_sent: u64 = played.summary["not_sent"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| number(&reason["count"]))
        .sum();
    assert_eq!(played.sent() + dropped + not_sent, due);
    assert_eq!(number(&arrivals["service"]["count"]), played.sent());
    played.adds_up();
    (due, dropped)
}

#[test]
fn a_target_that_stalls_shows_its_stall_under_a_constant_rate() {
    const RATE: f64 = 100.0;
    const LASTS: f64 = 10.0;
    let target = Stalling::start(Duration::from_secs(3), Duration::from_secs(2));
    let played = RunOf::fine(
        &target.url,
        &format!(
            "{} --rate {RATE}/s --duration {LASTS}s --users 2 --max-users 2 --workers 1",
            first()
        ),
    );
    let (due, dropped) = accounts_for_all(&played);
    assert_eq!(due as f64, RATE * LASTS);
    assert!(dropped < 20, "{dropped}");
    let stall = target.stalled().as_secs_f64();
    let response = &played.summary["total"]["latency"];
    // Whoever should have left so long after the begin of the stall waits for the rest of it, so that the share of
    // requests that take longer than x is (stall - x) / lasts. That is what wrk2's correction comes to.
    for (name, share) in [("p99", 0.01), ("p95", 0.05)] {
        let expected = stall - share * LASTS;
        let got = seconds(&response[name]);
        assert!(
            (got - expected).abs() <= 0.05 * expected,
            "{name}: {got} s, expected {expected} s after a stall of {stall} s"
        );
    }
    // The two users who were caught in it are too few to show by themselves.
    let service = seconds(&played.summary["arrivals"]["service"]["p99"]);
    assert!(service < 0.5 * stall, "{service} s");
    assert_eq!(played.summary["run"]["profile"], "constant-rate");
}

#[test]
fn users_are_called_in_for_arrivals_that_find_nobody_free() {
    let service = Service::with(&["--latency", "500ms"]);
    let played = RunOf::fine(
        &service.url,
        "--archetype active --rate 40/s --duration 3s --users 1 --max-users 200 --workers 2",
    );
    let (due, dropped) = accounts_for_all(&played);
    assert_eq!((due, dropped), (120, 0));
    // 40 a second that take half a second each.
    let users = number(&played.archetype("active")["users"]);
    assert!((15..=200).contains(&users), "{users}");
}

#[test]
fn arrivals_that_nobody_takes_in_time_are_dropped_and_told() {
    let service = Service::with(&["--latency", "1s"]);
    let played = RunOf::start(
        &service.url,
        "--archetype active --rate 50/s --duration 3s --users 1 --max-users 1 --max-wait 200ms --workers 1 \
         --threshold dropped<100",
    )
    .played();
    assert_eq!(played.ended.code, Some(99), "{}", played.ended.stderr);
    let (due, dropped) = accounts_for_all(&played);
    assert_eq!(due, 150);
    assert!(dropped >= 140, "{dropped}");
    let said = &played.ended.stdout;
    assert!(said.contains(&format!("dropped {dropped}")), "{said}");
    assert!(said.contains("raise --max-users"), "{said}");
}

#[test]
fn arrivals_can_be_sessions() {
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "{} --rate 20/s --arrivals sessions --duration 2s --users 3 --workers 2 --delay-min 1ms --delay-max 2ms",
            first()
        ),
    );
    assert_eq!(number(&played.summary["arrivals"]["due"]), 40);
    let dropped = number(&played.summary["arrivals"]["dropped"]);
    let started = number(&played.summary["sessions"]["started"]);
    assert_eq!(started + dropped, 40);
    assert!(dropped < 5, "{dropped}");
}

#[test]
fn a_total_is_sent_to_the_last_request_and_no_more() {
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        "--requests 777 --users 7 --workers 3 --delay-min 0 --delay-max 1ms",
    );
    assert_eq!(played.sent(), 777);
    assert_eq!(played.answered(), service.ledger(1));
    assert_eq!(played.summary["run"]["profile"], "shared-total");
    played.adds_up();
}

#[test]
fn stages_reach_their_numbers_one_after_the_other() {
    let service = Service::start();
    let run = RunOf::start(
        &service.url,
        &format!(
            "{} --stage 1s:24 --stage 1500ms:24 --stage 1s:5 --stage 60s:5 --workers 2 --metrics 127.0.0.1:0 --log info --delay-min 5m --delay-max 10m",
            first()
        ),
    );
    let page = run.authority("metrics at ");
    let active = || -> u64 {
        let page = get(&page, "/metrics").unwrap_or_default();
        let users = samples(&page, "vespeiro_users_active");
        users.iter().map(|sample| sample.value as u64).sum()
    };
    eventually("the top of the ramp", || (active() == 24).then_some(()));
    eventually("the end of the ramp", || (active() == 5).then_some(()));
    run.process.signal("INT");
    let played = run.played();
    // Nobody spends a budget here, so that those who came are those who were wanted at the top.
    assert_eq!(number(&played.archetype("one")["users"]), 24);
    assert_eq!(played.summary["run"]["profile"], "ramping-users");
}

#[test]
fn constant_users_are_replaced_until_the_duration_is_over() {
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "{} --profile constant-users --users 4 --duration 2s --min-request-count 3 --max-request-count 3 --delay-min 1ms --delay-max 2ms --workers 2",
            first()
        ),
    );
    let users = number(&played.archetype("one")["users"]);
    assert!(users > 8, "{users}");
    assert!(played.sent() > 3 * 8, "{}", played.sent());
    assert!(seconds(&played.summary["run"]["elapsed_seconds"]) >= 2.0);
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn steady_users_are_replaced_until_the_last_of_the_first_is_done() {
    let (service, folder) = (Service::start(), tempfile::TempDir::new().unwrap());
    let results = folder.path().join("of-{run}");
    let run = RunOf::start(
        &service.url,
        &format!(
            "{} --preset metrics_generation --users 4 --run-id steady01 --seed 2 --min-request-count 5 --max-request-count 60 \
             --delay-min 10ms --delay-max 20ms --workers 2 --results {}",
            first(),
            results.display()
        ),
    );
    // Nobody has given a port.
    let metrics = run.authority("metrics at ");
    eventually("figures to scrape", || {
        let page = get(&metrics, "/metrics").ok()?;
        let sent = samples(&page, "vespeiro_requests_total");
        sent.iter().any(|one| one.value > 0.0).then_some(())
    });
    let played = run.played();
    assert_eq!(played.ended.code, Some(0), "{}", played.ended.stderr);
    assert_eq!(played.summary["run"]["profile"], "steady-users");
    let users = number(&played.archetype("one")["users"]);
    assert!(users > 4, "{users}");
    assert_eq!(played.answered(), service.ledger(1));
    // Whoever is done is replaced, to the end.
    let points = played.summary["timeline"]["points"].as_array().unwrap();
    let active: Vec<u64> = points.iter().map(|point| number(&point["users"])).collect();
    let whole = &active[..active.len() - 1];
    assert!(whole.len() > 1, "{active:?}");
    assert!(
        whole.iter().all(|users| (3..=4).contains(users)),
        "{active:?}"
    );
    // What nobody gave a path of its own.
    let written = folder.path().join("of-steady01");
    for name in ["timeseries.csv", "report.html"] {
        let text = std::fs::read_to_string(written.join(name)).unwrap();
        assert!(text.lines().count() > 2, "{name}: {text}");
    }
}

#[test]
fn a_run_begins_when_it_is_told_to() {
    let service = Service::start();
    let began = Instant::now();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "{} --start-at +1500ms --users 1 --max-request-count 1 --min-request-count 1",
            first()
        ),
    );
    assert!(began.elapsed() >= Duration::from_millis(1500));
    assert!(seconds(&played.summary["run"]["elapsed_seconds"]) < 1.5 + 10.0);
    let said = &played.ended.stderr;
    assert!(said.contains("the run starts at +1500ms"), "{said}");

    let late = vespeiro(&["run", "--start-at", "2020-01-01T00:00:00Z"]);
    assert_eq!(late.code, Some(2));
    assert!(
        late.stderr
            .contains("start_at 2020-01-01T00:00:00Z is over"),
        "{}",
        late.stderr
    );
}

#[test]
fn settings_that_make_no_profile_are_refused() {
    for (arguments, said) in [
        (
            &["--profile", "constant-rate"][..],
            "rate (default): constant-rate needs `rate`; give --rate 100/s",
        ),
        (
            &["--rate", "5/s", "--requests", "9"],
            "requests (--requests): `requests` cannot be combined with constant-rate",
        ),
        (
            &["--stage", "30s:1", "--stage", "soon:2"],
            "stage (--stage): \"soon\" is no duration",
        ),
        (
            &["--rate", "0/s"],
            "rate (--rate): nothing would ever be sent",
        ),
        (&["--rate", "-3"], "rate (--rate): \"-3\" is no rate"),
    ] {
        let ended = vespeiro(&[&["run"], arguments].concat()).orderly();
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(said),
            "{arguments:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_rate_may_begin_at_nothing_and_times_may_have_several_units() {
    let ended = vespeiro(&[
        "plan",
        "--rate",
        "0/s",
        "--stage",
        "1m30s:90",
        "--duration",
        "1h30m",
    ]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for part in ["0/s", "90s:90", "90m"] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
}
