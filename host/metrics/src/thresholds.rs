//! What the run's guard found: how the thresholds stand, and what stopped the run. Made by the engine's guard, carried by the
//! snapshot, read by the summary and the outputs.
//!
//! What must stay true: there is one result for each threshold of the plan.

use std::time::Duration;

use vespeiro_model::{AbortReason, ThresholdState};
use vespeiro_plan::{Condition, Threshold};

/// The guard's findings at one instant.
#[derive(Debug, Clone, Default)]
pub struct GuardStatus {
    /// In the plan's order.
    pub thresholds: Vec<ThresholdResult>,
    /// What has stopped the run.
    pub abort: Option<Abort>,
    /// How the target does against the run's beginning; `None` before that is known, and where too little happened in it.
    pub degradation: Option<Degraded>,
}

/// How the target does against the run's beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Degraded {
    pub beginning: Standing,
    pub now: Standing,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Latency at the 95th percentile, in seconds.
    pub p95: f64,
    /// Share of requests that failed though nobody asked for it, 0 to 1.
    pub error_rate: f64,
}

impl Degraded {
    /// How many times as high the latency is; 1: as at the beginning.
    pub fn latency(&self) -> f64 {
        // Latencies are counted in microseconds.
        self.now.p95 / self.beginning.p95.max(1e-6)
    }

    /// By how much the share of errors has risen, -1 to 1.
    pub fn errors(&self) -> f64 {
        self.now.error_rate - self.beginning.error_rate
    }
}

/// How a threshold stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdResult {
    pub threshold: Threshold,
    /// Over the run so far; with a window, the worst of all windows.
    pub achieved: Option<f64>,
    pub state: ThresholdState,
}

/// Why the guard has stopped the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Abort {
    pub reason: AbortReason,
    pub condition: Condition,
    pub achieved: f64,
    /// For a degradation: the value at the beginning of the run.
    pub baseline: Option<f64>,
    /// Since the start of the run.
    pub at: Duration,
}

impl std::fmt::Display for Abort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let metric = self.condition.metric;
        match self.reason {
            AbortReason::AbortOn => write!(f, "abort_on {}", self.condition)?,
            AbortReason::Degradation => write!(f, "degradation, {}", self.condition)?,
            AbortReason::Threshold => write!(f, "threshold {}", self.condition)?,
        }
        write!(
            f,
            ": {} was {}",
            metric.as_str(),
            metric.show(self.achieved)
        )?;
        if let Some(baseline) = self.baseline {
            write!(f, ", {} at the beginning", metric.show(baseline))?;
        }
        Ok(())
    }
}
