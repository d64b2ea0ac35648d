//! How a run holds back out of regard for its target: the circuit breaker, the throttle after 429s, the limit of refused
//! logins, and back-off. `engine` asks before a request leaves and tells what became of it.
//!
//! What must stay true: each policy is a pure function of the times and outcomes that it was told.

mod admission;
mod backoff;
mod breaker;
mod logins;
mod slowdown;
mod window;

pub use admission::{Admission, BreakerOpen, Changes, HoldState, Settled, Standing, before_retry};
pub use backoff::backoff;
pub use breaker::{Breaker, BreakerPermit, Signal};
pub use logins::{LoginLimiter, LoginOutcome, LoginWait};
pub use slowdown::Throttle;
