//! What a condition is about: the whole run, or what happened in one stage of it. Owned by the guard.
//!
//! What must stay true: what happened between two looks is in the sum of the stage that the second of them names.

use vespeiro_metrics::{Aggregate, Snapshot};
use vespeiro_plan::Selector;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Subject {
    stage: Option<StageAggregate>,
}

#[derive(Debug)]
struct StageAggregate {
    /// Everything at the last look.
    before: Aggregate,
    sum: Aggregate,
}

impl Subject {
    /// Everything that the selector picks, up to this look. It is the same selector each time.
    pub(super) fn look(&mut self, snapshot: &Snapshot, selector: &Selector) -> Aggregate {
        let total = Aggregate::of(snapshot, selector);
        if selector.stage.is_none() {
            return total;
        }
        let stage = self.stage.get_or_insert_with(|| StageAggregate {
            before: Aggregate::empty(selector),
            sum: Aggregate::empty(selector),
        });
        if snapshot.stage == selector.stage {
            stage.sum.add(&total.since(&stage.before));
        }
        stage.before = total;
        stage.sum.clone()
    }
}
