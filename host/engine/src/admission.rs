//! What one worker holds back out of regard for the target: it asks the breaker before a request leaves, makes users wait
//! who were turned away, and learns from every outcome. One for each worker; the users of a worker share it.
//!
//! What must stay true: a user who waits here has nothing under way, so that a stop ends it at once.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::seed::{Stream, derive, unit};
use crate::vu::task::think;
use crate::worker::state::WorkerState;
use vespeiro_metrics::{Recorder, WorkerStatus};
use vespeiro_model::{Failure, FaultKind, HoldReason, Outcome};
use vespeiro_plan::Plan;
use vespeiro_resilience::{
    Breaker, BreakerPermit, LoginLimiter, LoginOutcome, LoginWait, Signal, Throttle, backoff,
};

/// The longest own pace of a user that a slowdown stretches.
const LONGEST_PACE: Duration = Duration::from_secs(60);

/// What a user has been told by the target. Small: there is one for each user.
#[derive(Debug, Default)]
pub(crate) struct HoldState {
    /// Nothing leaves before this, on the worker's clock.
    until: Cell<Duration>,
    why: Cell<Option<HoldReason>>,
    /// Connections in a row that failed.
    failures: Cell<u16>,
    /// Draws of chance so far.
    draws: Cell<u16>,
    /// The last request met an open breaker.
    turned_away: Cell<bool>,
    /// When the last batch left.
    left: Cell<Option<Duration>>,
}

/// A request that is allowed to leave, and all that has to be given back with its outcome.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Permit {
    pub(crate) pass: Option<BreakerPermit>,
    pub(crate) fault: Option<FaultKind>,
    pub(crate) login: bool,
    pub(crate) sent: bool,
    /// Its user was ended meanwhile: the outcome says nothing.
    pub(crate) broken_off: bool,
}

#[derive(Debug)]
pub(crate) struct Admission {
    began: Instant,
    seed: u64,
    breaker: Option<RefCell<Breaker>>,
    slowdown: Option<RefCell<Throttle>>,
    logins: Option<RefCell<LoginLimiter>>,
    /// Requests that were sent and have no outcome yet.
    pub(crate) in_flight: Cell<u64>,
    held: Cell<u64>,
}

impl Admission {
    pub(crate) fn new(plan: &Plan, worker: usize) -> Self {
        let resilience = &plan.resilience;
        // Each worker watches its share of the logins: together they keep to the plan's bound.
        let share = |bound: u32| bound.div_ceil(plan.workers.max(1) as u32);
        Self {
            began: Instant::now(),
            seed: derive(plan.seed, Stream::CoolDown, worker as u64),
            breaker: resilience
                .breaker
                .map(|rules| RefCell::new(Breaker::new(rules))),
            slowdown: resilience.backoff.then(RefCell::default),
            logins: resilience
                .max_auth_failures
                .map(|bound| RefCell::new(LoginLimiter::new(share(bound)))),
            in_flight: Cell::new(0),
            held: Cell::new(0),
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Permit for one request; `Err` when the breaker is open.
    pub(crate) fn ask(&self) -> Result<Option<BreakerPermit>, ()> {
        match &self.breaker {
            Some(breaker) => {
                let pass = breaker.borrow_mut().try_acquire(self.now());
                pass.map(Some).ok_or(())
            }
            None => Ok(None),
        }
    }

    /// Whether the breaker would turn a request away.
    pub(crate) fn is_open(&self) -> bool {
        let breaker = self.breaker.as_ref();
        breaker.is_some_and(|breaker| breaker.borrow().wait(self.now()).is_some())
    }

    /// What came of a request, whether it was sent or not.
    pub(crate) fn came(&self, outcome: Outcome, permit: Permit, recorder: &RefCell<Recorder>) {
        let now = self.now();
        let known = permit.sent && !permit.broken_off;
        if let (Some(breaker), Some(pass)) = (&self.breaker, permit.pass) {
            let verdict = if known {
                verdict(outcome, permit.fault)
            } else {
                Signal::Ignored
            };
            let chance = |turn| unit(self.seed, Stream::CoolDown, u64::from(turn));
            if let Some(state) = breaker.borrow_mut().settle(now, pass, verdict, chance) {
                recorder.borrow_mut().breaker(state);
            }
        }
        if let Some(slowdown) = &self.slowdown
            && known
            && permit.fault != Some(FaultKind::RateLimit)
        {
            let limited = outcome == Outcome::Status(429);
            slowdown.borrow_mut().record(now, limited);
        }
        if permit.login
            && let Some(logins) = &self.logins
        {
            let login = if known && permit.fault.is_none() {
                login(outcome)
            } else {
                LoginOutcome::Ignored
            };
            let pauses = logins.borrow_mut().settle(now, login);
            if login == LoginOutcome::Refused {
                recorder.borrow_mut().login_refused(pauses);
            }
        }
    }

    /// What an outcome means for its user's next request.
    pub(crate) fn learn(
        &self,
        hold: &HoldState,
        user_seed: impl FnOnce() -> u64,
        outcome: Outcome,
        retry_after: Option<Duration>,
        fault: Option<FaultKind>,
    ) {
        if outcome == Outcome::Failed(Failure::CircuitOpen) {
            hold.turned_away.set(true);
            return;
        }
        if self.slowdown.is_none() || outcome.is_good() {
            hold.failures.set(0);
            return;
        }
        let unreachable = matches!(
            outcome,
            Outcome::Failed(Failure::Connect | Failure::Tls | Failure::Reset)
        );
        let limited = outcome == Outcome::Status(429) && fault != Some(FaultKind::RateLimit);
        let (why, wait) = match retry_after {
            Some(wait) => (HoldReason::RetryAfter, wait),
            None if unreachable || limited => {
                // A batch that fails as a whole is one failure.
                if hold.why.get() != Some(HoldReason::Backoff) {
                    hold.failures.set(hold.failures.get().saturating_add(1));
                }
                let failures = u32::from(hold.failures.get());
                (
                    HoldReason::Backoff,
                    backoff(failures, self.chance(hold, user_seed())),
                )
            }
            None => return,
        };
        let until = self.now() + wait;
        if until > hold.until.get() {
            hold.until.set(until);
            hold.why.set(Some(why));
        }
    }

    fn chance(&self, hold: &HoldState, user_seed: u64) -> f64 {
        let n = hold.draws.get();
        hold.draws.set(n.wrapping_add(1));
        unit(user_seed, Stream::Backoff, u64::from(n))
    }

    /// How long to wait before the `attempt`th repetition of a request.
    pub(crate) fn before_retry(
        &self,
        hold: &HoldState,
        user_seed: u64,
        attempt: u32,
        retry_after: Option<Duration>,
    ) -> (HoldReason, Duration) {
        match retry_after {
            Some(wait) => (HoldReason::RetryAfter, wait),
            None => (
                HoldReason::Backoff,
                backoff(attempt, self.chance(hold, user_seed)),
            ),
        }
    }

    /// A user is about to send a batch: does the whole run go slower? Then its own pace is stretched.
    fn stretch(&self, hold: &HoldState) {
        let Some(slowdown) = &self.slowdown else {
            return;
        };
        let now = self.now();
        let factor = slowdown.borrow_mut().factor(now);
        if factor > 1.0
            && let Some(left) = hold.left.get()
        {
            let own = now.saturating_sub(left).min(LONGEST_PACE);
            let until = now + own.mul_f64(factor - 1.0);
            if until > hold.until.get() {
                hold.until.set(until);
                hold.why.set(Some(HoldReason::Pace));
            }
        }
    }

    /// Why the user's next batch, with so many logins in it, cannot leave yet. Where it can, the logins count as under
    /// way.
    fn reason(&self, hold: &HoldState, logins: usize) -> Option<(HoldReason, Duration)> {
        let now = self.now();
        if let Some(why) = hold.why.get() {
            let until = hold.until.get();
            if now < until {
                return Some((why, until - now));
            }
            hold.why.set(None);
        }
        if hold.turned_away.get() {
            let breaker = self.breaker.as_ref().map(RefCell::borrow);
            if let Some(wait) = breaker.and_then(|breaker| breaker.wait(now)) {
                return Some((HoldReason::Breaker, wait));
            }
            hold.turned_away.set(false);
        }
        if logins > 0
            && let Some(watch) = &self.logins
            && let Err(hold) = watch.borrow_mut().try_acquire(now, logins)
        {
            let (LoginWait::Paused(wait) | LoginWait::Unsure(wait)) = hold;
            return Some((HoldReason::Logins, wait));
        }
        hold.left.set(Some(now));
        None
    }

    /// For the hand-over to the orchestrator.
    pub(crate) fn standing(&self, coroutines: usize) -> WorkerStatus {
        let now = self.now();
        WorkerStatus {
            breaker: self.breaker.as_ref().map(|b| b.borrow().state()),
            coroutines: coroutines as u64,
            in_flight: self.in_flight.get(),
            held: self.held.get(),
            pace: self
                .slowdown
                .as_ref()
                .map_or(1.0, |s| s.borrow_mut().factor(now)),
            logins_paused: self
                .logins
                .as_ref()
                .is_some_and(|l| l.borrow().paused(now).is_some()),
        }
    }
}

/// A login that waits for its turn and is not counted yet: should its user be ended meanwhile, it is no longer under way.
pub(crate) struct PendingLogin<'a>(Option<&'a Admission>);

impl<'a> PendingLogin<'a> {
    pub(crate) fn new(admission: &'a Admission, login: bool) -> Self {
        Self(login.then_some(admission))
    }

    /// From now on its outcome tells.
    pub(crate) fn counted(mut self) {
        self.0 = None;
    }
}

impl Drop for PendingLogin<'_> {
    fn drop(&mut self) {
        if let Some(admission) = self.0
            && let Some(logins) = &admission.logins
        {
            logins
                .borrow_mut()
                .settle(admission.now(), LoginOutcome::Ignored);
        }
    }
}

/// Wait until a user's batch, with so many logins in it, may leave.
pub(crate) async fn wait_while_held(
    worker: &WorkerState,
    hold: &HoldState,
    user: u32,
    logins: usize,
) {
    worker.admission.stretch(hold);
    if let Some((why, wait)) = worker.admission.reason(hold, logins) {
        // Boxed: a rare wait must not make every user larger.
        Box::pin(hold_on(worker, hold, user, logins, why, wait)).await;
    }
}

async fn hold_on(
    worker: &WorkerState,
    hold: &HoldState,
    user: u32,
    logins: usize,
    mut why: HoldReason,
    mut wait: Duration,
) {
    loop {
        if matches!(why, HoldReason::Breaker | HoldReason::Logins) {
            // Whoever was turned away at the same time should not come back at the same time.
            let seed = crate::vu::identity::user_seed(&worker.plan, user);
            let spread = worker.admission.chance(hold, seed);
            let most = wait.clamp(Duration::from_millis(20), Duration::from_secs(2));
            wait += most.mul_f64(spread);
        }
        let held = Held::begin(worker, why);
        think(worker, wait).await;
        drop(held);
        match worker.admission.reason(hold, logins) {
            Some(reason) => (why, wait) = reason,
            None => return,
        }
    }
}

/// A user who waits. Counted with the time that it really waited, however that ends.
pub(crate) struct Held<'a> {
    worker: &'a WorkerState,
    why: HoldReason,
    since: Instant,
}

impl<'a> Held<'a> {
    pub(crate) fn begin(worker: &'a WorkerState, why: HoldReason) -> Self {
        let held = &worker.admission.held;
        held.set(held.get() + 1);
        Self {
            worker,
            why,
            since: Instant::now(),
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let held = &self.worker.admission.held;
        held.set(held.get() - 1);
        let mut recorder = self.worker.recorder.borrow_mut();
        recorder.held(self.why, self.since.elapsed());
    }
}

/// What an outcome says about the target. What the tool asked for says nothing; a refusal is an answer.
fn verdict(outcome: Outcome, fault: Option<FaultKind>) -> Signal {
    match outcome {
        Outcome::Status(_) if fault.is_some_and(|kind| kind.is_met_by(outcome)) => Signal::Ignored,
        Outcome::Status(500..) => Signal::Failure,
        // It answered, if at too great a length.
        Outcome::Status(_) | Outcome::Failed(Failure::TooLarge) => Signal::Success,
        Outcome::Failed(Failure::Timeout) if fault == Some(FaultKind::Timeout) => Signal::Ignored,
        Outcome::Failed(Failure::CircuitOpen | Failure::Stopped) => Signal::Ignored,
        Outcome::Failed(_) => Signal::Failure,
    }
}

fn login(outcome: Outcome) -> LoginOutcome {
    match outcome {
        Outcome::Status(401 | 403 | 423 | 429) => LoginOutcome::Refused,
        Outcome::Status(..=399) => LoginOutcome::Accepted,
        Outcome::Status(_) | Outcome::Failed(_) => LoginOutcome::Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_on_purpose_say_nothing_about_the_target() {
        let status = Outcome::Status;
        let timeout = Outcome::Failed(Failure::Timeout);
        for (outcome, fault, expected) in [
            (status(503), Some(FaultKind::ServerError), Signal::Ignored),
            (status(503), Some(FaultKind::NotFound), Signal::Failure),
            (status(404), Some(FaultKind::NotFound), Signal::Ignored),
            (status(429), Some(FaultKind::RateLimit), Signal::Ignored),
            (timeout, Some(FaultKind::Timeout), Signal::Ignored),
            (timeout, Some(FaultKind::ServerError), Signal::Failure),
            (
                Outcome::Failed(Failure::Connect),
                Some(FaultKind::ServerError),
                Signal::Failure,
            ),
            (status(500), None, Signal::Failure),
            (timeout, None, Signal::Failure),
            (status(200), None, Signal::Success),
            (status(429), None, Signal::Success),
            (Outcome::Failed(Failure::TooLarge), None, Signal::Success),
        ] {
            assert_eq!(verdict(outcome, fault), expected, "{outcome:?} {fault:?}");
        }
    }

    #[test]
    fn logins_are_refused_by_four_statuses() {
        for (status, expected) in [
            (200, LoginOutcome::Accepted),
            (401, LoginOutcome::Refused),
            (403, LoginOutcome::Refused),
            (423, LoginOutcome::Refused),
            (429, LoginOutcome::Refused),
            (400, LoginOutcome::Ignored),
            (503, LoginOutcome::Ignored),
        ] {
            assert_eq!(login(Outcome::Status(status)), expected);
        }
    }
}
