//! The way to the target. This is the only room that knows the HTTP library; the run hands it [`Call`]s and gets
//! [`Exchange`]s, in which a failed request is data and never an error. A [`Poster`] is the way to receivers of metrics.

mod alarms;
mod ask;
mod call;
mod client;
mod failure;
mod post;
mod preflight;
mod reach;
mod retry_after;

pub use ask::{NoAnswer, ask};
pub use call::{Call, Refused};
pub use client::{Answer, Client, ClientError, Exchange, Place};
pub use post::{PostError, Poster};
pub use preflight::{Unreachable, preflight};
pub use reach::{OutOfReach, check_reach};
