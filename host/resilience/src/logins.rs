//! Limits the logins that the target refuses without being asked to: after so many within a minute no further login leaves,
//! so that a wrong password locks no account and does not look like an attack. Asked by [`crate::Admission`].
//!
//! What must stay true: it is a pure function of what it was told, and in any minute at most `bound` logins are refused,
//! except those that are under way when a set-up that worked until then breaks.

use std::collections::VecDeque;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
/// How long to wait before asking again for the outcome of those under way.
const RECHECK: Duration = Duration::from_millis(50);

/// The outcome of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginOutcome {
    Accepted,
    /// 401, 403, 423 or 429.
    Refused,
    /// Refused, since its password was wrong on purpose.
    Wrong,
    /// Neither: no response, another status, or another failure on purpose.
    Ignored,
}

#[derive(Debug)]
pub struct LoginLimiter {
    bound: usize,
    /// When the last ones were refused; at most `bound` of them.
    refused: VecDeque<Duration>,
    /// At most so many a minute are wrong on purpose.
    most_wrong: usize,
    /// When the last of those were refused; at most `most_wrong` of them.
    wrong: VecDeque<Duration>,
    /// Logins under way.
    out: usize,
    /// One was accepted since the last refusal: the set-up works.
    works: bool,
}

/// Why a login has to wait, and how long at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginWait {
    /// Too many were refused.
    Paused(Duration),
    /// As many are under way as may be refused, and it is not known yet whether any is accepted.
    Unsure(Duration),
}

impl LoginLimiter {
    /// At most `bound` refused logins a minute, and besides them at most so many that are `wrong` on purpose.
    pub fn new(bound: u32, wrong: u32) -> Self {
        Self {
            bound: bound.max(1) as usize,
            refused: VecDeque::new(),
            most_wrong: wrong as usize,
            wrong: VecDeque::new(),
            out: 0,
            works: false,
        }
    }

    /// How many more may be wrong on purpose now.
    pub fn wrong_passwords(&self, now: Duration) -> usize {
        let (_, wrong, _) = self.refused(now);
        self.most_wrong.saturating_sub(wrong)
    }

    /// How many were refused in the last minute, without being asked to and on purpose, and how many may be of the former.
    pub fn refused(&self, now: Duration) -> (usize, usize, usize) {
        let recent = |times: &VecDeque<Duration>| {
            let recent = times.iter().filter(|at| now.saturating_sub(**at) < MINUTE);
            recent.count()
        };
        (recent(&self.refused), recent(&self.wrong), self.bound)
    }

    /// How long no login may leave; `None` while they may.
    pub fn paused(&self, now: Duration) -> Option<Duration> {
        let oldest = self.refused.front()?;
        let until = *oldest + MINUTE;
        (self.refused.len() == self.bound && now < until).then(|| until - now)
    }

    /// Permission for so many logins at once, or the reason to wait. Each of them has to be [settled](Self::settle).
    pub fn try_acquire(&mut self, now: Duration, logins: usize) -> Result<(), LoginWait> {
        if let Some(wait) = self.paused(now) {
            return Err(LoginWait::Paused(wait));
        }
        let recent = self.refused.iter().filter(|at| now - **at < MINUTE);
        if !self.works && self.out > 0 && recent.count() + self.out + logins > self.bound {
            return Err(LoginWait::Unsure(RECHECK));
        }
        self.out += logins;
        Ok(())
    }

    /// The outcome of one of them. `true` when it is the one that leads to a pause.
    pub fn settle(&mut self, now: Duration, login: LoginOutcome) -> bool {
        self.out = self.out.saturating_sub(1);
        match login {
            LoginOutcome::Ignored => false,
            LoginOutcome::Wrong => {
                if self.wrong.len() >= self.most_wrong.max(1) {
                    self.wrong.pop_front();
                }
                self.wrong.push_back(now);
                false
            }
            LoginOutcome::Accepted => {
                self.works = true;
                false
            }
            LoginOutcome::Refused => {
                let was = self.paused(now).is_some();
                self.works = false;
                if self.refused.len() == self.bound {
                    self.refused.pop_front();
                }
                self.refused.push_back(now);
                !was && self.paused(now).is_some()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wrong_password_is_tried_no_more_often_than_allowed() {
        let mut logins = LoginLimiter::new(5, 2);
        let mut leave = 0;
        // A hundred users come at once.
        for _ in 0..100 {
            leave += usize::from(logins.try_acquire(Duration::ZERO, 1).is_ok());
        }
        assert_eq!(leave, 5);
        let pauses: Vec<bool> = (0..5)
            .map(|_| logins.settle(Duration::from_secs(1), LoginOutcome::Refused))
            .collect();
        assert_eq!(pauses, [false, false, false, false, true]);
        let held = Err(LoginWait::Paused(Duration::from_secs(59)));
        assert_eq!(logins.try_acquire(Duration::from_secs(2), 1), held);
        assert_eq!(logins.try_acquire(Duration::from_secs(61), 1), Ok(()));
    }

    #[test]
    fn a_set_up_that_works_is_not_held_back() {
        let mut logins = LoginLimiter::new(2, 1);
        assert_eq!(logins.try_acquire(Duration::ZERO, 1), Ok(()));
        logins.settle(Duration::ZERO, LoginOutcome::Accepted);
        assert!((0..1_000).all(|_| logins.try_acquire(Duration::ZERO, 1).is_ok()));
    }

    #[test]
    fn a_batch_that_is_larger_than_the_bound_is_not_held_for_ever() {
        assert_eq!(
            LoginLimiter::new(2, 1).try_acquire(Duration::ZERO, 10),
            Ok(())
        );
    }

    #[test]
    fn wrong_passwords_on_purpose_have_a_bound_of_their_own() {
        let second = Duration::from_secs;
        let mut logins = LoginLimiter::new(5, 2);
        for at in 0..2 {
            assert_eq!(logins.wrong_passwords(second(at)), 2 - at as usize);
            logins.settle(second(at), LoginOutcome::Wrong);
        }
        assert_eq!(logins.wrong_passwords(second(59)), 0);
        assert_eq!(logins.wrong_passwords(second(60)), 1);
        assert_eq!(logins.paused(second(2)), None);
    }

    proptest! {
        /// Whoever comes when, and however long answers take: where every login is refused, the bound holds in every minute.
        #[test]
        fn no_minute_sees_more_than_the_bound(
            bound in 1u32..20,
            steps in prop::collection::vec((0u64..20_000, any::<bool>()), 1..400),
        ) {
            let mut logins = LoginLimiter::new(bound, bound / 2);
            let (mut now, mut out) = (Duration::ZERO, 0);
            let mut refused: Vec<Duration> = Vec::new();
            for (gap, asks) in steps {
                now += Duration::from_millis(gap);
                if asks {
                    out += u32::from(logins.try_acquire(now, 1).is_ok());
                } else if out > 0 {
                    out -= 1;
                    logins.settle(now, LoginOutcome::Refused);
                    refused.push(now);
                    let within = refused.iter().filter(|at| now - **at < MINUTE).count();
                    prop_assert!(within <= bound as usize, "{} in a minute", within);
                }
            }
        }
    }
}
