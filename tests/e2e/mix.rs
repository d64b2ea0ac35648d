//! The request mix and the error mix, end to end: the real binary against the real service, 10,000 requests on two
//! workers without pauses. What must stay true: the run comes to the plan's shares, and what the tool broke itself is
//! never held against the target.

// Tests measure by the machine's clock.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

#[path = "support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::Service;

const VESPEIRO: &str = env!("CARGO_BIN_EXE_vespeiro");

/// The summary of a run, as JSON, and what it said in text and in its log.
fn run(service: &Service, folder: &Path, options: &[&str]) -> (Value, String) {
    let summary = folder.join("summary.json");
    let output = Command::new(VESPEIRO)
        .args(["run", "--base-url", &service.url, "--seed", "7"])
        .args(["--users", "100", "--workers", "2"])
        // In all: without pauses, who sends several at once would have sent their own long before the others.
        .args(["--requests", "10000"])
        .args([
            "--delay-min",
            "0",
            "--delay-max",
            "0",
            "--guest-timeout",
            "10s",
        ])
        .arg("--summary-json")
        .arg(&summary)
        .args(options)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let summary = std::fs::read(summary).unwrap();
    (serde_json::from_slice(&summary).unwrap(), said)
}

/// Shares achieved and asked for, in points.
fn shares(of: &Value) -> Vec<(f64, f64)> {
    let number = |row: &Value, key: &str| 100.0 * row[key].as_f64().unwrap_or_default();
    let rows = of.as_array().unwrap().iter();
    rows.map(|row| (number(row, "share"), number(row, "target")))
        .collect()
}

fn distance(summary: &Value) -> f64 {
    let off = shares(&summary["mix"])
        .into_iter()
        .map(|(is, should)| (is - should).abs());
    off.sum::<f64>() / 2.0
}

fn committed(summary: &Value, kind: &str) -> u64 {
    let faults = summary["faults"].as_array().unwrap().iter();
    let found = faults.filter(|fault| fault["kind"] == kind);
    found.filter_map(|fault| fault["committed"].as_u64()).sum()
}

fn injected(summary: &Value) -> u64 {
    summary["total"]["injected"].as_u64().unwrap()
}

fn assert_near(summary: &Value, said: &str) {
    assert!(distance(summary) <= 2.0, "{}: {said}", distance(summary));
    for (is, should) in shares(&summary["error_mix"]) {
        assert!(
            (is - should).abs() <= 1.5,
            "{is} instead of {should}: {said}"
        );
    }
}

#[test]
fn ten_thousand_requests_come_to_the_plans_shares() {
    let service = Service::with(&["--allow-faults"]);
    let folder = tempfile::tempdir().unwrap();
    let (summary, said) = run(&service, folder.path(), &[]);
    println!("{said}");
    assert_near(&summary, &said);
    for kind in [
        "bad-credentials",
        "forbidden",
        "invalid-data",
        "not-found",
        "timeout",
        "server-error",
    ] {
        assert!(committed(&summary, kind) > 0, "{kind}: {said}");
    }
    // The service has nothing against us: nearly all that failed was meant to.
    let errors = summary["total"]["errors"].as_u64().unwrap();
    assert!(
        errors * 100 <= injected(&summary),
        "{errors} unexpected errors: {said}"
    );

    // Another mix on the same service: the shares follow the plan and not the behaviors' habits.
    let mix = "auth=30,user-query=20,user-mutation=20,profile=10,role-permission=15,admin=5";
    let options = ["--mix", mix, "--error-mix", "success=94,client=5,server=1"];
    let (summary, said) = run(&service, folder.path(), &options);
    println!("{said}");
    assert_near(&summary, &said);
}

#[test]
fn a_target_that_makes_no_errors_is_asked_a_few_times_and_told_about_once() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let (summary, said) = run(&service, folder.path(), &[]);
    assert_eq!(committed(&summary, "server-error"), 0);
    assert_eq!(
        said.matches("x-envoy-fault-abort-request").count(),
        1,
        "{said}"
    );
    let faults = summary["faults"].as_array().unwrap().iter();
    let asked = faults
        .filter(|f| f["kind"] == "server-error")
        .filter_map(|f| f["asked"].as_u64());
    // On each worker 20 in a row, and those that were under way meanwhile.
    assert!(asked.sum::<u64>() <= 2 * (20 + 10), "{said}");
}

#[test]
fn off_is_off() {
    let service = Service::with(&["--allow-faults"]);
    let folder = tempfile::tempdir().unwrap();
    let options = ["--mix", "off", "--error-mix", "off"];
    let (summary, said) = run(&service, folder.path(), &options);
    assert_eq!(injected(&summary), 0, "{said}");
    assert_eq!(summary["faults"].as_array().unwrap().len(), 0);
    assert!(!said.contains("error mix"), "{said}");
}
