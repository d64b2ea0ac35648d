//! Tells when the target has become much worse than it was at the beginning of the run: its latency at p95, or its
//! share of errors. Owned by the guard. A run that is over before its beginning is known is never stopped.

use std::time::Duration;

use vespeiro_metrics::{Abort, AbortReason, Aggregate, SlidingWindow, Snapshot};
use vespeiro_plan::{Bound, BoundUnit, Comparator, Condition, Degradation, Metric, Selector};

/// Fewest requests that the beginning, and each window, has to have.
const ENOUGH: u64 = 50;
/// Latency below which nobody is in distress, however quick the target was before, in seconds.
const QUICK: f64 = 1.0;
/// The beginning counts as if it had at least this share of errors: a few more than none is no emergency.
const FEW_ERRORS: f64 = 0.05;
/// No factor asks for more errors than these.
const MOST_ERRORS: f64 = 0.9;

#[derive(Debug)]
pub(super) struct Degrading {
    plan: Degradation,
    /// The beginning does not count before this.
    from: Duration,
    beginning: Beginning,
    recent: SlidingWindow,
}

#[derive(Debug)]
enum Beginning {
    Waiting,
    /// What had happened before it.
    Open(Box<Aggregate>),
    Known {
        p95: f64,
        error_rate: f64,
    },
    /// Too little has happened in it to say what is usual.
    Useless,
}

impl Degrading {
    pub(super) fn new(plan: Degradation, ramp_up: Duration) -> Degrading {
        Degrading {
            plan,
            from: ramp_up,
            beginning: Beginning::Waiting,
            recent: SlidingWindow::new(recent(plan)),
        }
    }

    pub(super) fn evaluate(&mut self, snapshot: &Snapshot) -> Option<Abort> {
        if matches!(self.beginning, Beginning::Useless) || snapshot.elapsed < self.from {
            return None;
        }
        let now = snapshot.elapsed;
        let total = Aggregate::of(snapshot, &Selector::default());
        match &self.beginning {
            Beginning::Waiting => {
                self.beginning = Beginning::Open(Box::new(total));
                None
            }
            Beginning::Open(before) => {
                let first = total.since(before);
                if first.over < self.plan.baseline {
                    return None;
                }
                let usual = first.value(Metric::P95);
                let errors = first.value(Metric::ErrorRate);
                self.beginning = match (usual, errors) {
                    (Some(p95), Some(error_rate)) if first.requests >= ENOUGH => {
                        Beginning::Known { p95, error_rate }
                    }
                    _ => Beginning::Useless,
                };
                self.recent.begin(total);
                None
            }
            Beginning::Known { p95, error_rate } => {
                let (p95, error_rate) = (*p95, *error_rate);
                self.recent.advance(total);
                let sum = self.recent.full()?;
                if sum.requests < ENOUGH {
                    return None;
                }
                let slow = (self.plan.factor * p95).max(QUICK);
                let failing = (self.plan.factor * error_rate.max(FEW_ERRORS))
                    .min(MOST_ERRORS)
                    .max(error_rate);
                let found = [
                    (Metric::P95, slow, p95, BoundUnit::Milliseconds, 1e3),
                    (
                        Metric::ErrorRate,
                        failing,
                        error_rate,
                        BoundUnit::Percent,
                        100.0,
                    ),
                ];
                found
                    .into_iter()
                    .find_map(|(metric, bound, baseline, unit, scale)| {
                        let achieved = sum.value(metric)?;
                        (achieved > bound).then(|| Abort {
                            reason: AbortReason::Degradation,
                            condition: Condition {
                                metric,
                                selector: Selector::default(),
                                comparison: Comparator::More,
                                bound: Bound {
                                    number: (bound * scale * 10.0).round() / 10.0,
                                    unit,
                                },
                                window: Some(recent(self.plan)),
                            },
                            achieved,
                            baseline: Some(baseline),
                            at: now,
                        })
                    })
            }
            Beginning::Useless => None,
        }
    }
}

/// How far back to look for what is usual now: half as long as the beginning.
fn recent(plan: Degradation) -> Duration {
    (plan.baseline / 2).max(Duration::from_secs(1))
}
