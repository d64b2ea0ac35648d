//! How much a plan comes to before it is played. Used by the commands, for what is left of a run.

use super::arrivals::planned;
use crate::vu::identity::{budget, index};
use vespeiro_plan::{ArchetypePicker, ArrivalKind, Plan, Profile, Workload};

/// Requests that a run of a plan makes altogether; `None` where its time alone bounds it.
pub fn requests_planned(plan: &Plan) -> Option<u64> {
    let workloads = plan.workloads();
    let of = |(at, workload): (usize, &Workload)| match &workload.profile {
        Profile::UserBudget { users } => {
            let who = ArchetypePicker::of(&plan.archetypes, &workload.archetypes);
            let budgets = (0..*users).zip(who).map(|(n, archetype)| {
                let index = index(workloads.len(), at, n);
                u64::from(budget(plan, &workload.profile, archetype, index))
            });
            Some(budgets.sum::<u64>())
        }
        Profile::SharedTotal { requests, .. } => Some(*requests),
        Profile::Rate { rate, pool } if pool.arrivals == ArrivalKind::Requests => {
            let lasts = workload.is_over_at(plan.load.duration);
            lasts.map(|lasts| planned(rate, lasts))
        }
        _ => None,
    };
    let each = workloads.iter().enumerate().map(of);
    each.sum()
}
