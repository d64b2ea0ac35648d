//! The way to the target. This is the only room that knows the HTTP library; the run hands it [`Call`]s and gets
//! [`Exchange`]s, in which a failed request is data and never an error. A [`Poster`] is the way to receivers of metrics.

mod call;
mod client;
mod control_client;
mod failure;
mod post;
mod preflight;
mod retry_after;
mod target_policy;
mod timer_pool;

pub use call::{Call, Refused};
pub use client::{Answer, Client, ClientError, Exchange, Place};
pub use control_client::{NoAnswer, ask};
pub use post::{PostError, Poster};
pub use preflight::{Unreachable, preflight};
pub use target_policy::{OutOfReach, check_reach};
