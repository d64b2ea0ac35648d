//! Cuts a run into its seconds. The time series file, the summary's timeline and the live page's charts are all made of
//! them.
//!
//! What must stay true: every request of the run is sent in exactly one interval, and has its outcome in exactly one.

use std::time::Duration;

use vespeiro_metrics::{Aggregate, Snapshot};
use vespeiro_plan::{Metric, Selector};

/// What happened per second in less time than this would be chance.
pub const SHORT: Duration = Duration::from_millis(500);
/// Statuses by their first digit; 0 is for requests without a response.
pub const CLASSES: usize = 6;

/// One second of the run, or the rest of it at its end. It ended with a snapshot.
#[derive(Debug)]
pub struct SampledInterval<'a> {
    pub snapshot: &'a Snapshot,
    pub figures: Aggregate,
    pub classes: [u64; CLASSES],
    /// Requests by category, in the order of [`Snapshot::by_category`].
    pub mix: Vec<u64>,
}

impl SampledInterval<'_> {
    /// What was sent, or got its outcome, per second; `None` where the interval is too short to tell.
    pub fn per_second(&self, metric: Metric) -> Option<f64> {
        let is_short = self.figures.over < SHORT;
        self.figures.value(metric).filter(|_| !is_short)
    }
}

/// Where the last interval ended.
#[derive(Debug)]
struct SampleState {
    figures: Aggregate,
    classes: [u64; CLASSES],
    mix: Vec<u64>,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Sampler {
    last: Option<SampleState>,
}

impl Sampler {
    /// Take in the state of the run: an interval, when a second more is counted. The first one is where the first second
    /// begins.
    pub fn update<'a>(&mut self, snapshot: &'a Snapshot) -> Option<SampledInterval<'a>> {
        let known = self.last.as_ref().map(|last| last.figures.over);
        if known.is_some_and(|until| until >= snapshot.elapsed) {
            return None;
        }
        let state = SampleState {
            figures: Aggregate::of(snapshot, &Selector::default()),
            classes: classes(snapshot),
            mix: snapshot.by_category().iter().map(|(_, n)| *n).collect(),
        };
        let interval = self.last.as_ref().map(|last| SampledInterval {
            snapshot,
            figures: state.figures.since(&last.figures),
            classes: std::array::from_fn(|at| state.classes[at].saturating_sub(last.classes[at])),
            mix: (state.mix.iter().enumerate())
                .map(|(at, now)| now.saturating_sub(last.mix.get(at).copied().unwrap_or(0)))
                .collect(),
        });
        self.last = Some(state);
        interval
    }
}

fn classes(snapshot: &Snapshot) -> [u64; CLASSES] {
    let mut classes = [0; CLASSES];
    for result in snapshot
        .series()
        .flat_map(|(_, _, series)| series.results())
    {
        let status = result.outcome.status();
        let class = status.map_or(0, |status| usize::from(status / 100).clamp(1, CLASSES - 1));
        classes[class] += result.count;
    }
    classes
}
