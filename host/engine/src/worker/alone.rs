//! A worker that plays on the thread of whoever asks, without an orchestrator: for a cleanup, and for a behavior that is
//! tried. What it has counted is collected once, at the end.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::state::{WorkerPart, WorkerState};
use crate::error::RunError;
use crate::feeds::cursor::FeedSet;
use crate::journal::Writer;
use crate::rollout::labels::{catalog, undeclared};
use crate::witness::Witness;
use vespeiro_behavior::Behavior;
use vespeiro_http::Targets;
use vespeiro_metrics::{Recorder, Snapshot, Totals, process};
use vespeiro_model::Clock;
use vespeiro_plan::{Archetype, LoadOverrides, Plan, Profile};

pub(crate) struct LoneWorker {
    pub(crate) state: Rc<WorkerState>,
    pub(crate) began: Instant,
    totals: Totals,
}

impl LoneWorker {
    /// One user plays `archetype` of the plan, by its behavior.
    pub(crate) fn new(
        mut plan: Plan,
        archetype: Archetype,
        behavior: Arc<Behavior>,
        feeds: Arc<FeedSet>,
        journal: Writer,
        witness: Option<Rc<dyn Witness>>,
        clock: Clock,
    ) -> Result<Self, RunError> {
        let began = clock.now();
        plan.archetypes = vec![Archetype {
            overrides: LoadOverrides::default(),
            ..archetype
        }];
        plan.workers = 1;
        plan.load.profile = Profile::UserBudget { users: 1 };
        let plan = Arc::new(plan);
        if let Some(line) = undeclared(&plan, &behavior) {
            return Err(RunError::Undeclared(line));
        }
        let behaviors = [behavior];
        let catalog = catalog(&plan, &behaviors);
        let recorder = Recorder::new(Arc::clone(&catalog), 0, clock);
        let process = process::sample(Duration::ZERO);
        let totals = Totals::new(Arc::clone(&catalog), 1, process, clock);
        let targets = Targets::new(&plan, 0, clock)?;
        let part = WorkerPart {
            worker_index: 0,
            feeds,
            began,
            clock,
            witness,
        };
        let state = WorkerState::new(plan, targets, recorder, journal, &behaviors, &catalog, part);
        Ok(Self {
            state: Rc::new(state),
            began,
            totals,
        })
    }

    /// What it has counted.
    pub(crate) fn close(mut self) -> Snapshot {
        for _ in 0..=self.state.prepare_hand_over() {
            self.totals.absorb(&mut self.state.hand_over());
        }
        let lasted = self.state.clock.since(self.began);
        self.totals.snapshot(lasted, process::sample(lasted))
    }
}
