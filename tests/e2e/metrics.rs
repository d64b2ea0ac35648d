//! `--metrics` serves the run to Prometheus while it goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::{RunOf, Running, Service, eventually, free_address, get, samples, tool};

#[test]
fn a_scrape_during_the_run_shows_it() {
    let service = Service::with(&["--latency", "5ms"]);
    let address = free_address();
    let run = RunOf::start(
        &service.url,
        &format!(
            "--metrics {address} --users 20 --min-request-count 100000 --max-request-count 100000 \
             --delay-min 1 --delay-max 20"
        ),
    );
    let page = eventually("requests on the metrics page", || {
        let page = get(&address, "/metrics").ok()?;
        let counted: f64 = samples(&page, "vespeiro_requests_total")
            .iter()
            .map(|sample| sample.value)
            .sum();
        (counted > 100.0).then_some(page)
    });
    let requests = samples(&page, "vespeiro_requests_total");
    for archetype in ["newcomer", "active", "admin", "power"] {
        let shown = requests.iter().any(|s| s.label("archetype") == archetype);
        assert!(shown, "{archetype}: {page}");
    }
    let active: f64 = samples(&page, "vespeiro_users_active")
        .iter()
        .map(|sample| sample.value)
        .sum();
    assert_eq!(active, 20.0);
    let timed = samples(&page, "vespeiro_request_duration_seconds_count");
    assert_eq!(
        timed.iter().map(|s| s.value).sum::<f64>(),
        requests.iter().map(|s| s.value).sum::<f64>()
    );
    assert!(page.contains("# HELP vespeiro_requests_total "), "{page}");

    run.process.signal("INT");
    let played = run.played();
    assert_eq!(played.ended.code, Some(0), "{}", played.ended.stderr);
    assert_eq!(played.answered(), service.ledger(1));
    assert!(
        get(&address, "/metrics").is_err(),
        "nothing is left running"
    );
}

/// Rows of the table in the documentation: the metric's name, and whether it has samples in every run.
fn documented() -> BTreeMap<String, bool> {
    include_str!("../../host/docs/metrics.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `vespeiro_"))
        .map(|row| {
            let name = row.split('`').next().unwrap();
            (format!("vespeiro_{name}"), !row.contains("*Only when "))
        })
        .collect()
}

/// The page of a demo that has had requests of all kinds.
fn page_of_a_demo() -> String {
    let address = free_address();
    let demo = Running::start(&[
        "demo",
        "--no-panel",
        "--duration=60",
        "--delay-min=20",
        "--delay-max=40",
        "--cleanup=never",
        &format!("--metrics={address}"),
    ]);
    let page = eventually("a page with finished sessions", || {
        let page = get(&address, "/metrics").ok()?;
        let ended = samples(&page, "vespeiro_sessions_ended_total");
        ended.iter().any(|s| s.value > 0.0).then_some(page)
    });
    demo.signal("INT");
    demo.ended().fine();
    page
}

#[test]
fn the_documented_table_is_the_page() {
    let page = page_of_a_demo();
    let table = documented();
    let declared: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    for name in &declared {
        assert!(
            table.contains_key(*name),
            "{name} is not in host/docs/metrics.md"
        );
    }
    for (name, always) in &table {
        let shown = ["", "_count"]
            .iter()
            .any(|part| !samples(&page, &format!("{name}{part}")).is_empty());
        assert!(
            shown || !always && declared.contains(name.as_str()),
            "{name} is in host/docs/metrics.md and has no samples:\n{page}"
        );
    }

    let Some(promtool) = tool("promtool", "prometheus") else {
        return;
    };
    let mut check = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = check.stdin.take().unwrap();
    stdin.write_all(page.as_bytes()).unwrap();
    drop(stdin);
    let said = check.wait_with_output().unwrap();
    let text = [said.stdout, said.stderr].concat();
    assert!(
        said.status.success() && text.is_empty(),
        "{}",
        String::from_utf8_lossy(&text)
    );
}
