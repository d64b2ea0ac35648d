//! `--timeseries`: one row a second of the run, as CSV or as lines of JSON. Fed by the commands with each second; a
//! thread of its own writes, so that a slow disk costs rows and never the run. `host/docs/results.md` tells the columns.

mod row;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use self::row::{Cell, row};
use vespeiro_summary::SampledInterval;
use vespeiro_summary::files::WriteError;

/// Rows that may wait for the disk.
const WAITING: usize = 120;

/// The file, from the start of a run to its end.
#[derive(Debug)]
pub struct TimeSeries {
    rows: Option<SyncSender<Vec<Cell>>>,
    writing: Option<JoinHandle<std::io::Result<()>>>,
    lost: u64,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Csv,
    Json,
}

impl TimeSeries {
    /// Take the file before the run: one that cannot be written ends the command and not the run.
    pub fn create(path: &Path) -> Result<TimeSeries, WriteError> {
        let error = |cause| WriteError::new("time series", path, cause);
        let file = File::create(path).map_err(error)?;
        let form = match path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("jsonl"))
        {
            true => Form::Json,
            false => Form::Csv,
        };
        let (rows, inbox) = sync_channel(WAITING);
        let writing = std::thread::Builder::new()
            .name("time-series".into())
            .spawn(move || write(BufWriter::new(file), form, &inbox))
            .map_err(error)?;
        Ok(TimeSeries {
            rows: Some(rows),
            writing: Some(writing),
            lost: 0,
        })
    }

    /// Take in a stretch of the run: one row.
    pub fn add(&mut self, stretch: &SampledInterval<'_>) {
        let Some(rows) = &self.rows else { return };
        match rows.try_send(row(stretch)) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => self.lost += 1,
        }
    }

    /// The run is over: close the file.
    pub fn finish(mut self) {
        drop(self.rows.take());
        let written = self.writing.take().map(JoinHandle::join);
        if let Some(Ok(Err(error))) = written {
            tracing::warn!("the time series is not whole: {error}");
        }
        if self.lost > 0 {
            tracing::warn!(
                "the time series lacks {} rows: its disk was too slow",
                self.lost
            );
        }
    }
}

fn write(mut file: impl Write, form: Form, rows: &Receiver<Vec<Cell>>) -> std::io::Result<()> {
    // A later version of a behavior may announce another category: that is no column of this file.
    let mut columns = None;
    for row in rows {
        match form {
            Form::Json => {
                let object = row.iter().map(|cell| (cell.name.clone(), cell.json()));
                let object: serde_json::Map<_, _> = object.collect();
                serde_json::to_writer(&mut file, &object)?;
                writeln!(file)?;
            }
            Form::Csv => {
                if columns.is_none() {
                    let names: Vec<String> = row.iter().map(|cell| quoted(&cell.name)).collect();
                    writeln!(file, "{}", names.join(","))?;
                }
                let width = *columns.get_or_insert(row.len());
                let values: Vec<String> = row.iter().take(width).map(|cell| cell.csv()).collect();
                writeln!(file, "{}", values.join(","))?;
            }
        }
        file.flush()?;
    }
    Ok(())
}

/// A column's name as CSV has it: a behavior may put anything into the name of a category.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    match name.chars().all(plain) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use vespeiro_metrics::testing::{catalog, sample, snapshot};
    use vespeiro_metrics::{
        Aggregate, Interval, Process, Recorder, RequestSample, Totals, WorkerStatus,
    };
    use vespeiro_model::Outcome;
    use vespeiro_summary::Sampler;

    /// Seconds of 10, 20, 30… requests of as many milliseconds each, and one error each.
    fn play(series: &mut TimeSeries, seconds: u64) {
        let mut recorder = Recorder::new(catalog(), 0);
        let mut totals = Totals::new(catalog(), 1, Process::default());
        let mut beat = Sampler::default();
        assert!(
            beat.update(&totals.snapshot(Duration::ZERO, Process::default()))
                .is_none()
        );
        for half in 1..=2 * seconds {
            let second = half.div_ceil(2);
            for n in 0..5 * second {
                recorder.request(&RequestSample {
                    outcome: Outcome::Status(if n == 0 && half % 2 == 1 { 500 } else { 200 }),
                    latency: Duration::from_millis(10 * second),
                    category: (n % 2) as u16,
                    ..sample(0, 0)
                });
            }
            recorder.dropped(1);
            recorder.worker_status(WorkerStatus {
                in_flight: second,
                ..WorkerStatus::default()
            });
            totals.absorb(&mut recorder.take(Interval::new(&catalog())));
            let now = totals.snapshot(Duration::from_millis(500 * half), Process::default());
            if let Some(stretch) = beat.update(&now) {
                series.add(&stretch);
            }
        }
    }

    #[test]
    fn each_row_is_one_second() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.csv");
        let mut series = TimeSeries::create(&path).unwrap();
        play(&mut series, 3);
        series.finish();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
        let column = |name: &str| -> Vec<&str> {
            let at = names.iter().position(|n| *n == name).unwrap();
            rows.iter().map(|row| row[at]).collect()
        };
        assert_eq!(column("elapsed"), ["1.000", "2.000", "3.000"]);
        assert_eq!(column("requests"), ["10", "20", "30"]);
        assert_eq!(column("rate"), ["10.000", "20.000", "30.000"]);
        assert_eq!(column("errors"), ["1", "1", "1"]);
        assert_eq!(column("in_flight"), ["1", "2", "3"]);
        assert_eq!(column("dropped"), ["2", "2", "2"]);
        assert_eq!(column("p50")[2], "0.030015");
        assert_eq!(column("mix_auth"), ["0.600000", "0.500000", "0.533333"]);
    }

    #[test]
    fn a_line_of_json_has_the_same_columns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let mut series = TimeSeries::create(&path).unwrap();
        play(&mut series, 2);
        series.finish();
        let text = std::fs::read_to_string(&path).unwrap();
        let rows: Vec<serde_json::Value> = text
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1]["requests"], 20);
        assert_eq!(rows[1]["rate"], 20.0);
        assert!(rows[1]["time"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_category_may_be_called_anything() {
        assert_eq!(quoted("mix_user-query"), "mix_user-query");
        assert_eq!(quoted("a\"b,c"), "\"a\"\"b,c\"");
    }

    #[test]
    fn a_second_without_requests_has_empty_latencies() {
        let mut file = Vec::new();
        let (rows, inbox) = sync_channel(2);
        let run = snapshot();
        let idle = SampledInterval {
            snapshot: &run,
            over: Duration::from_secs(1),
            came: Aggregate::default(),
            classes: [0; 6],
            mix: Vec::new(),
        };
        rows.send(row(&idle)).unwrap();
        drop(rows);
        write(&mut file, Form::Csv, &inbox).unwrap();
        let text = String::from_utf8(file).unwrap();
        assert!(text.contains(",,,,") && !text.contains("NaN"), "{text}");
    }
}
