//! Conditions of `--abort-on` and `--threshold`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_fuzz::plan;
use vespeiro_plan::Flags;

fuzz_target!(|text: &str| {
    let mut flags = Flags::default();
    flags.set(
        if text.len() % 2 == 0 {
            "abort_on"
        } else {
            "threshold"
        },
        text,
        "--flag",
    );
    let Some(resolved) = plan(flags) else { return };
    for condition in &resolved.plan.guard.abort_on {
        assert!(!condition.bound.value().is_nan());
        let _ = condition.metric.show(condition.bound.value());
    }
});
