//! Whether the generator itself was the limit: the one place that knows the bounds. Read by the engine's log, the summary and
//! every output.

use std::time::Duration;

use vespeiro_model::LimitKind;

use super::Snapshot;

/// CPU share above which the generator counts as the limit.
const CPU_BOUND: f64 = 0.9;
/// p99 of the scheduling lag above which the generator counts as the limit.
const LAG_BOUND: Duration = Duration::from_millis(10);

/// A figure of the generator and its bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeneratorLimit {
    pub kind: LimitKind,
    pub value: f64,
    pub bound: f64,
}

impl GeneratorLimit {
    /// The generator was the limit: the run's figures do not describe the target alone.
    pub fn is_over(&self) -> bool {
        self.value > self.bound
    }
}

impl Snapshot {
    /// What may make the generator the limit, crossed or not.
    pub fn generator_limits(&self) -> [GeneratorLimit; 2] {
        [
            GeneratorLimit {
                kind: LimitKind::Cpu,
                value: self.cpu_share(),
                bound: CPU_BOUND,
            },
            GeneratorLimit {
                kind: LimitKind::SchedulingLag,
                value: self.run.lag.quantile(0.99).as_secs_f64(),
                bound: LAG_BOUND.as_secs_f64(),
            },
        ]
    }
}
