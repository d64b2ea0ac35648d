//! Whether a request may leave now, and what its outcome means for the next ones: breaker, throttle, login limit and each
//! user's own wait, in one place. One for each worker; `engine` asks, waits and counts.
//!
//! What must stay true: it is a pure function of the times, outcomes and draws that it was told.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use vespeiro_model::{BreakerState, Failure, FaultKind, HoldReason, Outcome};
use vespeiro_plan::{Part, ResilienceSettings};

use crate::{
    Backoff, Breaker, BreakerPermit, LoginLimiter, LoginOutcome, LoginWait, Signal, Throttle,
};

/// The longest own pace of a user that the throttle stretches.
const LONGEST_PACE: Duration = Duration::from_secs(60);

/// What the target has told a user to wait for. Small: there is one for each user.
#[derive(Debug, Default)]
pub struct HoldState {
    /// Nothing leaves before this.
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

impl HoldState {
    /// The number of the user's next draw of chance.
    pub fn next_draw(&self) -> u64 {
        let n = self.draws.get();
        self.draws.set(n.wrapping_add(1));
        u64::from(n)
    }
}

/// The breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerOpen;

/// A request whose outcome is known, or will never be known.
#[derive(Debug, Clone, Copy)]
pub struct Settled {
    pub outcome: Outcome,
    /// What the breaker allowed it to leave with.
    pub pass: Option<BreakerPermit>,
    /// The failure that it was to meet on purpose.
    pub fault: Option<FaultKind>,
    /// It asked for a token.
    pub login: bool,
    /// It was sent, and its user was still there for the outcome: otherwise it says nothing about the target.
    pub is_known: bool,
}

/// What a settled request changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// The breaker went into this state.
    pub breaker: Option<BreakerState>,
    /// A login was refused; `true`: logins are paused by it.
    pub refused_login: Option<bool>,
}

/// Its state at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AdmissionStatus {
    /// `None`: there is no breaker.
    pub breaker: Option<BreakerState>,
    /// By how much users are slowed down; 1: not at all.
    pub pace: f64,
    pub logins_paused: bool,
    /// Logins that were refused in the last minute, without being asked to and on purpose, and how many may be of the former;
    /// `None` without a bound.
    pub refused_logins: Option<(usize, usize, usize)>,
}

impl AdmissionStatus {
    /// Of two targets together: the worse of both, and of what is counted the one that is nearer to its bound.
    pub fn and(self, other: Self) -> Self {
        let left = |refused: Option<(usize, usize, usize)>| {
            refused.map_or(usize::MAX, |(unplanned, _, bound)| {
                bound.saturating_sub(unplanned)
            })
        };
        let (mine, theirs) = (self.refused_logins, other.refused_logins);
        Self {
            breaker: self.breaker.max(other.breaker),
            pace: self.pace.max(other.pace),
            logins_paused: self.logins_paused || other.logins_paused,
            refused_logins: if left(theirs) < left(mine) {
                theirs
            } else {
                mine
            },
        }
    }
}

/// The policies of one worker for one target together. All times are counted from one instant that its owner chose.
#[derive(Debug)]
pub struct Admission {
    breaker: Option<RefCell<Breaker>>,
    throttle: Option<RefCell<Throttle>>,
    logins: Option<RefCell<LoginLimiter>>,
}

impl Admission {
    /// Of the worker that has this part of everything, of the bound of refused logins too: at least one.
    pub fn new(rules: &ResilienceSettings, part: Part) -> Self {
        let share = |bound: u32| part.share(bound as usize) as u32;
        // Half of the bound in all, whatever it is divided by.
        let wrong = |bound: u32| part.of(bound as usize / 2) as u32;
        Self {
            breaker: rules.breaker.map(|rules| RefCell::new(Breaker::new(rules))),
            throttle: rules.backoff.then(RefCell::default),
            logins: rules
                .max_auth_failures
                .map(|bound| RefCell::new(LoginLimiter::new(share(bound), wrong(bound)))),
        }
    }

    /// A pass for one request: to be given back with its outcome.
    pub fn admit(&self, now: Duration) -> Result<Option<BreakerPermit>, BreakerOpen> {
        match &self.breaker {
            Some(breaker) => {
                let pass = breaker.borrow_mut().try_acquire(now);
                pass.map(Some).ok_or(BreakerOpen)
            }
            None => Ok(None),
        }
    }

    /// Whether the breaker would turn a request away.
    pub fn is_open(&self, now: Duration) -> bool {
        let breaker = self.breaker.as_ref();
        breaker.is_some_and(|breaker| breaker.borrow().wait(now).is_some())
    }

    /// The outcome of a request, whether it was sent or not. `chance` draws for the n-th time that the breaker opens.
    pub fn settle(&self, now: Duration, settled: Settled, chance: impl Fn(u32) -> f64) -> Changes {
        let Settled {
            outcome,
            pass,
            fault,
            login,
            is_known,
        } = settled;
        let mut changes = Changes::default();
        if let (Some(breaker), Some(pass)) = (&self.breaker, pass) {
            let signal = if is_known {
                signal(outcome, fault)
            } else {
                Signal::Ignored
            };
            changes.breaker = breaker.borrow_mut().settle(now, pass, signal, chance);
        }
        if let Some(throttle) = &self.throttle
            && is_known
            && fault != Some(FaultKind::RateLimit)
        {
            let limited = outcome.as_http() == Outcome::Status(429);
            throttle.borrow_mut().record(now, limited);
        }
        if login && let Some(logins) = &self.logins {
            let result = login_result(outcome);
            let login = match fault {
                None if is_known => result,
                Some(FaultKind::BadCredentials) if result == LoginOutcome::Refused => {
                    LoginOutcome::Wrong
                }
                _ => LoginOutcome::Ignored,
            };
            let pauses = logins.borrow_mut().settle(now, login);
            changes.refused_login = (login == LoginOutcome::Refused).then_some(pauses);
        }
        changes
    }

    /// How many wrong passwords on purpose the target may be given now, so that they take at most half of what it may refuse.
    pub fn wrong_passwords(&self, now: Duration) -> usize {
        let logins = self.logins.as_ref();
        logins.map_or(usize::MAX, |logins| logins.borrow().wrong_passwords(now))
    }

    /// A login that was announced will not leave.
    pub fn withdraw_login(&self, now: Duration) {
        if let Some(logins) = &self.logins {
            logins.borrow_mut().settle(now, LoginOutcome::Ignored);
        }
    }

    /// What an outcome means for its user's next batch. `chance` draws for the user's n-th draw.
    pub fn update_hold(
        &self,
        now: Duration,
        hold: &HoldState,
        outcome: Outcome,
        retry_after: Option<Duration>,
        fault: Option<FaultKind>,
        chance: impl FnOnce(u64) -> f64,
    ) {
        if outcome == Outcome::Failed(Failure::CircuitOpen) {
            hold.turned_away.set(true);
            return;
        }
        if self.throttle.is_none() || outcome.is_good() {
            hold.failures.set(0);
            return;
        }
        let unreachable = matches!(
            outcome,
            Outcome::Failed(Failure::Connect | Failure::Tls | Failure::Reset)
        );
        let limited =
            outcome.as_http() == Outcome::Status(429) && fault != Some(FaultKind::RateLimit);
        let (why, wait) = match retry_after {
            Some(wait) => (HoldReason::RetryAfter, wait),
            None if unreachable || limited => {
                // A batch that fails as a whole is one failure.
                if hold.why.get() != Some(HoldReason::Backoff) {
                    hold.failures.set(hold.failures.get().saturating_add(1));
                }
                let failures = u32::from(hold.failures.get());
                let wait = Backoff::CONNECTION.wait(failures, chance(hold.next_draw()));
                (HoldReason::Backoff, wait)
            }
            None => return,
        };
        let until = now + wait;
        if until > hold.until.get() {
            hold.until.set(until);
            hold.why.set(Some(why));
        }
    }

    /// A user is about to send a batch: while the whole run is slowed down, its own pace is stretched.
    pub fn stretch(&self, now: Duration, hold: &HoldState) {
        let Some(throttle) = &self.throttle else {
            return;
        };
        let factor = throttle.borrow_mut().factor(now);
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

    /// Why the user's next batch, with so many logins in it, cannot leave yet, and for how long at least. Where it can,
    /// the logins count as under way.
    pub fn held(
        &self,
        now: Duration,
        hold: &HoldState,
        logins: usize,
    ) -> Option<(HoldReason, Duration)> {
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

    pub fn status(&self, now: Duration) -> AdmissionStatus {
        AdmissionStatus {
            breaker: self.breaker.as_ref().map(|b| b.borrow().state()),
            pace: self
                .throttle
                .as_ref()
                .map_or(1.0, |s| s.borrow_mut().factor(now)),
            logins_paused: self
                .logins
                .as_ref()
                .is_some_and(|l| l.borrow().paused(now).is_some()),
            refused_logins: self.logins.as_ref().map(|l| l.borrow().refused(now)),
        }
    }
}

/// How long to wait before the `attempt`th repetition of a request.
pub fn before_retry(
    attempt: u32,
    retry_after: Option<Duration>,
    chance: impl FnOnce() -> f64,
) -> (HoldReason, Duration) {
    match retry_after {
        Some(wait) => (HoldReason::RetryAfter, wait),
        None => (
            HoldReason::Backoff,
            Backoff::CONNECTION.wait(attempt, chance()),
        ),
    }
}

/// What an outcome says about the target. What the tool asked for says nothing; a refusal is an answer.
fn signal(outcome: Outcome, fault: Option<FaultKind>) -> Signal {
    match outcome.as_http() {
        Outcome::Status(_) if fault.is_some_and(|kind| kind.is_met_by(outcome)) => Signal::Ignored,
        Outcome::Status(500..) => Signal::Failure,
        // It did answer, only at too great a length, or with a way that is not gone.
        Outcome::Status(_)
        | Outcome::Accepted(_)
        | Outcome::Grpc(_)
        | Outcome::AcceptedGrpc(_)
        | Outcome::Failed(Failure::TooLarge | Failure::Headers | Failure::Redirects) => {
            Signal::Success
        }
        Outcome::Failed(Failure::Timeout) if fault == Some(FaultKind::Timeout) => Signal::Ignored,
        // Never sent, or this machine was the limit, or had a file no more.
        Outcome::Failed(
            Failure::CircuitOpen | Failure::Stopped | Failure::Generator | Failure::File,
        ) => Signal::Ignored,
        Outcome::Failed(_) => Signal::Failure,
    }
}

fn login_result(outcome: Outcome) -> LoginOutcome {
    match outcome.as_http() {
        // Refused is refused, whatever the journey makes of it.
        Outcome::Status(401 | 403 | 423 | 429) | Outcome::Accepted(401 | 403 | 423 | 429) => {
            LoginOutcome::Refused
        }
        Outcome::Status(..=399) => LoginOutcome::Accepted,
        _ => LoginOutcome::Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vespeiro_model::GrpcCode;

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
            (Outcome::Grpc(GrpcCode::NotFound), None, Signal::Success),
            (Outcome::Grpc(GrpcCode::Unavailable), None, Signal::Failure),
            (
                Outcome::AcceptedGrpc(GrpcCode::Unavailable),
                None,
                Signal::Success,
            ),
            (
                Outcome::Grpc(GrpcCode::DeadlineExceeded),
                Some(FaultKind::Timeout),
                Signal::Ignored,
            ),
            (Outcome::Failed(Failure::TooLarge), None, Signal::Success),
            (Outcome::Failed(Failure::Headers), None, Signal::Success),
            (Outcome::Failed(Failure::Redirects), None, Signal::Success),
            (Outcome::Failed(Failure::Generator), None, Signal::Ignored),
            (Outcome::Failed(Failure::File), None, Signal::Ignored),
            (Outcome::Failed(Failure::Unprocessed), None, Signal::Failure),
        ] {
            assert_eq!(signal(outcome, fault), expected, "{outcome:?} {fault:?}");
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
            assert_eq!(login_result(Outcome::Status(status)), expected);
        }
    }
}
