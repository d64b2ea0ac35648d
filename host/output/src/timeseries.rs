//! `--timeseries`: one row a second of the run, as CSV or as lines of JSON. A thread of its own writes, so that a slow
//! disk costs rows and never the run. `host/docs/results.md` tells the columns.

mod row;

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;

use self::row::{Cell, row};
use crate::file::{LIMIT, limit, written};
use crate::output::{Finish, MaybeOutput, Output, OutputContext, OutputError, RunResult, Update};
use vespeiro_summary::files::{Draft, WriteError, writable};

/// Rows that may wait for the disk.
const WAITING: usize = 120;
const NAME: &str = "time series";
/// How long a run waits for its file to be opened.
const OPENED: Duration = Duration::from_secs(1);

/// The file, from the start of the load to its end.
#[derive(Debug)]
struct TimeSeries {
    path: PathBuf,
    writer: Option<Writer>,
    lost: u64,
}

/// Whoever reads the file has to know that there are holes in it.
#[derive(Debug, thiserror::Error)]
#[error("the {NAME} lacks {0} rows: its disk was too slow")]
struct LostRows(u64);

/// The thread that writes.
#[derive(Debug)]
struct Writer {
    rows: SyncSender<Vec<Cell>>,
    written: oneshot::Receiver<Result<(), WriteError>>,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Csv,
    Json,
}

/// The file, if the plan asks for it.
pub fn output(context: &OutputContext<'_>) -> MaybeOutput {
    let Some(path) = &context.plan.output.timeseries else {
        return Ok(None);
    };
    writable(NAME, path).map_err(OutputError::new)?;
    Ok(Some(Box::new(TimeSeries {
        path: path.clone(),
        writer: None,
        lost: 0,
    })))
}

impl Output for TimeSeries {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Not before: a run that cannot begin leaves the old file as it is.
    fn start(&mut self) -> Result<(), OutputError> {
        let path = self.path.clone();
        let (rows, inbox) = sync_channel(WAITING);
        let (done, written) = oneshot::channel();
        let (opened, is_open) = sync_channel(1);
        let work = move || {
            let result = write_file(&path, &inbox, &opened);
            // The run may have ended already.
            let _ = done.send(result.map_err(|cause| WriteError::new(NAME, &path, cause)));
        };
        let thread = std::thread::Builder::new().name("time-series".into());
        let failed = |cause| OutputError::new(WriteError::new(NAME, &self.path, cause));
        thread.spawn(work).map_err(failed)?;
        // Before the users' connections can take all files there are. What may wait for a reader is not waited for.
        if limit(&self.path) == LIMIT {
            let _ = is_open.recv_timeout(OPENED);
        }
        self.writer = Some(Writer { rows, written });
        Ok(())
    }

    /// Each interval is one row.
    fn update(&mut self, update: &Update<'_>) {
        let (Some(writer), Some(interval)) = (&self.writer, update.interval) else {
            return;
        };
        match writer.rows.try_send(row(interval)) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => self.lost += 1,
        }
    }

    fn finish(self: Box<Self>, _result: Arc<RunResult>) -> Finish {
        Box::pin(async move {
            let Some(Writer {
                rows,
                written: result,
            }) = self.writer
            else {
                return Ok(());
            };
            drop(rows);
            let result = tokio::time::timeout(limit(&self.path), result).await;
            written(NAME, &self.path, Ok(result.ok().and_then(Result::ok)))?;
            match self.lost {
                0 => Ok(()),
                lost => Err(OutputError::new(LostRows(lost))),
            }
        })
    }
}

/// Write the rows as they come, so that whoever looks at the file sees each.
fn write_file(
    path: &std::path::Path,
    rows: &Receiver<Vec<Cell>>,
    opened: &SyncSender<()>,
) -> std::io::Result<()> {
    let format = match path.extension().is_some_and(|ending| ending == "jsonl") {
        true => Format::Json,
        false => Format::Csv,
    };
    let mut draft = Draft::open(path)?;
    draft.publish()?;
    // Nobody may wait for it any more.
    let _ = opened.send(());
    write(BufWriter::new(&draft.file), format, rows)
}

fn write(mut file: impl Write, format: Format, rows: &Receiver<Vec<Cell>>) -> std::io::Result<()> {
    // A later version of a behavior may announce another category, which has no column in this file.
    let mut columns = None;
    for row in rows {
        match format {
            Format::Json => {
                let object = row.iter().map(|cell| (cell.name.clone(), cell.json()));
                let object: serde_json::Map<_, _> = object.collect();
                serde_json::to_writer(&mut file, &object)?;
                writeln!(file)?;
            }
            Format::Csv => {
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

/// A column name for CSV, quoted where needed: behaviors choose the names of categories.
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
    use vespeiro_metrics::testing::{catalog, role, sample, snapshot};
    use vespeiro_metrics::{Aggregate, Interval, Process, Recorder, RequestSample, Totals};
    use vespeiro_model::{Clock, Outcome};
    use vespeiro_summary::{SampledInterval, Sampler};

    /// Seconds of 10, 20, 30… requests of as many milliseconds each, and one error each. One more is sent in each second,
    /// and has no outcome.
    fn play(format: Format, seconds: u64) -> String {
        let (rows, inbox) = sync_channel(100);
        let mut recorder = Recorder::new(catalog(), 0, Clock::system());
        let mut totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
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
            (0..5 * second + half % 2).for_each(|_| recorder.sent(role(0), 0));
            totals.absorb(&mut recorder.take(Interval::new(&catalog())));
            let now = totals.snapshot(Duration::from_secs(half / 2), Process::default());
            if let Some(stretch) = beat.update(&now) {
                rows.send(row(&stretch)).unwrap();
            }
        }
        drop(rows);
        let mut file = Vec::new();
        write(&mut file, format, &inbox).unwrap();
        String::from_utf8(file).unwrap()
    }

    #[test]
    fn each_row_is_one_second() {
        let text = play(Format::Csv, 3);
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
        let column = |name: &str| -> Vec<&str> {
            let at = names.iter().position(|n| *n == name).unwrap();
            rows.iter().map(|row| row[at]).collect()
        };
        assert_eq!(column("elapsed"), ["1.000", "2.000", "3.000"]);
        assert_eq!(column("length"), ["1.000"; 3]);
        assert_eq!(column("complete"), ["1"; 3]);
        assert_eq!(column("sent"), ["11", "21", "31"]);
        assert_eq!(column("rate"), ["11.000", "21.000", "31.000"]);
        assert_eq!(column("requests"), ["10", "20", "30"]);
        assert_eq!(column("throughput"), ["10.000", "20.000", "30.000"]);
        assert_eq!(column("errors"), ["1", "1", "1"]);
        assert_eq!(column("in_flight"), ["1", "2", "3"]);
        assert_eq!(column("dropped"), ["2", "2", "2"]);
        assert_eq!(column("p50")[2], "0.030000");
        assert_eq!(column("mix_auth"), ["0.600000", "0.500000", "0.533333"]);
    }

    #[test]
    fn a_line_of_json_has_the_same_columns() {
        let text = play(Format::Json, 2);
        let rows: Vec<serde_json::Value> = text
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1]["requests"], 20);
        assert_eq!(
            (&rows[1]["rate"], &rows[1]["throughput"]),
            (&21.0.into(), &20.0.into())
        );
        assert!(rows[1]["time"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_category_may_be_called_anything() {
        assert_eq!(quoted("mix_user-query"), "mix_user-query");
        assert_eq!(quoted("a\"b,c"), "\"a\"\"b,c\"");
    }

    #[test]
    fn a_rest_that_is_too_short_has_counts_and_no_rates() {
        let mut totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
        let mut sampler = Sampler::default();
        sampler.update(&totals.snapshot(Duration::ZERO, Process::default()));
        let mut recorder = Recorder::new(catalog(), 0, Clock::system());
        (0..48).for_each(|_| recorder.request(&sample(0, 0)));
        totals.absorb(&mut recorder.take(Interval::new(&catalog())));
        let end = totals.snapshot(Duration::from_micros(3_500), Process::default());
        let cells = row(&sampler.update(&end).unwrap());
        let shown = |name: &str| cells.iter().find(|c| c.name == name).unwrap().csv();
        assert_eq!(
            (shown("length"), shown("requests")),
            ("0.004".into(), "48".into())
        );
        assert_eq!(
            (shown("rate"), shown("throughput")),
            (String::new(), String::new())
        );
    }

    #[test]
    fn a_second_without_requests_has_empty_latencies() {
        let mut file = Vec::new();
        let (rows, inbox) = sync_channel(2);
        let run = snapshot();
        let idle = SampledInterval {
            snapshot: &run,
            figures: Aggregate {
                over: Duration::from_secs(1),
                ..Aggregate::default()
            },
            classes: [0; 6],
            mix: Vec::new(),
        };
        rows.send(row(&idle)).unwrap();
        drop(rows);
        write(&mut file, Format::Csv, &inbox).unwrap();
        let text = String::from_utf8(file).unwrap();
        assert!(text.contains(",,,,") && !text.contains("NaN"), "{text}");
    }
}
