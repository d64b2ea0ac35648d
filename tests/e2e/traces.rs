//! A slow request can be found: the summary names the slowest ones, with the trace that each of them carried.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use tempfile::TempDir;

use crate::support::{RunOf, Server, example, vespeiro};

/// The trace contexts that a target has been sent; it takes its time over the one in the middle.
#[derive(Clone, Default)]
struct Traced(Arc<Mutex<Vec<String>>>);

const SLOW: usize = 30;

impl Traced {
    async fn answer(self, headers: HeaderMap) -> StatusCode {
        // The look before the run carries none.
        let Some(parent) = headers.get("traceparent") else {
            return StatusCode::OK;
        };
        let seen = {
            let mut seen = self.0.lock().unwrap();
            seen.push(parent.to_str().unwrap().to_owned());
            seen.len()
        };
        if seen == SLOW {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        StatusCode::OK
    }
}

fn arguments(more: &str) -> String {
    format!(
        "--archetype=one={} --users 3 --min-request-count 20 --max-request-count 20 --delay-min 0 --delay-max 0 {more}",
        example("first").display()
    )
}

#[test]
fn the_slowest_request_is_named_with_the_trace_that_it_carried() {
    let traced = Traced::default();
    let seen = traced.clone();
    let app = Router::new().fallback(move |headers: HeaderMap| traced.clone().answer(headers));
    let target = Server::start(app);
    let played = RunOf::fine(&target.url, &arguments("--trace-context --slowest 3"));
    target.stop();

    let seen = seen.0.lock().unwrap();
    assert_eq!(seen.len() as u64, played.sent());
    let ids: BTreeSet<&str> = seen.iter().map(|parent| &parent[3..35]).collect();
    assert_eq!(ids.len(), seen.len(), "a trace of its own for each");
    assert!(
        seen.iter()
            .all(|p| p.len() == 55 && p.starts_with("00-") && p.ends_with("-01"))
    );

    let slowest = played.summary["slowest"].as_array().unwrap();
    assert_eq!(slowest.len(), 3);
    let first = &slowest[0];
    assert_eq!(first["trace_id"], seen[SLOW - 1][3..35]);
    assert_eq!(first["path"], "/health");
    assert_eq!(first["archetype"], "one");
    assert_eq!(first["status"], 200);
    assert!(first["latency"].as_f64().unwrap() >= 2.0);
    let said = &played.ended.stdout;
    assert!(said.contains(&seen[SLOW - 1][3..35]), "{said}");

    // The maximum is that request's, in the file, in the text and on the page.
    assert_eq!(first["latency"], played.summary["total"]["latency"]["max"]);
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("run.json"), played.summary.to_string()).unwrap();
    let report = format!("report {} --html {}", at("run.json"), at("page.html"));
    vespeiro(&report.split(' ').collect::<Vec<_>>()).fine();
    let line = said.lines().find(|line| line.starts_with("latency"));
    let (_, most) = line.unwrap().rsplit_once("max ").unwrap();
    let row = said
        .lines()
        .find(|line| line.contains("/health") && line.contains(&seen[SLOW - 1][3..35]));
    let row: Vec<&str> = row.unwrap().split_whitespace().collect();
    assert_eq!(most, format!("{} ms", row[2]), "{said}");
    let page = fs::read_to_string(at("page.html")).unwrap();
    assert!(page.contains(&format!("max {most}")), "{most}");
}

#[test]
fn requests_carry_no_trace_unless_they_are_to() {
    let traced = Traced::default();
    let seen = traced.clone();
    let app = Router::new().fallback(move |headers: HeaderMap| traced.clone().answer(headers));
    let target = Server::start(app);
    let played = RunOf::fine(&target.url, &arguments("--slowest 0"));
    target.stop();
    assert_eq!(played.sent(), 60);
    assert!(seen.0.lock().unwrap().is_empty());
    assert_eq!(played.summary["slowest"].as_array().unwrap().len(), 0);
    assert!(!played.ended.stdout.contains("slowest"));
}
