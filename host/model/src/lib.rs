//! The words that every room shares: what became of a request, of a fault, of a session, of a swap, where a breaker and a
//! threshold stand, what can happen to a run; and the one source of time and of randomness. Depends on no other room.
//!
//! What must stay true: each word is spelled once, in the table of its enum. Metrics, JSON and text use that spelling, so
//! it never changes.

mod breaker;
mod channel;
mod clock;
mod ending;
mod event;
mod failure;
mod fault;
mod grpc;
mod guard;
mod limit;
mod outcome;
mod phases;
pub mod random;
mod swap;
pub mod text;
mod words;

#[doc(hidden)]
pub use serde;

pub use breaker::{BreakerState, HoldReason};
pub use channel::ChannelKind;
pub use clock::{Clock, Instant};
pub use ending::Ending;
pub use event::EventKind;
pub use failure::Failure;
pub use fault::FaultKind;
pub use grpc::GrpcCode;
pub use guard::{AbortReason, ThresholdState};
pub use limit::LimitKind;
pub use outcome::{Outcome, OutcomeClass, OutcomeKind};
pub use phases::{Phases, RequestPhase};
pub use swap::SwapResult;
pub use words::Word;
#[doc(hidden)]
pub use words::deserialize;
