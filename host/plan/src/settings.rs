//! The settings of each part of a plan. A setting is declared once, as a field of its part: key, default, value type and
//! help stand beside it. Flags, `VESPEIRO_*` variables, plan file keys, help texts and `vespeiro plan` all follow from that.
//! Read by `plan.rs`, in its order.

pub(crate) mod cleanup;
pub(crate) mod connections;
pub(crate) mod control;
pub(crate) mod guard;
pub(crate) mod guest;
pub(crate) mod load;
pub(crate) mod meet;
pub(crate) mod output;
pub(crate) mod resilience;
pub(crate) mod shard;
pub(crate) mod target;
