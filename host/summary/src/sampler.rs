//! Cuts a run into intervals of about a second. The time series file, the summary's timeline and the live page's charts are
//! all made of them.
//!
//! What must stay true: every request of the run is in exactly one interval.

use std::time::Duration;

use vespeiro_metrics::{Aggregate, Snapshot};
use vespeiro_model::Outcome;
use vespeiro_plan::Selector;

/// A interval ends when it is this old: a little less than four hand-overs of the workers.
const EVERY: Duration = Duration::from_millis(950);
/// Statuses by their first digit; 0 is for requests without a response.
pub const CLASSES: usize = 6;

/// One interval, which ended with a snapshot.
#[derive(Debug)]
pub struct SampledInterval<'a> {
    pub snapshot: &'a Snapshot,
    pub over: Duration,
    pub figures: Aggregate,
    pub classes: [u64; CLASSES],
    /// Requests by category, in the order of [`Snapshot::by_category`].
    pub mix: Vec<u64>,
}

/// Where the last interval ended.
#[derive(Debug)]
struct SampleState {
    at: Duration,
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
    /// Take in the state of the run: a interval, when one is over. The first one is where the first second begins.
    pub fn update<'a>(&mut self, snapshot: &'a Snapshot) -> Option<SampledInterval<'a>> {
        let due = |last: &SampleState| snapshot.elapsed >= last.at + EVERY;
        match self.last.as_ref().is_none_or(due) {
            true => self.take(snapshot),
            false => None,
        }
    }

    /// What is left of a run that ended in this state.
    pub fn rest<'a>(&mut self, snapshot: &'a Snapshot) -> Option<SampledInterval<'a>> {
        let more = |last: &SampleState| snapshot.elapsed > last.at;
        match self.last.as_ref().is_some_and(more) {
            true => self.take(snapshot),
            false => None,
        }
    }

    fn take<'a>(&mut self, snapshot: &'a Snapshot) -> Option<SampledInterval<'a>> {
        let state = SampleState {
            at: snapshot.elapsed,
            figures: Aggregate::of(snapshot, &Selector::default()),
            classes: classes(snapshot),
            mix: snapshot.by_category().iter().map(|(_, n)| *n).collect(),
        };
        let interval = self.last.as_ref().map(|last| SampledInterval {
            snapshot,
            over: state.at.saturating_sub(last.at),
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
        let class = match result.outcome {
            Outcome::Status(status) => usize::from(status / 100).clamp(1, CLASSES - 1),
            Outcome::Failed(_) => 0,
        };
        classes[class] += result.count;
    }
    classes
}
