//! How a run spares its target: the circuit breaker, the throttle after 429s, the limit of refused logins, and back-off.
//! `engine` asks before a request leaves and reports its outcome.
//!
//! What must stay true: each policy is a pure function of the times and outcomes that it was told.

mod admission;
mod backoff;
mod breaker;
mod logins;
mod throttle;
mod window;

pub use admission::{
    Admission, AdmissionStatus, BreakerOpen, Changes, HoldState, Settled, before_retry,
};
pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerPermit, Signal};
pub use logins::{LoginLimiter, LoginOutcome, LoginWait};
pub use throttle::Throttle;
