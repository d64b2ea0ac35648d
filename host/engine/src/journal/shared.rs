//! What the owner of a journal, its writers and its compaction share. None of them knows the others.

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::thread::Thread;

use super::line::Binding;

/// Nobody else may read what a run has made, let alone write it.
pub(super) const OWNER_ALONE: u32 = 0o600;
/// Most bytes of a journal: a million things that are outstanding. It is compacted from 1 MiB on, so that only a run that
/// creates without end gets there.
pub(super) const LONGEST: u64 = 64 << 20;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) binding: Binding,
    /// Taken for writing by a compaction alone.
    pub(super) current: RwLock<Current>,
    /// The file is compacted from this length on.
    pub(super) compact_from: u64,
    /// Something was written since the last sync began.
    pub(super) dirty: AtomicBool,
    /// Bytes of the file.
    pub(super) length: AtomicU64,
    pub(super) closed: AtomicBool,
    /// Why nothing more can be written.
    pub(super) broken: OnceLock<String>,
    pub(super) syncing: OnceLock<Thread>,
}

/// The file that is at the journal's place.
#[derive(Debug)]
pub(super) struct Current {
    /// Holds the lock that tells other processes that the run goes on.
    pub(super) file: File,
    /// How many came before it.
    pub(super) turn: u64,
}

impl Shared {
    pub(super) fn now(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn written(&self) {
        if !self.dirty.swap(true, Ordering::AcqRel)
            && let Some(syncing) = self.syncing.get()
        {
            syncing.unpark();
        }
    }
}
