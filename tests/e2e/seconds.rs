//! Figures over time: each row is a second of the run, a condition looks at whole seconds, and what was sent, what was
//! answered and what is in flight are three counts. The target's own count is the oracle.

use std::collections::HashMap;
use std::time::Duration;

use crate::support::{Counting, Played, RunOf, example, vespeiro};

/// A row of a time series, by column.
type Row = HashMap<String, f64>;

/// Play against a target that takes so long for each answer; tells the rows too.
fn played(target: &Counting, arguments: &str) -> (Played, Vec<Row>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    let own = format!(
        "--archetype=one={} --workers 2 --users 1 --max-users 1000 --timeseries {} {arguments}",
        example("first").display(),
        path.display()
    );
    let played = RunOf::fine(&target.url, &own);
    let text = std::fs::read_to_string(path).unwrap();
    let row = |line: &str| -> Row {
        let row: HashMap<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let numbers = row
            .into_iter()
            .filter_map(|(name, v)| Some((name, v.as_f64()?)));
        numbers.collect()
    };
    (played, text.lines().map(row).collect())
}

fn sum(rows: &[Row], column: &str) -> f64 {
    rows.iter().map(|row| row[column]).sum()
}

#[test]
fn rows_are_the_seconds_of_a_constant_rate_and_sum_to_the_targets_count() {
    let target = Counting::start();
    let before = target.requests();
    let conditions = "--abort-on rate<100/s:1s --abort-on rate>300/s:1s --threshold rate>198/s";
    let (played, rows) = played(&target, &format!("--rate 200/s --duration 6s {conditions}"));
    // The preflight and nothing else is beside the run's own.
    let heard = target.requests() - before;
    assert_eq!(sum(&rows, "sent"), sum(&rows, "requests"));
    assert_eq!(sum(&rows, "sent"), played.sent() as f64);
    assert!(heard as u64 - played.sent() <= 1, "{heard}");
    let (whole, rest): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row["length"] == 1.0);
    assert_eq!(whole.len(), 6, "{rows:?}");
    assert!(rest.len() <= 1, "{rows:?}");
    for (n, row) in whole.iter().enumerate() {
        assert_eq!(row["elapsed"], n as f64 + 1.0);
        if row["complete"] == 1.0 {
            // By no more than this busy machine's timers are late.
            assert!((row["sent"] - 200.0).abs() <= 40.0, "{row:?}");
        }
    }
    for row in rest {
        assert!(row["length"] < 1.0 && !row.contains_key("rate"), "{row:?}");
    }
}

#[test]
fn what_was_sent_counts_when_it_was_sent() {
    let target = Counting::with(Duration::from_millis(2_500), "");
    let conditions = "--threshold rate>=45/s --threshold throughput<40/s";
    let (played, rows) = played(&target, &format!("--rate 50/s --duration 5s {conditions}"));
    for row in &rows[..5] {
        assert!((row["sent"] - 50.0).abs() <= 20.0, "{row:?}");
    }
    assert!(
        rows[0]["requests"] == 0.0 && rows[1]["requests"] == 0.0,
        "{rows:?}"
    );
    assert_eq!(rows.last().unwrap()["in_flight"], 0.0);
    let (mut sent, mut answered) = (0.0, 0.0);
    for row in &rows {
        (sent, answered) = (sent + row["sent"], answered + row["requests"]);
        assert_eq!(row["in_flight"], sent - answered, "{row:?}");
    }
    assert_eq!((sent, answered), (250.0, 250.0));
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let total = &played.summary["total"];
    let sending = number(&played.summary["run"]["sending_seconds"]);
    assert!((4.9..6.0).contains(&sending), "{sending}");
    assert!((number(&total["per_second"]) - 250.0 / sending).abs() < 0.01);
    assert!(number(&total["throughput"]) < 40.0, "{total}");
}

/// What the default window and the shortest one of a healthy run see is its rate.
#[test]
fn a_healthy_rate_is_not_stopped_by_a_condition_just_below_it() {
    let ended = vespeiro(&[
        "demo",
        "--no-panel",
        "--rate",
        "100/s",
        "--duration",
        "4s",
        "--abort-on",
        "rate<60/s:1s",
    ]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}
