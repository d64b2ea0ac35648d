//! All workers' metrics, merged at one instant. Made by [`super::Totals`], read by the engine's guard, the summary and every
//! output.
//!
//! What must stay true: it never changes once made, and every grouping of requests is made of the same series.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use vespeiro_model::{Failure, SwapResult};

use super::merge::Merge as _;
use super::{
    ArchetypeCounts, BehaviorCounts, Catalog, DesiredLoad, GuardStatus, PhaseTimes, Process, Rates,
    RecordedRequest, RunCounts, Series, Sessions, Slowest, Timing, VersionTotal, WorkerStatuses,
};

/// CPU that the generator took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CpuUse {
    /// CPU time of the whole process since the start of the run.
    pub used: Duration,
    /// The time in which it was used.
    pub over: Duration,
    /// Cores that the workers can keep busy at most.
    pub cores: usize,
}

/// The state of the run at one instant.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub catalog: Arc<Catalog>,
    /// Wall clock at the start of the run.
    pub started: SystemTime,
    /// The end of the second up to which everything is counted, since the start of the run; at the end of the run, that end.
    pub elapsed: Duration,
    /// When it was made, since the start of the run.
    pub now: Duration,
    /// The part of `elapsed` in which requests could leave: no pause, and not the end, in which the run waits for outcomes.
    pub sending: Duration,
    /// The stage of the run's profile, from 1, that the last second was a part of.
    pub stage: Option<usize>,
    /// All workers have handed in the last second in time.
    pub is_complete: bool,
    pub workers: usize,
    /// In the catalog's order.
    pub archetypes: Vec<Arc<ArchetypeCounts>>,
    /// By archetype, then from the oldest version to the newest; forgotten ones are the first, together.
    pub versions: Vec<VersionTotal>,
    /// Swaps by archetype, in the order of [`SwapResult::ALL`].
    pub swaps: Vec<[u64; SwapResult::ALL.len()]>,
    pub run: Arc<RunCounts>,
    /// The slowest requests of the run.
    pub slowest: Slowest,
    /// What the load profile wants now.
    pub desired: DesiredLoad,
    /// The workers' states at their last hand-over.
    pub worker_statuses: WorkerStatuses,
    /// The run was asked to end, and waits for requests under way.
    pub stopping: bool,
    /// Some of the latest requests, oldest first.
    pub activity: Vec<RecordedRequest>,
    /// Until the first second is over: the same with what is known of it, for who looks on. No row, condition or push is made
    /// of it.
    pub early: Option<Arc<Snapshot>>,
    pub rates: Rates,
    /// What the guard found.
    pub guard: Arc<GuardStatus>,
    pub process: Process,
    pub cpu: CpuUse,
}

/// One route over all archetypes.
#[derive(Debug, Clone)]
pub struct RouteGroup {
    pub method: String,
    pub path: String,
    pub group: Series,
    pub phases: PhaseTimes,
}

impl Snapshot {
    /// Every series in use: archetype number, route number, counts.
    pub fn series(&self) -> impl Iterator<Item = (u16, u16, &Series)> {
        let archetypes = self.archetypes.iter().zip(0u16..);
        let all = archetypes.flat_map(|(counts, archetype)| {
            let routes = counts.routes.iter().zip(0u16..);
            routes.map(move |(series, route)| (archetype, route, series))
        });
        all.filter(|(_, _, series)| !series.is_empty())
    }

    /// Merge the series that `keep` (archetype number, route number) chooses.
    pub fn group(&self, keep: impl Fn(u16, u16) -> bool) -> Series {
        let mut group = Series::default();
        let kept = self.series().filter(|(a, r, _)| keep(*a, *r));
        kept.for_each(|(_, _, series)| group.merge(series));
        group
    }

    /// Where the time of the requests went that `keep` (archetype number, route number) chooses.
    pub fn phases(&self, keep: impl Fn(u16, u16) -> bool) -> PhaseTimes {
        let mut all = PhaseTimes::default();
        for (counts, archetype) in self.archetypes.iter().zip(0u16..) {
            for (phases, route) in counts.phases.iter().zip(0u16..) {
                if keep(archetype, route) {
                    all.merge(phases);
                }
            }
        }
        all
    }

    /// The phases of a series.
    pub fn phases_of(&self, archetype: u16, route: u16) -> Option<&PhaseTimes> {
        let counts = self.archetypes.get(usize::from(archetype))?;
        counts.phases.get(usize::from(route))
    }

    /// All requests of the run.
    pub fn total(&self) -> Series {
        self.group(|_, _| true)
    }

    /// One group for each archetype, in the catalog's order.
    pub fn by_archetype(&self) -> Vec<Series> {
        let all = 0..self.archetypes.len() as u16;
        all.map(|wanted| self.group(|a, _| a == wanted)).collect()
    }

    /// The versions that have played an archetype, from the oldest to the newest.
    pub fn versions_of(&self, archetype: u16) -> impl DoubleEndedIterator<Item = &VersionTotal> {
        let own = move |v: &&VersionTotal| v.role.archetype == archetype;
        self.versions.iter().filter(own)
    }

    /// One group for each method and path template in use, over all archetypes, ordered by path and method.
    pub fn by_route(&self) -> Vec<RouteGroup> {
        let mut routes: BTreeMap<(&str, &str), (Series, PhaseTimes)> = BTreeMap::new();
        for (archetype, route, series) in self.series() {
            let (method, path) = self.catalog.route(archetype, route);
            let (group, phases) = routes.entry((path, method)).or_default();
            group.merge(series);
            if let Some(own) = self.phases_of(archetype, route) {
                phases.merge(own);
            }
        }
        let groups = routes.into_iter();
        let group = |((path, method), (group, phases)): ((&str, &str), _)| RouteGroup {
            method: method.into(),
            path: path.into(),
            group,
            phases,
        };
        groups.map(group).collect()
    }

    /// Requests to each target and where their time went, in the catalog's order.
    pub fn by_target(&self) -> Vec<(&str, Series, PhaseTimes)> {
        let each = self.catalog.targets.iter().zip(0u16..);
        each.map(|(name, at)| {
            let is_there = |a, r| self.catalog.target_of(a, r) == at;
            (name.as_str(), self.group(is_there), self.phases(is_there))
        })
        .collect()
    }

    /// Requests by category, over all archetypes, in the catalog's order; unknown ones last, if there are any.
    pub fn by_category(&self) -> Vec<(&str, u64)> {
        let known = self.catalog.categories.len();
        let all = (0..=known).map(|at| {
            let counts = self.archetypes.iter().filter_map(|a| a.categories.get(at));
            (at, counts.sum())
        });
        let shown = all.filter(|(at, count)| *at < known || *count > 0);
        shown
            .map(|(at, count)| (self.catalog.category(at), count))
            .collect()
    }

    /// Requests that never left, with their reason.
    pub fn not_sent(&self) -> [(Failure, u64); Failure::NOT_SENT.len()] {
        std::array::from_fn(|at| {
            let count = self.archetypes.iter().map(|a| a.not_sent[at]).sum();
            (Failure::NOT_SENT[at], count)
        })
    }

    /// What the behaviors of all archetypes did.
    pub fn behaviors(&self) -> BehaviorCounts {
        let mut all = BehaviorCounts::default();
        self.archetypes.iter().for_each(|a| all.merge(&a.behavior));
        all
    }

    /// Sessions of all archetypes.
    pub fn sessions(&self) -> Sessions {
        self.behaviors().sessions
    }

    /// Sessions that have started and not ended.
    pub fn sessions_active(&self) -> u64 {
        self.archetypes
            .iter()
            .map(|a| a.behavior.sessions.active())
            .sum()
    }

    pub fn users_active(&self) -> u64 {
        self.archetypes.iter().map(|a| a.users_active()).sum()
    }

    /// Requests that left for the target.
    pub fn sent(&self) -> u64 {
        self.archetypes.iter().flat_map(|a| &a.sent).sum()
    }

    /// Requests that have left and have no outcome yet.
    pub fn in_flight(&self) -> u64 {
        self.sent().saturating_sub(self.requests())
    }

    /// Requests that have their outcome.
    pub fn requests(&self) -> u64 {
        self.series().map(|(_, _, s)| s.requests()).sum()
    }

    /// Failures that nobody asked for.
    pub fn errors(&self) -> u64 {
        self.series().map(|(_, _, s)| s.errors()).sum()
    }

    pub fn bytes_received(&self) -> u64 {
        self.series().map(|(_, _, s)| s.bytes_received()).sum()
    }

    /// Requests sent per second, over the time in which they could leave.
    pub fn mean_rate(&self) -> f64 {
        ratio(self.sent() as f64, self.sending.as_secs_f64())
    }

    /// CPU time by what the workers' cores could give since the start: 1 means that they were never idle.
    pub fn cpu_share(&self) -> f64 {
        let available = self.cpu.over.as_secs_f64() * self.cpu.cores as f64;
        ratio(self.cpu.used.as_secs_f64(), available)
    }

    /// Share of the CPU time that went into calls of behaviors.
    pub fn guest_share(&self) -> f64 {
        let calls = self.archetypes.iter().map(|a| a.behavior.guest_calls.sum());
        let calls: Duration = calls.sum();
        ratio(calls.as_secs_f64(), self.cpu.used.as_secs_f64()).min(1.0)
    }

    /// Calls into the behaviors of all archetypes.
    pub fn guest_calls(&self) -> Timing {
        self.behaviors().guest_calls
    }
}

/// 0 over nothing at all.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use crate::testing::snapshot;

    #[test]
    fn every_grouping_adds_up_to_the_total() {
        let snapshot = snapshot();
        let total = snapshot.total();
        let archetypes = snapshot.by_archetype();
        let routes = snapshot.by_route();
        assert!(total.requests() > 0 && total.errors() > 0 && total.injected() > 0);
        assert_eq!(
            archetypes.iter().map(|g| g.requests()).sum::<u64>(),
            total.requests()
        );
        assert_eq!(
            routes.iter().map(|r| r.group.requests()).sum::<u64>(),
            total.requests()
        );
        assert_eq!(
            routes.iter().map(|r| r.group.errors()).sum::<u64>(),
            total.errors()
        );
        assert_eq!(
            snapshot.by_category().iter().map(|c| c.1).sum::<u64>(),
            total.requests()
        );
        assert_eq!(
            total.results().iter().map(|r| r.count).sum::<u64>(),
            total.requests()
        );
        assert_eq!(total.failures(), total.injected() + total.errors());
        assert_eq!(total.successes() + total.failures(), total.requests());
        assert_eq!(
            (snapshot.requests(), snapshot.errors()),
            (total.requests(), total.errors())
        );
    }

    #[test]
    fn one_route_of_two_archetypes_is_one_group() {
        let snapshot = snapshot();
        let routes = snapshot.by_route();
        let keys: Vec<_> = routes.iter().map(|r| (&r.path, &r.method)).collect();
        let mut unique = keys.clone();
        unique.dedup();
        assert_eq!(keys, unique);
        assert!(keys.is_sorted());
    }
}
