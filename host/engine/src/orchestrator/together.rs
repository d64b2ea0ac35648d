//! A run that is played with other shards as one: at shard 0 each of the others is one more worker, the others do what it wants.
//!
//! What must stay true: nobody waits for a shard that is gone, and each is heard until it has ended, and no longer.

use std::sync::Arc;

use super::Orchestrator;
use crate::control::DesiredState;
use crate::lifecycle::{EndReason, Signal};
use crate::shards::{Message, Orders, ShardEvent};
use crate::signals::StopLevel;
use crate::teardown::tokens::Tokens;
use crate::worker::quarantine::GivenUpCause;
use crate::worker::thread::WorkerEvent;
use vespeiro_metrics::{Snapshot, process};

impl<W: FnMut(&Arc<Snapshot>)> Orchestrator<'_, W> {
    /// Workers of this shard that have not ended.
    pub(super) fn own_workers(&self) -> usize {
        let shards = self.idle.len() - self.plan.workers;
        (self.playing + self.ended_shards.len()).saturating_sub(shards)
    }

    /// Something comes in from another shard.
    pub(super) async fn hear(&mut self, message: Message) {
        match message {
            Message::Of(shard, Some(event)) => self.heard(shard, event).await,
            Message::Of(shard, None) => self.lose(shard, "has been silent for too long").await,
            Message::Orders(Some(orders)) => self.obey(orders).await,
            Message::Orders(None) => {
                tracing::error!("shard 0 has been lost: this one ends too");
                self.lost.push(0);
                self.signal(Signal::Asked(StopLevel::Graceful)).await;
            }
        }
    }

    /// A shard that follows this one, counted from 0 after it, tells something.
    async fn heard(&mut self, shard: usize, event: ShardEvent) {
        let worker_index = self.plan.workers + shard;
        if self.ended_shards.contains(&shard) || worker_index >= self.idle.len() {
            return;
        }
        let fits = match event {
            ShardEvent::Second(second) => {
                let fits = self.totals.take_in_of_shard(shard, &second);
                self.review_swaps().await;
                fits
            }
            ShardEvent::Stands(state) => self.totals.shard_stands(shard, state),
            ShardEvent::Idle { generation } => {
                let idle = WorkerEvent::Idle {
                    worker_index,
                    generation,
                };
                self.event(idle).await;
                true
            }
            ShardEvent::Stepped { number, refused } => {
                self.stepped(shard, number, refused).await;
                true
            }
            ShardEvent::Finished { why, given_up } => {
                // One that somebody has stopped stops the others, as a signal to one process would.
                if why == EndReason::Stopped && self.lifecycle.is_live() {
                    self.signal(Signal::Asked(StopLevel::Graceful)).await;
                }
                self.shard_ended(shard, given_up).await;
                true
            }
        };
        if !fits {
            self.lose(shard, "counts what it cannot have counted").await;
        }
        self.complete().await;
    }

    async fn shard_ended(&mut self, shard: usize, given_up: Vec<(u16, GivenUpCause)>) {
        self.ended_shards.insert(shard);
        self.steps.ended(shard);
        self.go_on_swapping().await;
        let known = self.plan.archetypes.len();
        let given_up = given_up.into_iter();
        let finished = WorkerEvent::Finished {
            worker_index: self.plan.workers + shard,
            given_up: given_up
                .filter(|(one, _)| usize::from(*one) < known)
                .collect(),
            tokens: Tokens::default(),
        };
        self.event(finished).await;
    }

    /// A shard is gone: the run is not its plan's any more.
    async fn lose(&mut self, shard: usize, why: &str) {
        if self.ended_shards.contains(&shard) {
            return;
        }
        tracing::error!("shard {} {why}: the run ends", shard + 1);
        self.lost.push(shard + 1);
        self.refuse_swap(shard, "it has been lost".into());
        self.signal(Signal::Asked(StopLevel::Graceful)).await;
        self.shard_ended(shard, Vec::new()).await;
    }

    /// Do what shard 0 wants.
    async fn obey(&mut self, orders: Orders) {
        self.ordered = orders.generation;
        let desired = DesiredState {
            paused: orders.paused,
            users: orders.users,
            turn: orders.generation,
        };
        self.desire(desired).await;
        if let Some(why) = orders.end.filter(|_| self.lifecycle.is_live()) {
            let signal = match why {
                EndReason::Finished => Signal::Idle,
                EndReason::Duration => Signal::Deadline,
                EndReason::Stopped => Signal::Asked(StopLevel::Graceful),
                EndReason::Aborted => Signal::GuardTripped,
            };
            self.signal(signal).await;
        }
        if orders.halt {
            self.signal(Signal::Asked(StopLevel::Halt)).await;
        }
    }

    /// Tell shard 0 what is new.
    pub(super) fn tell(&mut self) {
        let untold = self.totals.take_untold();
        if untold.is_empty() {
            return;
        }
        for second in untold {
            self.others.tell(ShardEvent::Second(Box::new(second)));
        }
        let process = process::sample(self.elapsed());
        self.others
            .tell(ShardEvent::Stands(self.totals.state(process)));
    }
}
