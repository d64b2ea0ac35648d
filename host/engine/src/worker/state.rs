//! What the users of one worker share: the plan, the pool, the recorder, the behaviors' slots and the state of the run.
//!
//! A worker belongs to one thread. It is reached through `Rc` and `Cell`s, so nothing on a request's path locks.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::clock::ProfileClock;
use crate::feeds::cursor::FeedSet;
use crate::governor::Governor;
use crate::journal::Writer;
use crate::rehearsal::Tape;
use crate::rollout::runtime::VersionRuntimes;
use crate::seed::{Stream, derive};
use crate::teardown::tokens::Tokens;
use crate::vu::state::VuState;
use crate::witness::Witness;
use crate::worker::quarantine::GivenUpCause;
use crate::workload::state::WorkloadState;
use vespeiro_behavior::{Behavior, NoRow};
use vespeiro_http::{Counts, Targets, cookies};
use vespeiro_metrics::{
    Catalog, ConnectionCounts, Interval, Recorder, RefusedLogins, WorkerStatus,
};
use vespeiro_model::Clock;
use vespeiro_plan::{HttpVersion, LogLevel, Part, Plan, TargetOf};
use vespeiro_resilience::{Admission, AdmissionStatus};

#[derive(Debug)]
pub(crate) struct WorkerState {
    pub(crate) plan: Arc<Plan>,
    pub(crate) targets: Targets,
    /// By target: places for requests in flight, where the plan bounds them.
    places: Vec<Option<Semaphore>>,
    pub(crate) recorder: RefCell<Recorder>,
    /// By target.
    pub(super) admissions: Vec<Admission>,
    /// The start of the run; the times of `admissions` are counted from it.
    began: Instant,
    /// Where the breaker's chance comes from.
    pub(super) cool_down_seed: u64,
    /// Users who wait because they are held.
    held_users: Cell<u64>,
    pub(super) governor: RefCell<Governor>,
    /// It was said that this machine is the limit.
    is_limit_told: Cell<bool>,
    /// It was said that a user's cookies are too many.
    are_cookies_told: Cell<bool>,
    /// Speaks for all: one line about the target is enough.
    pub(super) is_first: bool,
    /// What is its own of all that is split.
    pub(crate) part: Part,
    pub(super) journal: RefCell<Writer>,
    /// Of sessions that have not logged out.
    pub(crate) tokens: RefCell<Tokens>,
    /// Of the one user whose replies are recorded, once it has some.
    pub(super) tape: RefCell<Option<Tape>>,
    pub(crate) archetypes: Vec<ArchetypeState>,
    /// A line of log for each request.
    pub(crate) logs_requests: bool,
    pub(crate) stopping: Cell<bool>,
    /// How long the last of its users will take, as of the last look.
    pub(crate) remaining: Cell<Option<Duration>>,
    /// Told when `stopping` is set.
    pub(crate) stopped: Notify,
    /// Users of this worker that have not finished.
    pub(crate) playing: Cell<usize>,
    /// Those of them that the run waits for.
    pub(crate) awaited: Cell<usize>,
    /// Told when the last of either finishes, a total is spent, or an archetype is given up.
    pub(crate) news: Notify,
    pub(crate) clock: Clock,
    /// Tells the profile's time, and whether the run is paused.
    pub(crate) profile_clock: ProfileClock,
    /// Every archetype plays in one of them.
    pub(crate) workloads: Vec<WorkloadState>,
    /// Told when held requests may go, or never will.
    pub(super) released: Notify,
    /// What users get of the plan's feeds.
    pub(crate) feeds: Arc<FeedSet>,
    /// What was said of sessions that got no row.
    pub(super) unfed: RefCell<BTreeSet<(u16, String, NoRow)>>,
    /// Who looks on, where a behavior is tried.
    pub(crate) witness: Option<Rc<dyn Witness>>,
    /// What its one session has shared, that prepares a run.
    pub(crate) shared: RefCell<Option<String>>,
}

/// A worker's part of the run.
#[derive(Debug)]
pub(crate) struct WorkerPart {
    pub(crate) worker_index: usize,
    pub(crate) feeds: Arc<FeedSet>,
    /// The start of the run.
    pub(crate) began: Instant,
    pub(crate) clock: Clock,
    pub(crate) witness: Option<Rc<dyn Witness>>,
}

/// One archetype's part of the worker.
#[derive(Debug)]
pub(crate) struct ArchetypeState {
    pub(crate) versions: VersionRuntimes,
    /// The archetype's configuration, as JSON.
    pub(crate) config: Rc<str>,
    /// The hash of the behavior that it was given up for, and why, while it is.
    pub(super) quarantined: RefCell<Option<(String, GivenUpCause)>>,
    /// Since when, and how many lines of its behavior wanted to be logged.
    pub(super) said: Cell<(Instant, u32)>,
    /// It was said that a mark of its behavior was not kept.
    pub(super) unkept_marks: Cell<bool>,
}

impl WorkerState {
    pub(crate) fn new(
        plan: Arc<Plan>,
        targets: Targets,
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
                said: Cell::new((part.began, 0)),
                unkept_marks: Cell::new(false),
            },
        );
        let place = plan.place(part.worker_index);
        let own = place.part();
        let workloads = plan.workloads().into_iter();
        let workloads: Vec<WorkloadState> = workloads
            .map(|workload| WorkloadState::new(&plan, workload, place))
            .collect();
        let users = workloads.iter().map(|workload| {
            let users = workload.profile.usual_users();
            workload.deal.share(users, own)
        });
        let users = users.sum();
        Self {
            archetypes: archetypes.collect(),
            admissions: plan
                .all_targets()
                .map(|one| Admission::new(one.resilience, own))
                .collect(),
            began: part.began,
            cool_down_seed: derive(plan.seed, Stream::CoolDown, own.first as u64),
            held_users: Cell::new(0),
            governor: RefCell::new(Governor::new(&plan, catalog, users)),
            is_limit_told: Cell::new(false),
            are_cookies_told: Cell::new(false),
            is_first: part.worker_index == 0,
            part: own,
            places: plan.all_targets().map(|one| places(one, own)).collect(),
            targets,
            recorder: RefCell::new(recorder),
            journal: RefCell::new(journal),
            tokens: RefCell::default(),
            tape: RefCell::new(None),
            logs_requests: plan.output.log == LogLevel::Debug,
            stopping: Cell::new(false),
            remaining: Cell::new(None),
            stopped: Notify::new(),
            playing: Cell::new(0),
            awaited: Cell::new(0),
            news: Notify::new(),
            clock: part.clock,
            profile_clock: ProfileClock::new(part.began),
            workloads,
            released: Notify::new(),
            feeds: part.feeds,
            unfed: RefCell::default(),
            witness: part.witness,
            shared: RefCell::default(),
            plan,
        }
    }

    /// Whether requests may go to a target.
    pub(crate) fn admission(&self, target: u16) -> &Admission {
        &self.admissions[usize::from(target)]
    }

    /// Time since the start of the run, as `admissions` count it.
    pub(crate) fn now(&self) -> Duration {
        self.time(self.clock.now())
    }

    /// An instant as time since the start of the run.
    pub(crate) fn time(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.began)
    }

    /// The time of the load profiles: it stands still in a pause.
    pub(crate) fn profile_time(&self) -> Duration {
        self.profile_clock.time(self.clock.now())
    }

    /// Wait, and measure by how much the wait was overrun: the worker's scheduling lag.
    pub(crate) async fn think(&self, delay: Duration) {
        let due = self.clock.now() + delay;
        tokio::time::sleep_until(due).await;
        self.recorder.borrow_mut().lag(self.clock.since(due));
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

    /// The target has set more cookies than a user keeps: say so, once.
    pub(crate) fn dropped_cookies(&self) {
        if !self.are_cookies_told.replace(true) {
            let (most, kib) = (cookies::MOST, cookies::MOST_BYTES >> 10);
            tracing::warn!(
                "the target sets more cookies than a user keeps, {most} of {kib} KiB together: the oldest are dropped"
            );
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
        let now = self.clock.now();
        if paused {
            self.profile_clock.pause(now);
        } else {
            self.profile_clock.resume(now);
            self.released.notify_waiters();
        }
    }

    /// Wait while requests are held back. Then a place is free for one to this target, unless the run is stopping; and how
    /// long it waited for that.
    pub(crate) async fn place(&self, target: u16) -> (Option<SemaphorePermit<'_>>, Duration) {
        let mut blocked = Duration::ZERO;
        loop {
            while self.held() {
                self.released.notified().await;
            }
            let mut place = None;
            if let Some(places) = &self.places[usize::from(target)] {
                place = places.try_acquire().ok();
                if place.is_none() {
                    let since = self.clock.now();
                    // The semaphore is never closed, so an error cannot come.
                    place = places.acquire().await.ok();
                    blocked += self.clock.since(since);
                }
            }
            if !self.held() {
                return (place, blocked);
            }
        }
    }

    fn held(&self) -> bool {
        self.profile_clock.is_paused() && !self.stopping.get()
    }

    /// Note how the worker stands. Tells how many intervals there are to hand over.
    pub(crate) fn prepare_hand_over(&self) -> usize {
        let now = self.now();
        let mut recorder = self.recorder.borrow_mut();
        recorder.connections(connections(self.targets.counts()));
        recorder.roll(now);
        let standing = self.standing(now);
        recorder.worker_status(WorkerStatus {
            breaker: standing.breaker,
            coroutines: self.playing.get() as u64,
            held: self.held_users.get(),
            pace: standing.pace,
            logins_paused: standing.logins_paused,
            logins: standing
                .refused_logins
                .map(|(unplanned, planned, bound)| RefusedLogins {
                    unplanned: unplanned as u64,
                    planned: planned as u64,
                    bound: bound as u64,
                }),
            remaining: self.remaining.get(),
        });
        recorder.due()
    }

    /// What the policies say of all targets together: the worst of it.
    fn standing(&self, now: Duration) -> AdmissionStatus {
        let each = self.admissions.iter().map(|one| one.status(now));
        let all = each.reduce(AdmissionStatus::and);
        all.unwrap_or_default()
    }

    /// The oldest of them.
    pub(crate) fn hand_over(&self) -> Interval {
        self.recorder.borrow_mut().hand_over()
    }
}

fn connections(counts: Counts) -> ConnectionCounts {
    ConnectionCounts {
        opened: counts.opened,
        reused: counts.reused,
        closed_by_us: counts.closed_by_us,
        closed_by_target: counts.closed_by_target,
        tls_full: counts.tls_full,
        tls_resumed: counts.tls_resumed,
        resent_stale: counts.stale,
        resent_unprocessed: counts.unprocessed,
    }
}

/// Places for requests in flight to a target of the worker that has this part. Over HTTP/1.1 each holds a connection, so that
/// a bound of those is one of requests too: whoever waits for it here can still be sent away.
fn places(
    TargetOf {
        target,
        connections,
        ..
    }: TargetOf<'_>,
    part: Part,
) -> Option<Semaphore> {
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
    (bound > 0).then(|| Semaphore::new(part.share(bound)))
}
