//! What is counted for one archetype, for one version of its behavior, and for the whole run. The same shapes hold one
//! worker's interval and the run's totals. Written by the recorder, read through [`super::Snapshot`].

use std::time::Duration;

use vespeiro_model::{ChannelKind, Ending, Failure, FaultKind};

use super::merge::{Merge, counts, grow};
use super::{
    Addresses, ArchetypeLabels, ArrivalCount, ChannelCounts, ConnectionCounts, FailureCauses,
    NamedCounts, PhaseTimes, ResilienceCounts, Scale, Series, Sketch, Timing, TransactionCounts,
    WireBytes,
};

counts! {
    /// Sessions begun, and how long they lasted by the way they ended.
    #[derive(Debug, Clone)]
    pub struct Sessions {
        pub started: u64,
        ended: [Timing; Ending::ALL.len()] = std::array::from_fn(|_| Timing::new(Scale::Millis)),
    }

    /// How often something that should hold did.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct CheckCount {
        pub passed: u64,
        pub failed: u64,
    }

    /// How often a fault was asked for, and how often a request failed because of it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct FaultCount {
        pub asked: u64,
        /// Can be more than was asked for: a burst into a rate limit is several requests.
        pub committed: u64,
    }

    /// What a behavior did: counted for an archetype, and for each of its versions.
    #[derive(Debug, Clone)]
    pub struct BehaviorCounts {
        pub sessions: Sessions,
        /// Time of each call into the behavior.
        pub guest_calls: Timing = Timing::new(Scale::Nanos),
        pub instances_built: u64,
        pub traps: u64,
    }

    /// Everything that is counted for one archetype.
    #[derive(Debug, Clone)]
    pub struct ArchetypeCounts {
        /// Requests that left, by route number as `routes`.
        pub sent: Vec<u64>,
        /// Requests that have their outcome, by route number; the last one is for routes that were not announced.
        pub routes: Vec<Series>,
        /// Where their time went, by route number as `routes`.
        pub phases: Vec<PhaseTimes>,
        /// Requests by category number; the last one is for unknown categories.
        pub categories: Vec<u64>,
        /// Requests that never left, in the order of [`Failure::NOT_SENT`].
        pub not_sent: [u64; Failure::NOT_SENT.len()],
        pub users_started: u64,
        pub users_finished: u64,
        pub behavior: BehaviorCounts,
        pub checks: NamedCounts<CheckCount>,
        /// Values of the behavior's own metrics.
        pub observed: NamedCounts<Sketch>,
        /// Sessions that were given up, by the reason that they have said, and by where.
        pub given_up: NamedCounts<NamedCounts<u64>>,
        /// Transactions that the behavior has named.
        pub(super) named: NamedCounts<TransactionCounts>,
        /// Requests with all that they were redirected to, apart from those: neither takes names from the other.
        pub(super) chains: NamedCounts<TransactionCounts>,
    }

    /// Everything that is counted for one version of an archetype's behavior. Over an archetype's versions, requests and
    /// sessions add up to those of the archetype.
    #[derive(Debug, Clone)]
    pub struct VersionCounts {
        pub requests: Series,
        pub behavior: BehaviorCounts,
    }

    /// Everything that is counted for the whole run.
    #[derive(Debug, Clone)]
    pub struct RunCounts {
        /// How late the workers' timers fired.
        pub lag: Timing = Timing::new(Scale::Micros),
        /// What became of the arrivals of a rate; all zero where there is none.
        pub arrivals: ArrivalCount,
        /// Failures on purpose, in the order of [`FaultKind::ALL`].
        pub faults: [FaultCount; FaultKind::ALL.len()],
        pub connections: ConnectionCounts,
        pub wire: WireBytes,
        /// In the order of [`ChannelKind::ALL`].
        pub channels: [ChannelCounts; ChannelKind::ALL.len()],
        /// Where requests went.
        pub addresses: Addresses,
        /// Why requests have no complete answer.
        pub causes: FailureCauses,
        /// What was held back to spare the target.
        pub resilience: ResilienceCounts,
    }
}

impl Sessions {
    /// Durations of the sessions that ended this way.
    pub fn ended(&self, ending: Ending) -> &Timing {
        &self.ended[ending as usize]
    }

    /// Sessions that have started and not ended.
    pub fn active(&self) -> u64 {
        let ended: u64 = self.ended.iter().map(Timing::count).sum();
        self.started.saturating_sub(ended)
    }

    pub(super) fn end(&mut self, ending: Ending, lasted: Duration) {
        self.ended[ending as usize].record(lasted);
    }
}

impl ArchetypeCounts {
    pub(super) fn new(labels: &ArchetypeLabels, categories: usize) -> ArchetypeCounts {
        let mut counts = ArchetypeCounts::default();
        counts.grow(labels.routes.len(), categories);
        counts
    }

    /// Users that have started and not finished.
    pub fn users_active(&self) -> u64 {
        self.users_started.saturating_sub(self.users_finished)
    }

    /// Has at least so many announced routes and known categories; what was counted stays under its number.
    pub(super) fn grow(&mut self, routes: usize, categories: usize) {
        grow(&mut self.sent, routes + 1);
        grow(&mut self.routes, routes + 1);
        grow(&mut self.phases, routes + 1);
        grow(&mut self.categories, categories + 1);
    }
}

impl Merge for Sketch {
    fn merge(&mut self, other: &Sketch) {
        Sketch::merge(self, other);
    }

    fn reset(&mut self) {
        Sketch::reset(self);
    }

    fn is_empty(&self) -> bool {
        self.count() == 0
    }

    fn fits(&self, _: &Sketch) -> bool {
        self.is_sound()
    }
}

impl Merge for Timing {
    fn merge(&mut self, other: &Timing) {
        Timing::merge(self, other);
    }

    fn reset(&mut self) {
        Timing::reset(self);
    }

    fn is_empty(&self) -> bool {
        self.count() == 0
    }

    fn fits(&self, like: &Timing) -> bool {
        Timing::fits(self, like)
    }
}
