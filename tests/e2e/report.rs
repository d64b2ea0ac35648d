//! `vespeiro report` prints what the run printed, from its file alone, adds several runs up, and refuses what is no such
//! file.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Running, Service, vespeiro};

#[test]
fn a_run_s_summary_is_printed_again_from_its_file() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, journal) = (path("summary.json"), path("run.journal"));
    let run = vespeiro(&[
        "demo",
        "--no-panel",
        "--users=3",
        "--duration=2",
        "--summary-json",
        &file,
        "--journal",
        &journal,
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let again = vespeiro(&["report", &file]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stdout.lines().count() > 10, "{}", again.stdout);
    assert!(
        run.stdout.contains(&again.stdout),
        "{}\n---\n{}",
        run.stdout,
        again.stdout
    );

    let portuguese = vespeiro(&["report", &file, "--lang=pt-BR"]);
    assert_eq!(portuguese.code, Some(0), "{}", portuguese.stderr);
    assert_ne!(portuguese.stdout, again.stdout);
}

#[test]
fn runs_at_the_same_time_become_one_summary() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let service = Service::start();
    let run = |name: &str| {
        let (summary, journal) = (path(name), path(&format!("{name}.journal")));
        let fixed = ["run", "--no-panel", "--base-url", &service.url, "--users=2"];
        let budget = [
            "--min-request-count=40",
            "--max-request-count=40",
            "--delay-max=100",
        ];
        // So long that a busy machine leaves no gap between the two, for then there would be no timeline.
        let files = [
            "--delay-min=60",
            "--summary-json",
            &summary,
            "--journal",
            &journal,
        ];
        Running::start(&[&fixed[..], &budget, &files].concat())
    };
    let (one, other) = (run("one.json"), run("other.json"));
    one.ended().fine();
    other.ended().fine();

    let whole = path("whole.json");
    let page = path("whole.html");
    let (one, other) = (path("one.json"), path("other.json"));
    vespeiro(&["report", &one, &other, "--json", &whole, "--html", &page]).fine();
    let read = |path: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let sent = |summary: &Value| summary["total"]["requests"].as_u64().unwrap();
    let merged = read(&whole);
    assert_eq!(sent(&merged), sent(&read(&one)) + sent(&read(&other)));
    assert_eq!(merged["total"]["latency"]["count"], sent(&merged));
    assert_eq!(merged["run"]["parts"].as_array().unwrap().len(), 2);
    let points = merged["timeline"]["points"].as_array().unwrap().iter();
    let in_time: u64 = points.map(|p| p["requests"].as_u64().unwrap()).sum();
    assert_eq!(in_time, sent(&merged));
    assert!(
        std::fs::read_to_string(&page)
            .unwrap()
            .starts_with("<!DOCTYPE html>")
    );

    let twice = vespeiro(&["report", &one, &one]);
    assert_eq!(twice.code, Some(2), "{}", twice.stderr);
    assert_eq!(twice.stderr.lines().count(), 1, "{}", twice.stderr);
}

#[test]
fn what_is_no_summary_is_refused_in_one_line() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("other.json");
    for (text, part) in [
        ("{\"schema\": 99}", "schema 99"),
        ("{\"schema\": 2}", "missing field"),
        ("[", "not a summary"),
    ] {
        std::fs::write(&file, text).unwrap();
        let ended = vespeiro(&["report", file.to_str().unwrap()]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}
