//! Reads the file of a module, a program or a script. Asked by `load.rs`, by the engine's watch and by the command that swaps.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use vespeiro_plan::bounded;

use crate::compile::MAX_MODULE;
use crate::program::{SCRIPT, player};
use crate::script;

/// What a behavior is made of.
#[derive(Debug)]
pub struct ModuleFile {
    /// What [`Behavior::load`](crate::Behavior::load) takes.
    pub bytes: Vec<u8>,
    /// Every file that is in it: a script has those that it imports, too.
    pub files: Vec<PathBuf>,
}

impl ModuleFile {
    /// Reads it.
    ///
    /// # Errors
    /// It cannot be read, is too large, or is none: a pipe or a device may never end.
    pub fn read(path: &Path) -> io::Result<ModuleFile> {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no regular file",
            ));
        }
        if player(&path.to_string_lossy()) == Some(SCRIPT) {
            let script = script::read(path)?;
            return Ok(ModuleFile {
                bytes: script.packed,
                files: script.files,
            });
        }
        Ok(ModuleFile {
            bytes: bounded::read(path, MAX_MODULE as u64)?,
            files: vec![path.to_owned()],
        })
    }
}
