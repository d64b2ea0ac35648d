//! Plan files.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use vespeiro_fuzz::{file, plan};
use vespeiro_plan::Flags;

fuzz_target!(|text: &[u8]| {
    let mut flags = Flags::default();
    flags.plan = Some(file("plan.toml", text));
    let Some(resolved) = plan(flags) else { return };
    let plan = resolved.plan;
    assert!(!plan.archetypes.is_empty());
    assert!(plan.load.delay_min <= plan.load.delay_max);
    // What a run asks of its profiles, at any time of it.
    for workload in plan.workloads() {
        for seconds in [0, 1, 59, 3600, 1 << 40] {
            let time = Duration::from_secs(seconds);
            let _ = (
                workload.profile.users_at(time),
                workload.profile.rate_at(time),
                workload.profile.lasts(),
            );
        }
    }
    let _ = (plan.usual_users(), plan.profile_name());
});
