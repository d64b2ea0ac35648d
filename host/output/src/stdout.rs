//! Standard output, for what a run prints at its end: the summary as text or, by `--summary-json -`, as JSON. Written by a
//! thread, so that a pipe that nobody empties does not hold the end of a run up.

use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, StdoutLock, Write};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::console::Console;
use crate::json;
use crate::language::harmless_lines;
use crate::output::{
    Finish, MaybeOutput, Output, OutputContext, OutputError, RunResult, on_thread,
};
use crate::summary::text;
use vespeiro_plan::Language;
use vespeiro_summary::Summary;

/// How long the reader may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The summary as every run prints it.
#[derive(Debug)]
struct PrintedSummary {
    form: Form,
    console: Console,
}

#[derive(Debug)]
enum Form {
    Text(Language),
    Json,
}

/// The summary, which every run prints.
pub fn output(context: &OutputContext<'_>) -> MaybeOutput {
    let settings = &context.plan.output;
    Ok(Some(Box::new(PrintedSummary {
        form: match &settings.summary_json {
            Some(path) if json::is_stdout(path) => Form::Json,
            _ => Form::Text(settings.language),
        },
        console: context.console.clone(),
    })))
}

/// Standard output is a terminal, and nobody wants it without colors (<https://no-color.org>).
pub fn is_colored() -> bool {
    colors_wanted() && io::stdout().is_terminal()
}

pub(crate) fn colors_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// What was to be read on standard output is lost.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub struct Lost(#[from] io::Error);

/// Print a text for people: what is hidden in it is made visible. Waits a while for the reader, then gives up.
///
/// # Errors
/// The text was not written, or nobody has read it. A reader that has seen enough may close the pipe.
pub fn print(text: &str) -> Result<(), Lost> {
    print_exactly(harmless_lines(text))
}

/// [`print()`] for programs: not one byte is changed.
///
/// # Errors
/// As [`print()`].
pub fn print_exactly(text: String) -> Result<(), Lost> {
    let (done, printed) = channel();
    let thread = std::thread::Builder::new().name("stdout".into());
    thread.spawn(move || {
        let _ = done.send(write(&text));
    })?;
    let timed_out = |_| Err(ErrorKind::TimedOut.into());
    Ok(printed.recv_timeout(LIMIT).unwrap_or_else(timed_out)?)
}

/// Standard output for what is printed bit by bit. What cannot be written is told at the end.
#[derive(Debug)]
pub struct Printer {
    out: BufWriter<StdoutLock<'static>>,
    failed: Option<io::Error>,
}

impl Default for Printer {
    fn default() -> Self {
        Self {
            out: BufWriter::new(io::stdout().lock()),
            failed: None,
        }
    }
}

impl Printer {
    fn keep<T>(&mut self, written: io::Result<T>) -> io::Result<T> {
        written.map_err(|error| {
            let kind = error.kind();
            self.failed.get_or_insert(error);
            kind.into()
        })
    }

    /// Write what waits.
    ///
    /// # Errors
    /// As [`print()`].
    pub fn finish(mut self) -> Result<(), Lost> {
        let _ = self.flush();
        match self.failed {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl Write for Printer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.keep(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.out.flush();
        self.keep(written)
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        // A reader that has seen enough may close the pipe.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

impl PrintedSummary {
    fn of(&self, summary: &Summary) -> String {
        match self.form {
            Form::Text(language) => text(summary, language),
            Form::Json => serde_json::to_string_pretty(summary).unwrap_or_default() + "\n",
        }
    }
}

impl Output for PrintedSummary {
    fn name(&self) -> &'static str {
        match self.form {
            Form::Text(_) => "text summary",
            Form::Json => "JSON summary",
        }
    }

    fn is_last(&self) -> bool {
        true
    }

    fn finish(self: Box<Self>, result: Arc<RunResult>) -> Finish {
        Box::pin(async move {
            let Some(summary) = &result.summary else {
                return Ok(());
            };
            let (name, text) = (self.name(), self.of(summary));
            let failed = |error| {
                OutputError(format!(
                    "cannot write the {name} to standard output: {error}"
                ))
            };
            match on_thread(LIMIT, move || write(&text)).await {
                Ok(Some(written)) => written.map_err(failed),
                Ok(None) => {
                    let late = format!(
                        "the {name} was not taken in {LIMIT:?}: nobody reads standard output"
                    );
                    self.console.line(late);
                    Ok(())
                }
                Err(error) => Err(failed(error)),
            }
        })
    }
}
