//! Code that was compiled ahead, for images that many processes start from: a file for each module, by the digest of its bytes and
//! the processor it is for. It is native code, and this process runs it. Used by `engine.rs`.
//!
//! What must stay true: nothing is taken from a folder or a file that anybody but root and this user could have written.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::compile::{Compiled, Facts, receive, send};
use crate::wasmtime_config::{EngineError, baseline};

/// The permissions of others to write.
const WRITE: u32 = 0o022;

/// A folder of it.
#[derive(Debug)]
pub struct Precompiled {
    folder: PathBuf,
    /// The processor that the code is for.
    cpu: &'static str,
    told: AtomicBool,
}

/// What stands before the code.
#[derive(Serialize, Deserialize)]
struct Head {
    /// Of the program that has made it.
    version: String,
    facts: Facts,
}

/// Compiled code cannot be taken from there.
#[derive(Debug, thiserror::Error)]
pub enum PrecompiledError {
    #[error("{} cannot be read: {cause}", folder.display())]
    Unread { folder: PathBuf, cause: io::Error },
    #[error("{} belongs to another user or others may write to it, so what is in it cannot be trusted: give it to root or to yourself, and take the permission from others", folder.display())]
    Untrusted { folder: PathBuf },
    #[error(transparent)]
    Machine(#[from] EngineError),
}

impl Precompiled {
    /// A folder to take code from.
    ///
    /// # Errors
    /// It is not there, or others may write to it.
    pub fn open(folder: &Path) -> Result<Self, PrecompiledError> {
        let data = fs::metadata(folder).map_err(|cause| PrecompiledError::Unread {
            folder: folder.to_owned(),
            cause,
        })?;
        if !data.is_dir() || !is_trusted(&data) {
            return Err(PrecompiledError::Untrusted {
                folder: folder.to_owned(),
            });
        }
        Ok(Self::at(folder)?)
    }

    /// A folder to put code into, made if it is not there.
    ///
    /// # Errors
    /// It cannot be made, or is one that nobody would take code from.
    pub fn make(folder: &Path) -> Result<Self, PrecompiledError> {
        fs::create_dir_all(folder).map_err(|cause| PrecompiledError::Unread {
            folder: folder.to_owned(),
            cause,
        })?;
        Self::open(folder)
    }

    fn at(folder: &Path) -> Result<Self, EngineError> {
        Ok(Self {
            folder: folder.to_owned(),
            cpu: baseline()?.cpu,
            told: AtomicBool::new(false),
        })
    }

    fn path(&self, digest: &[u8; 32]) -> PathBuf {
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{digest}.{}", self.cpu))
    }

    /// The code of a module, if this version of the program has made it.
    pub(crate) fn get(&self, digest: &[u8; 32]) -> Option<Compiled> {
        let mut file = File::open(self.path(digest)).ok()?;
        // Of the file that is open, whatever its name means by now.
        if !is_trusted(&file.metadata().ok()?) {
            return None;
        }
        let mut kept = Vec::new();
        file.read_to_end(&mut kept).ok()?;
        let (head, code): (Head, _) = receive(&mut &*kept).ok()?;
        let facts = head.facts;
        (head.version == env!("CARGO_PKG_VERSION")).then_some(Compiled { facts, code })
    }

    /// Say once that something has to be compiled after all.
    pub(crate) fn lacks(&self) {
        if !self.told.swap(true, Ordering::Relaxed) {
            let (folder, cpu) = (self.folder.display(), self.cpu);
            tracing::warn!(
                "{folder} does not have all behaviors, precompiled by this version for {cpu}: what it lacks is compiled now"
            );
        }
    }

    pub(crate) fn put(&self, digest: &[u8; 32], compiled: &Compiled) -> io::Result<()> {
        let head = Head {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            facts: compiled.facts.clone(),
        };
        let path = self.path(digest);
        let part = path.with_extension("part");
        let mut kept = Vec::new();
        send(&mut kept, &head, &compiled.code)?;
        let mut options = OpenOptions::new();
        // Whoever plays in a container is not who has built its image.
        let options = options.write(true).create(true).truncate(true).mode(0o644);
        options.open(&part)?.write_all(&kept)?;
        fs::rename(part, path)
    }
}

/// Only root and this user can have written there.
fn is_trusted(data: &Metadata) -> bool {
    let owners = [0, rustix::process::geteuid().as_raw()];
    owners.contains(&data.uid()) && data.mode() & WRITE == 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::componentize::ModuleFormat;

    #[test]
    fn nothing_is_taken_that_others_could_have_written() {
        let folder = tempfile::TempDir::new().unwrap();
        let below = folder.path().join("ahead");
        let ahead = Precompiled::make(&below).unwrap();
        let compiled = Compiled {
            facts: Facts {
                form: ModuleFormat::Component,
                contract: "contract".into(),
                imports: Vec::new(),
            },
            code: b"native code".to_vec(),
        };
        let digest = [7; 32];
        assert!(ahead.get(&digest).is_none());
        ahead.put(&digest, &compiled).unwrap();
        assert_eq!(ahead.get(&digest).unwrap().code, b"native code");
        assert!(ahead.get(&[8; 32]).is_none());

        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let file = ahead.path(&digest);
        for (permissions, is_taken) in
            [(0o644, true), (0o664, false), (0o646, false), (0o444, true)]
        {
            mode(&file, permissions);
            assert_eq!(ahead.get(&digest).is_some(), is_taken, "{permissions:o}");
        }
        for (permissions, is_taken) in
            [(0o755, true), (0o775, false), (0o757, false), (0o555, true)]
        {
            mode(&below, permissions);
            assert_eq!(
                Precompiled::open(&below).is_ok(),
                is_taken,
                "{permissions:o}"
            );
        }
        mode(&below, 0o755);
        let cut = fs::read(&file).unwrap();
        mode(&file, 0o644);
        fs::write(&file, &cut[..cut.len() - 1]).unwrap();
        assert!(ahead.get(&digest).is_none());
        assert!(Precompiled::open(&file).is_err());
    }
}
