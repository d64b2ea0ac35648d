//! The run itself: users play sessions on workers, an orchestrator starts them, collects what they measured and ends
//! them. The CLI calls [`execute`] with a plan and loaded behaviors.
//!
//! What must stay true: every request that was started is counted once, however the run ends.

// Tests measure by the machine's clock.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod admission;
pub mod capacity;
mod clock;
mod control;
mod driver;
mod error;
pub mod feeds;
mod governor;
mod guard;
pub mod journal;
mod lifecycle;
mod once_per_run;
mod orchestrator;
pub mod rehearsal;
mod rollout;
mod seed;
mod sending_time;
mod shards;
mod signals;
mod stage_clock;
mod state_log;
mod teardown;
#[cfg(test)]
mod tests;
mod transactions;
mod trial;
mod vu;
mod witness;
mod worker;
mod workload;

pub use control::{Control, DesiredState, News, Over};
pub use driver::SessionEnd;
pub use error::RunError;
pub use feeds::FeedSet;
pub use lifecycle::EndReason;
pub use once_per_run::{OncePerRun, PlayedOnce, only_alone};
pub use orchestrator::{
    CommonStart, GivenUp, Run, RunEnd, execute, undeclared_target, unmatched_condition,
};
pub use rollout::{
    Mode, Offer, Prepared, Source, Step, Swap, SwapError, Swapped, Swapper, Task, watch,
};
pub use shards::{Offered, Orders, Others, ShardEvent};
pub use signals::{StopLevel, Stopper};
pub use teardown::{Progress, Tokens, TornDown, teardown};
pub use trial::{Trial, try_session};
pub use vespeiro_behavior::MAX_MODULE;
pub use vu::{journey, once};
pub use witness::{Seen, Witness};
pub use worker::quarantine::GivenUpCause;
pub use workload::planned::requests_planned;
