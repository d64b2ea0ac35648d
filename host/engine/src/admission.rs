//! The way of a request to the target and back: [`admit`] waits until it may leave and gives a [`Permit`], which counts it
//! exactly once when it is settled or dropped. Batches wait before that with [`wait_while_held`]. Used by `vu` and
//! `teardown`; the policies are in `resilience`.
//!
//! What must stay true: a user who waits here has nothing under way, so that a stop ends it at once.

use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use crate::rollout::runtime::VersionRuntime;
use crate::seed::{Stream, unit};
use crate::vu::prepare::Prepared;
use crate::vu::state::VuState;
use crate::worker::state::WorkerState;
use vespeiro_http::Outcome as Sent;
use vespeiro_metrics::{RequestSample, WireBytes};
use vespeiro_model::{Failure, HoldReason, Outcome, Phases};
use vespeiro_resilience::{BreakerOpen, BreakerPermit, Settled};

/// A request that may leave, or has left. Settling it counts it; so does dropping it, since a user may be ended while its
/// request is in flight: then it counts as timed out, for the target may well have seen it.
pub(crate) struct Permit<'a> {
    worker: &'a WorkerState,
    vu: &'a VuState,
    pub(crate) sample: RequestSample,
    /// Its place among the requests in flight; free again with the permit.
    place: Option<SemaphorePermit<'a>>,
    /// How long it waited for that.
    blocked: Duration,
    pass: Option<BreakerPermit>,
    one: Labels,
    /// Where it goes.
    target: u16,
    /// When it left.
    in_flight: Option<Instant>,
    is_settled: bool,
}

/// Properties of a request that its outcome is counted by.
#[derive(Clone, Copy)]
struct Labels {
    fault: Option<vespeiro_model::FaultKind>,
    login: bool,
}

/// Wait until a request may leave: until the load profile releases it, the run is not paused, a place is free and the
/// breaker is closed. `Err`: it will never leave, and is counted so.
pub(crate) async fn admit<'a>(
    worker: &'a WorkerState,
    vu: &'a VuState,
    runtime: &VersionRuntime,
    one: &Prepared,
) -> Result<Permit<'a>, Failure> {
    let target = one.call.target();
    let pending = PendingLogin::new(worker, target, one.login);
    let due = worker.wait_for_arrival(vu).await;
    let mut permit = Permit::new(worker, vu, runtime, one);
    pending.settled_elsewhere();
    (permit.place, permit.blocked) = worker.place(target).await;
    let now = worker.clock.now();
    match worker.admission(target).admit(worker.time(now)) {
        Ok(pass) => permit.pass = pass,
        Err(BreakerOpen) => return Err(permit.refuse(Failure::CircuitOpen)),
    }
    if worker.stopping.get() || !worker.spend(vu) {
        return Err(permit.refuse(Failure::Stopped));
    }
    permit.sending(now, due.map(|due| worker.profile_clock.at(due)));
    Ok(permit)
}

/// A request that will not leave at all, since its batch has more than its user may send.
pub(crate) fn over_budget(
    worker: &WorkerState,
    vu: &VuState,
    runtime: &VersionRuntime,
    one: &Prepared,
) {
    let mut permit = Permit::new(worker, vu, runtime, one);
    permit.one.login = false; // it was not announced
    permit.refuse(Failure::Stopped);
}

impl<'a> Permit<'a> {
    fn new(
        worker: &'a WorkerState,
        vu: &'a VuState,
        runtime: &VersionRuntime,
        one: &Prepared,
    ) -> Self {
        Self {
            worker,
            vu,
            sample: RequestSample {
                role: runtime.role(),
                route: one.route,
                category: one.category,
                user: vu.index,
                outcome: Outcome::Failed(Failure::Stopped),
                latency: Duration::ZERO,
                waited: None,
                phases: Phases::default(),
                trace: None,
                bytes_sent: 0,
                bytes_received: 0,
                wire: WireBytes::default(),
                address: None,
                reused: false,
                expected: false,
            },
            place: None,
            blocked: Duration::ZERO,
            pass: None,
            one: Labels {
                fault: one.fault,
                login: one.login,
            },
            target: one.call.target(),
            in_flight: None,
            is_settled: false,
        }
    }

    /// `due`: when it should have left, if a profile says so.
    fn sending(&mut self, now: Instant, due: Option<Instant>) {
        self.in_flight = Some(now);
        self.vu.idle.end(now);
        self.sample.waited = due.map(|due| now.saturating_duration_since(due));
        let mut recorder = self.worker.recorder.borrow_mut();
        recorder.roll(self.worker.time(now));
        recorder.sent(self.sample.role, self.sample.route);
        self.vu.in_flight.set(self.vu.in_flight.get() + 1);
    }

    fn refuse(mut self, why: Failure) -> Failure {
        let outcome = Outcome::Failed(why);
        let now = self.count(outcome, "", Duration::ZERO, true, None);
        if why == Failure::CircuitOpen {
            self.update_hold(now, outcome, None);
        }
        why
    }

    /// Count its outcome; returns its latency.
    pub(crate) fn settle(
        mut self,
        outcome: Outcome,
        sent: &Sent,
        path: &str,
        retry_after: Option<Duration>,
    ) -> Duration {
        self.place = None;
        self.sample.bytes_sent = sent.sent.body;
        self.sample.bytes_received = sent.received.body;
        self.sample.wire = WireBytes {
            sent: sent.sent.wire,
            received: sent.received.wire,
        };
        self.sample.phases = sent.phases;
        self.sample.address = sent.address();
        self.sample.reused = sent.reused;
        // What it waited for a connection is no time of the target's; under a rate it is part of the arrival's wait.
        if let Some(waited) = &mut self.sample.waited {
            *waited += sent.phases.blocked;
        }
        self.sample.phases.blocked += self.blocked;
        let latency = sent.phases.service();
        let path = self.worker.plan.secrets.veil(path);
        let cause = sent.result.as_ref().err().map(|flaw| &*flaw.cause);
        let now = self.count(outcome, &path, latency, true, cause);
        self.update_hold(now, outcome, retry_after);
        latency
    }

    fn update_hold(&self, now: Duration, outcome: Outcome, retry_after: Option<Duration>) {
        let chance = |n| unit(self.vu.seed, Stream::Backoff, n);
        let (worker, hold) = (self.worker, &self.vu.hold);
        worker.admission(self.target).update_hold(
            now,
            hold,
            outcome,
            retry_after,
            self.one.fault,
            chance,
        );
    }

    /// `cause`: why there is no answer, of a request that left. Returns the time since the start of the run.
    fn count(
        &mut self,
        outcome: Outcome,
        path: &str,
        latency: Duration,
        heard: bool,
        cause: Option<&str>,
    ) -> Duration {
        let worker = self.worker;
        let now = worker.now();
        let Labels { fault, login } = self.one;
        let sent = self.in_flight.is_some();
        self.is_settled = true;
        self.sample.expected = fault.is_some_and(|kind| kind.is_met_by(outcome));
        self.sample.outcome = outcome;
        self.sample.latency = latency + self.sample.waited.unwrap_or_default();
        if sent {
            self.vu.in_flight.set(self.vu.in_flight.get() - 1);
        }
        let mut recorder = worker.recorder.borrow_mut();
        recorder.roll(now);
        recorder.request_to(&self.sample, path);
        if let (Outcome::Failed(failure), Some(cause)) = (outcome, cause) {
            recorder.failed(failure, cause);
        }
        drop(recorder);
        let settled = Settled {
            outcome,
            pass: self.pass,
            fault,
            login,
            is_known: sent && heard,
        };
        worker.settle(now, self.target, settled, sent);
        if worker.logs_requests {
            log(worker, &self.sample, sent, cause);
        }
        now
    }
}

/// Why there is no response to the requests of a user who was ended.
const GIVEN_UP: &str = "its user was ended before an answer came";

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        match self.in_flight {
            Some(since) => {
                let taken = self.worker.clock.since(since);
                let timeout = Outcome::Failed(Failure::Timeout);
                self.count(timeout, "", taken, false, Some(GIVEN_UP));
            }
            None => {
                let stopped = Outcome::Failed(Failure::Stopped);
                self.count(stopped, "", Duration::ZERO, false, None);
            }
        }
    }
}

/// One line of log about a request: where it went and its outcome, and nothing of what was in it.
#[cold]
fn log(worker: &WorkerState, sample: &RequestSample, sent: bool, cause: Option<&str>) {
    let recorder = worker.recorder.borrow();
    let catalog = recorder.catalog();
    let (method, path) = catalog.route(sample.role.archetype, sample.route);
    let archetype = catalog.archetype(sample.role.archetype);
    let outcome = sample.outcome.shown();
    let outcome = outcome.unwrap_or_else(|failure| failure.as_str().to_owned());
    let note = match (sent, sample.expected) {
        (false, _) => ", not sent",
        (true, true) => ", expected",
        (true, false) => "",
    };
    let over = match (sample.address, sample.reused) {
        (None, _) => String::new(),
        (Some(address), true) => format!(", {address}"),
        (Some(address), false) => format!(", {address}, new connection"),
    };
    let ms = sample.latency.as_secs_f64() * 1e3;
    match cause {
        None => tracing::debug!(
            "user-{:03} {archetype} {method} {path} -> {outcome} ({ms:.1} ms{over}{note})",
            sample.user,
        ),
        Some(cause) => tracing::debug!(
            "user-{:03} {archetype} {method} {path} -> {outcome} ({ms:.1} ms{over}{note}): {cause}",
            sample.user,
        ),
    }
}

/// A login that waits for its arrival. If its user is ended meanwhile, the login limit no longer counts it.
struct PendingLogin<'a>(Option<(&'a WorkerState, u16)>);

impl<'a> PendingLogin<'a> {
    fn new(worker: &'a WorkerState, target: u16, login: bool) -> Self {
        Self(login.then_some((worker, target)))
    }

    /// From now on the permit counts the login.
    fn settled_elsewhere(mut self) {
        self.0 = None;
    }
}

impl Drop for PendingLogin<'_> {
    fn drop(&mut self) {
        if let Some((worker, target)) = self.0 {
            worker.admission(target).withdraw_login(worker.now());
        }
    }
}

/// Wait until these requests of a user may leave: each by its target, and whether it is a login.
pub(crate) async fn wait_while_held(
    worker: &WorkerState,
    vu: &VuState,
    requests: impl Iterator<Item = (u16, bool)> + Clone,
) {
    if requests.clone().next().is_none() {
        // What goes over channels waits too.
        return wait_at(worker, vu, 0, 0).await;
    }
    let mut announced = Announced {
        worker,
        requests: requests.clone(),
        until: 0,
    };
    for (at, (target, _)) in requests.clone().enumerate() {
        if goes_to(requests.clone().take(at), target) {
            continue;
        }
        let logins = requests.clone().filter(|one| *one == (target, true));
        wait_at(worker, vu, target, logins.count()).await;
        announced.until = at + 1;
    }
    // From here on its requests see to that.
    announced.until = 0;
}

/// Wait until requests of a user may leave for a target, with so many logins among them.
pub(crate) async fn wait_at(worker: &WorkerState, vu: &VuState, target: u16, logins: usize) {
    let (now, admission) = (worker.now(), worker.admission(target));
    admission.stretch(now, &vu.hold);
    if let Some((why, wait)) = admission.held(now, &vu.hold, logins) {
        // Boxed: a rare wait must not make every user larger.
        Box::pin(wait_on(worker, vu, (target, logins), why, wait)).await;
    }
}

fn goes_to(mut requests: impl Iterator<Item = (u16, bool)>, target: u16) -> bool {
    requests.any(|(known, _)| known == target)
}

/// Requests that wait for one of their targets. If their user is ended meanwhile, the login limits of the others no longer count
/// the logins among them.
struct Announced<'a, I: Iterator<Item = (u16, bool)> + Clone> {
    worker: &'a WorkerState,
    requests: I,
    /// The targets of so many of them need no wait any more.
    until: usize,
}

impl<I: Iterator<Item = (u16, bool)> + Clone> Drop for Announced<'_, I> {
    fn drop(&mut self) {
        for (target, login) in self.requests.clone() {
            if login && goes_to(self.requests.clone().take(self.until), target) {
                let admission = self.worker.admission(target);
                admission.withdraw_login(self.worker.now());
            }
        }
    }
}

async fn wait_on(
    worker: &WorkerState,
    vu: &VuState,
    (target, logins): (u16, usize),
    mut why: HoldReason,
    mut wait: Duration,
) {
    loop {
        if matches!(why, HoldReason::Breaker | HoldReason::Logins) {
            // Whoever was turned away at the same time should not come back at the same time.
            let spread = unit(vu.seed, Stream::Backoff, vu.hold.next_draw());
            let most = wait.clamp(Duration::from_millis(20), Duration::from_secs(2));
            wait += most.mul_f64(spread);
        }
        let held = HoldGuard::begin(worker, why);
        worker.think(wait).await;
        drop(held);
        match worker
            .admission(target)
            .held(worker.now(), &vu.hold, logins)
        {
            Some(reason) => (why, wait) = reason,
            None => return,
        }
    }
}

/// A user who waits. Counted with the time that it really waited, however that ends.
pub(crate) struct HoldGuard<'a> {
    worker: &'a WorkerState,
    why: HoldReason,
    since: Instant,
}

impl<'a> HoldGuard<'a> {
    pub(crate) fn begin(worker: &'a WorkerState, why: HoldReason) -> Self {
        worker.held_users(1);
        Self {
            worker,
            why,
            since: worker.clock.now(),
        }
    }
}

impl Drop for HoldGuard<'_> {
    fn drop(&mut self) {
        self.worker.held_users(-1);
        let mut recorder = self.worker.recorder.borrow_mut();
        recorder.held(self.why, self.worker.clock.since(self.since));
    }
}
