//! Which versions of a behavior play an archetype, with which share; how a new one comes in and is taken back.

pub(crate) mod labels;
pub(crate) mod rollouts;
pub(crate) mod room;
pub(crate) mod runtime;
mod swap;
mod watch;

pub use rollouts::{Mode, Swapped};
pub use swap::{Source, Swap, SwapError, Swapper};
pub use watch::watch;
