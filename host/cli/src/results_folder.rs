//! The folder for a run's results. Made before the run, so that it is known that they can be written; `play.rs` keeps it once
//! the run begins.
//!
//! What must stay true: a run that does not begin leaves no folder behind, and touches none that was there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::exit::Misuse;

/// The folder, which goes with this unless it is kept.
#[derive(Debug)]
pub(super) struct ResultsFolder {
    path: PathBuf,
    /// What was made for it, the innermost first.
    made: Vec<PathBuf>,
}

impl ResultsFolder {
    pub(super) fn make(path: &Path) -> Result<ResultsFolder, Misuse> {
        let missing = path.ancestors().take_while(|folder| !folder.exists());
        let folder = ResultsFolder {
            path: path.to_owned(),
            made: missing.map(Path::to_owned).collect(),
        };
        let unmade = |error| Misuse(format!("{}: cannot be made: {error}", path.display()));
        fs::create_dir_all(path).map_err(unmade)?;
        Ok(folder)
    }

    /// The run begins.
    pub(super) fn keep(mut self) -> PathBuf {
        self.made.clear();
        std::mem::take(&mut self.path)
    }
}

impl Drop for ResultsFolder {
    fn drop(&mut self) {
        for folder in &self.made {
            // Only an empty one can be removed in this way: what somebody else has put there stays.
            let _ = fs::remove_dir(folder);
        }
    }
}
