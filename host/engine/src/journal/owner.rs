//! A run's journal: one append-only file, which each worker appends to through a [`Writer`] of its own. Local file
//! systems do not mix up appends of different handles. A worker waits for another one only while `compact.rs` puts a
//! shorter file in the place of one that has grown: for the length of a rename, every now and then.
//!
//! What is written is the kernel's at once: it survives the end of this process, however that comes. A thread of the
//! journal brings it to the disk at most 100 ms later, for the case that the whole machine stops.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::compact::FROM;
use super::line::Header;
use super::read::{ReadError, read};
use super::shared::{Current, OWNER_ALONE, Shared};
use super::writer::Writer;

/// How long lines gather before they are brought to the disk together; writing them takes its time too.
const GATHER: Duration = Duration::from_millis(50);

/// The journal cannot be begun or continued.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("the journal {} cannot be written: {source}: name another place with --journal", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the journal {} belongs to a run that is still going on: stop that one first", .0.display())]
    InUse(PathBuf),
    #[error(
        "the journal {} belongs to another run, {run}: finish that one with `vespeiro cleanup`, or name another place with --journal",
        path.display()
    )]
    Taken { path: PathBuf, run: String },
    #[error(transparent)]
    Unreadable(#[from] ReadError),
}

/// A run's journal, open for writing. It stays on disk until it is [removed](Journal::remove).
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    syncing: Option<JoinHandle<()>>,
}

impl Journal {
    /// Begin a journal, or continue the one that an earlier run with the same id and target left at `path`.
    pub fn create(path: &Path, header: &Header) -> Result<Journal, JournalError> {
        Journal::create_to(path, header, FROM)
    }

    fn create_to(path: &Path, header: &Header, compact_from: u64) -> Result<Journal, JournalError> {
        let error = |source| JournalError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(error)?;
        }
        let begun = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(OWNER_ALONE)
            .open(path);
        match begun {
            Ok(mut file) => {
                file.write_all(header.line().as_bytes()).map_err(error)?;
                Journal::on(path, file, header, compact_from)
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let found = read(path)?.header;
                if found == *header {
                    Journal::resume(path)
                } else {
                    Err(JournalError::Taken {
                        path: path.to_owned(),
                        run: found.run,
                    })
                }
            }
            Err(e) => Err(error(e)),
        }
    }

    /// Continue a journal. A torn last line is cut off, so that the next one does not grow together with it.
    pub fn resume(path: &Path) -> Result<Journal, JournalError> {
        let error = |source| JournalError::Io {
            path: path.to_owned(),
            source,
        };
        let file = OpenOptions::new().append(true).open(path).map_err(error)?;
        let header = read(path)?.header;
        let journal = Journal::on(path, file, &header, FROM)?;
        // Read under the lock: nobody writes between this and the cut.
        let whole = read(path)?.whole;
        journal.shared.now().file.set_len(whole).map_err(error)?;
        Ok(journal)
    }

    fn on(
        path: &Path,
        file: File,
        header: &Header,
        compact_from: u64,
    ) -> Result<Journal, JournalError> {
        let error = |source| JournalError::Io {
            path: path.to_owned(),
            source,
        };
        file.try_lock().map_err(|refused| match refused {
            TryLockError::WouldBlock => JournalError::InUse(path.to_owned()),
            TryLockError::Error(source) => error(source),
        })?;
        // Its owner may have put another one in its place before this lock was had.
        let here = fs::metadata(path).map_err(error)?.ino();
        let about = file.metadata().map_err(error)?;
        let length = about.len();
        if about.ino() != here {
            return Err(JournalError::InUse(path.to_owned()));
        }
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            binding: header.binding(),
            current: RwLock::new(Current { file, turn: 0 }),
            compact_from,
            dirty: AtomicBool::new(true),
            length: AtomicU64::new(length),
            closed: AtomicBool::new(false),
            broken: OnceLock::new(),
            syncing: OnceLock::new(),
        });
        let thread = thread::Builder::new().name("journal".into()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.keep_synced()
        });
        let thread = thread.map_err(error)?;
        let _ = shared.syncing.set(thread.thread().clone());
        Ok(Journal {
            shared,
            syncing: Some(thread),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// A worker's own way to append.
    pub fn writer(&self) -> Writer {
        Writer::new(&self.shared)
    }

    /// The way of a cleanup, which goes on though the journal cannot be written: whatever it removes and cannot note is looked
    /// for again by the next one.
    pub fn spare_writer(&self) -> Writer {
        self.writer().spare()
    }

    /// Why the journal could not be written, once that has happened.
    pub fn failure(&self) -> Option<String> {
        let why = self.shared.broken.get()?;
        Some(format!(
            "the journal {} can no longer be written: {why}",
            self.path().display()
        ))
    }

    /// Nothing is left to remember: delete it.
    pub fn remove(mut self) -> Result<(), JournalError> {
        // A compaction that is under way would bring the file back.
        self.close();
        fs::remove_file(self.path()).map_err(|source| JournalError::Io {
            path: self.path().to_owned(),
            source,
        })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

impl Journal {
    fn close(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        if let Some(syncing) = self.syncing.take() {
            syncing.thread().unpark();
            // A panic over there has been printed, and there is nothing to do about it here.
            let _ = syncing.join();
        }
    }
}

impl Shared {
    fn keep_synced(&self) {
        let mut compact_at = self.compact_from;
        loop {
            let closed = self.closed.load(Ordering::Acquire);
            if self.dirty.swap(false, Ordering::AcqRel)
                && let Err(error) = self.now().file.sync_data()
            {
                let _ = self.broken.set(error.to_string());
            }
            if !closed && self.broken.get().is_none() {
                compact_at = self.compact_from_then_on(compact_at, self.compact_from);
            }
            if closed {
                return;
            }
            while !self.dirty.load(Ordering::Acquire) && !self.closed.load(Ordering::Acquire) {
                thread::park();
            }
            if !self.closed.load(Ordering::Acquire) {
                thread::park_timeout(GATHER);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::journal::line::Sign;

    pub(crate) fn header() -> Header {
        Header {
            run: "k3x9a2b7".into(),
            target: "http://127.0.0.1:9501".into(),
        }
    }

    #[test]
    fn a_journal_is_compacted_under_its_writers_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.journal");
        let journal = Journal::create_to(&path, &header(), 4 << 10).unwrap();
        let mut first = journal.writer();
        first.mark("user:kept");
        first.flush().unwrap();
        let done = AtomicBool::new(false);
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        thread::scope(|scope| {
            // What a crash at any moment would leave.
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    let found = read(&path).unwrap();
                    assert!(found.foreign == 0, "{:?}", found.warnings);
                    assert_eq!(found.outstanding[0], "user:kept");
                }
            });
            let (journal, done) = (&journal, &done);
            let workers: Vec<_> = (0..3)
                .map(|worker| {
                    scope.spawn(move || {
                        let mut writer = journal.writer();
                        let mut n = 0;
                        while n < 2_000
                            || (journal.shared.now().turn < 3
                                && std::time::Instant::now() < deadline)
                        {
                            writer.mark(&format!("role:{worker}_{n}"));
                            writer.flush().unwrap();
                            if n % 100 != 0 {
                                writer.unmark(&format!("role:{worker}_{n}"));
                                writer.flush().unwrap();
                            }
                            n += 1;
                            if n > 2_000 {
                                // Three workers without a pause write more than a slow disk takes.
                                thread::sleep(Duration::from_millis(1));
                            }
                        }
                        n
                    })
                })
                .collect();
            let played: Vec<u32> = workers.into_iter().map(|w| w.join().unwrap()).collect();
            done.store(true, Ordering::Release);
            let mut expected: Vec<String> = vec!["user:kept".into()];
            for (worker, n) in played.iter().enumerate() {
                expected.extend((0..*n).step_by(100).map(|n| format!("role:{worker}_{n}")));
            }
            let mut found = read(&path).unwrap();
            assert!(
                found.foreign == 0 && found.warnings.is_empty(),
                "{:?}",
                found.warnings
            );
            found.outstanding.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found.outstanding, expected);
            let turns = journal.shared.now().turn;
            assert!(turns >= 3, "{turns} compactions");
        });
        let resumed = Journal::resume(&path);
        assert!(
            matches!(resumed, Err(JournalError::InUse(_))),
            "the lock moved along"
        );
        journal.remove().unwrap();
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "nothing is left"
        );
    }

    #[test]
    fn a_torn_line_is_cut_off_before_the_journal_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("torn.journal");
        let mut text = header().line();
        let things = [(Sign::Mark, "user:sim_1"), (Sign::Mark, "user:sim_17")];
        for (sign, thing) in things {
            header().binding().write(sign, thing, &mut text);
        }
        fs::write(&path, text + "- 0123 user:sim_1").unwrap();
        let journal = Journal::resume(&path).unwrap();
        let mut writer = journal.writer();
        writer.unmark("user:sim_17");
        writer.flush().unwrap();
        let contents = read(&path).unwrap();
        assert_eq!(contents.outstanding, ["user:sim_1"]);
        assert!(contents.warnings.is_empty());
    }

    #[test]
    fn a_journal_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.journal");
        let first = Journal::create(&path, &header()).unwrap();
        assert!(matches!(
            Journal::create(&path, &header()),
            Err(JournalError::InUse(_))
        ));
        drop(first);
        let mode = fs::metadata(&path).unwrap().mode();
        assert_eq!(
            mode & 0o777,
            0o600,
            "others may not read what a run has made"
        );
        drop(Journal::create(&path, &header()).unwrap());
        let other = Header {
            run: "zzzzzzzz".into(),
            ..header()
        };
        let refused = Journal::create(&path, &other).unwrap_err();
        assert!(matches!(refused, JournalError::Taken { .. }), "{refused}");
        fs::write(&path, "mine\n").unwrap();
        let refused = Journal::create(&path, &other).unwrap_err();
        assert!(
            matches!(refused, JournalError::Unreadable(_)),
            "no stranger's file is overwritten: {refused}"
        );
    }
}
