//! Files of results: looked at before the run, written at its end or while it goes on. Used by every output that is a
//! file, and by `vespeiro report`.
//!
//! What must stay true: readers of a regular file see the old one or the whole new one, never a part; whatever else
//! stands at the path (a device, a FIFO, a symbolic link, a mount) is written through and never replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::{Path, PathBuf};

/// A file of results could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the {what} {}: {cause}: name a file in a folder that can be written", path.display())]
pub struct WriteError {
    what: &'static str,
    path: PathBuf,
    cause: io::Error,
}

impl WriteError {
    pub fn new(what: &'static str, path: &Path, cause: io::Error) -> WriteError {
        WriteError {
            what,
            path: path.to_owned(),
            cause,
        }
    }
}

/// A file that is being written: a draft beside a regular file, which takes its place on [`Draft::publish`], or the
/// thing itself where it cannot be replaced.
#[derive(Debug)]
pub struct Draft {
    pub file: File,
    /// From where to where it is renamed.
    rename: Option<(PathBuf, PathBuf)>,
}

impl Draft {
    /// Waits for a reader where the path is a FIFO.
    pub fn open(path: &Path) -> io::Result<Draft> {
        Draft::begin(path, true)
    }

    fn begin(path: &Path, truncate: bool) -> io::Result<Draft> {
        let through = || {
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(truncate);
            options.open(path).map(|file| Draft { file, rename: None })
        };
        let old = match fs::symlink_metadata(path) {
            Ok(old) if !old.is_file() => return through(),
            old => old.ok(),
        };
        let mut name = path
            .file_name()
            .ok_or(ErrorKind::InvalidFilename)?
            .to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let beside = path.with_file_name(name);
        let file = match File::create(&beside) {
            // A folder that takes no new file may hold one that can be written.
            Err(_) if old.is_some() => return through(),
            file => file?,
        };
        let rename = Some((beside, path.to_owned()));
        let draft = Draft { file, rename };
        if let Some(old) = old {
            // Only root can give the new file to the old one's owner.
            let _ = fchown(&draft.file, Some(old.uid()), Some(old.gid()));
            draft.file.set_permissions(old.permissions())?;
        }
        Ok(draft)
    }

    /// Let readers see it. What is written later is seen as it is written.
    pub fn publish(&mut self) -> io::Result<()> {
        let Some((beside, path)) = &self.rename else {
            return Ok(());
        };
        match fs::rename(beside, path) {
            // A file that is a mount of its own cannot be replaced.
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                let mut through = OpenOptions::new().write(true).truncate(true).open(path)?;
                io::copy(&mut File::open(beside)?, &mut through)?;
                fs::remove_file(beside)?;
                self.file = through;
            }
            renamed => renamed?,
        }
        self.rename = None;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some((beside, _)) = &self.rename {
            let _ = fs::remove_file(beside);
        }
    }
}

/// Whether the file could be written there, asked before a long run rather than after it. Changes nothing there.
pub fn writable(what: &'static str, path: &Path) -> Result<(), WriteError> {
    let tried = match fs::metadata(path) {
        Ok(there) if there.is_dir() => Err(ErrorKind::IsADirectory.into()),
        // Opening it would wait for its reader, or mean something to a device.
        Ok(there) if !there.is_file() => Ok(()),
        Ok(_) => Draft::begin(path, false).map(drop),
        Err(_) => Draft::begin(path, false).and_then(|draft| match draft.rename {
            Some(_) => Ok(()),
            // A link to what was not there has made it.
            None => fs::remove_file(fs::canonicalize(path)?),
        }),
    };
    tried.map_err(|cause| WriteError::new(what, path, cause))
}

/// Fill the file, then let readers see it.
pub fn write_whole(
    what: &'static str,
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), WriteError> {
    let written = Draft::open(path).and_then(|mut draft| {
        fill(&mut draft.file)?;
        if draft.rename.is_some() {
            draft.file.sync_all()?;
        }
        draft.publish()
    });
    written.map_err(|cause| WriteError::new(what, path, cause))
}
