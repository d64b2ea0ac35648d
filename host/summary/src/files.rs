//! Files of results: asked for before the run, written at its end. Readers see the old file or the whole new one, never
//! a part. Used by every form that the report writes.

use std::fs::File;
use std::path::{Path, PathBuf};

/// A file of results could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the {what} {}: {cause}: name a file in a folder that can be written", path.display())]
pub struct WriteError {
    what: &'static str,
    path: PathBuf,
    cause: std::io::Error,
}

impl WriteError {
    pub fn new(what: &'static str, path: &Path, cause: std::io::Error) -> WriteError {
        WriteError {
            what,
            path: path.to_owned(),
            cause,
        }
    }
}

/// Whether the file could be written there, asked before a long run rather than after it.
pub fn writable(what: &'static str, path: &Path) -> Result<(), WriteError> {
    let draft = draft(path);
    let tried = File::create(&draft).and_then(|_| std::fs::remove_file(&draft));
    let tried = tried.and_then(|()| match path.is_dir() {
        true => Err(std::io::ErrorKind::IsADirectory.into()),
        false => Ok(()),
    });
    tried.map_err(|cause| WriteError::new(what, path, cause))
}

/// The file that becomes the result once it is whole.
fn draft(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

pub fn write_whole(
    what: &'static str,
    path: &Path,
    fill: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> Result<(), WriteError> {
    let draft = draft(path);
    let written = (|| {
        let mut file = File::create(&draft)?;
        fill(&mut file)?;
        file.sync_all()?;
        std::fs::rename(&draft, path)
    })();
    if written.is_err() {
        // The first error is the one to tell; a draft that was never created cannot be removed.
        let _ = std::fs::remove_file(&draft);
    }
    written.map_err(|cause| WriteError::new(what, path, cause))
}
