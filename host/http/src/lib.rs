//! The way to the target: own connections, what is sent over them, and what came of it. The run hands a worker's client
//! calls and gets outcomes, in which a failed request is data and never an error.
//!
//! What must stay true: a failure is laid at the door of whoever caused it, and nothing here takes a lock, parses a URL
//! or builds a map of headers for a request over HTTP/1.1.

// Tests measure by the machine's clock.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod body;
mod call;
mod carriers;
pub mod channel;
mod client;
pub mod codec;
pub mod cookies;
pub mod dial;
pub mod grpc;
mod h1;
pub mod h2;
mod heads;
mod options;
mod outcome;
mod pieces;
mod pool;
mod preflight;
pub mod redirect;
mod retry_after;
mod sender;
mod target;
mod target_policy;
mod timer_pool;
mod tool;
mod trip;

pub use call::{Call, Capture, Reads};
pub use channel::{
    Channel, ChannelEnd, ChannelEvent, ChannelKind, Content, MAX_WAITING, Message, Observer,
    Received,
};
pub use client::{Client, UserPool};
pub use codec::Refused;
pub use heads::Heads;
pub use options::ClientOptions;
pub use outcome::{Answer, Flaw, Outcome, Traffic};
pub use pieces::{Piece, Pieces};
pub use pool::Counts;
pub use preflight::{Unreachable, preflight};
pub use target::{ClientError, Targets, UserConnections};
pub use target_policy::{OutOfReach, check_reach};
pub use tool::{Forwarded, Forwarder, NoAnswer, NotForwarded, PostError, Poster, ask};
pub use vespeiro_model::{Failure, Phases};
pub use vespeiro_plan::USER_AGENT;
