//! The settings of the regard for a target in trouble: circuit breaker, back-off, retries, refused logins. Read by
//! `settings.rs`.

use std::time::Duration;

use super::{A_MOMENT, LONGEST_PAUSE};
use crate::layers::Reader;
use crate::units::DefaultUnit::Seconds;
use crate::value_types::{choice, count, duration};
use crate::{BreakerRules, ResilienceSettings};

const ON_OFF: &[(&str, bool)] = &[("on", true), ("off", false)];

pub(super) fn read(r: &mut Reader<'_>) -> ResilienceSettings {
    let on = r.read(
        "breaker",
        "on",
        choice("WHEN", ON_OFF),
        "Circuit breaker: send nothing for a while when the target fails; off for stress tests",
    );
    let rules = BreakerRules {
        threshold: f64::from(r.read(
            "breaker_threshold",
            "50",
            count::<u32>(1..=100),
            "Failures, in percent of the last requests, that open the breaker",
        )) / 100.0,
        volume: r.read(
            "breaker_volume",
            "20",
            count(1..=1_000_000),
            "Fewest requests of a worker that the breaker judges by",
        ),
        window: r.read(
            "breaker_window",
            "10s",
            duration(Seconds, Duration::from_millis(100)..=LONGEST_PAUSE),
            "How far back the breaker looks; bare numbers are seconds",
        ),
        cool_down: r.read(
            "breaker_cool_down",
            "5s",
            duration(Seconds, A_MOMENT..=LONGEST_PAUSE),
            "How long the breaker stays open, and up to half as long again; bare numbers are seconds",
        ),
        probes: r.read(
            "breaker_probes",
            "3",
            count(1..=1_000),
            "Requests that have to succeed before the breaker closes",
        ),
    };
    ResilienceSettings {
        breaker: on.then_some(rules),
        backoff: r.read(
            "backoff",
            "on",
            choice("WHEN", ON_OFF),
            "Wait after 429, Retry-After and failed connections; off for stress tests",
        ),
        retries: r.read(
            "retries",
            "0",
            count(0..=100),
            "Send GET, HEAD, PUT, DELETE and OPTIONS again that failed, up to so many times",
        ),
        max_auth_failures: r.read(
            "max_auth_failures",
            "30",
            count(1..=1_000_000).or_none(),
            "Most refused logins per minute, beyond which nobody logs in for a while",
        ),
    }
}
