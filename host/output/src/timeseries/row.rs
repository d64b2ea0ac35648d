//! The columns of a time series, in their order. A name that is here once is a promise to whoever reads the file;
//! `host/docs/results.md` tells what each means.

use serde_json::{Value, json};

use vespeiro_plan::Metric;
use vespeiro_summary::SampledInterval;

/// One value of a row.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) name: String,
    value: Is,
}

#[derive(Debug)]
enum Is {
    Text(String),
    Whole(u64),
    /// With this many places in CSV.
    Number(f64, usize),
    Nothing,
}

impl Cell {
    pub(super) fn json(&self) -> Value {
        match &self.value {
            Is::Text(text) => json!(text),
            Is::Whole(number) => json!(number),
            Is::Number(number, _) => json!(number),
            Is::Nothing => Value::Null,
        }
    }

    pub(super) fn csv(&self) -> String {
        match &self.value {
            Is::Text(text) => text.clone(),
            Is::Whole(number) => number.to_string(),
            Is::Number(number, places) => format!("{number:.places$}"),
            Is::Nothing => String::new(),
        }
    }
}

/// The row of a stretch of time.
pub(super) fn row(stretch: &SampledInterval<'_>) -> Vec<Cell> {
    let (snapshot, over, came) = (stretch.snapshot, stretch.over, &stretch.came);
    let wall = snapshot.started + snapshot.elapsed;
    let wall = jiff::Timestamp::try_from(wall).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let seconds = |metric| match came.value(metric, over) {
        Some(value) => Is::Number(value, 6),
        None => Is::Nothing,
    };
    let interval = &snapshot.rates.interval;
    let named: [(&str, Is); 23] = [
        (
            "time",
            Is::Text(wall.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
        ),
        ("elapsed", Is::Number(snapshot.elapsed.as_secs_f64(), 3)),
        ("users", Is::Whole(snapshot.users_active())),
        ("sessions", Is::Whole(snapshot.sessions_active())),
        ("in_flight", Is::Whole(snapshot.worker_statuses.in_flight())),
        ("requests", Is::Whole(came.requests)),
        (
            "rate",
            Is::Number(came.value(Metric::Rate, over).unwrap_or(0.0), 3),
        ),
        ("errors", Is::Whole(came.errors)),
        ("injected", Is::Whole(came.injected)),
        ("not_sent", Is::Whole(came.not_sent)),
        ("dropped", Is::Whole(came.dropped)),
        ("checks_passed", Is::Whole(came.checks_passed)),
        ("checks_failed", Is::Whole(came.checks_failed)),
        ("mean", seconds(Metric::Mean)),
        ("p50", seconds(Metric::P50)),
        ("p95", seconds(Metric::P95)),
        ("p99", seconds(Metric::P99)),
        ("max", seconds(Metric::Max)),
        ("sent_bytes", Is::Whole(came.bytes_sent)),
        ("received_bytes", Is::Whole(came.bytes_received)),
        ("cpu_cores", Is::Number(interval.cores, 3)),
        ("memory_bytes", Is::Whole(snapshot.process.rss)),
        ("open_files", Is::Whole(snapshot.process.open_files)),
    ];
    let cell = |(name, value): (&str, Is)| Cell {
        name: name.to_owned(),
        value,
    };
    let mut row: Vec<Cell> = named.into_iter().map(cell).collect();
    // Of the announced categories only: requests of any other have no column.
    for (at, category) in snapshot.catalog.categories.iter().enumerate() {
        let made = stretch.mix.get(at).copied().unwrap_or(0);
        row.push(Cell {
            name: format!("mix_{category}"),
            value: Is::Number(made as f64 / came.requests.max(1) as f64, 6),
        });
    }
    row
}
