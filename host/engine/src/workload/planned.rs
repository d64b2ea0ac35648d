//! How much a plan comes to before it is played. Used by the commands, for what is left of a run.

use super::arrivals::planned;
use crate::vu::identity::{budget, index};
use vespeiro_plan::{ArrivalKind, Deal, Plan, Profile, Workload};

/// Requests that the part of a plan makes altogether that this process shows; `None` where its time alone bounds it.
pub fn requests_planned(plan: &Plan) -> Option<u64> {
    let workloads = plan.workloads();
    let own = plan.shown.whole();
    let of = |(at, workload): (usize, &Workload)| {
        let deal = Deal::new(&plan.archetypes, &workload.archetypes);
        match &workload.profile {
            Profile::UserBudget { users } => {
                let dealt = deal.dealt().take(*users as usize);
                let here = dealt.filter(|user| own.part().has(user.slot));
                let budgets = here.map(|user| {
                    let index = index(workloads.len(), at, user.n);
                    u64::from(budget(plan, &workload.profile, user.archetype, index))
                });
                Some(budgets.sum::<u64>())
            }
            Profile::SharedTotal { users, requests } => {
                Some(deal.share_of_total(*requests, *users, own))
            }
            Profile::Rate { rate, pool } if pool.arrivals == ArrivalKind::Requests => {
                let lasts = workload.is_over_at(plan.load.duration)?;
                let part = deal.share_of_arrivals(pool.max_users, own);
                let arrivals = planned(rate, lasts) as usize;
                Some(part.map_or(0, |part| part.of(arrivals) as u64))
            }
            _ => None,
        }
    };
    let each = workloads.iter().enumerate().map(of);
    each.sum()
}
