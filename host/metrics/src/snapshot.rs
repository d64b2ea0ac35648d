//! All workers' metrics, merged at one instant. Made by [`super::Totals`], read by the panel, the summary and
//! Prometheus. Never changes once made, and knows nothing that its series do not.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{
    ArchetypeCounts, ArrivalCount, Catalog, DesiredLoad, FaultCount, GuardStatus, Process, Rates,
    RecordedRequest, ResilienceCounts, ResultCount, Series, Sessions, Slowest, Timing,
    VersionTotal, WorkerStatuses,
};
use vespeiro_model::{Ending, Failure, FaultKind, OutcomeClass, SwapResult};

/// CPU that the generator took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CpuUse {
    /// CPU time of the whole process since the start of the run.
    pub used: Duration,
    /// Cores that the workers can keep busy at most.
    pub cores: usize,
}

/// The state of the run at one instant.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub catalog: Arc<Catalog>,
    /// Wall clock at the start of the run.
    pub started: SystemTime,
    /// Since the start of the run.
    pub elapsed: Duration,
    pub workers: usize,
    /// In the catalog's order.
    pub archetypes: Vec<Arc<ArchetypeCounts>>,
    /// By archetype, then from the oldest version to the newest; forgotten ones are the first, together.
    pub versions: Vec<VersionTotal>,
    /// Swaps by archetype, in the order of [`SwapResult::ALL`].
    pub swaps: Vec<[u64; SwapResult::ALL.len()]>,
    /// How late the workers' timers fired.
    pub lag: Arc<Timing>,
    /// What came of the arrivals of a rate; all zero where there is none.
    pub arrivals: Arc<ArrivalCount>,
    /// The slowest requests of the run.
    pub slowest: Slowest,
    /// What the load profile wants now.
    pub desired: DesiredLoad,
    /// Failures on purpose, in the order of [`FaultKind::ALL`].
    pub faults: [FaultCount; FaultKind::ALL.len()],
    /// What was held back out of regard for the target.
    pub resilience: ResilienceCounts,
    /// How the workers stood at their last hand-over.
    pub worker_statuses: WorkerStatuses,
    /// The run was asked to end, and waits for what is under way.
    pub stopping: bool,
    /// Some of the latest requests, oldest first.
    pub activity: Vec<RecordedRequest>,
    pub rates: Rates,
    /// How the guard sees it.
    pub guard: Arc<GuardStatus>,
    pub process: Process,
    pub cpu: CpuUse,
}

/// Several series taken together.
#[derive(Debug, Clone, Default)]
pub struct Group {
    series: Series,
}

/// One route over all archetypes.
#[derive(Debug, Clone)]
pub struct RouteGroup {
    pub method: String,
    pub path: String,
    pub group: Group,
}

impl Group {
    pub(super) fn add(&mut self, series: &Series) {
        self.series.merge(series);
    }

    /// Requests that were sent.
    pub fn requests(&self) -> u64 {
        self.series.requests()
    }

    /// Requests with a status below 400, and failures that the tool asked for.
    pub fn successes(&self) -> u64 {
        self.requests() - self.errors()
    }

    /// Failures that nobody asked for.
    pub fn errors(&self) -> u64 {
        sum(&self.series, ResultCount::is_error)
    }

    /// Failures that the tool asked for.
    pub fn injected(&self) -> u64 {
        sum(&self.series, ResultCount::is_injected)
    }

    /// Successes by requests; 1 when there were none.
    pub fn success_share(&self) -> f64 {
        if self.requests() == 0 {
            1.0
        } else {
            self.successes() as f64 / self.requests() as f64
        }
    }

    /// How the requests came out, in a stable order.
    pub fn results(&self) -> Vec<ResultCount> {
        self.series.results()
    }

    /// Requests by what the error mix tells apart, whoever is to blame, in the order of [`OutcomeClass::ALL`].
    pub fn classes(&self) -> [u64; OutcomeClass::ALL.len()] {
        OutcomeClass::ALL.map(|class| sum(&self.series, |r| OutcomeClass::of(r.outcome) == class))
    }

    pub fn latency(&self) -> &Timing {
        &self.series.latency
    }

    pub fn bytes_sent(&self) -> u64 {
        self.series.bytes_sent
    }

    pub fn bytes_received(&self) -> u64 {
        self.series.bytes_received
    }
}

impl Snapshot {
    /// Every series in use: archetype number, route number, counts.
    pub fn series(&self) -> impl Iterator<Item = (u16, u16, &Series)> {
        self.archetypes
            .iter()
            .enumerate()
            .flat_map(|(archetype, counts)| {
                counts
                    .routes
                    .iter()
                    .enumerate()
                    .filter(|(_, series)| series.requests() > 0)
                    .map(move |(route, series)| (archetype as u16, route as u16, series))
            })
    }

    /// Merge the series that `keep` (archetype number, route number) chooses.
    pub fn group(&self, keep: impl Fn(u16, u16) -> bool) -> Group {
        let mut group = Group::default();
        self.series()
            .filter(|(a, r, _)| keep(*a, *r))
            .for_each(|(_, _, series)| group.add(series));
        group
    }

    /// All requests of the run.
    pub fn total(&self) -> Group {
        self.group(|_, _| true)
    }

    /// One group for each archetype, in the catalog's order.
    pub fn by_archetype(&self) -> Vec<Group> {
        (0..self.archetypes.len())
            .map(|wanted| self.group(|a, _| usize::from(a) == wanted))
            .collect()
    }

    /// The versions that have played an archetype, from the oldest to the newest.
    pub fn versions_of(&self, archetype: u16) -> impl DoubleEndedIterator<Item = &VersionTotal> {
        let own = move |v: &&VersionTotal| v.role.archetype == archetype;
        self.versions.iter().filter(own)
    }

    /// One group for each method and path template in use, over all archetypes, ordered by path and method.
    pub fn by_route(&self) -> Vec<RouteGroup> {
        let mut routes: Vec<RouteGroup> = Vec::new();
        for (archetype, route, series) in self.series() {
            let (method, path) = self.catalog.route(archetype, route);
            let at = match routes
                .binary_search_by(|r| (r.path.as_str(), r.method.as_str()).cmp(&(path, method)))
            {
                Ok(at) => at,
                Err(at) => {
                    let group = Group::default();
                    routes.insert(
                        at,
                        RouteGroup {
                            method: method.into(),
                            path: path.into(),
                            group,
                        },
                    );
                    at
                }
            };
            routes[at].group.add(series);
        }
        routes
    }

    /// Requests by category, over all archetypes, in the catalog's order; unknown ones last, if there are any.
    pub fn by_category(&self) -> Vec<(&str, u64)> {
        (0..=self.catalog.categories.len())
            .map(|at| {
                let count = self
                    .archetypes
                    .iter()
                    .map(|a| a.categories.get(at).copied().unwrap_or(0))
                    .sum();
                (self.catalog.category(at), count)
            })
            .enumerate()
            .filter(|(at, (_, count))| *at < self.catalog.categories.len() || *count > 0)
            .map(|(_, entry)| entry)
            .collect()
    }

    /// Requests that never left, with their reason.
    pub fn not_sent(&self) -> [(Failure, u64); Failure::NOT_SENT.len()] {
        std::array::from_fn(|at| {
            (
                Failure::NOT_SENT[at],
                self.archetypes.iter().map(|a| a.not_sent[at]).sum(),
            )
        })
    }

    /// Sessions of all archetypes.
    pub fn sessions(&self) -> Sessions {
        let mut sessions = Sessions::default();
        self.archetypes
            .iter()
            .for_each(|a| sessions.merge(&a.sessions));
        sessions
    }

    /// Sessions that have started and not ended.
    pub fn sessions_active(&self) -> u64 {
        let started: u64 = self.archetypes.iter().map(|a| a.sessions.started).sum();
        let ended: u64 = self
            .archetypes
            .iter()
            .flat_map(|a| Ending::ALL.map(|ending| a.sessions.ended(ending).count()))
            .sum();
        started.saturating_sub(ended)
    }

    pub fn users_active(&self) -> u64 {
        self.archetypes.iter().map(|a| a.users_active()).sum()
    }

    /// Requests that were sent.
    pub fn requests(&self) -> u64 {
        self.series().map(|(_, _, s)| s.requests()).sum()
    }

    /// Failures that nobody asked for.
    pub fn errors(&self) -> u64 {
        self.series()
            .map(|(_, _, s)| sum(s, ResultCount::is_error))
            .sum()
    }

    pub fn bytes_received(&self) -> u64 {
        self.series().map(|(_, _, s)| s.bytes_received).sum()
    }

    /// Requests per second since the start.
    pub fn mean_rate(&self) -> f64 {
        per_second(self.requests(), self.elapsed)
    }

    /// CPU time by what the workers' cores could give since the start: 1 means that they were never idle.
    pub fn cpu_share(&self) -> f64 {
        let available = self.elapsed.as_secs_f64() * self.cpu.cores as f64;
        if available > 0.0 {
            self.cpu.used.as_secs_f64() / available
        } else {
            0.0
        }
    }

    /// Share of the CPU time that went into calls of behaviors.
    pub fn guest_share(&self) -> f64 {
        let used = self.cpu.used.as_secs_f64();
        if used > 0.0 {
            (self.guest_calls().sum().as_secs_f64() / used).min(1.0)
        } else {
            0.0
        }
    }

    /// Calls into the behaviors of all archetypes.
    pub fn guest_calls(&self) -> Timing {
        let mut calls = Timing::new(super::Scale::Nanos);
        self.archetypes
            .iter()
            .for_each(|a| calls.merge(&a.guest_calls));
        calls
    }
}

fn sum(series: &Series, which: impl Fn(&ResultCount) -> bool) -> u64 {
    series
        .results()
        .iter()
        .filter(|r| which(r))
        .map(|r| r.count)
        .sum()
}

/// A number of events as a rate; 0 over no time at all.
fn per_second(count: u64, over: Duration) -> f64 {
    if over.is_zero() {
        0.0
    } else {
        count as f64 / over.as_secs_f64()
    }
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
        assert_eq!(total.successes() + total.errors(), total.requests());
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
