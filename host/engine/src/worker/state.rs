//! What the users of one worker share: the plan, the pool, the recorder, the behaviors' slots and the state of the run.
//!
//! A worker belongs to one thread. It is reached through `Rc` and `Cell`s, so nothing on a request's path locks.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::clock::ProfileClock;
use crate::feeds::cursor::FeedSet;
use crate::governor::{FaultRequest, Governor};
use crate::journal::Writer;
use crate::rehearsal::{Asked, Tape};
use crate::rollout::rollouts::Rollout;
use crate::rollout::runtime::{VersionRuntime, VersionRuntimes};
use crate::seed::{Stream, derive, unit};
use crate::teardown::tokens::Tokens;
use crate::vu::state::VuState;
use crate::workload::state::{WorkloadState, share_of};
use vespeiro_behavior::{Behavior, Crash, GuestEvent, Level, TOKEN, Unfed, types};
use vespeiro_http::Target;
use vespeiro_metrics::{Catalog, Interval, Recorder, Standing};
use vespeiro_model::FaultKind;
use vespeiro_plan::{Arrivals, Connections, HttpVersion, LogLevel, Plan};
use vespeiro_resilience::{Admission, Settled};

/// Crashes in a row, without a session that came to its end between them, after which a behavior is quarantined.
const CRASHES_TO_QUARANTINE: u32 = 10;
/// Lines that the guests of one archetype may log in a second, on each worker.
const LOG_LINES_PER_SECOND: u32 = 50;
/// Feeds without a next row that are told of.
pub(crate) const MAX_UNFED: usize = 64;

#[derive(Debug)]
pub(crate) struct WorkerState {
    pub(crate) plan: Arc<Plan>,
    pub(crate) target: Target,
    /// Places for requests in flight, where the plan bounds them.
    places: Option<Semaphore>,
    pub(crate) recorder: RefCell<Recorder>,
    pub(crate) admission: Admission,
    /// The start of the run; the times of `admission` are counted from it.
    began: tokio::time::Instant,
    /// Where the breaker's chance comes from.
    cool_down_seed: u64,
    /// Requests that were sent and have no outcome yet.
    in_flight: Cell<u64>,
    /// Users who wait because they are held.
    held_users: Cell<u64>,
    governor: RefCell<Governor>,
    /// It was said that this machine is the limit.
    is_limit_told: Cell<bool>,
    /// Speaks for all: one line about the target is enough.
    is_first: bool,
    journal: RefCell<Writer>,
    /// Of sessions that have not logged out.
    pub(crate) tokens: RefCell<Tokens>,
    /// Of the one user whose replies are recorded, once it has some.
    tape: RefCell<Option<Tape>>,
    pub(crate) archetypes: Vec<ArchetypeState>,
    /// A line of log for each request.
    pub(crate) logs_requests: bool,
    pub(crate) stopping: Cell<bool>,
    /// Told when `stopping` is set.
    pub(crate) stopped: Notify,
    /// Users of this worker that have not finished.
    pub(crate) playing: Cell<usize>,
    /// Told when the last of them finishes, a total is spent, or an archetype is given up.
    pub(crate) news: Notify,
    /// Tells the profile's time, and whether the run is paused.
    pub(crate) clock: ProfileClock,
    /// Every archetype plays in one of them.
    pub(crate) workloads: Vec<WorkloadState>,
    /// Told when held requests may go, or never will.
    released: Notify,
    /// What users get of the plan's feeds.
    pub(crate) feeds: Arc<FeedSet>,
    /// What was said of sessions that got no row.
    unfed: RefCell<BTreeSet<(u16, String, Unfed)>>,
}

/// A worker's part of the run.
#[derive(Debug, Clone)]
pub(crate) struct WorkerPart {
    pub(crate) worker_index: usize,
    pub(crate) feeds: Arc<FeedSet>,
    /// The start of the run.
    pub(crate) began: tokio::time::Instant,
}

/// One archetype's part of the worker.
#[derive(Debug)]
pub(crate) struct ArchetypeState {
    pub(crate) versions: VersionRuntimes,
    /// The archetype's configuration, as JSON.
    pub(crate) config: Rc<str>,
    /// The hash of the behavior that it was given up for, while it is.
    quarantined: RefCell<Option<String>>,
    /// Since when, and how many lines of its behavior wanted to be logged.
    said: Cell<(Instant, u32)>,
}

impl WorkerState {
    pub(crate) fn new(
        plan: Arc<Plan>,
        target: Target,
        recorder: Recorder,
        journal: Writer,
        behaviors: &[Arc<Behavior>],
        catalog: &Catalog,
        part: WorkerPart,
    ) -> Self {
        let archetypes = plan.archetypes.iter().zip(behaviors).enumerate().map(
            |(index, (archetype, behavior))| ArchetypeState {
                versions: VersionRuntimes::alone(behavior, index as u16, catalog, plan.seed),
                config: archetype.config.to_string().into(),
                quarantined: RefCell::new(None),
                said: Cell::new((Instant::now(), 0)),
            },
        );
        let users = share_of(plan.usual_users(), plan.workers, part.worker_index);
        let workloads = plan.workloads().into_iter();
        Self {
            archetypes: archetypes.collect(),
            admission: Admission::new(&plan.resilience, plan.workers),
            began: part.began,
            cool_down_seed: derive(plan.seed, Stream::CoolDown, part.worker_index as u64),
            in_flight: Cell::new(0),
            held_users: Cell::new(0),
            governor: RefCell::new(Governor::new(&plan, catalog, users)),
            is_limit_told: Cell::new(false),
            is_first: part.worker_index == 0,
            places: places(&plan, part.worker_index),
            target,
            recorder: RefCell::new(recorder),
            journal: RefCell::new(journal),
            tokens: RefCell::default(),
            tape: RefCell::new(None),
            logs_requests: plan.output.log == LogLevel::Debug,
            stopping: Cell::new(false),
            stopped: Notify::new(),
            playing: Cell::new(0),
            news: Notify::new(),
            clock: ProfileClock::new(part.began),
            workloads: workloads
                .map(|workload| WorkloadState::new(&plan, workload, part.worker_index))
                .collect(),
            released: Notify::new(),
            feeds: part.feeds,
            unfed: RefCell::default(),
            plan,
        }
    }

    /// Time since the start of the run, as `admission` counts it.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Wait, and measure by how much the wait was overrun: the worker's scheduling lag.
    pub(crate) async fn think(&self, delay: Duration) {
        let due = tokio::time::Instant::now() + delay;
        tokio::time::sleep_until(due).await;
        self.recorder.borrow_mut().lag(due.elapsed());
    }

    /// A request was sent (1), or has its outcome (-1).
    pub(crate) fn in_flight(&self, change: i64) {
        self.in_flight
            .set(self.in_flight.get().wrapping_add_signed(change));
    }

    /// A user is held (1), or goes on (-1).
    pub(crate) fn held_users(&self, change: i64) {
        self.held_users
            .set(self.held_users.get().wrapping_add_signed(change));
    }

    /// A request failed because of this machine: say which limit it was, once.
    pub(crate) fn reached_limit(&self, cause: &str) {
        if !self.is_limit_told.replace(true) {
            tracing::warn!("this machine is the limit, not the target: {cause}");
        }
    }

    /// The user is to play no further step.
    pub(crate) fn is_leaving(&self, vu: &VuState) -> bool {
        self.stopping.get() || vu.leaving.get()
    }

    /// No further request leaves.
    pub(crate) fn stop(&self) {
        self.stopping.set(true);
        self.released.notify_waiters();
        self.stopped.notify_waiters();
    }

    /// Hold requests back, or let them go.
    pub(crate) fn pause(&self, paused: bool) {
        let now = tokio::time::Instant::now();
        if paused {
            self.clock.pause(now);
        } else {
            self.clock.resume(now);
            self.released.notify_waiters();
        }
    }

    /// Wait while requests are held back. Then a place is free for one, unless the run is stopping.
    pub(crate) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        loop {
            while self.held() {
                self.released.notified().await;
            }
            let place = match &self.places {
                // The semaphore is never closed, so an error cannot come.
                Some(places) => places.acquire().await.ok(),
                None => None,
            };
            if !self.held() {
                return place;
            }
        }
    }

    fn held(&self) -> bool {
        self.clock.is_paused() && !self.stopping.get()
    }

    /// The load profile that a user plays by.
    pub(crate) fn workload(&self, vu: &VuState) -> &WorkloadState {
        &self.workloads[vu.workload]
    }

    /// Wait until the profile lets a request go, where it does. Tells when it should have left, in the profile's time.
    pub(crate) async fn wait_for_arrival(&self, vu: &VuState) -> Option<Duration> {
        match self.workload(vu).arrivals_of(Arrivals::Requests) {
            Some(arrivals) => Some(arrivals.take().await),
            None => vu.arrived.take(),
        }
    }

    /// A request is about to leave. `false` when a total has none left for it: then the others who share it end too.
    pub(crate) fn spend(&self, vu: &VuState) -> bool {
        let workload = self.workload(vu);
        let may = workload.spend();
        if may {
            vu.sent.set(vu.sent.get() + 1);
        }
        if workload.is_spent() {
            self.news.notify_one();
        }
        may
    }

    /// Wait until the profile lets a session begin, where it does.
    pub(crate) async fn wait_for_session_arrival(&self, vu: &VuState) {
        if let Some(arrivals) = self.workload(vu).arrivals_of(Arrivals::Sessions) {
            vu.arrived.set(Some(arrivals.take().await));
        }
    }

    /// When the next arrival is due; `None` when nothing arrives.
    pub(crate) fn next_arrival(&self) -> Option<tokio::time::Instant> {
        let arrivals = self
            .workloads
            .iter()
            .filter_map(|workload| workload.arrivals.as_ref());
        let next = arrivals.filter_map(|arrivals| arrivals.next()).min()?;
        (!self.clock.is_paused() && !self.stopping.get()).then(|| self.clock.at(next))
    }

    /// Drop and count the arrivals that waited too long; all of them when the run is over.
    pub(crate) fn expire(&self, over: bool) {
        for arrivals in self
            .workloads
            .iter()
            .filter_map(|workload| workload.arrivals.as_ref())
        {
            let now = self.clock.time(tokio::time::Instant::now());
            let dropped = arrivals.expire(if over { Duration::MAX } else { now });
            self.recorder.borrow_mut().dropped(dropped);
        }
    }

    /// What was recorded since the last time, and how the worker stands.
    pub(crate) fn hand_over(&self, empty: Interval) -> Interval {
        let mut recorder = self.recorder.borrow_mut();
        let standing = self.admission.standing(self.now());
        recorder.stands(Standing {
            breaker: standing.breaker,
            coroutines: self.playing.get() as u64,
            in_flight: self.in_flight.get(),
            held: self.held_users.get(),
            pace: standing.pace,
            logins_paused: standing.logins_paused,
        });
        recorder.take(empty)
    }

    pub(crate) fn archetype_state(&self, archetype: u16) -> &ArchetypeState {
        &self.archetypes[usize::from(archetype)]
    }

    /// A guest call did not return. How long its user should wait before the next session.
    pub(crate) fn crashed(&self, runtime: &VersionRuntime, crash: &Crash) -> Duration {
        let archetype = runtime.role().archetype;
        let archetype_state = self.archetype_state(archetype);
        self.recorder.borrow_mut().trap(runtime.role());
        let crashes = runtime.crashed();
        let name = &self.plan.archetypes[usize::from(archetype)].name;
        if self.may_log(archetype) {
            tracing::warn!("archetype {name}: {crash}");
        }
        if crashes >= CRASHES_TO_QUARANTINE
            && !runtime.is_over()
            && !runtime.is_on_probation()
            // Sessions that a swap has left behind say nothing of who plays now.
            && archetype_state.versions.has(runtime.hash())
            && !self.quarantined(archetype)
        {
            *archetype_state.quarantined.borrow_mut() = Some(runtime.hash().to_owned());
            tracing::error!(
                "archetype {name} is quarantined after {crashes} crashes in a row: its users stop, the others go on"
            );
            self.news.notify_one();
        }
        backoff(crashes)
    }

    /// Have others play an archetype's new sessions from now on. A quarantine is over when whoever it was for plays no more.
    pub(crate) fn take_over(&self, rollout: &Rollout) {
        let catalog = &rollout.catalog;
        self.recorder.borrow_mut().adopt(Arc::clone(catalog));
        let mut governor = self.governor.borrow_mut();
        governor.adopt(&self.plan, catalog, rollout.archetype);
        let archetype_state = self.archetype_state(rollout.archetype);
        archetype_state.versions.take_over(rollout, self.plan.seed);
        let mut quarantined = archetype_state.quarantined.borrow_mut();
        let mended = quarantined.take_if(|hash| !archetype_state.versions.has(hash));
        if mended.is_some() {
            let name = &self.plan.archetypes[usize::from(rollout.archetype)].name;
            tracing::warn!("archetype {name} is quarantined no more: its users come back");
        }
    }

    pub(crate) fn quarantined(&self, archetype: u16) -> bool {
        self.archetype_state(archetype)
            .quarantined
            .borrow()
            .is_some()
    }

    /// What `context.mix` says to a session of this runtime.
    pub(crate) fn wanted(&self, runtime: &VersionRuntime) -> Vec<f32> {
        let governor = self.governor.borrow();
        let categories = runtime.labels.categories();
        governor
            .mix
            .as_ref()
            .map_or_else(Vec::new, |mix| mix.wanted(categories))
    }

    /// A session has decided on a request of this category.
    pub(crate) fn decided(&self, category: u16) {
        if let Some(mix) = &mut self.governor.borrow_mut().mix {
            mix.made(category);
        }
    }

    /// A fault for a session of this archetype to commit, if it is time for one.
    pub(crate) fn request_fault(&self, archetype: u16) -> Option<FaultRequest> {
        let ask = self.governor.borrow_mut().errors.as_mut()?.ask(archetype)?;
        self.recorder.borrow_mut().fault_asked(ask.kind);
        Some(ask)
    }

    /// A session has committed what it was asked for; `met`: a request failed of it.
    pub(crate) fn committed(&self, archetype: u16, ask: FaultRequest, met: bool) {
        let mut governor = self.governor.borrow_mut();
        if let Some(errors) = &mut governor.errors
            && errors.committed(archetype, ask, met)
        {
            self.give_up(ask.kind);
        }
    }

    /// A session was asked for a fault in vain.
    pub(crate) fn ignored(&self, archetype: u16) {
        if let Some(errors) = &mut self.governor.borrow_mut().errors {
            errors.ignored(archetype);
        }
    }

    /// What the host should make the next request fail of, if it is time for that.
    pub(crate) fn inject_fault(&self) -> Option<FaultKind> {
        let kind = self.governor.borrow_mut().errors.as_mut()?.make()?;
        self.recorder.borrow_mut().fault_asked(kind);
        Some(kind)
    }

    /// What became of a request, for the policies, the recorder and the error mix.
    pub(crate) fn settle(&self, settled: Settled, sent: bool) {
        let chance = |n| unit(self.cool_down_seed, Stream::CoolDown, u64::from(n));
        let changes = self.admission.settle(self.now(), settled, chance);
        let Settled { outcome, fault, .. } = settled;
        let met = fault.is_some_and(|kind| kind.is_met_by(outcome));
        {
            let mut recorder = self.recorder.borrow_mut();
            if let Some(state) = changes.breaker {
                recorder.breaker(state);
            }
            if let Some(pauses) = changes.refused_login {
                recorder.login_refused(pauses);
            }
            if let (Some(kind), true) = (fault, met) {
                recorder.fault_committed(kind);
            }
        }
        let mut governor = self.governor.borrow_mut();
        let Some(errors) = &mut governor.errors else {
            return;
        };
        if sent {
            errors.came(outcome);
        }
        if let Some(kind) = fault.filter(|kind| kind.is_hosts())
            && errors.made(kind, met || !sent)
        {
            self.give_up(kind);
        }
    }

    fn give_up(&self, kind: FaultKind) {
        if !self.is_first {
            return;
        }
        let word = kind.as_str();
        match kind {
            FaultKind::ServerError => tracing::warn!(
                "no server errors on purpose: the target does not honor x-envoy-fault-abort-request; set error_mix without a server share, or allow faults there"
            ),
            FaultKind::RateLimit => {
                tracing::info!("no bursts on purpose any more: the target limits no rate");
            }
            _ => tracing::warn!(
                "no {word} faults on purpose any more: the target did not fail of the last ones"
            ),
        }
    }

    /// Take what a session told the host during its last call.
    pub(crate) fn event(&self, archetype: u16, event: GuestEvent) {
        match event {
            GuestEvent::Check { name, passed } => {
                self.recorder.borrow_mut().check(archetype, &name, passed);
            }
            GuestEvent::Observe { metric, value } => {
                self.recorder
                    .borrow_mut()
                    .observe(archetype, &metric, value);
            }
            GuestEvent::Log { level, message } => self.log(archetype, level, &message),
            GuestEvent::Mark(thing) => self.mark(&thing),
            GuestEvent::Unmark(thing) if thing.starts_with(TOKEN) => {
                self.tokens.borrow_mut().unmark(&thing);
            }
            GuestEvent::Unmark(thing) => self.journal.borrow_mut().unmark(&thing),
            GuestEvent::Unfed { feed, why } => self.unfed(archetype, feed, why),
        }
    }

    /// A session got no row of a feed. Said once: first looked up here, so that workers seldom meet over it.
    fn unfed(&self, archetype: u16, feed: String, why: Unfed) {
        let mut said = self.unfed.borrow_mut();
        let key = (archetype, feed, why);
        if said.len() < MAX_UNFED && !said.contains(&key) {
            let (archetype, feed, why) = &key;
            let name = &self.plan.archetypes[usize::from(*archetype)].name;
            self.feeds.tell(name, feed, *why);
            said.insert(key);
        }
    }

    /// What of these requests to keep for the tape, if it is this user's.
    pub(crate) fn records(&self, user: u32, requests: &[types::Request]) -> Option<Vec<Asked>> {
        let output = &self.plan.output;
        let recorded = output.trace_record.is_some() && output.trace_user == user;
        recorded.then(|| requests.iter().map(Asked::of).collect())
    }

    /// Put onto the tape what came of requests.
    pub(crate) fn record(&self, asked: Vec<Asked>, outcomes: &[types::Outcome]) {
        let mut tape = self.tape.borrow_mut();
        if tape.is_none()
            && let Some(path) = &self.plan.output.trace_record
        {
            *tape = Tape::create(path)
                .inspect_err(|error| tracing::warn!("{}: {error}", path.display()))
                .ok();
        }
        if let Some(tape) = &mut *tape {
            tape.keep(asked, outcomes);
        }
    }

    /// Put into the journal what requests are about to create, before they leave.
    pub(crate) fn mark_before_send<'a>(&self, things: impl Iterator<Item = &'a str>) {
        things.for_each(|thing| self.mark(thing));
        self.keep_journal();
    }

    fn mark(&self, thing: &str) {
        match thing.starts_with(TOKEN) {
            true => self.tokens.borrow_mut().mark(thing),
            false => self.journal.borrow_mut().mark(thing),
        }
    }

    /// Write what sessions have marked and unmarked. Where that fails, no further request leaves.
    pub(crate) fn keep_journal(&self) {
        if self.journal.borrow_mut().flush().is_err() {
            self.stop();
        }
    }

    pub(crate) fn log(&self, archetype: u16, level: Level, message: &str) {
        if !self.may_log(archetype) {
            return;
        }
        let behavior = self.plan.archetypes[usize::from(archetype)].name.as_str();
        // A guest's text goes to a terminal: quoted, so that it carries no control sequence.
        match level {
            Level::Debug => tracing::debug!(target: "guest", behavior, "{message:?}"),
            Level::Info => tracing::info!(target: "guest", behavior, "{message:?}"),
            Level::Warn => tracing::warn!(target: "guest", behavior, "{message:?}"),
            Level::Error => tracing::error!(target: "guest", behavior, "{message:?}"),
        }
    }

    fn may_log(&self, archetype: u16) -> bool {
        let archetype_state = self.archetype_state(archetype);
        let (since, lines) = archetype_state.said.get();
        if since.elapsed() >= Duration::from_secs(1) {
            archetype_state.said.set((Instant::now(), 1));
            let left_out = lines.saturating_sub(LOG_LINES_PER_SECOND);
            if left_out > 0 {
                let name = &self.plan.archetypes[usize::from(archetype)].name;
                tracing::warn!("archetype {name}: {left_out} more lines are left out");
            }
            return true;
        }
        archetype_state.said.set((since, lines.saturating_add(1)));
        lines < LOG_LINES_PER_SECOND
    }
}

/// A worker's places for requests in flight. Over HTTP/1.1 each holds a connection, so that a bound of those is one of
/// requests too: whoever waits for it here can still be sent away.
fn places(plan: &Plan, worker: usize) -> Option<Semaphore> {
    let connections = &plan.connections;
    let target = &plan.target;
    let is_http1 = match target.http {
        HttpVersion::Http1 => true,
        HttpVersion::Auto => target.base_url.scheme() != "https",
        HttpVersion::Http2 => false,
    };
    let bound = match (connections.max_in_flight, connections.max_connections) {
        (0, bound) if is_http1 => bound,
        (bound, 0) => bound,
        (bound, connections) if is_http1 => bound.min(connections),
        (bound, _) => bound,
    };
    (bound > 0).then(|| Semaphore::new(Connections::share(bound, plan.workers, worker)))
}

/// 100 ms, doubled with each one in a row, at most 5 s.
pub(crate) fn backoff(in_a_row: u32) -> Duration {
    Duration::from_millis(100 << in_a_row.saturating_sub(1).min(6)).min(Duration::from_secs(5))
}
