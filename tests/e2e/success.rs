//! Success is what the target answered: what the tool asked to fail is no success, and what nobody planned stands beside
//! it. Latencies of successes and of failures are told apart, and nothing is told before there is an answer.

use serde_json::Value;

use crate::support::{Counts, Ended, Service, samples, vespeiro};

/// A run that is governed as a plain one is; its summary too.
fn run(url: &str, arguments: &str) -> (Ended, Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (journal, summary) = (file("journal"), file("summary.json"));
    let mut all = vec!["run", "--no-panel", "--cleanup=never", "--base-url", url];
    all.extend(["--journal", &journal, "--summary-json", &summary]);
    all.extend(["--guest-timeout", "10s"]);
    all.extend(arguments.split_whitespace());
    let ended = vespeiro(&all).orderly();
    let text = std::fs::read_to_string(summary).unwrap();
    (ended, serde_json::from_str(&text).unwrap())
}

fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn success_is_what_the_target_answered_and_what_nobody_planned_stands_beside_it() {
    let service = Service::with(&["--allow-faults"]);
    let (ended, summary) = run(
        &service.url,
        "--users 20 --workers 2 --min-request-count 100 --max-request-count 100 --delay-min 0 --delay-max 2 --seed 3 \
         --faults bad-credentials=1,forbidden=1,invalid-data=1,not-found=1,server-error=1 \
         --threshold failure_rate>10% --threshold error_rate<2% --threshold max{outcome=failure}<10s \
         --threshold p50{outcome=success}<10s",
    );
    let ended = ended.fine();
    // The target's own count; what it was looked at with before the run is not the run's.
    let answered: Counts = service.ledger(1);
    let of = |good: bool| -> u64 {
        let counted = answered
            .iter()
            .filter(|((_, _, status), _)| (*status < 400) == good);
        counted.map(|(_, count)| *count).sum()
    };
    let (good, bad) = (of(true), of(false));
    let total = &summary["total"];
    assert_eq!(summary["schema"], 2);
    assert_eq!(whole(&total["requests"]), good + bad);
    assert_eq!(whole(&total["successes"]), good);
    assert_eq!(whole(&total["failures"]), bad);
    assert_eq!(whole(&total["injected"]) + whole(&total["errors"]), bad);
    let share = total["success_share"].as_f64().unwrap();
    assert!((share - good as f64 / (good + bad) as f64).abs() < 1e-12);
    assert!((0.82..0.89).contains(&share), "{share}");
    // Apart, and none is left out.
    let apart = &total["latency_by_outcome"];
    assert_eq!(whole(&apart["success"]["count"]), good);
    assert_eq!(whole(&apart["failure"]["count"]), bad);
    let verdict = |at: usize| summary["thresholds"][at]["achieved"].as_f64().unwrap();
    assert_eq!(verdict(0), bad as f64 / (good + bad) as f64);
    assert_eq!(
        verdict(1),
        whole(&total["errors"]) as f64 / (good + bad) as f64
    );
    assert_eq!(verdict(2), apart["failure"]["max"].as_f64().unwrap());
    assert_eq!(verdict(3), apart["success"]["p50"].as_f64().unwrap());
    // People read the same.
    let line = ended
        .stdout
        .lines()
        .find(|line| line.starts_with("success"))
        .unwrap();
    let grouped = |n: u64| {
        if n < 1_000 {
            n.to_string()
        } else {
            format!("{},{:03}", n / 1_000, n % 1_000)
        }
    };
    for part in [
        format!("{:.1}%", (1_000.0 * share).round() / 10.0),
        format!("failures {}", grouped(bad)),
        format!("unplanned {}", whole(&total["errors"])),
    ] {
        assert!(line.contains(&part), "{part}: {line}");
    }
    for row in ["of successes", "of failures"] {
        assert!(ended.stdout.contains(row), "{}", ended.stdout);
    }
}

#[test]
fn nothing_is_told_of_success_and_latency_before_there_is_an_answer() {
    let service = Service::start();
    let (ended, summary) = run(
        &service.url,
        "--users 2 --delay-min 30s --delay-max 30s --duration 1s --archetype newcomer",
    );
    let total = &summary["total"];
    assert_eq!(whole(&total["requests"]), 0, "somebody was quick");
    assert_eq!(total["success_share"], Value::Null);
    for figure in ["mean", "p50", "p95", "p99", "max"] {
        assert_eq!(total["latency"][figure], Value::Null, "{figure}");
    }
    let line = |name: &str| {
        ended
            .stdout
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
    };
    assert!(line("success").contains('–'), "{}", ended.stdout);
    assert!(!line("success").contains('%'), "{}", ended.stdout);
    assert!(line("latency").contains("p95 –"), "{}", ended.stdout);
}

#[test]
fn scrapes_tell_latencies_of_successes_and_failures_apart() {
    let service = Service::with(&["--allow-faults"]);
    let address = crate::support::free_address();
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal").display().to_string();
    let mut running = crate::support::Running::start(&[
        "run",
        "--no-panel",
        "--cleanup=never",
        "--base-url",
        &service.url,
        "--journal",
        &journal,
        "--metrics",
        &address,
        "--users",
        "10",
        "--delay-min",
        "0",
        "--delay-max",
        "5",
    ]);
    let counts = crate::support::eventually("both kinds", || {
        assert!(running.has_ended().is_none(), "{}", running.stderr());
        let page = crate::support::get(&address, "/metrics").ok()?;
        let timed = samples(&page, "vespeiro_request_duration_seconds_count");
        let sum = |kind: &str| -> f64 {
            let of = timed
                .iter()
                .filter(|sample| sample.label("outcome") == kind);
            of.map(|sample| sample.value).sum()
        };
        let requests = samples(&page, "vespeiro_requests_total");
        let failed = requests
            .iter()
            .filter(|sample| sample.label("status") >= "400");
        let bad: f64 = failed.map(|sample| sample.value).sum();
        (sum("failure") >= 5.0).then_some((sum("failure"), bad))
    });
    // Where there is no status there is a `-`, which is less than any digit.
    assert!(
        counts.0 >= counts.1 && counts.0 < counts.1 + 10.0,
        "{counts:?}"
    );
    running.signal("INT");
    running.ended().fine();
}
