//! `--summary-json`: the summary as data, written at the end of a run. `-` is standard output, which `stdout.rs` writes.

use std::path::Path;

use crate::file::ResultFile;
use crate::output::{MaybeOutput, OutputContext};
use vespeiro_summary::json::write;

/// The file, if the plan asks for it.
pub fn output(context: &OutputContext<'_>) -> MaybeOutput {
    let path = context.plan.output.summary_json.as_deref();
    ResultFile::wanted("summary", path.filter(|path| !is_stdout(path)), write)
}

/// The summary is to be printed.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}
