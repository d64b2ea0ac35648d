//! The other shards of a run that is played as one: what shard 0 hears of them and what it asks of them, and the same from
//! their side. The room above carries both over the network.
//!
//! What must stay true: shard 0 alone decides for all; a shard that is lost ends the run, and none waits for it.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use crate::lifecycle::EndReason;
use crate::rollout::steps::Step;
use crate::worker::quarantine::GivenUpCause;
use vespeiro_metrics::{ShardSecond, ShardState};

/// What a shard tells shard 0.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ShardEvent {
    /// A second of its figures is complete.
    Second(Box<ShardSecond>),
    Stands(ShardState),
    /// All its users have finished that it has had since this generation of orders.
    Idle {
        generation: u64,
    },
    /// It has done this step, and all before it; or why it cannot.
    Stepped {
        number: u64,
        refused: Option<String>,
    },
    /// Its workers have ended; nothing follows.
    Finished {
        why: EndReason,
        given_up: Vec<(u16, GivenUpCause)>,
    },
}

/// What shard 0 asks of the others: the latest counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    pub paused: bool,
    pub users: Option<u32>,
    /// Counts the orders that may have brought users back.
    pub generation: u64,
    /// The run ends, and why.
    pub end: Option<EndReason>,
    /// What is under way is ended too.
    pub halt: bool,
    /// What they do to their behaviors, in this order, each once.
    pub steps: Vec<Step>,
}

/// A module's hash and bytes.
type Module = (String, Arc<[u8]>);

/// The module that the others fetch, while they are to prepare it.
#[derive(Debug, Clone, Default)]
pub struct Offered(Arc<Mutex<Option<Module>>>);

impl Offered {
    pub(crate) fn put(&self, module: Option<Module>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = module;
    }

    /// The module with this hash, if that is the one.
    pub fn find(&self, hash: &str) -> Option<Arc<[u8]>> {
        let offered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, bytes) = offered.as_ref()?;
        (known == hash).then(|| Arc::clone(bytes))
    }
}

/// The other shards, as this one has to do with them.
#[derive(Debug, Default)]
pub enum Others {
    /// There are none, or each plays for itself.
    #[default]
    None,
    /// This is shard 0.
    Followers {
        /// How many workers each of them has.
        workers: Vec<usize>,
        /// From which of them, counted from 0 after this one; `None`: it has been lost.
        events: mpsc::UnboundedReceiver<(usize, Option<ShardEvent>)>,
        orders: watch::Sender<Orders>,
        offered: Offered,
    },
    /// This is one that follows shard 0, which is lost when its orders end.
    Leader {
        /// Holds no more than what is told while shard 0 may be silent.
        events: mpsc::UnboundedSender<ShardEvent>,
        orders: watch::Receiver<Orders>,
    },
}

/// What comes in from the others.
#[derive(Debug)]
pub(crate) enum Inbox {
    None,
    Events(mpsc::UnboundedReceiver<(usize, Option<ShardEvent>)>),
    Orders(watch::Receiver<Orders>),
}

/// One of these.
#[derive(Debug)]
pub(crate) enum Message {
    Of(usize, Option<ShardEvent>),
    /// `None`: shard 0 has been lost.
    Orders(Option<Orders>),
}

/// Where what this one says goes.
#[derive(Debug)]
pub(crate) enum Outbox {
    None,
    Followers(watch::Sender<Orders>, Offered),
    Leader(mpsc::UnboundedSender<ShardEvent>),
}

impl Others {
    /// How many workers each of those has who follow this one.
    pub(crate) fn followers(&self) -> &[usize] {
        match self {
            Others::Followers { workers, .. } => workers,
            _ => &[],
        }
    }

    pub(crate) fn open(self) -> (Inbox, Outbox) {
        match self {
            Others::None => (Inbox::None, Outbox::None),
            Others::Followers {
                events,
                orders,
                offered,
                ..
            } => (Inbox::Events(events), Outbox::Followers(orders, offered)),
            Others::Leader { events, orders } => (Inbox::Orders(orders), Outbox::Leader(events)),
        }
    }
}

impl Inbox {
    /// The next message; never, where nothing more comes.
    pub(crate) async fn next(&mut self) -> Message {
        let message = match self {
            Inbox::None => None,
            Inbox::Events(events) => events
                .recv()
                .await
                .map(|(shard, event)| Message::Of(shard, event)),
            Inbox::Orders(orders) => match orders.changed().await {
                Ok(()) => Some(Message::Orders(Some(orders.borrow_and_update().clone()))),
                Err(_) => {
                    *self = Inbox::None;
                    Some(Message::Orders(None))
                }
            },
        };
        match message {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }
}

impl Outbox {
    pub(crate) fn is_to_leader(&self) -> bool {
        matches!(self, Outbox::Leader(_))
    }

    /// Tell shard 0, where this one follows it.
    pub(crate) fn tell(&self, event: ShardEvent) {
        if let Outbox::Leader(events) = self {
            // Whoever hears nothing more is lost, and that comes in by itself.
            let _ = events.send(event);
        }
    }

    /// Ask the others, where they follow this one.
    pub(crate) fn order(&self, change: impl FnOnce(&mut Orders)) {
        if let Outbox::Followers(orders, _) = self {
            orders.send_modify(change);
        }
    }

    /// Let the others fetch this module, and none before it.
    pub(crate) fn offer(&self, module: Option<Module>) {
        if let Outbox::Followers(_, offered) = self {
            offered.put(module);
        }
    }
}
