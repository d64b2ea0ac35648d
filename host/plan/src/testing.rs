//! A plan and conditions for the tests of the rooms above. Compiled for tests alone.

use crate::environment::Environment;
use crate::layers::Reader;
use crate::plan::read_plan;
use crate::{
    Archetype, Condition, GuardSettings, Language, Module, Plan, RequestMix, Threshold, ValueError,
};

/// The conditions of an `abort_on`.
pub fn conditions(text: &str) -> Result<Vec<Condition>, ValueError> {
    (crate::condition::lists::conditions().parse)(text)
}

/// The conditions of a `thresholds`.
pub fn thresholds(text: &str) -> Result<Vec<Threshold>, ValueError> {
    (crate::condition::lists::thresholds().parse)(text)
}

/// A run of 100 users of two archetypes for at most as long as their budgets last: the defaults, but for what would be
/// different each time.
pub fn plan(language: Language) -> Plan {
    let archetype = |name: &str| Archetype::new(name, 50, Module::BuiltIn(name.to_owned()));
    let mut reader = Reader::new(&[]);
    let mut plan = read_plan(&mut reader, &Environment::default());
    plan.run_id = "k3x9a2b7".into();
    plan.seed = 42;
    plan.workers = 2;
    plan.archetypes = vec![archetype("active"), archetype("admin")];
    plan.mix = Some(RequestMix(vec![
        ("auth".into(), 30.0),
        ("user-query".into(), 40.0),
        ("user-mutation".into(), 30.0),
    ]));
    let url = "http://joe:secret@127.0.0.1:9501".parse();
    plan.target.base_url = url.expect("the address is right");
    plan.resilience.breaker = None;
    plan.resilience.max_auth_failures = None;
    plan.guard = GuardSettings::default();
    plan.cleanup.journal = "k3x9a2b7.journal".into();
    plan.output.language = language;
    plan
}
