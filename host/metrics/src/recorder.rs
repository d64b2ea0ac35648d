//! One worker's own metrics. Owned by a worker thread and written by its users; [`Recorder::hand_over`] gives away what was
//! recorded, cut by the seconds of the run.
//!
//! What must stay true: `sent` and `request` are on the path of every request, and only index and add: no lock, no atomic, no
//! hashing. What is recorded after a [`Recorder::roll`] is of that second or a later one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::interval::MAX_ACTIVITY;
use super::merge::Merge as _;
use super::names::NOWHERE;
use super::seconds::{MAX_SPARE, SECOND, second_of};
use super::transactions::chain;
use super::{
    ArchetypeCounts, BehaviorCounts, Catalog, ConnectionCounts, Interval, RecordedRequest,
    RequestSample, Role, ShortPath, SlowRequest, Slowest, Span, WorkerStatus,
};
use vespeiro_model::{
    BreakerState, ChannelKind, Clock, Ending, Failure, FaultKind, HoldReason, Outcome,
};

/// Seconds that wait for an orchestrator that takes none; what comes after them is kept together.
const MAX_WAITING: usize = 8;

/// Counts and distributions of one worker since the last hand-over.
#[derive(Debug)]
pub struct Recorder {
    catalog: Arc<Catalog>,
    worker: usize,
    current: Interval,
    /// When the current second ends, since the start of the run.
    ends: Duration,
    /// The seconds before it that were not handed over yet, oldest first.
    waiting: VecDeque<Interval>,
    /// Emptied ones, to be filled again.
    spare: Vec<Interval>,
    /// The worker's slowest requests since the start of the run.
    slowest: Slowest,
    clock: Clock,
    /// What was counted of connections up to the last look.
    connections: ConnectionCounts,
}

impl Recorder {
    /// `clock` tells when outcomes were recorded.
    pub fn new(catalog: Arc<Catalog>, worker: usize, clock: Clock) -> Recorder {
        let mut current = Interval::new(&catalog);
        current.worker = worker;
        Recorder {
            catalog,
            worker,
            current,
            ends: SECOND,
            waiting: VecDeque::new(),
            spare: Vec::new(),
            slowest: Slowest::default(),
            clock,
            connections: ConnectionCounts::default(),
        }
    }

    /// The same, that keeps so many of the slowest requests.
    pub fn keeping(mut self, slowest: usize) -> Recorder {
        self.slowest.reset(slowest);
        self.current.slowest.reset(slowest);
        self
    }

    /// The label tables that the recorder's numbers refer to.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// Use a later generation of the catalog: what has been recorded stays.
    pub fn adopt(&mut self, catalog: Arc<Catalog>) {
        self.current.fit(&catalog);
        self.catalog = catalog;
    }

    /// It is so late, since the start of the run: what is recorded from now on is of this second.
    pub fn roll(&mut self, now: Duration) {
        if now >= self.ends {
            self.begin_second(second_of(now));
        }
    }

    #[cold]
    fn begin_second(&mut self, second: u64) {
        self.ends = SECOND * u32::try_from(second + 1).unwrap_or(u32::MAX);
        if self.waiting.len() < MAX_WAITING {
            let mut over = self.next_interval();
            over.next = second;
            self.waiting.push_back(over);
            self.current.first = second;
        }
        self.current.second = second;
    }

    /// The current interval; a new one of the same second takes its place.
    fn next_interval(&mut self) -> Interval {
        let empty = self
            .spare
            .pop()
            .unwrap_or_else(|| Interval::new(&self.catalog));
        self.take(empty)
    }

    /// How many intervals there are to hand over: the seconds that are over, or else what there is of the current one.
    pub fn due(&self) -> usize {
        self.waiting.len().max(1)
    }

    /// Hand over the oldest of them.
    pub fn hand_over(&mut self) -> Interval {
        match self.waiting.pop_front() {
            Some(over) => over,
            None => self.next_interval(),
        }
    }

    /// Take an emptied interval back. What a busy time has needed beyond a few is not kept.
    pub fn recycle(&mut self, empty: Interval) {
        if self.spare.len() < MAX_SPARE {
            self.spare.push(empty);
        }
    }

    /// A request leaves for the target.
    pub fn sent(&mut self, role: Role, route: u16) {
        self.with(role.archetype, |counts| {
            let other = counts.sent.len() - 1;
            counts.sent[usize::from(route).min(other)] += 1;
        });
    }

    /// Count one request's outcome. One that was never sent ([`vespeiro_model::Failure::NOT_SENT`]) is counted apart and has no latency.
    pub fn request(&mut self, sample: &RequestSample) {
        self.request_to(sample, "");
    }

    /// The same of a request to this path, which is kept for the list of recent ones.
    pub fn request_to(&mut self, sample: &RequestSample, path: &str) {
        let Some(counts) = self
            .current
            .archetypes
            .get_mut(usize::from(sample.role.archetype))
        else {
            debug_assert!(false, "{:?} is not in the catalog", sample.role);
            return;
        };
        if let Outcome::Failed(failure) = sample.outcome
            && let Some(at) = failure.not_sent()
        {
            counts.not_sent[at] += 1;
            return;
        }
        let other = counts.routes.len() - 1;
        let route = usize::from(sample.route).min(other);
        counts.routes[route].record(sample);
        counts.phases[route].record(&sample.phases);
        let unknown = counts.categories.len() - 1;
        counts.categories[usize::from(sample.category).min(unknown)] += 1;
        self.current
            .versions
            .of(sample.role)
            .requests
            .record(sample);
        let wire = &mut self.current.run.wire;
        wire.sent += sample.wire.sent;
        wire.received += sample.wire.received;
        if let Some(address) = sample.address {
            let counts = self.current.run.addresses.of(address);
            counts.requests += 1;
            counts.errors += u64::from(!sample.outcome.is_good() && !sample.expected);
            counts.connections += u64::from(!sample.reused);
            counts.time += sample.phases.service();
        }
        if let Some(waited) = sample.waited {
            self.current.run.arrivals.record(sample.latency, waited);
        }
        if self.slowest.admits(sample.latency) {
            let slow = SlowRequest {
                request: recorded(sample, path, self.clock),
                trace: sample.trace,
                address: sample.address,
            };
            self.slowest.offer(slow);
            self.current.slowest.offer(slow);
        }
        if self.current.activity.len() < MAX_ACTIVITY {
            self.current
                .activity
                .push(recorded(sample, path, self.clock));
        }
    }

    /// Why the request that was counted last has no complete answer, or a channel broke.
    #[cold]
    pub fn failed(&mut self, failure: Failure, cause: &str) {
        self.current.run.causes.add(failure, cause, 1);
    }

    /// So many arrivals came due.
    pub fn arrived(&mut self, arrivals: u64) {
        self.current.run.arrivals.due += arrivals;
    }

    /// So many of them found no user in time.
    pub fn dropped(&mut self, arrivals: u64) {
        self.current.run.arrivals.dropped += arrivals;
    }

    pub fn user_started(&mut self, archetype: u16) {
        self.with(archetype, |counts| counts.users_started += 1);
    }

    pub fn user_finished(&mut self, archetype: u16) {
        self.with(archetype, |counts| counts.users_finished += 1);
    }

    pub fn session_started(&mut self, role: Role) {
        self.both(role, |behavior| behavior.sessions.started += 1);
    }

    /// A session that has moved to another version ends in that one.
    pub fn session_ended(&mut self, role: Role, ending: Ending, lasted: Duration) {
        self.both(role, |behavior| behavior.sessions.end(ending, lasted));
    }

    /// Count a check of a behavior. At most [`super::MAX_NAMES`] names per archetype, then `other`.
    pub fn check(&mut self, archetype: u16, name: &str, passed: bool) {
        self.with(archetype, |counts| {
            let check = counts.checks.entry(name);
            if passed {
                check.passed += 1;
            } else {
                check.failed += 1;
            }
        });
    }

    /// Add a value to a behavior's own metric; one that is not finite is left out. At most [`super::MAX_NAMES`]
    /// names per archetype, then `other`.
    pub fn observe(&mut self, archetype: u16, metric: &str, value: f64) {
        self.with(archetype, |counts| {
            counts.observed.entry(metric).record(value)
        });
    }

    /// A session was given up, for this reason, and in this place of its behavior. At most [`super::MAX_NAMES`] reasons per
    /// archetype, and places of each, then `other`.
    #[cold]
    pub fn abandoned(&mut self, archetype: u16, reason: &str, place: Option<&str>) {
        let place = place.unwrap_or(NOWHERE);
        self.with(archetype, |counts| {
            *counts.given_up.entry(reason).entry(place) += 1
        });
    }

    /// A transaction of a behavior has ended. At most [`super::MAX_NAMES`] names per archetype, then `other`.
    pub fn transaction(&mut self, archetype: u16, name: &str, passed: bool, span: Span) {
        self.with(archetype, |counts| {
            counts.named.entry(name).end(passed, span)
        });
    }

    /// One was open when its session was ended by the host.
    pub fn transaction_cut(&mut self, archetype: u16, name: &str) {
        self.with(archetype, |counts| counts.named.entry(name).cut += 1);
    }

    /// A request of this route has come to its end behind redirects.
    #[cold]
    pub fn redirected(&mut self, archetype: u16, route: u16, passed: bool, took: Duration) {
        let (method, path) = self.catalog.route(archetype, route);
        let name = chain(method, path);
        let span = Span {
            duration: took,
            active: took,
        };
        self.with(archetype, |counts| {
            counts.chains.entry(&name).end(passed, span)
        });
    }

    /// One call into a behavior returned after this long.
    pub fn guest_call(&mut self, role: Role, took: Duration) {
        self.both(role, |behavior| behavior.guest_calls.record(took));
    }

    pub fn instance_built(&mut self, role: Role) {
        self.both(role, |behavior| behavior.instances_built += 1);
    }

    pub fn trap(&mut self, role: Role) {
        self.both(role, |behavior| behavior.traps += 1);
    }

    /// A behavior was asked to commit this fault, or the host made a request that should fail because of it.
    pub fn fault_asked(&mut self, kind: FaultKind) {
        self.current.run.faults[kind as usize].asked += 1;
    }

    /// A request failed because of this fault.
    pub fn fault_committed(&mut self, kind: FaultKind) {
        self.current.run.faults[kind as usize].committed += 1;
    }

    /// The breaker went into this state.
    pub fn breaker(&mut self, state: BreakerState) {
        self.current.run.resilience.transitions[state as usize] += 1;
    }

    /// A user waited this long for this reason.
    pub fn held(&mut self, reason: HoldReason, waited: Duration) {
        let wait = &mut self.current.run.resilience.waits[reason as usize];
        wait.count += 1;
        wait.time += waited;
    }

    /// A request is sent once more.
    pub fn retried(&mut self) {
        self.current.run.resilience.retries += 1;
    }

    /// A login was refused without being asked to; `pauses`: it leads to a pause.
    pub fn login_refused(&mut self, pauses: bool) {
        self.current.run.resilience.refused_logins += 1;
        self.current.run.resilience.login_pauses += u64::from(pauses);
    }

    /// What has become of the worker's connections since its start; what is new of it is handed over with the rest.
    pub fn connections(&mut self, counts: ConnectionCounts) {
        let new = counts.since(&self.connections);
        self.current.run.connections.merge(&new);
        self.connections = counts;
    }

    pub fn channel_opened(&mut self, kind: ChannelKind) {
        self.current.run.channels[kind as usize].opened += 1;
    }

    /// A channel is over after this long; `broken` says why, where it was not closed.
    pub fn channel_ended(&mut self, kind: ChannelKind, lasted: Duration, broken: Option<&str>) {
        let counts = &mut self.current.run.channels[kind as usize];
        counts.lasted.record(lasted);
        if let Some(cause) = broken {
            counts.broken += 1;
            self.failed(Failure::Channel, cause);
        }
    }

    pub fn message_sent(&mut self, kind: ChannelKind, bytes: u64) {
        let counts = &mut self.current.run.channels[kind as usize];
        counts.sent += 1;
        counts.sent_bytes += bytes;
    }

    /// `first`: of a channel's first message, so long after it was open.
    pub fn message_received(&mut self, kind: ChannelKind, bytes: u64, first: Option<Duration>) {
        let counts = &mut self.current.run.channels[kind as usize];
        counts.received += 1;
        counts.received_bytes += bytes;
        if let Some(first) = first {
            counts.first_message.record(first);
        }
    }

    /// So many messages that had come were dropped.
    pub fn messages_dropped(&mut self, kind: ChannelKind, count: u64) {
        self.current.run.channels[kind as usize].dropped += count;
    }

    /// The worker's state now, to be handed over with the rest.
    pub fn worker_status(&mut self, status: WorkerStatus) {
        let waiting = self.waiting.iter_mut();
        waiting.for_each(|interval| *interval.status = status);
        *self.current.status = status;
    }

    /// A timer of this worker fired this much late.
    pub fn lag(&mut self, lag: Duration) {
        self.current.run.lag.record(lag);
    }

    /// What was recorded of the current second since the last time. Goes on with `empty`: an [`Interval::new`], or better one
    /// that was emptied.
    pub fn take(&mut self, mut empty: Interval) -> Interval {
        empty.worker = self.worker;
        let second = self.current.second;
        (empty.first, empty.second, self.current.next) = (second, second, second);
        empty.slowest.reset(self.slowest.most());
        *empty.status = *self.current.status;
        empty.fit(&self.catalog);
        std::mem::replace(&mut self.current, empty)
    }

    /// Counts for an archetype, and for the version of its behavior.
    fn both(&mut self, role: Role, change: impl Fn(&mut BehaviorCounts)) {
        self.with(role.archetype, |counts| change(&mut counts.behavior));
        change(&mut self.current.versions.of(role).behavior);
    }

    fn with(&mut self, archetype: u16, change: impl FnOnce(&mut ArchetypeCounts)) {
        match self.current.archetypes.get_mut(usize::from(archetype)) {
            Some(counts) => change(counts),
            None => debug_assert!(false, "archetype {archetype} is not in the catalog"),
        }
    }
}

#[cold]
fn recorded(sample: &RequestSample, path: &str, clock: Clock) -> RecordedRequest {
    RecordedRequest {
        at: clock.wall(),
        user: sample.user,
        role: sample.role,
        route: sample.route,
        outcome: sample.outcome,
        expected: sample.expected,
        latency: sample.latency,
        path: ShortPath::new(path),
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;
    use crate::testing::{catalog, sample};
    use crate::{Process, Totals};

    #[test]
    fn a_request_that_was_not_sent_is_no_request() {
        let mut recorder = Recorder::new(catalog(), 3, Clock::system());
        let mut stopped = sample(0, 0);
        stopped.outcome = Outcome::Failed(Failure::Stopped);
        recorder.request(&stopped);
        recorder.request(&sample(0, 0));
        let interval = recorder.take(Interval::new(&catalog()));
        assert_eq!(interval.worker(), 3);
        assert_eq!(interval.archetypes[0].not_sent, [0, 1]);
        assert_eq!(interval.archetypes[0].routes[0].requests(), 1);
        assert_eq!(interval.archetypes[0].categories.iter().sum::<u64>(), 1);
    }

    #[test]
    fn unknown_routes_and_categories_share_the_last_place() {
        let mut recorder = Recorder::new(catalog(), 0, Clock::system());
        let mut odd = sample(1, 9_999);
        odd.category = 77;
        recorder.request(&odd);
        let interval = recorder.take(Interval::new(&catalog()));
        assert_eq!(interval.archetypes[1].routes.last().unwrap().requests(), 1);
        assert_eq!(interval.archetypes[1].categories.last(), Some(&1));
    }

    #[test]
    fn a_workers_state_holds_until_it_is_told_anew() {
        let mut recorder = Recorder::new(catalog(), 0, Clock::system());
        let closed = WorkerStatus {
            breaker: Some(BreakerState::Closed),
            ..WorkerStatus::default()
        };
        recorder.worker_status(closed);
        recorder.roll(SECOND);
        let handed = [recorder.hand_over(), recorder.hand_over()];
        assert_eq!(handed.map(|interval| *interval.status), [closed; 2]);
    }

    #[test]
    fn an_interval_keeps_only_its_first_requests_one_by_one() {
        let mut recorder = Recorder::new(catalog(), 0, Clock::system());
        (0..100).for_each(|user| {
            recorder.request(&RequestSample {
                user,
                ..sample(0, 0)
            })
        });
        let interval = recorder.take(Interval::new(&catalog()));
        assert_eq!(
            interval.activity.iter().map(|a| a.user).collect::<Vec<_>>(),
            (0..8).collect::<Vec<_>>()
        );
    }

    /// `cargo test --release -p vespeiro -- --ignored --nocapture cost_of`
    #[test]
    #[ignore = "a measurement, for release builds"]
    fn cost_of_a_request() {
        const ROUNDS: u32 = 5_000_000;
        let catalog = catalog();
        let mut recorder = Recorder::new(catalog.clone(), 0, Clock::system());
        let samples: Vec<RequestSample> = (0..1024u32)
            .map(|i| {
                let mut sample = sample((i % 2) as u16, (i / 2 % 3) as u16);
                sample.latency =
                    Duration::from_nanos(200_000 + u64::from(i.wrapping_mul(2_654_435_761) >> 8));
                sample.outcome = Outcome::Status([200, 200, 200, 201, 404][i as usize % 5]);
                // As over a connection in use.
                sample.phases.sending = sample.latency / 50;
                sample.phases.receiving = sample.latency / 20;
                sample.phases.waiting =
                    sample.latency - sample.phases.sending - sample.phases.receiving;
                sample
            })
            .collect();
        for name in ["cold", "warm", "warm"] {
            let start = Clock::system().now();
            (0..ROUNDS).for_each(|i| recorder.request(black_box(&samples[i as usize % 1024])));
            println!("{name}: {:?} per request", start.elapsed() / ROUNDS);
        }
        let mut totals = Totals::new(catalog.clone(), 1, Process::default(), Clock::system());
        let mut interval = recorder.take(Interval::new(&catalog));
        let start = Clock::system().now();
        totals.absorb(&mut interval);
        println!("absorb: {:?}", start.elapsed());
    }
}
