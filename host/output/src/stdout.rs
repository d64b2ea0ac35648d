//! Standard output, for the text at the end of a run. Written by a thread, so that a pipe that nobody empties does not
//! hold the end of a run up.

use std::io::{self, ErrorKind, Write as _};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::console::Console;
use crate::output::{
    Finish, MaybeOutput, Output, OutputContext, OutputError, RunResult, on_thread,
};
use crate::summary::text;
use vespeiro_plan::Language;

/// How long the reader may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The text of the summary.
#[derive(Debug)]
struct TextSummary {
    language: Language,
    console: Console,
}

/// The text of the summary, which every run prints.
pub fn output(context: &OutputContext<'_>) -> MaybeOutput {
    Ok(Some(Box::new(TextSummary {
        language: context.plan.output.language,
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

impl Output for TextSummary {
    fn name(&self) -> &'static str {
        "text summary"
    }

    fn is_last(&self) -> bool {
        true
    }

    fn finish(self: Box<Self>, result: Arc<RunResult>) -> Finish {
        Box::pin(async move {
            let Some(summary) = &result.summary else {
                return Ok(());
            };
            let text = text(summary, self.language);
            let failed = |error| {
                OutputError(format!(
                    "cannot write the text summary to standard output: {error}"
                ))
            };
            match on_thread(LIMIT, move || write(&text)).await {
                Ok(Some(written)) => written.map_err(failed),
                Ok(None) => {
                    let late = format!(
                        "the text summary was not taken in {LIMIT:?}: nobody reads standard output"
                    );
                    self.console.line(late);
                    Ok(())
                }
                Err(error) => Err(failed(error)),
            }
        })
    }
}
