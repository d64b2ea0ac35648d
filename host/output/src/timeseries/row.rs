//! The columns of a time series, in their order. Names never change, since other programs
//! read the file; `host/docs/results.md` explains them.

use serde_json::{Value, json};

use vespeiro_plan::Metric;
use vespeiro_summary::SampledInterval;

/// One value of a row.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) name: String,
    value: CellValue,
}

#[derive(Debug)]
enum CellValue {
    Text(String),
    Whole(u64),
    /// A number, and its decimal places in CSV.
    Number(f64, usize),
    Nothing,
}

impl Cell {
    pub(super) fn json(&self) -> Value {
        match &self.value {
            CellValue::Text(text) => json!(text),
            CellValue::Whole(number) => json!(number),
            CellValue::Number(number, _) => json!(number),
            CellValue::Nothing => Value::Null,
        }
    }

    pub(super) fn csv(&self) -> String {
        match &self.value {
            CellValue::Text(text) => text.clone(),
            CellValue::Whole(number) => number.to_string(),
            CellValue::Number(number, places) => format!("{number:.places$}"),
            CellValue::Nothing => String::new(),
        }
    }
}

/// The row of one interval.
pub(super) fn row(stretch: &SampledInterval<'_>) -> Vec<Cell> {
    let (snapshot, came) = (stretch.snapshot, &stretch.figures);
    let wall = snapshot.started + snapshot.elapsed;
    let wall = jiff::Timestamp::try_from(wall).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let number = |value: Option<f64>, places| match value {
        Some(value) => CellValue::Number(value, places),
        None => CellValue::Nothing,
    };
    let seconds = |metric| number(came.value(metric), 6);
    let rate = |metric| number(stretch.per_second(metric), 3);
    let interval = &snapshot.rates.interval;
    let named: [(&str, CellValue); 27] = [
        (
            "time",
            CellValue::Text(wall.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
        ),
        (
            "elapsed",
            CellValue::Number(snapshot.elapsed.as_secs_f64(), 3),
        ),
        ("length", CellValue::Number(came.over.as_secs_f64(), 3)),
        (
            "complete",
            CellValue::Whole(u64::from(snapshot.is_complete)),
        ),
        ("users", CellValue::Whole(snapshot.users_active())),
        ("sessions", CellValue::Whole(snapshot.sessions_active())),
        ("in_flight", CellValue::Whole(snapshot.in_flight())),
        ("sent", CellValue::Whole(came.sent)),
        ("rate", rate(Metric::Rate)),
        ("requests", CellValue::Whole(came.requests)),
        ("throughput", rate(Metric::Throughput)),
        ("errors", CellValue::Whole(came.errors)),
        ("injected", CellValue::Whole(came.injected)),
        ("not_sent", CellValue::Whole(came.not_sent)),
        ("dropped", CellValue::Whole(came.dropped)),
        ("checks_passed", CellValue::Whole(came.checks_passed)),
        ("checks_failed", CellValue::Whole(came.checks_failed)),
        ("mean", seconds(Metric::Mean)),
        ("p50", seconds(Metric::P50)),
        ("p95", seconds(Metric::P95)),
        ("p99", seconds(Metric::P99)),
        ("max", seconds(Metric::Max)),
        ("sent_bytes", CellValue::Whole(came.bytes_sent)),
        ("received_bytes", CellValue::Whole(came.bytes_received)),
        ("cpu_cores", CellValue::Number(interval.cores, 3)),
        ("memory_bytes", CellValue::Whole(snapshot.process.rss)),
        ("open_files", CellValue::Whole(snapshot.process.open_files)),
    ];
    let cell = |(name, value): (&str, CellValue)| Cell {
        name: name.to_owned(),
        value,
    };
    let mut row: Vec<Cell> = named.into_iter().map(cell).collect();
    // Only announced categories have a column.
    for (at, category) in snapshot.catalog.categories.iter().enumerate() {
        let made = stretch.mix.get(at).copied().unwrap_or(0);
        row.push(Cell {
            name: format!("mix_{category}"),
            value: CellValue::Number(made as f64 / came.requests.max(1) as f64, 6),
        });
    }
    row
}
