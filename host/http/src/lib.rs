//! The way to the target: own connections, what is sent over them, and what came of it. The run hands a worker's client
//! calls and gets outcomes, in which a failed request is data and never an error.
//!
//! What must stay true: a failure is laid at the door of whoever caused it, and nothing here takes a lock, parses a URL
//! or builds a map of headers for a request over HTTP/1.1.

mod alarms;
mod body;
mod call;
mod carriers;
mod client;
pub mod codec;
pub mod dial;
mod failure;
mod h1;
pub mod h2;
mod outcome;
mod pool;
mod retry_after;
mod sender;
mod trip;

pub use call::{Call, Capture};
pub use client::{Client, ClientOptions, UserPool};
pub use failure::Failure;
pub use outcome::{Answer, Flaw, Outcome, Phases, Traffic};
pub use pool::Counts;
