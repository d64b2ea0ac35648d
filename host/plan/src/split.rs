//! How a plan's users are split: which archetype each plays, and who plays whom. Pure functions of the plan, used by the engine.

pub(crate) mod deal;
pub(crate) mod picker;
