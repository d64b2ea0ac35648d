//! Behaviors that are swapped while a run goes on. With other shards, all of them prepare a behavior before any plays it.
//!
//! What must stay true: shard 0 makes a version known before any other shard plays it, and judges it by what all have counted.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Orchestrator;
use crate::control::{ControlRequest, Elsewhere, Ready};
use crate::rollout::rollouts::{Rollback, Rollout, Swapped};
use crate::rollout::steps::{Offer, Task};
use crate::rollout::swap::Source;
use crate::worker::thread::WorkerCommand;
use vespeiro_metrics::Snapshot;
use vespeiro_model::SwapResult;
use vespeiro_model::text::harmless;

/// Letters of another shard's reason that are told.
const MAX_REASON: usize = 500;

/// A swap that waits for the other shards.
#[derive(Debug)]
pub(super) struct SwapUnderWay {
    /// The step that each of them has to do.
    step: u64,
    at: Phase,
    reply: oneshot::Sender<Result<Swapped, Elsewhere>>,
}

#[derive(Debug)]
enum Phase {
    Preparing(Ready),
    Publishing(Swapped),
}

impl<W: FnMut(&Arc<Snapshot>)> Orchestrator<'_, W> {
    /// Have the workers play an archetype's new sessions with these versions.
    async fn publish(&mut self, rollout: Rollout) {
        let generation = self.next_generation();
        let command = || WorkerCommand::TakeOver {
            rollout: rollout.clone(),
            generation,
        };
        self.workers.send(command).await;
    }

    pub(super) async fn request(&mut self, request: ControlRequest) {
        match request {
            ControlRequest::Swap { ready, reply } => {
                let (hash, source) = (ready.behavior.hash.clone(), &ready.source);
                let (name, bytes) = match source {
                    Source::BuiltIn(name) => (name, None),
                    Source::Bytes { name, bytes } => (name, Some(Arc::clone(bytes))),
                };
                let offer = Offer {
                    name: name.clone(),
                    is_built_in: bytes.is_none(),
                    hash: hash.clone(),
                };
                self.others.offer(bytes.map(|bytes| (hash, bytes)));
                let step = self.steps.issue(ready.archetype, Task::Prepare(offer));
                self.swapping = Some(SwapUnderWay {
                    step,
                    at: Phase::Preparing(ready),
                    reply,
                });
                self.go_on_swapping().await;
            }
            ControlRequest::Judged {
                archetype,
                is_good,
                done,
            } => {
                let back = self.rollouts.judged(&mut self.totals, archetype, is_good);
                if let Some(back) = back {
                    self.take_back(back).await;
                }
                // Whoever asked may have gone.
                let _ = done.send(());
            }
            ControlRequest::Refused { archetype, why } => {
                self.totals.swapped(archetype, SwapResult::Refused);
                tracing::error!("{why}");
                self.control.add_news(self.elapsed(), why, true);
            }
        }
    }

    /// Publish what all have prepared, and tell whoever asked once all have published it.
    pub(super) async fn go_on_swapping(&mut self) {
        while let Some(under_way) = self
            .swapping
            .take_if(|one| self.steps.all_have_done(one.step))
        {
            let SwapUnderWay { at, reply, .. } = under_way;
            match at {
                Phase::Preparing(ready) => {
                    let Ready {
                        archetype,
                        behavior,
                        share,
                        mode,
                        ..
                    } = ready;
                    let now = self.clock.now();
                    let (totals, rollouts) = (&mut self.totals, &mut self.rollouts);
                    let (swapped, rollout) =
                        rollouts.swap(totals, archetype, behavior, share, mode, now);
                    self.others.offer(None);
                    let step = self.steps.issue(archetype, Task::Publish { share, mode });
                    self.swapping = Some(SwapUnderWay {
                        step,
                        at: Phase::Publishing(swapped.clone()),
                        reply,
                    });
                    if let Some(rollout) = rollout {
                        self.control
                            .add_news(self.elapsed(), swapped.to_string(), false);
                        self.publish(rollout).await;
                    }
                }
                Phase::Publishing(swapped) => {
                    // Whoever asked may have gone.
                    let _ = reply.send(Ok(swapped));
                }
            }
        }
        self.order_steps();
    }

    /// A shard has done what it was asked, or cannot.
    pub(super) async fn stepped(&mut self, shard: usize, number: u64, refused: Option<String>) {
        let waits = self.swapping.as_ref().map(|one| one.step);
        if let Some(why) = refused.filter(|_| waits == Some(number)) {
            self.refuse_swap(shard, why);
        }
        self.steps.done(shard, number);
        self.go_on_swapping().await;
    }

    /// One shard does not take it: none does.
    pub(super) fn refuse_swap(&mut self, shard: usize, why: String) {
        let is_preparing = |one: &mut SwapUnderWay| matches!(one.at, Phase::Preparing(_));
        if let Some(under_way) = self.swapping.take_if(is_preparing) {
            let why: String = why.chars().take(MAX_REASON).collect();
            let _ = under_way.reply.send(Err(Elsewhere {
                shard: shard + 1,
                why: harmless(&why).into(),
            }));
            self.steps.withdraw();
            self.others.offer(None);
            self.order_steps();
        }
    }

    /// Whoever asked for a swap that is not published yet does not want it any more.
    pub(super) fn forget_swap(&mut self) {
        let is_unwanted =
            |one: &mut SwapUnderWay| matches!(one.at, Phase::Preparing(_)) && one.reply.is_closed();
        if self.swapping.take_if(is_unwanted).is_some() {
            self.steps.withdraw();
            self.others.offer(None);
            self.order_steps();
        }
    }

    /// Look how those behaviors do that are on probation. Where this shard follows shard 0, that one sees more.
    pub(super) async fn review_swaps(&mut self) {
        if !self.rollouts.watches() || self.others.is_to_leader() {
            return;
        }
        let verdicts = self.rollouts.review(&mut self.totals, self.clock.now());
        for (archetype, back) in verdicts {
            match back {
                None => drop(self.steps.issue(archetype, Task::Settle)),
                Some(back) => {
                    self.steps.issue(archetype, Task::TakeBack);
                    self.take_back(back).await;
                }
            }
            self.order_steps();
        }
    }

    async fn take_back(&mut self, back: Rollback) {
        tracing::error!("{}", back.why);
        self.control.add_news(self.elapsed(), back.why, true);
        self.publish(back.rollout).await;
    }

    /// The others do what is open.
    fn order_steps(&self) {
        let open = self.steps.open();
        self.others.order(|orders| {
            if orders.steps != open {
                orders.steps = open.to_vec();
            }
        });
    }
}
