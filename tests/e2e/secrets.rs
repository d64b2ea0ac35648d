//! Credentials and tokens show nowhere, not even where every request has its line of log.

use std::process::Command;

use crate::support::{Running, Service, eventually, free_address, get};

/// Of the service's administrator, whom two of the archetypes log in as.
const SECRET: &str = "Admin123!";

#[test]
fn no_output_of_a_debug_run_shows_a_secret() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (summary, journal) = (file("summary.json"), file("run.journal"));
    let address = free_address();
    let run = Running::start(&[
        "run",
        "--scenario",
        "development",
        "--no-panel",
        "--base-url",
        &service.url,
        "--admin-password",
        SECRET,
        "--delay-min",
        "0",
        "--delay-max",
        "100",
        "--min-request-count",
        "60",
        "--max-request-count",
        "60",
        "--cleanup",
        "never",
        "--summary-json",
        &summary,
        "--journal",
        &journal,
        "--metrics",
        &address,
    ]);
    let page = eventually("a page with requests", || {
        let page = get(&address, "/metrics").ok()?;
        page.contains("vespeiro_requests_total{").then_some(page)
    });
    let ended = run.ended().fine();
    // The lines are there, in every detail that they may have.
    let told = ended
        .stderr
        .lines()
        .filter(|l| l.contains("/api/v1/auth/login -> 200 ("))
        .count();
    assert!(told > 0, "{}", ended.stderr);
    let plan = Command::new(env!("CARGO_BIN_EXE_vespeiro"))
        .args(["plan", "--admin-password", SECRET])
        .output()
        .unwrap();
    let outputs = [
        ("stdout", ended.stdout),
        ("stderr", ended.stderr),
        ("metrics", page),
        ("summary", std::fs::read_to_string(summary).unwrap()),
        ("journal", std::fs::read_to_string(journal).unwrap()),
        ("plan", String::from_utf8(plan.stdout).unwrap()),
    ];
    for (name, text) in &outputs {
        assert!(!text.is_empty(), "{name}");
        for secret in [SECRET, "SimPass123!", "Bearer "] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{name}");
        }
    }
}
