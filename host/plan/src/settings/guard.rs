//! The settings of what ends a run before its time, and what it is held to. Read by `settings.rs`.

use crate::GuardSettings;
use crate::condition::lists::{conditions, thresholds};
use crate::guard::degradation;
use crate::layers::Reader;

pub(super) fn read(r: &mut Reader<'_>) -> GuardSettings {
    GuardSettings {
        abort_on: r.read(
            "abort_on",
            "none",
            conditions(),
            "Stop the run when this holds, for instance 'error_rate>50%:30s'; repeatable",
        ),
        degradation: r.read(
            "degradation",
            "10:2m",
            degradation(),
            "Stop the run when latency or errors are this many times those of its beginning, or off",
        ),
        thresholds: r.read(
            "threshold",
            "none",
            thresholds(),
            "What should hold, for instance 'p95<500ms'; repeatable; [thresholds] in a plan file",
        ),
    }
}
