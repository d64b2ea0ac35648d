//! The run itself: users play sessions on workers, an orchestrator starts them, collects what they measured and ends
//! them. The CLI calls [`execute`] with a plan and loaded behaviors.
//!
//! What must stay true: every request that was started is counted once, however the run ends.

mod arrivals;
mod clock;
mod control;
mod crew;
mod deal;
mod exchange;
pub mod feeds;
mod floor;
mod governor;
mod guard;
mod identity;
pub mod journal;
mod labels;
mod lane;
mod lineup;
mod notices;
mod orchestrator;
mod pause;
mod player;
mod prepare;
mod ration;
pub mod rehearsal;
mod restraint;
mod seed;
mod session;
mod signals;
mod swap;
mod sweep;
#[cfg(test)]
mod tests;
mod tokens;
mod trace;
mod user;
mod watch;
mod worker;

pub use control::{Control, News, Over, Wish};
pub use identity::journey;
pub use lineup::{Mode, Swapped};
pub use orchestrator::{Ended, RunError, Why, execute, requests_planned, unmatched_condition};
pub use ration::Stock;
pub use signals::{StopLevel, Stopper};
pub use swap::{Source, Swap, SwapError, Swapper};
pub use sweep::{Progress, Swept, sweep};
pub use tokens::Tokens;
pub use watch::watch;
