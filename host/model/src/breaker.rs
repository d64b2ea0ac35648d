//! Where a circuit breaker stands, and why a user waits before a request. Decided by `resilience`, counted by `metrics`.

crate::words! {
    /// Where a circuit breaker stands.
    #[derive(Default)]
    pub enum BreakerState {
        /// Requests go out.
        #[default]
        Closed => "closed",
        /// A few probes go out, the rest do not.
        HalfOpen => "half-open",
        /// Nothing goes out.
        Open => "open",
    }

    /// Why a user waited before a request, beyond what its behavior asked for.
    pub enum HoldReason {
        /// The circuit breaker was open.
        Breaker => "breaker",
        /// The target asked for it with `Retry-After`.
        RetryAfter => "retry-after",
        /// Back-off after a connection that failed, or a 429 without `Retry-After`.
        Backoff => "backoff",
        /// The target limits the rate: the whole run goes slower.
        Pace => "pace",
        /// Logins are paused: too many were refused.
        Logins => "logins",
    }
}
