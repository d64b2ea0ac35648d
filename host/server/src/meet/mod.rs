//! Shards that play as one run meet: shard 0 listens, the others join it, and all begin at the same moment. From then on they
//! tell it what they count and do what it asks, until each has told how it ended. Opened by the command line before a run.
//!
//! What must stay true: only shards of the same plan, modules and version play together, each once; whoever is refused is
//! told why, and so is shard 0.

mod guest;
mod host;
mod roll;
mod steps;

pub use guest::Guest;
pub use host::{Ends, Host};

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::listener::BindError;
use vespeiro_engine::ShardEvent;
use vespeiro_plan::Plan;

/// Whoever is not heard for so long is gone.
pub const SILENCE: Duration = Duration::from_secs(10);
/// How often a shard that waits asks again.
const ASK: Duration = Duration::from_millis(200);
/// How often a shard lets shard 0 hear of it at least; the figures of a second go at once.
const BEAT: Duration = Duration::from_secs(2);
/// From when all are there to when they begin: time for each to hear of it several times, and for its workers to stand.
const LEAD: Duration = Duration::from_secs(1);
/// Shards that are named in a line.
const MOST_NAMED: usize = 10;

/// What a shard says of itself to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub index: usize,
    pub shards: usize,
    pub workers: usize,
    pub version: String,
    /// Tells this process from another one that is the same shard.
    pub process: u64,
    /// Hashes of what the plan has in common with those of the others, by name.
    pub plan: BTreeMap<String, String>,
    /// Hashes of the behaviors, by archetype.
    pub modules: BTreeMap<String, String>,
}

impl Hello {
    /// That of this process. `modules` are the hashes of its behaviors in the plan's order; `hash` is of texts.
    pub fn new<'a>(
        plan: &Plan,
        modules: impl Iterator<Item = &'a str>,
        hash: impl Fn(&str) -> String,
    ) -> Hello {
        let names = plan.archetypes.iter().map(|one| one.name.clone());
        let common = plan.common.0.iter();
        Hello {
            index: plan.shard.index,
            shards: plan.shard.shards,
            workers: plan.workers,
            version: env!("CARGO_PKG_VERSION").into(),
            process: RandomState::new().hash_one(plan.shard.index),
            plan: common
                .map(|(key, text)| (key.clone(), hash(text)))
                .collect(),
            modules: names.zip(modules.map(str::to_owned)).collect(),
        }
    }
}

/// What a shard hears that has asked to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// These are missing still.
    Wait { missing: Vec<usize> },
    /// All are there, and shard 0 prepares the run.
    Prepares,
    /// From the moment of this answer, with what the preparation shares, by archetype.
    StartsIn {
        micros: u64,
        shared: BTreeMap<u16, String>,
    },
    /// There is no run.
    Over { why: String },
}

/// When a shard has begun, after the moment that was agreed upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Began {
    index: usize,
    process: u64,
    late_micros: u64,
    /// By how much its idea of that moment may be wrong, either way.
    unsure_micros: u64,
}

/// What a shard tells since it was heard last. The answer are orders.
#[derive(Debug, Serialize, Deserialize)]
struct Beat {
    index: usize,
    process: u64,
    /// From 1; the same again where no answer came.
    number: u64,
    events: Vec<ShardEvent>,
}

/// A shard wants the module with this hash.
#[derive(Debug, Serialize, Deserialize)]
struct Fetch {
    index: usize,
    process: u64,
    hash: String,
}

/// How a shard has ended, once all that it writes is written: a text of whoever opened the meeting.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    index: usize,
    process: u64,
    text: String,
}

/// The moment at which all shards begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    pub at: Instant,
    /// It may be so much earlier or later at shard 0.
    pub unsure: Duration,
}

/// The shards did not come together.
#[derive(Debug, thiserror::Error)]
pub enum MeetError {
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Shard 0 does not want this one: its plan, its module or its index have to change.
    #[error("{0}")]
    Refused(String),
    #[error(
        "shards {missing} of {shards} did not come to {place} within {waited:?}: see why they do not run there, or give them longer with --meet-timeout"
    )]
    Missing {
        missing: String,
        shards: usize,
        place: String,
        waited: Duration,
    },
    #[error(
        "shard 0 did not answer at {place} within {waited:?}: {why}: see why it does not run there, or give it longer with --meet-timeout"
    )]
    NoAnswer {
        place: String,
        waited: Duration,
        why: String,
    },
    #[error("shard 0 at {place} has been silent for {SILENCE:?}: see there why it has ended")]
    Silent { place: String },
    /// Shard 0 has given up.
    #[error("{0}")]
    Over(String),
}

/// Numbers of shards in a line, some of them where there are many.
fn named(shards: &[usize]) -> String {
    let mut names: Vec<String> = shards
        .iter()
        .take(MOST_NAMED)
        .map(usize::to_string)
        .collect();
    if shards.len() > MOST_NAMED {
        names.push("…".into());
    }
    names.join(", ")
}
