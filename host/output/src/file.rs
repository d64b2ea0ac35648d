//! A file of results that is written once, at the end of a run. Used by every output that is one: the summary as JSON,
//! the page and the JUnit report.
//!
//! What must stay true: a write that hangs (a FIFO without a reader, a hung disk) costs this file alone.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::output::{Finish, MaybeOutput, Output, OutputError, RunResult, on_thread};
use vespeiro_summary::Summary;
use vespeiro_summary::files::{WriteError, writable};

/// How long a regular file may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// How long the reader of a pipe or a device may take.
const PEER_LIMIT: Duration = Duration::from_secs(10);

type Write = Box<dyn FnOnce(&Summary, &Path) -> Result<(), WriteError> + Send>;

/// A file that is written at the end.
pub(crate) struct ResultFile {
    name: &'static str,
    path: PathBuf,
    write: Write,
}

impl ResultFile {
    /// The output, where the plan names a path for it.
    pub(crate) fn wanted(
        name: &'static str,
        path: Option<&Path>,
        write: impl FnOnce(&Summary, &Path) -> Result<(), WriteError> + Send + 'static,
    ) -> MaybeOutput {
        let Some(path) = path else { return Ok(None) };
        writable(name, path).map_err(OutputError::new)?;
        Ok(Some(Box::new(ResultFile {
            name,
            path: path.to_owned(),
            write: Box::new(write),
        })))
    }
}

impl Output for ResultFile {
    fn name(&self) -> &'static str {
        self.name
    }

    fn finish(self: Box<Self>, result: Arc<RunResult>) -> Finish {
        Box::pin(async move {
            let ResultFile { name, path, write } = *self;
            let to = path.clone();
            let work = move || match &result.summary {
                Some(summary) => write(summary, &to),
                None => Ok(()),
            };
            written(name, &path, on_thread(limit(&path), work).await)
        })
    }
}

/// How long the file at this path may take.
pub(crate) fn limit(path: &Path) -> Duration {
    let special = std::fs::metadata(path).is_ok_and(|there| !there.is_file());
    if special { PEER_LIMIT } else { LIMIT }
}

/// The result of a write on a thread, as the output's own.
pub(crate) fn written(
    name: &'static str,
    path: &Path,
    result: io::Result<Option<Result<(), WriteError>>>,
) -> Result<(), OutputError> {
    let failed = |cause| OutputError::new(WriteError::new(name, path, cause));
    match result {
        Ok(Some(written)) => written.map_err(OutputError::new),
        Ok(None) => Err(failed(io::ErrorKind::TimedOut.into())),
        Err(error) => Err(failed(error)),
    }
}
