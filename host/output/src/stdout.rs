//! Standard output, for what a run prints at its end: the summary as text or, by `--summary-json -`, as JSON. Written by a
//! thread, so that a pipe that nobody empties does not hold the end of a run up.

use std::io::{self, ErrorKind, Write as _};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::console::Console;
use crate::json;
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

/// Print a text. Waits a while for the reader, then gives up; errors are ignored.
pub fn print(text: String) {
    let (done, printed) = channel();
    let thread = std::thread::Builder::new().name("stdout".into());
    let started = thread.spawn(move || {
        let _ = done.send(write(&text));
    });
    if started.is_ok() {
        let _ = printed.recv_timeout(LIMIT);
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
