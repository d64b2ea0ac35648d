//! What a run is made from, and how it ended.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::control::Control;
use crate::feeds::cursor::FeedSet;
use crate::guard::unmatched;
use crate::journal::Journal;
use crate::lifecycle::EndReason;
use crate::rollout::labels::{catalog, undeclared};
use crate::shards::Others;
use crate::signals::Stopper;
use crate::teardown::tokens::Tokens;
use crate::worker::quarantine::GivenUpCause;
use vespeiro_behavior::Behavior;
use vespeiro_metrics::Snapshot;
use vespeiro_model::Clock;
use vespeiro_plan::Plan;

/// An archetype whose users stopped before the others, on one worker at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    pub archetype: String,
    pub cause: GivenUpCause,
}

/// How a run ended.
#[derive(Debug)]
pub struct RunEnd {
    pub why: EndReason,
    pub snapshot: Snapshot,
    /// Archetypes whose users stopped before the others.
    pub given_up: Vec<GivenUp>,
    /// What cleanup has to log out.
    pub tokens: Tokens,
    /// Why the journal could not be written any more, which ended the run.
    pub journal_failure: Option<String>,
    /// Shards that were lost, which ended the run; of shard 0, that one alone.
    pub lost: Vec<usize>,
}

/// What the plan's conditions ask for that these behaviors will never do, in one line.
pub fn unmatched_condition(plan: &Plan, behaviors: &[Arc<Behavior>]) -> Option<String> {
    let catalog = catalog(plan, behaviors);
    unmatched(&plan.guard, &catalog, plan.shared_profile())
}

/// The line for the first of the behaviors that has a route at a target which the plan does not declare.
pub fn undeclared_target(plan: &Plan, behaviors: &[Arc<Behavior>]) -> Option<String> {
    let mut all = behaviors.iter();
    all.find_map(|behavior| undeclared(plan, behavior))
}

/// What a run is made from.
#[derive(Debug)]
pub struct Run<'a> {
    pub plan: Arc<Plan>,
    /// One per archetype, in the plan's order.
    pub behaviors: Vec<Arc<Behavior>>,
    /// The rows of the plan's feeds.
    pub feeds: &'a Arc<FeedSet>,
    /// Where the run notes what it creates.
    pub journal: &'a Journal,
    /// These two reach the run while it goes on.
    pub stopper: &'a Stopper,
    pub control: &'a Control,
    pub clock: Clock,
    pub start: Option<CommonStart>,
    pub others: Others,
}

/// When a run begins that others begin with it.
#[derive(Debug)]
pub struct CommonStart {
    pub at: Instant,
    /// Told when it has begun.
    pub began: oneshot::Sender<Instant>,
}
