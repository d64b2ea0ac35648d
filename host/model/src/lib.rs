//! The words that every room shares: what became of a request, of a fault, of a session, of a swap, and where a breaker
//! stands. Depends on no other room.
//!
//! What must stay true: each word is spelled once, in the table of its enum. Metrics, JSON and text use that spelling, so
//! it never changes.

#[macro_use]
mod words;

mod breaker;
mod ending;
mod failure;
mod fault;
mod outcome;
mod swap;

pub use breaker::{BreakerState, HoldReason};
pub use ending::Ending;
pub use failure::Failure;
pub use fault::FaultKind;
pub use outcome::{Outcome, OutcomeClass};
pub use swap::SwapResult;
