//! Which versions of a behavior play an archetype, with which share; how a new one comes in and is taken back.

pub(crate) mod labels;
pub(crate) mod rollouts;
pub(crate) mod room;
pub(crate) mod runtime;
pub(crate) mod steps;
pub(crate) mod swap;
mod watch;

pub use rollouts::{Mode, Swapped};
pub use steps::{Offer, Step, Task};
pub use swap::{Prepared, Source, Swap, SwapError, Swapper};
pub use watch::watch;
