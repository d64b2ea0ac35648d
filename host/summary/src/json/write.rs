//! Writes a summary as a file of JSON: `--summary-json`, and `vespeiro report`.

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use super::Summary;
use crate::compare::Comparison;
use crate::files::{WriteError, write_whole};

/// Write the summary as one JSON document. Readers see the old file or the whole new one, never a part.
pub fn write(summary: &Summary, path: &Path) -> Result<(), WriteError> {
    write_document(summary, path)
}

/// The same, with what has changed against an older run as its `comparison`.
pub fn write_compared(
    summary: &Summary,
    comparison: &Comparison,
    path: &Path,
) -> Result<(), WriteError> {
    #[derive(Serialize)]
    struct Compared<'a> {
        #[serde(flatten)]
        summary: &'a Summary,
        comparison: &'a Comparison,
    }
    let compared = Compared {
        summary,
        comparison,
    };
    write_document(&compared, path)
}

fn write_document(document: &impl Serialize, path: &Path) -> Result<(), WriteError> {
    write_whole("summary", path, |file| {
        serde_json::to_writer_pretty(std::io::BufWriter::new(&*file), document)?;
        file.write_all(b"\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vespeiro_metrics::testing::snapshot;
    use vespeiro_plan::Language;
    use vespeiro_plan::testing::plan;

    fn summary() -> Summary {
        Summary::new(&plan(Language::English), &snapshot())
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let folder = std::env::temp_dir().join(format!("vespeiro-json-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("summary.json");
        write(&summary(), &path).unwrap();
        write(&summary(), &path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let back: Summary = serde_json::from_str(&text).unwrap();
        assert_eq!(back, summary());
        assert!(
            !text.contains("secret"),
            "credentials of the base URL are in the summary"
        );
        let files = std::fs::read_dir(&folder).unwrap().count();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(files, 1, "a draft was left behind");
    }

    #[test]
    fn a_folder_that_does_not_exist_is_one_clear_line() {
        let error = write(&summary(), Path::new("/nonexistent/x/summary.json"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("/nonexistent/x/summary.json") && !error.contains('\n'),
            "{error}"
        );
    }
}
