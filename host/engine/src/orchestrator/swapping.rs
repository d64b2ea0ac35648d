//! Behaviors that are swapped while a run goes on.

use std::sync::Arc;

use super::Orchestrator;
use crate::control::ControlRequest;
use crate::rollout::rollouts::Rollout;
use crate::worker::thread::WorkerCommand;
use vespeiro_metrics::Snapshot;
use vespeiro_model::SwapResult;

impl<W: FnMut(&Arc<Snapshot>)> Orchestrator<'_, W> {
    /// Have the workers play an archetype's new sessions with these versions.
    pub(super) async fn publish(&mut self, rollout: Rollout) {
        let generation = self.next_generation();
        let command = || WorkerCommand::TakeOver {
            rollout: rollout.clone(),
            generation,
        };
        self.workers.send(command).await;
    }

    pub(super) async fn request(&mut self, request: ControlRequest) {
        match request {
            ControlRequest::Swap {
                archetype,
                behavior,
                share,
                mode,
                reply,
            } => {
                let swap = self.rollouts.swap(
                    &mut self.totals,
                    archetype,
                    behavior,
                    share,
                    mode,
                    self.clock.now(),
                );
                let (swapped, rollout) = swap;
                if let Some(rollout) = rollout {
                    self.control
                        .add_news(self.elapsed(), swapped.to_string(), false);
                    self.publish(rollout).await;
                }
                // Whoever asked may have gone.
                let _ = reply.send(swapped);
            }
            ControlRequest::Refused { archetype, why } => {
                self.totals.swapped(archetype, SwapResult::Refused);
                tracing::error!("{why}");
                self.control.add_news(self.elapsed(), why, true);
            }
        }
    }
}
