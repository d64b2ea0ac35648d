//! A run that is paused loses nothing of its load profile, and nothing prolongs its grace period once that has begun.

use std::time::{Duration, Instant};

use crate::support::{RunOf, Service, eventually, example, get, post, samples};

/// A behavior that asks for one thing and rests.
fn first() -> String {
    format!("--archetype=one={}", example("first").display())
}

/// Hold the requests of a run that has begun back for so long.
fn pause(authority: &str, lasts: Duration) {
    eventually("the first requests", || {
        let status = get(authority, "/status").ok()?;
        let status: serde_json::Value = serde_json::from_str(&status).ok()?;
        (status["requests"].as_u64()? > 0).then_some(())
    });
    assert_eq!(post(authority, "/pause", b"").status, 200);
    let since = Instant::now();
    eventually("the end of the pause", || {
        (since.elapsed() >= lasts).then_some(())
    });
    assert_eq!(post(authority, "/resume", b"").status, 200);
}

#[test]
fn a_pause_moves_the_stages_of_users_and_the_end_of_the_run() {
    let service = Service::start();
    let run = RunOf::start(
        &service.url,
        &format!(
            "{} --stage 4s:8 --stage 4s:0 --control 127.0.0.1:0 --delay-min 10 --delay-max 20 --workers 2",
            first()
        ),
    );
    let authority = run.authority("control: ");
    pause(&authority, Duration::from_secs(3));
    let played = run.played();
    let lasted = played.summary["run"]["elapsed_seconds"].as_f64().unwrap();
    assert!(
        (10.9..12.5).contains(&lasted),
        "{lasted} s, for 8 s and a pause of 3 s"
    );
    let points = played.summary["timeline"]["points"].as_array().unwrap();
    let users = |point: &serde_json::Value| point["users"].as_u64().unwrap();
    let most = points.iter().map(users).max().unwrap();
    assert!((7..=8).contains(&most), "{most} users");
    // The last stage brings them down to nobody: the second before the end has hardly anyone left.
    let last = points.iter().rev().nth(1).map(users).unwrap();
    assert!(last <= 3, "{last} users a second before the end");
    played.adds_up();
}

#[test]
fn a_pause_loses_no_arrivals_of_stages_of_a_rate() {
    let service = Service::start();
    let run = RunOf::start(
        &service.url,
        &format!(
            "{} --profile ramping-rate --stage 3s:40 --stage 3s:0 --users 20 --control 127.0.0.1:0 --workers 2",
            first()
        ),
    );
    let authority = run.authority("control: ");
    pause(&authority, Duration::from_secs(2));
    let played = run.played();
    // Two ramps of 3 s between 0 and 40 a second: 60 arrivals each.
    assert_eq!(played.summary["arrivals"]["due"], 120);
    assert!(played.sent() >= 118, "{} of 120", played.sent());
    played.adds_up();
}

#[test]
fn a_signal_during_the_drain_does_not_begin_the_grace_period_anew() {
    let service = Service::with(&["--latency", "60s"]);
    let run = RunOf::start(
        &service.url,
        "--users 5 --delay-min 0 --delay-max 0 --duration 1s --grace 6s --log info --metrics 127.0.0.1:0",
    );
    let metrics = run.authority("metrics at ");
    let value = |name: &str| {
        let page = get(&metrics, "/metrics").ok()?;
        samples(&page, name).first().map(|sample| sample.value)
    };
    eventually("requests under way", || {
        value("vespeiro_requests_in_flight").filter(|count| *count > 0.0)
    });
    let begun = Instant::now();
    // The run drains from its first second on; the signal comes late in the 6 s of grace.
    eventually("the fifth second", || {
        (begun.elapsed() >= Duration::from_secs(5)).then_some(())
    });
    run.process.signal("INT");
    let played = run.played();
    let lasted = played.summary["run"]["elapsed_seconds"].as_f64().unwrap();
    assert!(
        (6.5..9.5).contains(&lasted),
        "{lasted} s, for 1 s and a grace of 6 s"
    );
}
