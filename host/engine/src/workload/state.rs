//! One load profile as one worker plays it: its share of the users, of a total, of the arrivals. Owned by the worker.
//!
//! What must stay true: the shares of all workers of all shards add up to the profile, exactly, and no two of them talk about
//! it.

use std::cell::Cell;
use std::time::Duration;

use super::arrivals::ArrivalKind;
use vespeiro_plan::{Deal, Part, Place, Plan, Profile};

#[derive(Debug)]
pub(crate) struct WorkloadState {
    pub(crate) profile: Profile,
    /// Who plays by it.
    pub(crate) archetypes: Vec<u16>,
    /// Which of its users play here.
    pub(crate) deal: Deal,
    /// It is the run's own, not that of one archetype.
    pub(crate) is_shared: bool,
    /// When it ends, if the run goes on longer; in its own time.
    ends: Option<Duration>,
    /// Requests that are left of a total; `None` where there is none.
    left: Option<Cell<u64>>,
    pub(crate) arrivals: Option<ArrivalKind>,
}

impl WorkloadState {
    pub(crate) fn new(plan: &Plan, workload: vespeiro_plan::Workload, place: Place) -> Self {
        let run = plan.load.duration;
        let deal = Deal::new(&plan.archetypes, &workload.archetypes);
        let (left, arrivals) = match &workload.profile {
            Profile::SharedTotal { users, requests } => {
                let own = deal.share_of_total(*requests, *users, place);
                (Some(Cell::new(own)), None)
            }
            Profile::Rate { rate, pool } => {
                let part = deal.share_of_arrivals(pool.max_users, place);
                let ends = workload.is_over_at(run);
                // Nothing arrives where nobody may come.
                let ends = part.map_or(Some(Duration::ZERO), |_| ends);
                let part = part.unwrap_or(Part::WHOLE);
                let arrivals = ArrivalKind::new(rate.clone(), *pool, ends, part);
                (None, Some(arrivals))
            }
            _ => (None, None),
        };
        Self {
            profile: workload.profile,
            archetypes: workload.archetypes,
            deal,
            is_shared: workload.is_shared,
            ends: workload
                .ends
                .filter(|ends| run.is_none_or(|run| *ends < run)),
            left,
            arrivals,
        }
    }

    /// Requests that users may still send: at most so many, and no more than a total leaves.
    pub(crate) fn left(&self, budget: u32) -> u32 {
        match &self.left {
            Some(left) => budget.min(u32::try_from(left.get()).unwrap_or(u32::MAX)),
            None => budget,
        }
    }

    /// A request is about to leave. `false` when a total has none left for it.
    pub(crate) fn spend(&self) -> bool {
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
    pub(crate) fn is_spent(&self) -> bool {
        self.left.as_ref().is_some_and(|left| left.get() == 0)
    }

    /// Whether it has ended before the run, with all that has arrived taken or dropped.
    pub(crate) fn is_over(&self, time: Duration) -> bool {
        let waits = |arrivals: &ArrivalKind| arrivals.backlog() > 0;
        self.ends.is_some_and(|ends| time >= ends) && !self.arrivals.as_ref().is_some_and(waits)
    }

    /// Whether nobody is to play by it any more.
    pub(crate) fn has_ended(&self, time: Duration) -> bool {
        self.is_spent() || self.is_over(time)
    }

    /// The arrivals, where what arrives is this.
    pub(crate) fn arrivals_of(&self, what: vespeiro_plan::ArrivalKind) -> Option<&ArrivalKind> {
        self.arrivals
            .as_ref()
            .filter(|arrivals| arrivals.pool.arrivals == what)
    }

    /// Whether the arrivals are the pace, so that users do not think.
    pub(crate) fn is_paced(&self) -> bool {
        self.arrivals_of(vespeiro_plan::ArrivalKind::Requests)
            .is_some()
    }

    /// Users of all workers and shards that are to play at this time of the profile.
    pub(crate) fn users_at(&self, time: Duration) -> u32 {
        self.profile.users_at(time)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arrivals::planned;
    use super::super::planned::requests_planned;
    use super::*;
    use crate::vu::identity::index;
    use vespeiro_plan::{ArrivalPool, Curve, Flags, Shard, Sources, resolve};

    const POOL: ArrivalPool = ArrivalPool {
        users: 1,
        max_users: 9,
        arrivals: vespeiro_plan::ArrivalKind::Requests,
        max_wait: Duration::from_secs(1),
    };

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// A plan whose archetypes have these rates of their own, each for so many seconds.
    fn plan_of(rates: &[(f64, f64)], lasts: f64) -> Plan {
        let sources = Sources {
            base: None,
            flags: Flags::default(),
            env: [],
        };
        let mut plan = resolve(sources).unwrap().plan;
        plan.load.duration = Some(secs(lasts));
        for ((rate, ends), archetype) in rates.iter().zip(&mut plan.archetypes) {
            let rate = Curve::constant(*rate);
            archetype.overrides.profile = Some(Profile::Rate { rate, pool: POOL });
            archetype.overrides.duration = Some(secs(*ends));
        }
        plan
    }

    proptest! {
        #[test]
        fn the_arrivals_of_all_workloads_add_up_over_all_workers_of_all_shards(
            rates in prop::collection::vec((0.5..200.0f64, 0.1..9.0f64), 1..5),
            // Shards with different numbers of workers; more than may have users, too.
            workers_of in prop::collection::vec(1usize..6, 1..5),
            lasts in 0.1..9.0f64,
        ) {
            let mut plan = plan_of(&rates, lasts);
            let mut due = vec![0; plan.workloads().len()];
            let mut planned_by_shards = 0;
            for (index, workers) in workers_of.iter().enumerate() {
                plan.shard = Shard { index, shards: workers_of.len() };
                plan.shown = plan.shard;
                planned_by_shards += requests_planned(&plan).unwrap_or(0);
                for worker in 0..*workers {
                    for (workload, due) in plan.workloads().into_iter().zip(&mut due) {
                        let place = plan.shard.place(worker, *workers);
                        let workload = WorkloadState::new(&plan, workload, place);
                        *due += workload.arrivals.as_ref().map_or(0, |a| a.release(secs(100.0)));
                    }
                }
            }
            // What the shards announce is what they do, where every archetype has a rate.
            if rates.len() == 4 {
                prop_assert_eq!(planned_by_shards, due.iter().sum::<u64>());
            }
            // The last archetypes share the run's profile where there are fewer than four rates.
            let shared = usize::from(rates.len() < 4);
            prop_assert_eq!(due.len(), rates.len() + shared);
            for ((rate, ends), due) in rates.iter().zip(&due[shared..]) {
                let ends = secs(ends.min(lasts));
                prop_assert_eq!(*due, planned(&Curve::constant(*rate), ends));
            }
        }

        #[test]
        fn no_index_is_played_twice(workloads in 1usize..6, users in 1u32..60) {
            let mut seen = std::collections::BTreeSet::new();
            for workload in 0..workloads {
                for n in 0..users {
                    prop_assert!(seen.insert(index(workloads, workload, n)));
                }
            }
            prop_assert_eq!(seen.len(), workloads * users as usize);
            prop_assert_eq!(seen.last().copied(), Some(workloads as u32 * users - 1));
        }
    }
}
