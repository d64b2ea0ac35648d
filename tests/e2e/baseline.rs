//! `vespeiro report --baseline` tells a target that has become worse from one that has not, and says where the runs are too
//! short to tell: in text, as data, and by its exit code.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ended, RunOf, Server, example, vespeiro};

/// How long the worse target takes for each answer.
const LATE: Duration = Duration::from_millis(150);

/// One that is quick and well, or one that is late and fails each second time.
fn target(worse: bool) -> Server {
    let count = Arc::new(AtomicUsize::new(0));
    Server::start(Router::new().fallback(move || {
        let number = count.fetch_add(1, Ordering::Relaxed);
        async move {
            if worse {
                tokio::time::sleep(LATE).await;
            }
            match worse && number.is_multiple_of(2) {
                true => StatusCode::INTERNAL_SERVER_ERROR,
                false => StatusCode::OK,
            }
        }
    }))
}

/// The summary of a run against such a target.
fn played(worse: bool, duration: &str) -> Value {
    let target = target(worse);
    let arguments = format!(
        "--archetype=one={} --users 8 --duration {duration} --delay-min 5 --delay-max 20 --profile constant-users --breaker off --backoff off",
        example("first").display()
    );
    let played = RunOf::start(&target.url, &arguments).played();
    target.stop();
    played.summary
}

/// Two runs of which the later is worse.
struct Runs(TempDir);

impl Runs {
    fn lasting(duration: &str) -> Runs {
        let runs = Runs(TempDir::new().unwrap());
        for (name, worse) in [("old.json", false), ("new.json", true)] {
            std::fs::write(runs.path(name), played(worse, duration).to_string()).unwrap();
        }
        runs
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn compared(&self, run: &str, baseline: &str, more: &[&str]) -> Ended {
        let (run, baseline) = (self.path(run), self.path(baseline));
        vespeiro(&[&["report", &run, "--baseline", &baseline], more].concat())
    }
}

/// The table's row of a figure of all requests.
fn row(ended: &Ended, figure: &str) -> Vec<String> {
    let rows = ended.stdout.lines().rev().map(|line| {
        let words = line.split_whitespace();
        words.map(str::to_owned).collect::<Vec<_>>()
    });
    let mut rows = rows.filter(|row| row.first().is_some_and(|name| name == "requests"));
    let found = rows.find(|row| row.join(" ").starts_with(&format!("requests {figure} ")));
    found.unwrap_or_else(|| panic!("no {figure}: {}", ended.stdout))
}

fn is_unchanged(row: &str) -> bool {
    row.contains("same within ") || row.contains("cannot tell: ")
}

/// Some 15 requests against a target that has become far slower prove nothing, and are not called noise.
#[test]
fn runs_that_are_too_short_to_tell_say_so() {
    let runs = Runs::lasting("250ms");
    let out = runs.path("compared.json");
    let compared = runs.compared(
        "new.json",
        "old.json",
        &["--fail-on-regression", "--json", &out],
    );
    let compared = compared.fine();
    let p99 = row(&compared, "p99").join(" ");
    assert!(p99.contains("cannot tell: "), "{p99}");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let figures = document["comparison"]["figures"].as_array().unwrap();
    let p99 = figures
        .iter()
        .find(|f| f["group"] == "total" && f["figure"] == "p99");
    let p99 = p99.unwrap();
    assert_eq!(p99["verdict"], "cannot-tell", "{p99}");
    assert!(
        p99["more_seconds"].as_f64().is_none_or(|more| more >= 1.0),
        "{p99}"
    );
    // Whoever allows for any change is told that it is one of those.
    let lax = runs.compared("old.json", "old.json", &["--same-within=101%"]);
    assert_eq!(lax.code, Some(2), "{}", lax.stderr);
    assert!(lax.stderr.contains("give 0.1% to 100%"), "{}", lax.stderr);
}

#[test]
fn what_has_become_worse_is_told_from_what_is_the_same() {
    let runs = Runs::lasting("10s");
    let strict = ["--fail-on-regression"];

    let worse = runs.compared("new.json", "old.json", &strict);
    assert_eq!(worse.code, Some(99), "{}", worse.stderr);
    for figure in ["p50", "error rate"] {
        let row = row(&worse, figure);
        assert_eq!(row.last().unwrap(), "WORSE", "{row:?}");
    }
    assert!(row(&worse, "error rate").contains(&"0.0%".to_owned()));

    // To look is no failure.
    runs.compared("new.json", "old.json", &[]).fine();

    let better = runs.compared("old.json", "new.json", &strict).fine();
    assert_eq!(row(&better, "p50").last().unwrap(), "better");
    assert_eq!(row(&better, "error rate").last().unwrap(), "better");

    let same = runs.compared("new.json", "new.json", &strict).fine();
    for figure in ["/s", "p50", "p95", "p99", "error rate"] {
        let row = row(&same, figure).join(" ");
        assert!(is_unchanged(&row), "{row}");
    }

    // Some hundred requests in 10 s of a busy machine: the median is known to half of it at least.
    let lax = ["--same-within=100%"];
    let same = runs.compared("new.json", "new.json", &lax).fine();
    let p50 = row(&same, "p50").join(" ");
    assert!(p50.contains("same within "), "{p50}");

    let portuguese = runs
        .compared("new.json", "old.json", &["--lang=pt-BR"])
        .fine();
    assert!(portuguese.stdout.contains("PIOR"), "{}", portuguese.stdout);
}

#[test]
fn a_comparison_is_data_too() {
    let runs = Runs::lasting("6s");
    let out = runs.path("compared.json");
    runs.compared("new.json", "old.json", &["--json", &out])
        .fine();
    let read = |path: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let (document, old) = (read(&out), read(&runs.path("old.json")));
    let comparison = &document["comparison"];
    assert_eq!(comparison["baseline"], old["run"]["id"]);
    let figures = comparison["figures"].as_array().unwrap();
    let of = |group: Value, figure: &str| {
        let mut found = figures.iter();
        let found = found.find(|f| f["group"] == group && f["figure"] == figure);
        found.unwrap_or_else(|| panic!("no {figure} of {group}: {comparison}"))
    };
    let total = of("total".into(), "p50");
    assert_eq!(total["verdict"], "worse");
    assert_eq!(total["before"], old["total"]["latency"]["p50"]);
    assert_eq!(total["now"], document["total"]["latency"]["p50"]);
    for group in [
        Value::from("total"),
        serde_json::json!({"archetype": "one"}),
        serde_json::json!({"route": "GET /health"}),
    ] {
        let errors = of(group, "error_rate");
        assert_eq!(
            (&errors["before"], &errors["verdict"]),
            (&0.0.into(), &"worse".into())
        );
    }

    // It is still a summary: it can be printed, and be the baseline of the next one.
    vespeiro(&["report", &out]).fine();
    let next = runs.compared("new.json", "compared.json", &[]).fine();
    assert!(is_unchanged(&row(&next, "p50").join(" ")));

    std::fs::write(&out, "{}").unwrap();
    let refused = runs.compared("new.json", "compared.json", &[]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    let alone = vespeiro(&["report", &runs.path("new.json"), "--fail-on-regression"]);
    assert_eq!(alone.code, Some(2), "{}", alone.stderr);
}
