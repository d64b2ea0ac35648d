//! What behaviors do once in a run: one session of each archetype that prepares it before all others, and one that tears down
//! after them. The commands call it around a run or a trial.
//!
//! What must stay true: it is played, marked in the journal and held back for the target's sake as any session, and is in no
//! figure of the run.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use crate::driver::SessionEnd;
use crate::error::RunError;
use crate::feeds::cursor::FeedSet;
use crate::journal::Journal;
use crate::signals::Stopper;
use crate::teardown::Tokens;
use crate::vu::identity::{ONCE, user_seed};
use crate::vu::session;
use crate::vu::state::VuState;
use crate::worker::alone::LoneWorker;
use vespeiro_behavior::Behavior;
use vespeiro_behavior::types::Once;
use vespeiro_model::Clock;
use vespeiro_plan::{Plan, Shard};

/// Whose sessions they are.
#[derive(Debug)]
pub struct OncePerRun<'a> {
    pub plan: &'a Plan,
    /// One per archetype, in the plan's order.
    pub behaviors: &'a [Arc<Behavior>],
    /// Gets what is shared.
    pub feeds: &'a Arc<FeedSet>,
    pub journal: &'a Journal,
    pub stopper: &'a Stopper,
    pub clock: Clock,
}

/// One of them that is over.
#[derive(Debug)]
pub struct PlayedOnce {
    pub archetype: String,
    pub requests: u64,
    /// `None`: somebody asked the run to end.
    pub ended: Option<SessionEnd>,
    /// What it has logged in and not out.
    pub tokens: Tokens,
}

/// The line for a plan that is played by several processes that do not meet: none can hand on what it has prepared. Where they meet,
/// shard 0 does.
pub fn only_alone(plan: &Plan, behaviors: &[Arc<Behavior>]) -> Option<String> {
    if plan.shard.is_alone() || plan.meeting().is_some() {
        return None;
    }
    let found = behaviors
        .iter()
        .find(|behavior| !behavior.once.is_empty())?;
    let (name, what) = (&found.name, found.once[0].as_str());
    Some(format!(
        "the behavior {name} has a {what}, which is played once in a run, and shards that do not meet cannot share it: give them --meet HOST:PORT"
    ))
}

impl OncePerRun<'_> {
    /// Play it of each archetype whose behavior has it, one after the other in the plan's order, until one does not complete.
    ///
    /// # Errors
    /// The way to the target could not be set up, or the journal not be written.
    pub async fn play(&self, what: Once) -> Result<Vec<PlayedOnce>, RunError> {
        let mut all = Vec::new();
        for (number, behavior) in (0..).zip(self.behaviors) {
            if !behavior.once.contains(&what) {
                continue;
            }
            let played = self.session(what, number, behavior).await?;
            let completed = matches!(played.ended, Some(SessionEnd::Completed));
            all.push(played);
            if !completed {
                break;
            }
        }
        Ok(all)
    }

    async fn session(
        &self,
        what: Once,
        number: u16,
        behavior: &Arc<Behavior>,
    ) -> Result<PlayedOnce, RunError> {
        let archetype = self.plan.archetypes[usize::from(number)].clone();
        let name = archetype.name.clone();
        let mut plan = Plan {
            shard: Shard::ALONE,
            ..self.plan.clone()
        };
        // It is no traffic: it holds no mix and commits no fault.
        plan.mix = None;
        plan.error_mix = None;
        let alone = LoneWorker::new(
            plan,
            archetype,
            Arc::clone(behavior),
            Arc::clone(self.feeds),
            self.journal.writer(),
            None,
            self.clock,
        )?;
        let worker = Rc::clone(&alone.state);
        let vu = VuState {
            index: ONCE,
            seed: user_seed(&worker.plan, ONCE),
            feeder: self.feeds.rehearsing(self.plan, number),
            once: Some(what),
            ..VuState::default()
        };
        let mut played = pin!(session(&worker, &vu, u32::MAX));
        let ended = tokio::select! {
            biased;
            played = &mut played => played.ended.map(|ended| *ended),
            () = self.stopper.stop_requested(), if what == Once::Prepare => None,
            () = self.stopper.halted() => None,
        };
        vu.hang_up();
        if let Some(value) = worker.shared.take() {
            self.feeds.share(number, value);
        }
        let tokens = worker.tokens.take();
        Ok(PlayedOnce {
            archetype: name,
            requests: alone.close().requests(),
            ended,
            tokens,
        })
    }
}
