//! All workers' intervals, merged since the start of the run, and the short history that rates come from. Owned by
//! the orchestrator in `run`. Whatever the split of the run into intervals, the totals are the same.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{
    Activity, Aim, ArchetypeCounts, ArrivalCount, Catalog, CpuUse, Ending, FaultCount, FaultKind,
    Holds, Interval, OLDER, Process, Role, Scale, Slowest, Snapshot, Standing, Standings,
    SwapResult, Timing, VersionCounts, VersionTotal,
};

/// Requests that the activity ring remembers.
const ACTIVITY: usize = 50;
/// How far back rates look at most.
const HISTORY: Duration = Duration::from_secs(10);

/// What happened per second, over a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rate {
    /// The stretch that was really looked at.
    pub over: Duration,
    pub requests: f64,
    /// Failures that nobody asked for.
    pub errors: f64,
    pub bytes_received: f64,
    /// Cores that the process kept busy.
    pub cores: f64,
}

/// The present pace.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rates {
    /// Since the last snapshot.
    pub interval: Rate,
    /// Over the last second or so.
    pub second: Rate,
    /// Over the last ten seconds or so.
    pub ten_seconds: Rate,
}

/// Where the counters stood at one instant.
#[derive(Debug, Clone, Copy)]
struct Point {
    elapsed: Duration,
    requests: u64,
    errors: u64,
    bytes_received: u64,
    cpu: Duration,
}

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
    lag: Arc<Timing>,
    arrivals: Arc<ArrivalCount>,
    aim: Aim,
    slowest: Slowest,
    faults: [FaultCount; FaultKind::ALL.len()],
    holds: Holds,
    /// By worker.
    standings: Vec<Standing>,
    /// The run was asked to end.
    stopping: bool,
    activity: VecDeque<Activity>,
    history: VecDeque<Point>,
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
            elapsed: Duration::ZERO,
            requests: 0,
            errors: 0,
            bytes_received: 0,
            cpu: process.cpu,
        };
        Totals {
            catalog,
            workers: workers.max(1),
            started: SystemTime::now(),
            cpu_at_start: process.cpu,
            archetypes: archetypes.into_iter().map(Arc::new).collect(),
            versions,
            swaps,
            lag: Arc::new(Timing::new(Scale::Micros)),
            arrivals: Arc::default(),
            slowest: Slowest::default(),
            aim: Aim::default(),
            faults: Default::default(),
            holds: Holds::default(),
            standings: vec![Standing::default(); workers.max(1)],
            stopping: false,
            activity: VecDeque::with_capacity(ACTIVITY),
            history: VecDeque::from([start]),
        }
    }

    /// Go on with a later generation of the catalog. Do it before any worker does.
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
            let crashed = counts.sessions.ended(Ending::Crashed).count();
            (counts.sessions.started, crashed, counts.traps)
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
        Arc::make_mut(&mut self.lag).merge(&interval.lag);
        Arc::make_mut(&mut self.arrivals).merge(&interval.arrivals);
        self.slowest.merge(&interval.slowest);
        for (mine, theirs) in self.faults.iter_mut().zip(interval.faults.iter()) {
            mine.merge(theirs);
        }
        self.holds.merge(&interval.holds);
        if let Some(standing) = self.standings.get_mut(interval.worker()) {
            *standing = *interval.standing;
        }
        let room = ACTIVITY.saturating_sub(interval.activity.len());
        self.activity
            .drain(..self.activity.len().saturating_sub(room));
        self.activity.extend(&interval.activity);
        interval.reset();
    }

    /// The same, that keep so many of the slowest requests.
    pub fn keeping(mut self, slowest: usize) -> Totals {
        self.slowest.reset(slowest);
        self
    }

    /// What the load profile wants from now on.
    pub fn aim(&mut self, aim: Aim) {
        self.aim = aim;
    }

    /// From now on the run only waits for what is under way.
    pub fn stopping(&mut self) {
        self.stopping = true;
    }

    /// The state of the run now. `elapsed` is the monotonic time since the start, `process` a fresh sample.
    pub fn snapshot(&mut self, elapsed: Duration, process: Process) -> Snapshot {
        let mut activity: Vec<Activity> = self.activity.iter().copied().collect();
        activity.sort_by_key(|a| a.at);
        let mut snapshot = Snapshot {
            catalog: self.catalog.clone(),
            started: self.started,
            elapsed,
            workers: self.workers,
            archetypes: self.archetypes.clone(),
            versions: self.versions.clone(),
            swaps: self.swaps.clone(),
            lag: self.lag.clone(),
            arrivals: self.arrivals.clone(),
            slowest: self.slowest.clone(),
            aim: self.aim.clone(),
            faults: self.faults,
            holds: self.holds,
            standings: Standings(self.standings.clone()),
            stopping: self.stopping,
            activity,
            rates: Rates::default(),
            watch: Arc::default(),
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
        snapshot.rates = Rates {
            interval: self
                .history
                .back()
                .map_or_else(Rate::default, |from| rate(from, &now)),
            second: self.since(&now, Duration::from_secs(1)),
            ten_seconds: self.since(&now, HISTORY),
        };
        self.remember(now);
        snapshot
    }

    /// The rate since the youngest remembered point that is at least `back` old, or since the oldest.
    fn since(&self, now: &Point, back: Duration) -> Rate {
        let edge = now.elapsed.saturating_sub(back);
        let from = self
            .history
            .iter()
            .rev()
            .find(|p| p.elapsed <= edge)
            .or_else(|| self.history.front());
        from.map_or_else(Rate::default, |from| rate(from, now))
    }

    fn remember(&mut self, now: Point) {
        self.history.push_back(now);
        // One point older than the window stays, else the window would not be full. The bound on the number only
        // matters to a caller that takes snapshots without pause.
        let edge = now.elapsed.saturating_sub(HISTORY);
        while self.history.len() > 1_000 || self.history.get(1).is_some_and(|p| p.elapsed <= edge) {
            self.history.pop_front();
        }
    }
}

fn rate(from: &Point, to: &Point) -> Rate {
    let over = to.elapsed.saturating_sub(from.elapsed);
    if over.is_zero() {
        return Rate::default();
    }
    let seconds = over.as_secs_f64();
    Rate {
        over,
        requests: to.requests.saturating_sub(from.requests) as f64 / seconds,
        errors: to.errors.saturating_sub(from.errors) as f64 / seconds,
        bytes_received: to.bytes_received.saturating_sub(from.bytes_received) as f64 / seconds,
        cores: to.cpu.saturating_sub(from.cpu).as_secs_f64() / seconds,
    }
}

/// Cores that the workers can keep busy at most.
fn usable_cores(workers: usize) -> usize {
    std::thread::available_parallelism().map_or(workers, |cores| workers.min(cores.get()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::testing::{Event, catalog, event, sample, version};
    use crate::metrics::{MAX_VERSIONS, Recorder, RequestSample, RouteLabel, UNKNOWN};

    fn process(cpu_ms: u64) -> Process {
        Process {
            cpu: Duration::from_millis(cpu_ms),
            ..Process::default()
        }
    }

    /// Everything countable of a snapshot, in a comparable form.
    fn digest(snapshot: &Snapshot) -> String {
        let mut text = String::new();
        for counts in &snapshot.archetypes {
            for series in &counts.routes {
                text += &format!(
                    "{:?} {} {} {} {:?}\n",
                    series.results(),
                    series.bytes_sent,
                    series.bytes_received,
                    series.latency.to_base64(),
                    series.latency.sum(),
                );
            }
            text += &format!(
                "{:?} {:?} {}\n",
                counts.categories,
                counts.not_sent,
                counts.users_active()
            );
            for ending in Ending::ALL {
                text += &format!("{} ", counts.sessions.ended(ending).to_base64());
            }
            text += &format!(
                "{} {} {}\n",
                counts.sessions.started, counts.instances_built, counts.traps
            );
            text += &format!(
                "{:?} {}\n",
                counts.checks.sorted(),
                counts.guest_calls.to_base64()
            );
            for (name, observed) in counts.observed.sorted() {
                text += &format!("{name} {} {:?}\n", observed.count(), observed.quantile(0.9));
            }
        }
        for version in &snapshot.versions {
            text += &format!(
                "{:?} {:?} {} {}\n",
                version.role,
                version.counts.requests.results(),
                version.counts.sessions.started,
                version.counts.guest_calls.to_base64(),
            );
        }
        text + &snapshot.lag.to_base64()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_split_among_workers_and_intervals_gives_the_same_totals(
            events in prop::collection::vec((event(), 0..3usize, any::<bool>()), 0..200),
            backwards in any::<bool>(),
        ) {
            let catalog = catalog();
            let mut alone = Recorder::new(catalog.clone(), 0);
            let mut workers: Vec<Recorder> = (0..3).map(|w| Recorder::new(catalog.clone(), w)).collect();
            let mut handed_over = Vec::new();
            for (event, worker, hand_over) in &events {
                Event::record(event, &mut alone);
                Event::record(event, &mut workers[*worker]);
                if *hand_over {
                    handed_over.push(workers[*worker].take(Interval::new(&catalog)));
                }
            }
            handed_over.extend(workers.iter_mut().map(|w| w.take(Interval::new(&catalog))));
            if backwards {
                handed_over.reverse();
            }

            let mut one = Totals::new(catalog.clone(), 1, Process::default());
            one.absorb(&mut alone.take(Interval::new(&catalog)));
            let mut many = Totals::new(catalog.clone(), 3, Process::default());
            let mut held = None;
            for interval in &mut handed_over {
                many.absorb(interval);
                // A reader that still holds an older snapshot must not disturb the totals.
                held = Some(many.snapshot(Duration::from_secs(1), Process::default()));
            }
            drop(held);
            let end = Duration::from_secs(2);
            prop_assert_eq!(
                digest(&one.snapshot(end, Process::default())),
                digest(&many.snapshot(end, Process::default()))
            );
        }

        #[test]
        fn a_recycled_interval_carries_nothing_over(events in prop::collection::vec(event(), 0..50)) {
            let catalog = catalog();
            let mut recorder = Recorder::new(catalog.clone(), 0);
            events.iter().for_each(|e| e.record(&mut recorder));
            let mut totals = Totals::new(catalog.clone(), 1, Process::default());
            let mut interval = recorder.take(Interval::new(&catalog));
            totals.absorb(&mut interval);
            let before = digest(&totals.snapshot(Duration::from_secs(1), Process::default()));
            totals.absorb(&mut interval);
            prop_assert_eq!(before, digest(&totals.snapshot(Duration::from_secs(1), Process::default())));
        }
    }

    /// A catalog that has taken in a behavior with a route and a category of its own.
    fn grown(catalog: &Catalog) -> (Arc<Catalog>, Role) {
        let mut catalog = catalog.clone();
        let category = catalog.add_category("brand-new");
        let route = RouteLabel {
            method: "GET".into(),
            path: "/brand/new".into(),
            category,
        };
        catalog.add_route(0, route);
        let number = catalog.add_version(version(0, "fedcba"));
        catalog.share_out(0, &[(number, 1.0)]);
        let role = catalog.version(number).unwrap().role();
        (Arc::new(catalog), role)
    }

    #[test]
    fn a_catalog_that_grows_moves_nothing_that_was_counted() {
        let before = catalog();
        let (after, role) = grown(&before);
        let mut recorder = Recorder::new(before.clone(), 0);
        let mut slow = Recorder::new(before.clone(), 1);
        let mut totals = Totals::new(before.clone(), 2, Process::default());
        let unknown = RequestSample {
            category: UNKNOWN,
            ..sample(0, UNKNOWN)
        };
        recorder.request(&sample(0, 2));
        recorder.request(&unknown);
        totals.adopt(after.clone());
        recorder.adopt(after.clone());
        recorder.request(&RequestSample {
            role,
            category: 3,
            ..sample(0, 3)
        });
        recorder.request(&unknown);
        // A worker that has not heard of the swap yet, and an interval that is older still.
        slow.request(&unknown);
        totals.absorb(&mut slow.take(Interval::new(&before)));
        totals.absorb(&mut recorder.take(Interval::new(&before)));
        recorder.request(&unknown);
        totals.absorb(&mut recorder.take(Interval::new(&before)));

        let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
        let by_route: Vec<(String, u64)> = snapshot
            .by_route()
            .into_iter()
            .map(|r| (r.path, r.group.requests()))
            .collect();
        let expected = [("/api/v1/users", 1), ("/brand/new", 1), ("other", 4)];
        assert_eq!(by_route, expected.map(|(path, n)| (path.to_owned(), n)));
        let categories = snapshot.by_category();
        assert_eq!(categories[3..], [("brand-new", 1), ("other", 4)]);
        let versions: Vec<u64> = snapshot
            .versions_of(0)
            .map(|v| v.counts.requests.requests())
            .collect();
        assert_eq!(versions, [5, 1]);
    }

    #[test]
    fn versions_beyond_the_bound_are_counted_together() {
        let mut totals = Totals::new(catalog(), 1, Process::default());
        let mut recorder = Recorder::new(catalog(), 0);
        let mut labels = (*catalog()).clone();
        let mut interval = Interval::new(&labels);
        for swap in 0..200 {
            let number = labels.add_version(version(0, &format!("{swap}")));
            labels.share_out(0, &[(number, 1.0)]);
            let next = Arc::new(labels.clone());
            totals.adopt(next.clone());
            recorder.adopt(next);
            let role = labels.version(number).unwrap().role();
            recorder.request(&RequestSample {
                role,
                ..sample(0, 0)
            });
            interval = recorder.take(interval);
            totals.absorb(&mut interval);
        }
        // Somebody still plays on the first one, long forgotten.
        recorder.request(&sample(0, 0));
        totals.absorb(&mut recorder.take(interval));
        let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
        let requests = |v: &VersionTotal| v.counts.requests.requests();
        let of_all: u64 = snapshot.versions_of(0).map(requests).sum();
        assert_eq!((of_all, snapshot.requests()), (201, 201));
        assert_eq!(snapshot.versions_of(0).count(), MAX_VERSIONS + 1);
        let older = snapshot.versions_of(0).next().unwrap();
        assert!(older.is_older());
        assert_eq!(requests(older), 137);
    }

    #[test]
    fn rates_look_at_their_own_stretch_of_time() {
        let catalog = catalog();
        let mut recorder = Recorder::new(catalog.clone(), 0);
        let mut totals = Totals::new(catalog.clone(), 1, process(1_000));
        let mut interval = Interval::new(&catalog);
        let mut last = None;
        // 10 requests a quarter second for 20 s, then 100 a quarter second for 1 s.
        for quarter in 1..=84u32 {
            let requests = if quarter <= 80 { 10 } else { 100 };
            (0..requests).for_each(|_| recorder.request(&crate::metrics::testing::sample(0, 0)));
            interval = recorder.take(interval);
            totals.absorb(&mut interval);
            let elapsed = Duration::from_millis(250) * quarter;
            last = Some(totals.snapshot(elapsed, process(1_000 + u64::from(quarter) * 125)));
        }
        let rates = last.unwrap().rates;
        assert_eq!(
            (rates.interval.requests, rates.second.requests),
            (400.0, 400.0)
        );
        assert_eq!(
            rates.ten_seconds.requests,
            (36.0 * 10.0 + 4.0 * 100.0) / 10.0
        );
        assert_eq!(rates.ten_seconds.over, Duration::from_secs(10));
        assert_eq!(rates.second.cores, 0.5);
        assert!(totals.history.len() <= 42);
    }

    #[test]
    fn the_activity_ring_keeps_the_latest() {
        let catalog = catalog();
        let mut recorder = Recorder::new(catalog.clone(), 0);
        let mut totals = Totals::new(catalog.clone(), 1, Process::default());
        let mut interval = Interval::new(&catalog);
        for user in 0..70 {
            recorder.request(&crate::metrics::RequestSample {
                user,
                ..crate::metrics::testing::sample(0, 0)
            });
            interval = recorder.take(interval);
            totals.absorb(&mut interval);
        }
        let users: Vec<u32> = totals
            .snapshot(Duration::from_secs(1), Process::default())
            .activity
            .iter()
            .map(|a| a.user)
            .collect();
        assert_eq!(users, (20..70).collect::<Vec<_>>());
    }
}
