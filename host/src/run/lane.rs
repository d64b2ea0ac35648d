//! One load profile as one worker plays it: its share of the users, of a total, of the arrivals. Owned by the floor.
//!
//! What must stay true: the workers' shares add up to the profile, exactly, and no two of them talk about it.

use std::cell::Cell;
use std::time::Duration;

use super::arrivals::Arrivals;
use crate::plan::{self, Plan, Profile};

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) profile: Profile,
    /// Requests that are left of a total; `None` where there is none.
    left: Option<Cell<u64>>,
    pub(super) arrivals: Option<Arrivals>,
}

impl Lane {
    pub(super) fn new(plan: &Plan, profile: &Profile, worker: usize) -> Self {
        let (left, arrivals) = match profile {
            Profile::SharedTotal { users, requests } => {
                let part = part_of(*requests, *users, plan.workers, worker);
                (Some(Cell::new(part)), None)
            }
            Profile::Rate { rate, pool } => {
                let ends = plan.load.duration;
                let arrivals = Arrivals::new(rate.clone(), *pool, ends, plan.workers, worker);
                (None, Some(arrivals))
            }
            _ => (None, None),
        };
        Self {
            profile: profile.clone(),
            left,
            arrivals,
        }
    }

    /// Requests that users may still send: at most so many, and no more than a total leaves.
    pub(super) fn left(&self, budget: u32) -> u32 {
        match &self.left {
            Some(left) => budget.min(u32::try_from(left.get()).unwrap_or(u32::MAX)),
            None => budget,
        }
    }

    /// A request is about to leave. `false` when a total has none left for it.
    pub(super) fn spend(&self) -> bool {
        match &self.left {
            Some(left) => {
                let may = left.get() > 0;
                left.set(left.get().saturating_sub(1));
                may
            }
            None => true,
        }
    }

    /// A total that has come to its end.
    pub(super) fn is_spent(&self) -> bool {
        self.left.as_ref().is_some_and(|left| left.get() == 0)
    }

    /// The arrivals, where what arrives is this.
    pub(super) fn arrivals_of(&self, what: plan::Arrivals) -> Option<&Arrivals> {
        self.arrivals
            .as_ref()
            .filter(|arrivals| arrivals.pool.arrivals == what)
    }

    /// Whether the arrivals are the pace, so that users do not think.
    pub(super) fn is_paced(&self) -> bool {
        self.arrivals_of(plan::Arrivals::Requests).is_some()
    }

    /// Users of all workers that are to play at this time of the profile.
    pub(super) fn users_at(&self, time: Duration) -> u32 {
        self.profile.users_at(time)
    }
}

/// The part of a number that falls to one of `workers`, when each takes one in turn.
pub(super) fn share_of(total: u32, workers: usize, worker: usize) -> usize {
    let total = total as usize;
    total / workers + usize::from(worker < total % workers)
}

/// The part of a total of requests that falls to one of `workers`: as large as its part of the users.
fn part_of(requests: u64, users: u32, workers: usize, worker: usize) -> u64 {
    let before: usize = (0..worker).map(|w| share_of(users, workers, w)).sum();
    let up_to = |users_before: usize| {
        let part = u128::from(requests) * users_before as u128 / u128::from(users.max(1));
        // No part is more than the whole.
        part as u64
    };
    up_to(before + share_of(users, workers, worker)) - up_to(before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shares_add_up_and_hold_the_users_of_their_worker(total in 0u32..100_000, workers in 1usize..40) {
            let shares: Vec<usize> = (0..workers).map(|w| share_of(total, workers, w)).collect();
            prop_assert_eq!(shares.iter().sum::<usize>(), total as usize);
            for (worker, share) in shares.iter().enumerate() {
                let own = (0..total as usize).filter(|index| index % workers == worker).count();
                prop_assert_eq!(own, *share);
            }
        }

        #[test]
        fn parts_of_a_total_add_up_and_go_to_workers_with_users(
            requests: u64, users in 1u32..100_000, workers in 1usize..40,
        ) {
            let parts: Vec<u64> = (0..workers).map(|w| part_of(requests, users, workers, w)).collect();
            prop_assert_eq!(parts.iter().map(|part| u128::from(*part)).sum::<u128>(), u128::from(requests));
            for (worker, part) in parts.iter().enumerate() {
                prop_assert!(*part == 0 || share_of(users, workers, worker) > 0);
            }
        }
    }
}
