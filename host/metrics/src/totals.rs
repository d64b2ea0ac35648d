//! All workers' intervals, merged since the start of the run, second by second. Owned by the engine's orchestrator.
//!
//! What must stay true: however the run is split into intervals, the totals are the same.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::merge::Merge as _;
use super::rates::{History, Rates, Reading};
use super::seconds::{SECOND, Seconds};
use super::{
    ArchetypeCounts, Catalog, CpuUse, DesiredLoad, Interval, OLDER, Process, RecordedRequest, Role,
    RunCounts, ShardSecond, ShardState, Slowest, Snapshot, VersionCounts, VersionTotal,
    WorkerStatus, WorkerStatuses,
};
use vespeiro_model::{Clock, Ending, SwapResult};

/// Requests that the activity ring remembers.
const ACTIVITY: usize = 50;

/// Everything since the start of the run.
#[derive(Debug, Clone)]
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
    /// What is not in the totals yet.
    seconds: Seconds,
    is_complete: bool,
    /// How the other shards stand, where this one has their figures too.
    shards: Vec<ShardState>,
    /// What shard 0 has not been told yet, where there is one.
    untold: Option<Vec<ShardSecond>>,
}

impl Totals {
    /// At the start of the run: the wall clock is read here, and `process` is the baseline of the CPU time.
    pub fn new(catalog: Arc<Catalog>, workers: usize, process: Process, clock: Clock) -> Totals {
        let Interval { archetypes, .. } = Interval::new(&catalog);
        let swaps = vec![Default::default(); archetypes.len()];
        let versions = catalog.versions.iter();
        let mut versions: Vec<_> = versions.map(|v| VersionTotal::new(v.role())).collect();
        versions.sort_by_key(|v| v.role);
        let start = Reading {
            cpu: process.cpu,
            ..Reading::default()
        };
        Totals {
            seconds: Seconds::new(Arc::clone(&catalog), workers),
            is_complete: true,
            catalog,
            workers: workers.max(1),
            started: clock.wall(),
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
            shards: Vec::new(),
            untold: None,
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

    /// Sessions begun, sessions crashed and traps of a version, up to the latest that a worker has handed over.
    pub fn crashes(&self, role: Role) -> (u64, u64, u64) {
        let known = self.versions.binary_search_by_key(&role, |v| v.role);
        let known = known.ok().map(|at| &*self.versions[at].counts);
        let all = known.into_iter().chain(self.seconds.of_version(role));
        all.fold((0, 0, 0), |(begun, crashed, traps), counts| {
            let behavior = &counts.behavior;
            (
                begun + behavior.sessions.started,
                crashed + behavior.sessions.ended(Ending::Crashed).count(),
                traps + behavior.traps,
            )
        })
    }

    /// Count a swap of an archetype's behavior.
    pub fn swapped(&mut self, archetype: u16, result: SwapResult) {
        if let Some(counts) = self.swaps.get_mut(usize::from(archetype)) {
            counts[result as usize] += 1;
        }
    }

    /// Take what a worker hands over, and empty it for its next round. Its state counts at once, its figures once their second
    /// is over: see [`Totals::next_second`].
    pub fn take_in(&mut self, interval: &mut Interval) {
        self.take_status(interval);
        self.seconds.take_in(interval);
    }

    /// This worker has handed over all that it had.
    pub fn worker_ended(&mut self, worker: usize) {
        self.seconds.ended(worker);
    }

    /// Add the next second to the totals, if it is over at this time and every worker has handed it in or has had time
    /// enough to. Tells its end. `before`: called if there is one, to let go of snapshots of before it, for what they share
    /// with the totals is copied.
    pub fn next_second(&mut self, now: Duration, before: impl FnOnce()) -> Option<Duration> {
        let mut second = self.seconds.next(now)?;
        before();
        self.tell(second.ends, second.is_complete, &second.counts);
        self.absorb(&mut second.counts);
        self.seconds.recycle(second.counts);
        self.is_complete = second.is_complete;
        Some(second.ends)
    }

    /// The end of the second that was added last.
    pub fn counted_until(&self) -> Duration {
        self.seconds.given_out()
    }

    /// The run is over: add what is left, of the second in which it ended.
    pub fn close(&mut self) {
        let mut rest = self.seconds.rest();
        self.tell(self.counted_until() + SECOND, true, &rest);
        self.absorb(&mut rest);
        self.is_complete = true;
    }

    /// Merge what was recorded at once, and empty it for its next round.
    pub fn absorb(&mut self, interval: &mut Interval) {
        for (mine, theirs) in self.archetypes.iter_mut().zip(&interval.archetypes) {
            Arc::make_mut(mine).merge(theirs);
        }
        for (role, counts) in interval.versions.iter() {
            self.version(role).merge(counts);
        }
        Arc::make_mut(&mut self.run).merge(&interval.run);
        self.slowest.merge(&interval.slowest);
        self.take_status(interval);
        interval.reset();
    }

    /// Its worker's state and latest requests.
    fn take_status(&mut self, interval: &mut Interval) {
        if let Some(status) = self.worker_statuses.get_mut(interval.worker()) {
            *status = *interval.status;
        }
        let room = ACTIVITY.saturating_sub(interval.activity.len());
        self.activity
            .drain(..self.activity.len().saturating_sub(room));
        self.activity.extend(interval.activity.drain(..));
    }

    /// The same, that keep so many of the slowest requests.
    pub fn keeping(mut self, slowest: usize) -> Totals {
        self.slowest.reset(slowest);
        self.seconds.keep(slowest);
        self
    }

    /// What the load profile wants from now on.
    pub fn desired(&mut self, desired: DesiredLoad) {
        self.desired = desired;
    }

    /// The same, with the figures of other shards, of so many workers each. They hand in after this one's own workers.
    pub fn with_shards(mut self, workers: &[usize]) -> Totals {
        self.shards = workers
            .iter()
            .map(|workers| ShardState::of(*workers))
            .collect();
        self.seconds.joined_by(workers.len());
        self
    }

    /// The same, that keep each second for shard 0.
    pub fn telling(mut self) -> Totals {
        self.untold = Some(Vec::new());
        self
    }

    fn tell(&mut self, ends: Duration, is_complete: bool, counts: &Interval) {
        if let Some(untold) = &mut self.untold {
            untold.push(ShardSecond {
                second: ends.as_secs().saturating_sub(1),
                is_complete,
                counts: counts.clone(),
            });
        }
    }

    /// What there is to tell shard 0 since this was asked last.
    pub fn take_untold(&mut self) -> Vec<ShardSecond> {
        self.untold.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// How this shard stands, for shard 0.
    pub fn state(&self, process: Process) -> ShardState {
        ShardState {
            workers: self.worker_statuses.clone(),
            process: Process {
                cpu: process.cpu.saturating_sub(self.cpu_at_start),
                ..process
            },
            cores: usable_cores(self.workers),
        }
    }

    /// Take in a second of another shard, from 0. `false`: it could not have counted that, and nothing of it is taken.
    pub fn take_in_of_shard(&mut self, shard: usize, second: &ShardSecond) -> bool {
        let fits = second.fits(&self.catalog, self.counted_until().as_secs());
        if fits {
            self.seconds.take_in_of_shard(self.workers + shard, second);
        }
        fits
    }

    /// Take in how another shard stands. `false` as above.
    pub fn shard_stands(&mut self, shard: usize, state: ShardState) -> bool {
        match self.shards.get_mut(shard) {
            Some(known) if state.fits(known) => {
                *known = state;
                true
            }
            _ => false,
        }
    }

    /// From now on the run only waits for what is under way.
    pub fn stopping(&mut self) {
        self.stopping = true;
    }

    /// Before the first second is over: the state of the run with what has been handed over of it.
    pub fn early(&self, now: Duration, process: Process) -> Option<Snapshot> {
        self.counted_until().is_zero().then(|| {
            let mut early = self.clone();
            early.close();
            early.snapshot(now, process)
        })
    }

    /// The state of the run at `elapsed`, up to where everything was absorbed. `process` is a fresh sample.
    pub fn snapshot(&mut self, elapsed: Duration, process: Process) -> Snapshot {
        let mut activity: Vec<RecordedRequest> = self.activity.iter().copied().collect();
        activity.sort_by_key(|a| a.at);
        let mut process = process;
        for other in self.shards.iter().map(|shard| &shard.process) {
            process.cpu += other.cpu;
            process.rss += other.rss;
            process.open_files += other.open_files;
            process.open_sockets += other.open_sockets;
            process.threads += other.threads;
        }
        let own = self.worker_statuses.iter();
        let statuses = own.chain(self.shards.iter().flat_map(|shard| &shard.workers));
        let statuses: Vec<WorkerStatus> = statuses.copied().collect();
        let cores = self.shards.iter().map(|shard| shard.cores).sum::<usize>();
        let mut snapshot = Snapshot {
            catalog: self.catalog.clone(),
            started: self.started,
            elapsed,
            now: elapsed.max(process.at),
            sending: elapsed,
            stage: None,
            is_complete: self.is_complete,
            workers: statuses.len(),
            archetypes: self.archetypes.clone(),
            versions: self.versions.clone(),
            swaps: self.swaps.clone(),
            run: self.run.clone(),
            slowest: self.slowest.clone(),
            desired: self.desired.clone(),
            worker_statuses: WorkerStatuses(statuses),
            stopping: self.stopping,
            activity,
            early: None,
            rates: Rates::default(),
            guard: Arc::default(),
            process,
            cpu: CpuUse {
                used: process.cpu.saturating_sub(self.cpu_at_start),
                over: process.at,
                cores: usable_cores(self.workers) + cores,
            },
        };
        let now = Reading {
            elapsed,
            sent: snapshot.sent(),
            requests: snapshot.requests(),
            errors: snapshot.errors(),
            bytes_received: snapshot.bytes_received(),
            cpu: process.cpu,
            cpu_at: process.at,
        };
        snapshot.rates = self.history.rates(now);
        snapshot
    }
}

/// Cores that the workers can keep busy at most.
fn usable_cores(workers: usize) -> usize {
    std::thread::available_parallelism().map_or(workers, |cores| workers.min(cores.get()))
}
