//! Thresholds, the guard's abort and the degradation as data: the part of the summary that [`super::json`] holds under
//! `thresholds`, `aborted` and `degradation`, filled from the last snapshot. Values are in seconds, shares of 1, per second, or plain numbers.

use serde::{Deserialize, Serialize};

use vespeiro_metrics::{AbortReason, Degraded, Snapshot, ThresholdState};
use vespeiro_plan::{Condition, Dimension, Metric, Plan};

/// One threshold of the plan and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdReport {
    /// As it was asked for: `p95{archetype=admin}<500ms`.
    pub condition: String,
    pub metric: String,
    pub unit: Unit,
    pub bound: f64,
    /// Over the whole run; with a window, the worst of all windows. Left out when there was nothing to judge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved: Option<f64>,
    pub state: ThresholdState,
    /// Without data it fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

impl ThresholdReport {
    /// It does not hold, or was to be judged and could not be.
    pub fn is_failed(&self) -> bool {
        match self.state {
            ThresholdState::Ok => false,
            ThresholdState::Crossed => true,
            ThresholdState::NoData => self.strict,
        }
    }
}

/// Why the run was stopped by its own guard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aborted {
    pub cause: AbortReason,
    /// What came true, or for a threshold what no longer held.
    pub condition: String,
    pub metric: String,
    pub unit: Unit,
    pub bound: f64,
    pub achieved: f64,
    /// For a degradation: the value at the beginning of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// Since the start of the run.
    pub at_seconds: f64,
}

/// How the target did against the run's beginning, when there was last enough to tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Degradation {
    /// How many times as high the latency was at the 95th percentile; 1: as at the beginning.
    pub latency: f64,
    /// By how much the share of unplanned errors has risen, -1 to 1.
    pub errors: f64,
    pub p95_seconds_at_first: f64,
    pub p95_seconds: f64,
    pub error_rate_at_first: f64,
    pub error_rate: f64,
}

impl From<Degraded> for Degradation {
    fn from(found: Degraded) -> Degradation {
        Degradation {
            latency: found.latency(),
            errors: found.errors(),
            p95_seconds_at_first: found.beginning.p95,
            p95_seconds: found.now.p95,
            error_rate_at_first: found.beginning.error_rate,
            error_rate: found.now.error_rate,
        }
    }
}

/// What a value is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    Seconds,
    /// 0 to 1.
    Share,
    PerSecond,
    Count,
}

impl Unit {
    fn of(metric: Metric) -> Unit {
        match metric.dimension() {
            Dimension::Time => Unit::Seconds,
            Dimension::Share => Unit::Share,
            Dimension::PerSecond => Unit::PerSecond,
            Dimension::Count => Unit::Count,
        }
    }
}

pub fn thresholds(plan: &Plan, snapshot: &Snapshot) -> Vec<ThresholdReport> {
    let verdicts = snapshot.guard.thresholds.iter();
    let strict = plan.is_strict();
    verdicts.map(|verdict| threshold(verdict, strict)).collect()
}

fn threshold(verdict: &vespeiro_metrics::ThresholdResult, strict: bool) -> ThresholdReport {
    let Condition { metric, bound, .. } = verdict.threshold.condition;
    ThresholdReport {
        condition: verdict.threshold.to_string(),
        metric: metric.as_str().into(),
        unit: Unit::of(metric),
        bound: bound.value(),
        achieved: verdict.achieved,
        state: verdict.state,
        strict,
    }
}

pub fn aborted(snapshot: &Snapshot) -> Option<Aborted> {
    let alarm = snapshot.guard.abort.as_ref()?;
    let Condition { metric, bound, .. } = alarm.condition;
    Some(Aborted {
        cause: alarm.reason,
        condition: alarm.condition.to_string(),
        metric: metric.as_str().into(),
        unit: Unit::of(metric),
        bound: bound.value(),
        achieved: alarm.achieved,
        baseline: alarm.baseline,
        at_seconds: alarm.at.as_secs_f64(),
    })
}
