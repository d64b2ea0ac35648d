//! The settings of how the run spares a target in trouble: circuit breaker, back-off, retries, refused logins. Read by
//! `plan.rs`.

use std::time::Duration;

use crate::layers::section;
use crate::units::DefaultUnit::Seconds;
use crate::units::{LONGEST_PAUSE, MILLISECOND};
use crate::value_types::{count, duration, on_off};

section! {
    /// How the run treats a target that is in trouble, or asks to be left alone.
    #[derive(Debug, Clone)]
    pub struct ResilienceSettings(r) {
        /// `None`: requests go out whatever comes back.
        breaker: Option<BreakerRules> = {
            let on = r.read("breaker", "on", on_off(),
                "Circuit breaker: send nothing for a while when the target fails; off for stress tests");
            let rules = BreakerRules::read(r);
            on.then_some(rules)
        };
        /// Wait after 429, `Retry-After` and connections that fail.
        backoff: bool = ("backoff", "on", on_off(),
            "Wait after 429, Retry-After and failed connections; off for stress tests");
        /// How often a request whose repetition does no harm is sent again.
        retries: u32 = ("retries", "0", count(0..=100),
            "How often a failed GET, HEAD, PUT, DELETE or OPTIONS is sent again at most");
        /// Refused logins per minute over all workers; past it, logins pause. `None`: no bound.
        max_auth_failures: Option<u32> = ("max_auth_failures", "30", count(1..=1_000_000).or_none(),
            "Most refused logins per minute; past it, all logins pause for a while");
    }
}

section! {
    /// When a circuit breaker opens and closes.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct BreakerRules(r) {
        /// Share of failures that opens it, 0 to 1.
        threshold: f64 = {
            f64::from(r.read("breaker_threshold", "50", count::<u32>(1..=100),
                "Percentage of failed requests that opens the breaker")) / 100.0
        };
        /// Fewest outcomes in the window that a share is made of.
        volume: u32 = ("breaker_volume", "20", count(1..=1_000_000),
            "Fewest requests of a worker before its breaker may open");
        /// How far back it looks.
        window: Duration = ("breaker_window", "10s", duration(Seconds, Duration::from_millis(100)..=LONGEST_PAUSE),
            "Time whose requests the breaker counts; bare numbers are seconds");
        /// How long it stays open at least.
        cool_down: Duration = ("breaker_cool_down", "5s", duration(Seconds, MILLISECOND..=LONGEST_PAUSE),
            "Shortest time that the breaker stays open, up to half of it is added at random; bare numbers are seconds");
        /// Requests that have to succeed before it closes.
        probes: u32 = ("breaker_probes", "3", count(1..=1_000),
            "Requests that have to succeed before the breaker closes");
    }
}
