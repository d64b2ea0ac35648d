//! What another shard does to its behaviors, as shard 0 says: fetch, compile and rehearse, and then play. Runs beside its beats, so
//! that it is heard meanwhile.
//!
//! What must stay true: steps are done in their order, and each is told of; nothing is played but what shard 0 has the hash of.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::guest::Guest;
use vespeiro_engine::{Offer, Orders, Prepared, ShardEvent, Swapper, Task};

/// Never ends.
pub(super) async fn follow(
    guest: &Guest,
    swapper: &Swapper,
    mut orders: watch::Receiver<Orders>,
    told: mpsc::WeakUnboundedSender<ShardEvent>,
) {
    let (mut done, mut prepared) = (0, None);
    loop {
        let next = {
            let known = orders.borrow_and_update();
            known.steps.iter().find(|step| step.number > done).cloned()
        };
        let Some(step) = next else {
            if orders.changed().await.is_err() {
                return pending().await;
            }
            continue;
        };
        let tried = match &step.task {
            Task::Prepare(offer) => {
                tokio::select! {
                    ready = prepare(guest, swapper, step.archetype, offer) => ready.map(|ready| prepared = Some(ready)),
                    // It has no number to be told of any more.
                    () = withdrawn(orders.clone(), step.number) => continue,
                }
            }
            _ => {
                let taken = swapper.take_step(&step, prepared.as_ref()).await;
                taken.map_err(|error| error.to_string())
            }
        };
        if let Err(why) = &tried {
            tracing::warn!("told shard 0 that this one does not swap: {why}");
        }
        done = step.number;
        // A run that is over tells nothing.
        if let Some(told) = told.upgrade() {
            let _ = told.send(ShardEvent::Stepped {
                number: step.number,
                refused: tried.err(),
            });
        }
    }
}

async fn prepare(
    guest: &Guest,
    swapper: &Swapper,
    archetype: u16,
    offer: &Offer,
) -> Result<Prepared, String> {
    let module: Arc<[u8]> = match offer.is_built_in {
        true => Arc::default(),
        false => guest.fetch(&offer.hash).await?,
    };
    let ready = swapper.prepare_offered(archetype, offer, module).await;
    ready.map_err(|error| error.to_string())
}

/// Shard 0 does not want this step any more.
async fn withdrawn(mut orders: watch::Receiver<Orders>, number: u64) {
    let is_gone = |orders: &Orders| !orders.steps.iter().any(|step| step.number == number);
    if orders.wait_for(is_gone).await.is_err() {
        pending().await
    }
}
