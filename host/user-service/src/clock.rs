//! The service's one clock. Everything that expires, waits or is dated asks here; it is built on tokio's clock so
//! that tests can stop and advance it. Time never goes backward.

// The service is a program of its own, and this is its one clock.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use tokio::time::Instant;

/// A moment, in microseconds since 1970; in JSON an RFC 3339 string in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This moment and `span` more; the end of time if that is too far.
    pub fn plus(self, span: Duration) -> Self {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// Whole seconds since 1970, rounded up.
    pub fn seconds_ceil(self) -> u64 {
        self.0.div_ceil(1_000_000)
    }

    /// Reads `2026-01-31`, `2026-01-31T10:00:00Z` or the same with fractions of a second; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let moment = match text.len() {
            10 => humantime::parse_rfc3339_weak(&format!("{text}T00:00:00Z")),
            _ => humantime::parse_rfc3339_weak(text),
        };
        let since = moment.ok()?.duration_since(UNIX_EPOCH).ok()?;
        u64::try_from(since.as_micros()).ok().map(Self)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let moment = UNIX_EPOCH + Duration::from_micros(self.0);
        serializer.collect_str(&humantime::format_rfc3339_micros(moment))
    }
}

/// Wall time at the start, carried on by the monotonic clock.
#[derive(Debug)]
pub struct Clock {
    start: Timestamp,
    started: Instant,
}

impl Clock {
    pub fn start() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            start: Timestamp(0).plus(since),
            started: Instant::now(),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.start.plus(self.started.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_back_as_the_same_moment() {
        let moment = Timestamp(1_767_225_600_123_456);
        let shown = serde_json::to_value(moment).unwrap();
        assert_eq!(shown, "2026-01-01T00:00:00.123456Z");
        assert_eq!(Timestamp::parse(shown.as_str().unwrap()), Some(moment));
    }

    #[test]
    fn a_date_is_its_midnight_and_nonsense_is_nothing() {
        assert_eq!(
            Timestamp::parse("2026-01-01"),
            Some(Timestamp(1_767_225_600_000_000))
        );
        for bad in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-1-1",
            "1969-12-31",
            "é026-01-0",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }
}
