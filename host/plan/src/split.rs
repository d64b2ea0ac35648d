//! How a plan is split: which archetype each user plays, which worker of which shard plays it, and which shard a process is.
//! Pure functions, for the engine and for whoever has to know what a shard comes to.

pub(crate) mod deal;
pub(crate) mod engines;
pub(crate) mod part;
pub(crate) mod picker;
