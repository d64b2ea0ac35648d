//! All workers' intervals, merged since the start of the run. Owned by the engine's orchestrator.
//!
//! What must stay true: however the run is split into intervals, the totals are the same.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::merge::Merge as _;
use super::rates::{History, Point, Rates};
use super::{
    ArchetypeCounts, Catalog, CpuUse, DesiredLoad, Interval, OLDER, Process, RecordedRequest, Role,
    RunCounts, Slowest, Snapshot, VersionCounts, VersionTotal, WorkerStatus, WorkerStatuses,
};
use vespeiro_model::{Clock, Ending, SwapResult};

/// Requests that the activity ring remembers.
const ACTIVITY: usize = 50;

/// Everything since the start of the run.
#[derive(Debug)]
pub struct Totals {
    catalog: Arc<Catalog>,
    workers: usize,
    started: SystemTime,
    cpu_at_start: Duration,
    /// Shared with the last snapshots: merging copies an archetype only while somebody still reads it.
    archetypes: Vec<Arc<ArchetypeCounts>>,
    /// Ordered by role.
    versions: Vec<VersionTotal>,
    swaps: Vec<[u64; SwapResult::ALL.len()]>,
    run: Arc<RunCounts>,
    desired: DesiredLoad,
    slowest: Slowest,
    /// By worker.
    worker_statuses: Vec<WorkerStatus>,
    /// The run was asked to end.
    stopping: bool,
    activity: VecDeque<RecordedRequest>,
    history: History,
}

impl Totals {
    /// At the start of the run: the wall clock is read here, and `process` is the baseline of the CPU time.
    pub fn new(catalog: Arc<Catalog>, workers: usize, process: Process) -> Totals {
        let Interval { archetypes, .. } = Interval::new(&catalog);
        let swaps = vec![Default::default(); archetypes.len()];
        let versions = catalog.versions.iter();
        let mut versions: Vec<_> = versions.map(|v| VersionTotal::new(v.role())).collect();
        versions.sort_by_key(|v| v.role);
        let start = Point {
            cpu: process.cpu,
            ..Point::default()
        };
        Totals {
            catalog,
            workers: workers.max(1),
            started: Clock::system().wall(),
            cpu_at_start: process.cpu,
            archetypes: archetypes.into_iter().map(Arc::new).collect(),
            versions,
            swaps,
            run: Arc::default(),
            slowest: Slowest::default(),
            desired: DesiredLoad::default(),
            worker_statuses: vec![WorkerStatus::default(); workers.max(1)],
            stopping: false,
            activity: VecDeque::with_capacity(ACTIVITY),
            history: History::new(start),
        }
    }

    /// Use a later generation of the catalog. Call it before any worker does so.
    pub fn adopt(&mut self, catalog: Arc<Catalog>) {
        for (counts, labels) in self.archetypes.iter_mut().zip(&catalog.archetypes) {
            Arc::make_mut(counts).grow(labels.routes.len(), catalog.categories.len());
        }
        self.catalog = catalog;
        let (known, forgotten) = std::mem::take(&mut self.versions)
            .into_iter()
            .partition(|v| v.is_older() || self.catalog.version(v.role.version).is_some());
        self.versions = known;
        for version in forgotten {
            self.version(version.role).merge(&version.counts);
        }
        for labels in &self.catalog.clone().versions {
            self.version(labels.role());
        }
    }

    /// The counts of a version, or those of the forgotten ones of its archetype.
    fn version(&mut self, mut role: Role) -> &mut VersionCounts {
        if self.catalog.version(role.version).is_none() {
            role.version = OLDER;
        }
        let at = match self.versions.binary_search_by_key(&role, |v| v.role) {
            Ok(at) => at,
            Err(at) => {
                self.versions.insert(at, VersionTotal::new(role));
                at
            }
        };
        Arc::make_mut(&mut self.versions[at].counts)
    }

    /// Sessions begun, sessions crashed and traps of a version.
    pub fn crashes(&self, role: Role) -> (u64, u64, u64) {
        let known = self.versions.binary_search_by_key(&role, |v| v.role);
        known.map_or((0, 0, 0), |at| {
            let counts = &self.versions[at].counts;
            let crashed = counts.behavior.sessions.ended(Ending::Crashed).count();
            (
                counts.behavior.sessions.started,
                crashed,
                counts.behavior.traps,
            )
        })
    }

    /// Count a swap of an archetype's behavior.
    pub fn swapped(&mut self, archetype: u16, result: SwapResult) {
        if let Some(counts) = self.swaps.get_mut(usize::from(archetype)) {
            counts[result as usize] += 1;
        }
    }

    /// Merge what a worker handed over, and empty it for its next round.
    pub fn absorb(&mut self, interval: &mut Interval) {
        for (mine, theirs) in self.archetypes.iter_mut().zip(&interval.archetypes) {
            Arc::make_mut(mine).merge(theirs);
        }
        for (role, counts) in interval.versions.iter() {
            self.version(role).merge(counts);
        }
        Arc::make_mut(&mut self.run).merge(&interval.run);
        self.slowest.merge(&interval.slowest);
        if let Some(status) = self.worker_statuses.get_mut(interval.worker()) {
            *status = *interval.status;
        }
        let room = ACTIVITY.saturating_sub(interval.activity.len());
        self.activity
            .drain(..self.activity.len().saturating_sub(room));
        self.activity.extend(&interval.activity);
        interval.reset();
    }

    /// The same, started at the wall time of another clock.
    pub fn timed_by(mut self, clock: Clock) -> Totals {
        self.started = clock.wall();
        self
    }

    /// The same, that keep so many of the slowest requests.
    pub fn keeping(mut self, slowest: usize) -> Totals {
        self.slowest.reset(slowest);
        self
    }

    /// What the load profile wants from now on.
    pub fn desired(&mut self, desired: DesiredLoad) {
        self.desired = desired;
    }

    /// From now on the run only waits for what is under way.
    pub fn stopping(&mut self) {
        self.stopping = true;
    }

    /// The state of the run now. `elapsed` is the monotonic time since the start, `process` a fresh sample.
    pub fn snapshot(&mut self, elapsed: Duration, process: Process) -> Snapshot {
        let mut activity: Vec<RecordedRequest> = self.activity.iter().copied().collect();
        activity.sort_by_key(|a| a.at);
        let mut snapshot = Snapshot {
            catalog: self.catalog.clone(),
            started: self.started,
            elapsed,
            workers: self.workers,
            archetypes: self.archetypes.clone(),
            versions: self.versions.clone(),
            swaps: self.swaps.clone(),
            run: self.run.clone(),
            slowest: self.slowest.clone(),
            desired: self.desired.clone(),
            worker_statuses: WorkerStatuses(self.worker_statuses.clone()),
            stopping: self.stopping,
            activity,
            rates: Rates::default(),
            guard: Arc::default(),
            process,
            cpu: CpuUse {
                used: process.cpu.saturating_sub(self.cpu_at_start),
                cores: usable_cores(self.workers),
            },
        };
        let now = Point {
            elapsed,
            requests: snapshot.requests(),
            errors: snapshot.errors(),
            bytes_received: snapshot.bytes_received(),
            cpu: process.cpu,
        };
        snapshot.rates = self.history.rates(now);
        snapshot
    }
}

/// Cores that the workers can keep busy at most.
fn usable_cores(workers: usize) -> usize {
    std::thread::available_parallelism().map_or(workers, |cores| workers.min(cores.get()))
}
