//! What is counted for one archetype. The same shape holds one worker's interval and the run's totals, so that
//! "merge" is written once. Written by the recorder, read through [`super::Snapshot`].
//! Merging in any split and order gives the same counts and distributions as recording everything into one.

use std::time::Duration;

use super::names::Count;
use super::{ArchetypeLabels, NamedCounts, RequestSample, Scale, Sketch, Timing};
use vespeiro_model::{Ending, Failure, Outcome};

/// Number of requests that came out in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResultCount {
    pub outcome: Outcome,
    /// The tool asked for this failure.
    pub expected: bool,
    pub count: u64,
}

impl ResultCount {
    /// A status below 400.
    pub fn is_good(&self) -> bool {
        self.outcome.is_good()
    }

    /// A failure that the tool asked for.
    pub fn is_injected(&self) -> bool {
        !self.is_good() && self.expected
    }

    /// A failure that nobody asked for.
    pub fn is_error(&self) -> bool {
        !self.is_good() && !self.expected
    }
}

/// Everything about the requests of one archetype to one route.
#[derive(Debug, Clone)]
pub struct Series {
    /// A handful in practice, at most 2 for each status code and failure kind.
    results: Vec<ResultCount>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// Of every request that was sent, failed ones too: a timeout is part of the distribution.
    pub latency: Timing,
}

impl Default for Series {
    fn default() -> Series {
        Series {
            results: Vec::new(),
            bytes_sent: 0,
            bytes_received: 0,
            latency: Timing::new(Scale::Micros),
        }
    }
}

impl Series {
    pub(super) fn record(&mut self, sample: &RequestSample) {
        // No such code exists past 999; this keeps the number of results bounded.
        let outcome = match sample.outcome {
            Outcome::Status(status) => Outcome::Status(status.min(999)),
            failed => failed,
        };
        self.count(outcome, sample.expected, 1);
        self.bytes_sent += sample.bytes_sent;
        self.bytes_received += sample.bytes_received;
        self.latency.record(sample.latency);
    }

    /// Requests that were sent.
    pub fn requests(&self) -> u64 {
        self.latency.count()
    }

    /// How the requests came out, in a stable order.
    pub fn results(&self) -> Vec<ResultCount> {
        let mut results = self.results.clone();
        results.sort_unstable();
        results
    }

    pub(super) fn merge(&mut self, other: &Series) {
        if other.requests() > 0 {
            other
                .results
                .iter()
                .for_each(|r| self.count(r.outcome, r.expected, r.count));
            self.bytes_sent += other.bytes_sent;
            self.bytes_received += other.bytes_received;
            self.latency.merge(&other.latency);
        }
    }

    pub(super) fn reset(&mut self) {
        if self.requests() > 0 {
            self.results.clear();
            self.bytes_sent = 0;
            self.bytes_received = 0;
            self.latency.reset();
        }
    }

    fn count(&mut self, outcome: Outcome, expected: bool, count: u64) {
        match self
            .results
            .iter_mut()
            .find(|r| r.outcome == outcome && r.expected == expected)
        {
            Some(result) => result.count += count,
            None => self.results.push(ResultCount {
                outcome,
                expected,
                count,
            }),
        }
    }
}

/// Sessions begun, and how long they lasted by the way they ended.
#[derive(Debug, Clone)]
pub struct Sessions {
    pub started: u64,
    ended: [Timing; Ending::ALL.len()],
}

impl Default for Sessions {
    fn default() -> Sessions {
        Sessions {
            started: 0,
            ended: std::array::from_fn(|_| Timing::new(Scale::Millis)),
        }
    }
}

impl Sessions {
    /// Durations of the sessions that ended this way.
    pub fn ended(&self, ending: Ending) -> &Timing {
        &self.ended[ending as usize]
    }

    pub(super) fn end(&mut self, ending: Ending, lasted: Duration) {
        self.ended[ending as usize].record(lasted);
    }

    pub(super) fn merge(&mut self, other: &Sessions) {
        self.started += other.started;
        self.ended
            .iter_mut()
            .zip(&other.ended)
            .for_each(|(mine, theirs)| mine.merge(theirs));
    }

    pub(super) fn reset(&mut self) {
        self.started = 0;
        self.ended.iter_mut().for_each(Timing::reset);
    }
}

/// How often something that should hold did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckCount {
    pub passed: u64,
    pub failed: u64,
}

impl Count for CheckCount {
    fn merge(&mut self, other: &CheckCount) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    fn reset(&mut self) {
        *self = CheckCount::default();
    }

    fn is_empty(&self) -> bool {
        self.passed + self.failed == 0
    }
}

/// How often a fault was asked for, and how often a request failed of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FaultCount {
    pub asked: u64,
    /// Can be more than was asked for: a burst into a rate limit is several requests.
    pub committed: u64,
}

impl FaultCount {
    pub(super) fn merge(&mut self, other: &FaultCount) {
        self.asked += other.asked;
        self.committed += other.committed;
    }
}

/// Values of a behavior's own metric.
pub type Observed = Sketch;

impl Count for Sketch {
    fn merge(&mut self, other: &Sketch) {
        Sketch::merge(self, other);
    }

    fn reset(&mut self) {
        Sketch::reset(self);
    }

    fn is_empty(&self) -> bool {
        self.count() == 0
    }
}

/// Everything that is counted for one archetype.
#[derive(Debug, Clone)]
pub struct ArchetypeCounts {
    /// By route number; the last one is for routes that were not announced.
    pub routes: Vec<Series>,
    /// Requests by category number; the last one is for unknown categories.
    pub categories: Vec<u64>,
    /// Requests that never left, in the order of [`Failure::NOT_SENT`].
    pub not_sent: [u64; Failure::NOT_SENT.len()],
    pub users_started: u64,
    pub users_finished: u64,
    pub sessions: Sessions,
    pub checks: NamedCounts<CheckCount>,
    pub observed: NamedCounts<Observed>,
    /// Time of each call into the behavior.
    pub guest_calls: Timing,
    pub instances_built: u64,
    pub traps: u64,
}

impl ArchetypeCounts {
    pub(super) fn new(labels: &ArchetypeLabels, categories: usize) -> ArchetypeCounts {
        ArchetypeCounts {
            routes: vec![Series::default(); labels.routes.len() + 1],
            categories: vec![0; categories + 1],
            not_sent: [0; Failure::NOT_SENT.len()],
            users_started: 0,
            users_finished: 0,
            sessions: Sessions::default(),
            checks: NamedCounts::default(),
            observed: NamedCounts::default(),
            guest_calls: Timing::new(Scale::Nanos),
            instances_built: 0,
            traps: 0,
        }
    }

    /// Users that have started and not finished.
    pub fn users_active(&self) -> u64 {
        self.users_started.saturating_sub(self.users_finished)
    }

    pub(super) fn merge(&mut self, other: &ArchetypeCounts) {
        // The other one may be of an earlier generation of the catalog, or of a later one.
        self.grow(other.routes.len() - 1, other.categories.len() - 1);
        by_number(&mut self.routes, &other.routes, Series::merge);
        by_number(&mut self.categories, &other.categories, |mine, theirs| {
            *mine += theirs;
        });
        self.not_sent
            .iter_mut()
            .zip(&other.not_sent)
            .for_each(|(mine, theirs)| *mine += theirs);
        self.users_started += other.users_started;
        self.users_finished += other.users_finished;
        self.sessions.merge(&other.sessions);
        self.checks.merge(&other.checks);
        self.observed.merge(&other.observed);
        self.guest_calls.merge(&other.guest_calls);
        self.instances_built += other.instances_built;
        self.traps += other.traps;
    }

    /// Have at least so many announced routes and known categories; what was counted stays under its number.
    pub(super) fn grow(&mut self, routes: usize, categories: usize) {
        grow_before_last(&mut self.routes, routes + 1);
        grow_before_last(&mut self.categories, categories + 1);
    }

    /// Forget the values, keep the memory.
    pub(super) fn reset(&mut self) {
        self.routes.iter_mut().for_each(Series::reset);
        self.categories.fill(0);
        self.not_sent.fill(0);
        self.users_started = 0;
        self.users_finished = 0;
        self.sessions.reset();
        self.checks.reset();
        self.observed.reset();
        self.guest_calls.reset();
        self.instances_built = 0;
        self.traps = 0;
    }
}

/// The last place is for what has no number, and stays the last.
fn grow_before_last<T: Default>(list: &mut Vec<T>, len: usize) {
    if list.len() < len {
        let last = list.pop().unwrap_or_default();
        list.resize_with(len - 1, T::default);
        list.push(last);
    }
}

/// Merge two lists whose last place is for what has no number. `mine` is the longer one, or as long.
fn by_number<T>(mine: &mut [T], theirs: &[T], merge: impl Fn(&mut T, &T)) {
    if let (Some((rest, numbered)), Some((their_rest, their_numbered))) =
        (mine.split_last_mut(), theirs.split_last())
    {
        merge(rest, their_rest);
        for (mine, theirs) in numbered.iter_mut().zip(their_numbered) {
            merge(mine, theirs);
        }
    }
}
