//! Who a virtual user is: its archetype, its budget and its marked, run-unique credentials, each a pure function of
//! the plan and the user's index.

use crate::seed::{Stream, derive, within};
use vespeiro_behavior::types;
use vespeiro_plan::{Language, Plan, Profile};

/// Password of every simulated user, from the specification's section 6.
const PASSWORD: &str = "SimPass123!";

/// The index of the n-th user of one of `workloads` load profiles: each has the indices that leave its number as remainder,
/// so that who plays in one does not depend on how many have come to the others.
pub(crate) fn index(workloads: usize, workload: usize, n: u32) -> u32 {
    let index = u64::from(n) * workloads as u64 + workload as u64;
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// How many requests a user may send by such a profile; of a shared total, as many as there are.
pub(crate) fn budget(plan: &Plan, profile: &Profile, archetype: u16, index: u32) -> u32 {
    if let Profile::SharedTotal { .. } = profile {
        return u32::MAX;
    }
    let load = &plan.load;
    let own = plan.archetypes[usize::from(archetype)].overrides.budget;
    let (least, most) = own.unwrap_or((load.min_request_count, load.max_request_count));
    within(plan.seed, Stream::Budget, u64::from(index), least, most)
}

/// The user as its behavior sees it.
pub(crate) fn user(plan: &Plan, index: u32) -> types::User {
    let username = format!("sim_user_{}_{index}", plan.run_id);
    types::User {
        index,
        seed: user_seed(plan, index),
        email: format!("{username}@simulation.test"),
        username,
        password: PASSWORD.to_owned(),
        name: match plan.output.language {
            Language::English => format!("Simulation User {index}"),
            Language::Portuguese => format!("Usuário de Simulação {index}"),
        },
    }
}

/// All that a journey of the user is told when it begins. `config` is its archetype's, as JSON.
pub fn journey(plan: &Plan, index: u32, ordinal: u32, config: &str) -> types::Setup {
    let user = user(plan, index);
    types::Setup {
        seed: derive(user.seed, Stream::Session, u64::from(ordinal)),
        user,
        ordinal,
        purpose: types::Purpose::Journey,
        pace: types::Pace {
            delay_min_ms: plan.load.delay_min.as_millis() as u32,
            delay_max_ms: plan.load.delay_max.as_millis() as u32,
        },
        run: plan.run_id.clone(),
        config: config.to_owned(),
    }
}

/// The user that does what is done once in a run: none of those that play.
pub(crate) const ONCE: u32 = u32::MAX;

/// All that a session is told that does something once in a run.
pub fn once(plan: &Plan, what: types::Once, config: &str) -> types::Setup {
    types::Setup {
        purpose: types::Purpose::Once(what),
        pace: types::Pace {
            delay_min_ms: 0,
            delay_max_ms: 0,
        },
        ..journey(plan, ONCE, 0, config)
    }
}

/// The seed of everything the user decides.
pub(crate) fn user_seed(plan: &Plan, index: u32) -> u64 {
    derive(plan.seed, Stream::User, u64::from(index))
}
