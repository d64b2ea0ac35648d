//! A worker's own way to append to the journal. Made by `journal.rs`, used by the run for every mark. It waits for
//! nobody but a compaction that is just putting its file in place.
//!
//! What must stay true: lines are written in one piece, so that those of different workers do not mix.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::line::Sign;
use super::shared::{LONGEST, Shared};

/// One worker's handle on the journal. Lines wait until the next [`flush`](Writer::flush), which writes them at once.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    pending: String,
    /// What is written spares a later cleanup work, and nothing depends on it.
    is_spare: bool,
}

/// The journal cannot be written any more; [`Journal::failure`](super::Journal::failure) tells why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal cannot be written")]
pub struct Broken;

impl Writer {
    pub(super) fn new(shared: &Arc<Shared>) -> Writer {
        Writer {
            shared: Arc::clone(shared),
            pending: String::new(),
            is_spare: false,
        }
    }

    /// For whoever removes what is on record: it may go on where no byte fits any more.
    pub(super) fn spare(self) -> Writer {
        Writer {
            is_spare: true,
            ..self
        }
    }

    /// This thing may exist from now on.
    pub fn mark(&mut self, thing: &str) {
        self.shared
            .binding
            .write(Sign::Mark, thing, &mut self.pending);
    }

    /// This thing is gone.
    pub fn unmark(&mut self, thing: &str) {
        self.shared
            .binding
            .write(Sign::Unmark, thing, &mut self.pending);
    }

    /// Write what waits, in one piece. When it returns, the kernel has it.
    pub fn flush(&mut self) -> Result<(), Broken> {
        let written = self.write();
        if self.is_spare {
            self.pending.clear();
            return Ok(());
        }
        written
    }

    fn write(&mut self) -> Result<(), Broken> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if self.shared.broken.get().is_some() {
            return Err(Broken);
        }
        // Through the one file that all have open: another may not be had where files have run out.
        let now = self.shared.now();
        let written = loop {
            match (&now.file).write(self.pending.as_bytes()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let why = match written {
            Ok(bytes) if bytes == self.pending.len() => {
                self.pending.clear();
                self.shared.written();
                let before = self
                    .shared
                    .length
                    .fetch_add(bytes as u64, Ordering::Relaxed);
                if before + bytes as u64 <= LONGEST || self.is_spare {
                    return Ok(());
                }
                let most = LONGEST >> 20;
                format!(
                    "what is outstanding takes more than {most} MiB, which is more than a run may leave to its cleanup"
                )
            }
            // The rest would be an append of its own: another worker's line could come between.
            Ok(_) => "only a part of a line fitted".to_owned(),
            Err(error) => error.to_string(),
        };
        let _ = self.shared.broken.set(why);
        Err(Broken)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::thread;

    use super::*;
    use crate::journal::owner::tests::header;
    use crate::journal::{Journal, read};

    #[test]
    fn lines_of_many_workers_do_not_mix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.journal");
        let journal = Journal::create(&path, &header()).unwrap();
        thread::scope(|scope| {
            for worker in 0..4 {
                let mut writer = journal.writer();
                scope.spawn(move || {
                    for n in 0..500 {
                        writer.mark(&format!("user:{worker}_{n}"));
                        writer.mark(&format!("role:{worker}_{n}"));
                        writer.flush().unwrap();
                        writer.unmark(&format!("role:{worker}_{n}"));
                        writer.flush().unwrap();
                    }
                });
            }
        });
        let contents = read(&path).unwrap();
        assert!(contents.warnings.is_empty(), "{:?}", contents.warnings);
        assert_eq!(contents.header, header());
        assert_eq!(contents.outstanding.len(), 2000);
        journal.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_full_disk_is_told_once_and_for_all() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::create(&folder.path().join("full.journal"), &header()).unwrap();
        let mut writer = journal.writer();
        // A device that takes no byte, in the file's place.
        let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        writer.shared.current.write().unwrap().file = full;
        writer.mark("user:a");
        assert_eq!(writer.flush(), Err(Broken));
        let why = journal.failure().unwrap();
        assert!(why.contains("full.journal") && !why.contains('\n'), "{why}");
        let mut other = journal.writer();
        other.mark("user:b");
        assert_eq!(other.flush(), Err(Broken), "the others stop too");
    }
}
