//! The arrivals of a rate on one worker: when each is due, and which of them still wait for a user. Owned by the worker;
//! the worker makes them due, users take them.
//!
//! What must stay true: every arrival that was due is either taken, by whoever has waited longest, or dropped and
//! counted as that. Which are due is a pure function of time: the n-th of a run belongs to the worker whose part it is in.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::Semaphore;

use vespeiro_plan::{ArrivalPool, Curve, Part};

/// All times are those of the profile's clock.
#[derive(Debug)]
pub(crate) struct ArrivalKind {
    rate: Curve,
    pub(crate) pool: ArrivalPool,
    /// Nothing arrives from here on.
    ends: Option<Duration>,
    /// Which of all arrivals are this worker's.
    part: Part,
    /// A leave for each arrival that is due and not taken.
    waiting: Semaphore,
    /// How many have been due so far.
    due: Cell<u64>,
    /// How many of those were taken or dropped: the oldest ones.
    gone: Cell<u64>,
}

impl ArrivalKind {
    pub(crate) fn new(rate: Curve, pool: ArrivalPool, ends: Option<Duration>, part: Part) -> Self {
        Self {
            rate,
            pool,
            ends,
            part,
            waiting: Semaphore::new(0),
            due: Cell::new(0),
            gone: Cell::new(0),
        }
    }

    /// When the next arrival is due; `None` when there will be none.
    pub(crate) fn next(&self) -> Option<Duration> {
        let next = self.at(self.due.get())?;
        self.ends.is_none_or(|ends| next < ends).then_some(next)
    }

    /// Make due what is due by now. Tells how many.
    pub(crate) fn release(&self, now: Duration) -> u64 {
        let mut released = 0;
        while self.next().is_some_and(|next| next <= now) {
            self.due.set(self.due.get() + 1);
            released += 1;
        }
        self.waiting.add_permits(released as usize);
        released
    }

    /// Wait for an arrival, behind all who wait already. Tells when it was due.
    pub(crate) async fn take(&self) -> Duration {
        // The semaphore is never closed, so an error cannot come.
        if let Ok(permit) = self.waiting.acquire().await {
            permit.forget();
        }
        self.permit()
    }

    /// Drop those that have waited too long. Tells how many.
    pub(crate) fn expire(&self, now: Duration) -> u64 {
        let mut dropped = 0;
        while self
            .at(self.gone.get())
            .is_some_and(|at| at + self.pool.max_wait < now)
            && let Ok(permit) = self.waiting.try_acquire()
        {
            permit.forget();
            self.permit();
            dropped += 1;
        }
        dropped
    }

    /// How many are due and not taken.
    pub(crate) fn backlog(&self) -> u64 {
        self.waiting.available_permits() as u64
    }

    /// The oldest one that is due goes. Tells when it was due.
    fn permit(&self) -> Duration {
        let oldest = self.gone.replace(self.gone.get() + 1);
        self.at(oldest).unwrap_or_default()
    }

    /// When this worker's n-th arrival is due.
    fn at(&self, n: u64) -> Option<Duration> {
        self.rate.reaches(self.part.nth(n) as f64)
    }
}

/// How many arrivals a rate makes in a run that lasts so long.
pub(crate) fn planned(rate: &Curve, lasts: Duration) -> u64 {
    // The first is due at once, and none at the very end.
    let mut arrivals = rate.integral(lasts).ceil() as u64;
    while rate.reaches(arrivals as f64).is_some_and(|at| at < lasts) {
        arrivals += 1;
    }
    while arrivals > 0
        && rate
            .reaches((arrivals - 1) as f64)
            .is_none_or(|at| at >= lasts)
    {
        arrivals -= 1;
    }
    arrivals
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use vespeiro_plan::Stage;

    const POOL: ArrivalPool = ArrivalPool {
        users: 1,
        max_users: 1,
        arrivals: vespeiro_plan::ArrivalKind::Requests,
        max_wait: Duration::from_secs(1),
    };

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[tokio::test]
    async fn arrivals_are_taken_in_their_order_and_dropped_when_they_waited_too_long() {
        let arrivals = ArrivalKind::new(Curve::constant(10.0), POOL, None, Part::WHOLE);
        assert_eq!(arrivals.release(secs(0.55)), 6);
        assert_eq!(arrivals.take().await, secs(0.0));
        assert_eq!(arrivals.take().await, secs(0.1));
        assert_eq!(arrivals.expire(secs(1.25)), 1);
        assert_eq!(arrivals.backlog(), 3);
        assert_eq!(arrivals.take().await, secs(0.3));
        assert_eq!(arrivals.expire(secs(9.0)), 2);
        assert_eq!(arrivals.expire(secs(9.0)), 0);
    }

    #[tokio::test]
    async fn who_waits_longest_is_first_and_who_leaves_takes_none() {
        let arrivals = ArrivalKind::new(Curve::constant(1.0), POOL, None, Part::WHOLE);
        let mut first = Box::pin(arrivals.take());
        let mut second = Box::pin(arrivals.take());
        let mut third = Box::pin(arrivals.take());
        for waiting in [&mut first, &mut second, &mut third] {
            assert!(futures_util::FutureExt::now_or_never(waiting.as_mut()).is_none());
        }
        drop(second);
        arrivals.release(secs(0.5));
        assert!(futures_util::FutureExt::now_or_never(third.as_mut()).is_none());
        assert_eq!(first.await, secs(0.0));
        arrivals.release(secs(1.5));
        assert_eq!(third.await, secs(1.0));
        assert_eq!(arrivals.backlog(), 0);
    }

    proptest! {
        #[test]
        fn the_parts_together_have_every_arrival_once(
            start in 0.0..500.0f64,
            stages in prop::collection::vec((0.1..5.0f64, 0.0..500.0f64), 0..4),
            parts in 1usize..7,
            lasts in 0.1..10.0f64,
            steps in prop::collection::vec(0.01..2.0f64, 0..20),
        ) {
            let stages: Vec<Stage> = stages.iter()
                .map(|(lasts, target)| Stage { lasts: secs(*lasts), target: *target })
                .collect();
            let rate = Curve::new(start, &stages);
            let lasts = secs(lasts);
            let mut due = 0;
            for first in 0..parts {
                let part = Part::new(first, parts);
                let arrivals = ArrivalKind::new(rate.clone(), POOL, Some(lasts), part);
                let mut now = Duration::ZERO;
                for step in &steps {
                    now += secs(*step);
                    due += arrivals.release(now);
                }
                due += arrivals.release(lasts + secs(100.0));
                prop_assert_eq!(arrivals.next(), None);
                prop_assert_eq!(arrivals.backlog(), arrivals.due.get());
            }
            prop_assert_eq!(due, planned(&rate, lasts));
            let integral = rate.integral(lasts);
            prop_assert!((due as f64 - integral).abs() <= 1.001, "{due} {integral}");
        }
    }
}
