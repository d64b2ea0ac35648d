//! One session of one user against the target, while somebody looks on: what `vespeiro try` plays.
//!
//! What must stay true: it is played, counted and entered into the journal as any session of a run.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::RunError;
use crate::feeds::cursor::FeedSet;
use crate::journal::Journal;
use crate::lifecycle::EndReason;
use crate::orchestrator::RunEnd;
use crate::signals::Stopper;
use crate::vu::identity::{budget, user_seed};
use crate::vu::session;
use crate::vu::state::VuState;
use crate::witness::Witness;
use crate::worker::alone::LoneWorker;
use vespeiro_behavior::Behavior;
use vespeiro_model::Clock;
use vespeiro_plan::{Plan, Shard};

/// All that a trial needs beside its plan, whose first archetype plays.
#[derive(Debug)]
pub struct Trial<'a> {
    pub behavior: Arc<Behavior>,
    pub feeds: &'a Arc<FeedSet>,
    pub journal: &'a Journal,
    pub witness: Rc<dyn Witness>,
    /// The first request to end cuts the session, once what is in flight is answered; the second one cuts that too.
    pub stopper: &'a Stopper,
    pub clock: Clock,
}

/// Play the first user's first session to its end.
///
/// # Errors
/// The way to the target could not be set up, or the journal not be written.
pub async fn try_session(plan: &Plan, trial: Trial<'_>) -> Result<RunEnd, RunError> {
    let Trial { stopper, clock, .. } = trial;
    let archetype = plan.archetypes[0].clone();
    let alone = LoneWorker::new(
        Plan {
            shard: Shard::ALONE,
            ..plan.clone()
        },
        archetype,
        trial.behavior,
        Arc::clone(trial.feeds),
        trial.journal.writer(),
        Some(trial.witness),
        clock,
    )?;
    let worker = Rc::clone(&alone.state);
    let vu = VuState {
        seed: user_seed(&worker.plan, 0),
        feeder: trial.feeds.rehearsing(&worker.plan, 0),
        ..VuState::default()
    };
    let requests = budget(&worker.plan, &worker.plan.load.profile, 0, 0);
    {
        let mut playing = pin!(session(&worker, &vu, requests));
        tokio::select! {
            biased;
            _ = &mut playing => {}
            () = stopper.stop_requested() => {
                worker.stop();
                // Whoever thinks ends at once.
                if vu.in_flight.get() > 0 {
                    tokio::select! {
                        _ = &mut playing => {}
                        () = stopper.halted() => {}
                        () = tokio::time::sleep(worker.plan.load.grace) => {}
                    }
                }
            }
        }
    }
    vu.hang_up();
    let tokens = worker.tokens.take();
    Ok(RunEnd {
        why: match stopper.is_stop_requested() {
            true => EndReason::Stopped,
            false => EndReason::Finished,
        },
        snapshot: alone.close(),
        given_up: Vec::new(),
        tokens,
        journal_failure: trial.journal.failure(),
        lost: Vec::new(),
    })
}
