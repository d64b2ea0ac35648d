//! Keeps a journal short: what is outstanding goes into a new file, which takes the place of the grown one. Done by the
//! journal's own thread while the workers write. Whenever the process ends, one of the two is there and whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::line::Sign;
use super::read::read;
use super::shared::{OWNER_ALONE, Shared};

/// A shorter file is not worth it.
pub(super) const FROM: u64 = 1 << 20;
/// A file is compacted when it is this many times as long as what was outstanding after the last time.
const GROWN: u64 = 4;

impl Shared {
    /// Compact the file if it is longer than `at`; the length from which to do so the next time.
    pub(super) fn compact_from_then_on(&self, at: u64, from: u64) -> u64 {
        let before = self.now().file.metadata().map_or(0, |meta| meta.len());
        if before < at {
            return at;
        }
        match self.compact() {
            Ok(compacted) => compacted.saturating_mul(GROWN).max(from),
            Err(error) => {
                tracing::warn!(
                    "the journal {} stays as it is: {error}",
                    self.path.display()
                );
                // The next try is not at once: it may be a full disk.
                before.saturating_mul(2)
            }
        }
    }

    /// The length of what was outstanding. What the workers wrote meanwhile comes on top of it in the file, but does not
    /// count: on a slow disk it would put off the next time further and further.
    fn compact(&self) -> io::Result<u64> {
        let draft = self.draft();
        let compacted = self.compact_by(&draft);
        if compacted.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&draft);
        }
        compacted
    }

    fn compact_by(&self, draft: &PathBuf) -> io::Result<u64> {
        let contents = read(&self.path).map_err(io::Error::other)?;
        if contents.foreign > 0 {
            return Err(io::Error::other("lines of it are not its run's, and kept"));
        }
        // Of a process that was killed just here.
        match fs::remove_file(draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(OWNER_ALONE)
            .open(draft)?;
        file.try_lock()?;
        let mut out = BufWriter::new(&file);
        out.write_all(contents.header.line().as_bytes())?;
        let mut text = String::new();
        for thing in &contents.outstanding {
            text.clear();
            self.binding.write(Sign::Mark, thing, &mut text);
            out.write_all(text.as_bytes())?;
        }
        out.flush()?;
        drop(out);
        file.sync_data()?;
        let compacted = file.metadata()?.len();

        // From here on the workers wait: what they have written since the reading is all that remains to be done.
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut since = Vec::new();
        let mut old = File::open(&self.path)?;
        old.seek(SeekFrom::Start(contents.whole))?;
        old.read_to_end(&mut since)?;
        (&file).write_all(&since)?;
        fs::rename(draft, &self.path)?;
        let length = compacted + since.len() as u64;
        self.length.store(length, Ordering::Relaxed);
        current.file = file;
        current.turn += 1;
        drop(current);
        self.written();
        Ok(compacted)
    }

    fn draft(&self) -> PathBuf {
        let mut name: OsString = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".compact");
        self.path.with_file_name(name)
    }
}
