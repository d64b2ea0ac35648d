//! `--summary-json`: the summary as data, written at the end of a run.

use crate::file::ResultFile;
use crate::output::{MaybeOutput, OutputContext};
use vespeiro_summary::json::write;

/// The file, if the plan asks for it.
pub fn output(context: &OutputContext<'_>) -> MaybeOutput {
    let path = context.plan.output.summary_json.as_deref();
    ResultFile::wanted("summary", path, write)
}
