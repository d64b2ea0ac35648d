//! Tells how the target does against the beginning of the run: its latency at p95, and its share of errors; and when it has
//! become so much worse that the run has to stop. Owned by the guard. A run that is over before its beginning is known is
//! never stopped.

use std::time::Duration;

use vespeiro_metrics::{
    Abort, AbortReason, Aggregate, Degraded, SlidingWindow, Snapshot, Standing,
};
use vespeiro_plan::{Bound, BoundUnit, Comparator, Condition, Degradation, Metric, Selector};

/// Fewest requests that the beginning, and each window, has to have.
const ENOUGH: u64 = 50;
/// Latency below which nobody is in distress, however quick the target was before, in seconds.
const QUICK: f64 = 1.0;
/// The beginning counts as if it had at least this share of errors: a few more than none is no emergency.
const FEW_ERRORS: f64 = 0.05;
/// No factor asks for more errors than these.
const MOST_ERRORS: f64 = 0.9;
/// How long the beginning is where the plan does not say.
const USUAL: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub(super) struct Degrading {
    /// `None`: nothing is too much.
    factor: Option<f64>,
    /// How long the beginning is.
    baseline: Duration,
    /// It does not count before this.
    from: Duration,
    beginning: Beginning,
    recent: SlidingWindow,
    found: Option<Degraded>,
}

#[derive(Debug)]
enum Beginning {
    Waiting,
    /// What had happened before it.
    Open(Box<Aggregate>),
    Known(Standing),
    /// Too little has happened in it to say what is usual.
    Useless,
}

impl Degrading {
    pub(super) fn new(plan: Option<Degradation>, ramp_up: Duration) -> Degrading {
        let baseline = plan.map_or(USUAL, |plan| plan.baseline);
        Degrading {
            factor: plan.map(|plan| plan.factor),
            baseline,
            from: ramp_up,
            beginning: Beginning::Waiting,
            recent: SlidingWindow::new(recent(baseline)),
            found: None,
        }
    }

    /// How the target did when there was last enough to tell.
    pub(super) fn found(&self) -> Option<Degraded> {
        self.found
    }

    /// Looks at the end of a second. Returns why the run has to stop.
    pub(super) fn evaluate(&mut self, snapshot: &Snapshot) -> Option<Abort> {
        if matches!(self.beginning, Beginning::Useless) || snapshot.elapsed < self.from {
            return None;
        }
        let total = Aggregate::of(snapshot, &Selector::default());
        match &self.beginning {
            Beginning::Waiting => self.beginning = Beginning::Open(Box::new(total)),
            Beginning::Open(before) => {
                let first = total.since(before);
                if first.over >= self.baseline {
                    self.beginning = standing(&first).map_or(Beginning::Useless, Beginning::Known);
                    self.recent.begin(total);
                }
            }
            Beginning::Known(beginning) => {
                let beginning = *beginning;
                self.recent.advance(total);
                let now = standing(&self.recent.full()?)?;
                let found = Degraded { beginning, now };
                self.found = Some(found);
                return self.too_much(found, snapshot.elapsed);
            }
            Beginning::Useless => {}
        }
        None
    }

    fn too_much(&self, found: Degraded, at: Duration) -> Option<Abort> {
        let factor = self.factor?;
        let Degraded { beginning, now } = found;
        let slow = (factor * beginning.p95).max(QUICK);
        let failing = (factor * beginning.error_rate.max(FEW_ERRORS))
            .min(MOST_ERRORS)
            .max(beginning.error_rate);
        let (metric, bound, achieved, baseline, unit, scale) = if now.p95 > slow {
            let unit = BoundUnit::Milliseconds;
            (Metric::P95, slow, now.p95, beginning.p95, unit, 1e3)
        } else if now.error_rate > failing {
            let (now, beginning) = (now.error_rate, beginning.error_rate);
            let unit = BoundUnit::Percent;
            (Metric::ErrorRate, failing, now, beginning, unit, 100.0)
        } else {
            return None;
        };
        Some(Abort {
            reason: AbortReason::Degradation,
            condition: Condition {
                metric,
                selector: Selector::default(),
                comparison: Comparator::More,
                bound: Bound {
                    number: (bound * scale * 10.0).round() / 10.0,
                    unit,
                },
                window: Some(recent(self.baseline)),
            },
            achieved,
            baseline: Some(baseline),
            at,
        })
    }
}

/// How far back to look for what is usual now: half as long as the beginning.
fn recent(baseline: Duration) -> Duration {
    (baseline / 2).max(Duration::from_secs(1))
}

/// `None` where too little has happened to say.
fn standing(sum: &Aggregate) -> Option<Standing> {
    let p95 = sum.value(Metric::P95)?;
    let error_rate = sum.value(Metric::ErrorRate)?;
    (sum.requests >= ENOUGH).then_some(Standing { p95, error_rate })
}
