//! What one worker recorded between two hand-overs, within one second of the run. It goes from the worker to the
//! orchestrator, is merged and emptied there, and goes back.
//!
//! What must stay true: after the first rounds nothing is allocated for it.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use vespeiro_model::Outcome;

use super::merge::Merge as _;
use super::version::Versions;
use super::{
    ArchetypeCounts, Catalog, MAX_VERSIONS, Role, RunCounts, Slowest, VersionCounts, WorkerStatus,
};

/// Requests of an interval that are kept one by one.
pub(super) const MAX_ACTIVITY: usize = 8;

/// More than that of the slowest requests no plan asks for.
const MAX_SLOWEST: usize = 1_000;

/// One request, kept for the panel's list of recent activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRequest {
    /// When its outcome was recorded.
    pub at: SystemTime,
    /// Index of the virtual user.
    pub user: u32,
    pub role: Role,
    pub route: u16,
    pub outcome: Outcome,
    pub expected: bool,
    pub latency: Duration,
    pub path: ShortPath,
}

/// The beginning of a path, without its query, which may hold a secret; empty where a request was counted without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ShortPath {
    bytes: [u8; ShortPath::LONGEST],
    length: u8,
}

impl From<String> for ShortPath {
    fn from(path: String) -> ShortPath {
        ShortPath::new(&path)
    }
}

impl From<ShortPath> for String {
    fn from(path: ShortPath) -> String {
        path.as_str().to_owned()
    }
}

impl ShortPath {
    const LONGEST: usize = 95;

    pub fn new(path: &str) -> ShortPath {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let kept = &path[..path.floor_char_boundary(Self::LONGEST)];
        let mut bytes = [0; Self::LONGEST];
        bytes[..kept.len()].copy_from_slice(kept.as_bytes());
        ShortPath {
            bytes,
            length: kept.len() as u8,
        }
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

/// One worker's counts since its last hand-over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Interval {
    #[serde(skip)]
    pub(super) worker: usize,
    /// The second of the run in which it was recorded, counted from 0.
    #[serde(skip)]
    pub(super) second: u64,
    /// Where its counts begin: earlier, of a worker that could not hand over for long.
    #[serde(skip)]
    pub(super) first: u64,
    /// The second of what its worker hands over next.
    #[serde(skip)]
    pub(super) next: u64,
    pub(super) archetypes: Vec<ArchetypeCounts>,
    pub(super) versions: Versions,
    pub(super) run: Box<RunCounts>,
    /// The worker's state when it handed over.
    #[serde(skip)]
    pub(super) status: Box<WorkerStatus>,
    /// The first few requests of the interval.
    pub(super) activity: Vec<RecordedRequest>,
    /// Requests that are slower than all but a few of the run so far.
    pub(super) slowest: Box<Slowest>,
}

impl Interval {
    /// An empty one, for a recorder with the same catalog or a later generation of it.
    pub fn new(catalog: &Catalog) -> Interval {
        let categories = catalog.categories.len();
        Interval {
            worker: 0,
            second: 0,
            first: 0,
            next: 0,
            archetypes: catalog
                .archetypes
                .iter()
                .map(|a| ArchetypeCounts::new(a, categories))
                .collect(),
            versions: Versions::default(),
            run: Box::default(),
            status: Box::default(),
            activity: Vec::with_capacity(MAX_ACTIVITY),
            slowest: Box::default(),
        }
    }

    /// Make room for what a later generation of its catalog has appended.
    pub(super) fn fit(&mut self, catalog: &Catalog) {
        for (counts, labels) in self.archetypes.iter_mut().zip(&catalog.archetypes) {
            counts.grow(labels.routes.len(), catalog.categories.len());
        }
    }

    /// The worker whose recorder filled it last: it is the one to send it back to.
    pub fn worker(&self) -> usize {
        self.worker
    }

    /// No user did anything in it.
    pub(super) fn is_empty(&self) -> bool {
        self.archetypes.iter().all(ArchetypeCounts::is_empty)
    }

    /// Add another one's counts. Its worker's state and the requests that are kept one by one stay where they are.
    pub(super) fn merge(&mut self, other: &Interval) {
        for (mine, theirs) in self.archetypes.iter_mut().zip(&other.archetypes) {
            mine.merge(theirs);
        }
        for (role, counts) in other.versions.iter() {
            self.versions.of(role).merge(counts);
        }
        self.run.merge(&other.run);
        self.slowest.merge(&other.slowest);
    }

    /// Whether another process with this catalog could have counted it.
    pub(super) fn fits(&self, catalog: &Catalog) -> bool {
        let (like, known) = (Interval::new(catalog), catalog.archetypes.len());
        let is_known = |role: Role| usize::from(role.archetype) < known;
        let slow = self.slowest.list.iter().map(|slow| &slow.request);
        self.archetypes.fits(&like.archetypes)
            && self.versions.iter().count() <= known * MAX_VERSIONS
            && self
                .versions
                .iter()
                .all(|(role, counts)| is_known(role) && counts.fits(&VersionCounts::default()))
            && self.run.fits(&like.run)
            && self.activity.len() <= MAX_ACTIVITY
            && self.slowest.list.len() <= MAX_SLOWEST
            && slow.chain(&self.activity).all(|one| is_known(one.role))
    }

    /// Forget the values, keep the memory.
    pub(super) fn reset(&mut self) {
        self.archetypes.iter_mut().for_each(ArchetypeCounts::reset);
        self.versions.reset();
        self.run.reset();
        self.activity.clear();
        self.slowest.reset(self.slowest.most());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_at_a_letter_and_loses_its_query() {
        assert_eq!(ShortPath::new("/users/7?q=a").as_str(), "/users/7");
        assert_eq!(ShortPath::new("").as_str(), "");
        let long = format!("/{}é/rest", "x".repeat(93));
        assert_eq!(ShortPath::new(&long).as_str(), &long[..94]);
    }
}
