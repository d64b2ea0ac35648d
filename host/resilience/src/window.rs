//! Outcomes of the last few seconds, counted in buckets: what breaker and throttle decide on.
//!
//! What must stay true: it is a pure function of the times and outcomes that it was given, and its memory does not grow.

use std::time::Duration;

const BUCKETS: usize = 10;

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// Number of the stretch of time that it counts.
    number: u64,
    all: u32,
    bad: u32,
}

/// A sliding window over outcomes.
#[derive(Debug, Clone)]
pub(super) struct Window {
    width: u64,
    buckets: [Bucket; BUCKETS],
}

/// What a window holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) all: u32,
    pub(super) bad: u32,
}

impl Window {
    /// A window that looks back over `span`, to a tenth of it.
    pub(super) fn new(span: Duration) -> Self {
        let width = u64::try_from(span.as_micros()).unwrap_or(u64::MAX) / BUCKETS as u64;
        Self {
            width: width.max(1),
            buckets: Default::default(),
        }
    }

    /// Count one outcome. `now` never goes back.
    pub(super) fn add(&mut self, now: Duration, bad: bool) {
        let number = self.number(now);
        let bucket = &mut self.buckets[(number % BUCKETS as u64) as usize];
        if bucket.number != number {
            *bucket = Bucket {
                number,
                ..Bucket::default()
            };
        }
        bucket.all = bucket.all.saturating_add(1);
        bucket.bad = bucket.bad.saturating_add(u32::from(bad));
    }

    pub(super) fn count(&self, now: Duration) -> Count {
        let number = self.number(now);
        let live =
            |bucket: &&Bucket| bucket.number <= number && number - bucket.number < BUCKETS as u64;
        let none = Count { all: 0, bad: 0 };
        self.buckets
            .iter()
            .filter(live)
            .fold(none, |sum, bucket| Count {
                all: sum.all.saturating_add(bucket.all),
                bad: sum.bad.saturating_add(bucket.bad),
            })
    }

    pub(super) fn clear(&mut self) {
        self.buckets = Default::default();
    }

    fn number(&self, now: Duration) -> u64 {
        u64::try_from(now.as_micros()).unwrap_or(u64::MAX) / self.width
    }
}

impl Count {
    /// At least this many outcomes, and at least this share of them bad.
    pub(super) fn is_over(self, volume: u32, share: f64) -> bool {
        self.all >= volume.max(1) && f64::from(self.bad) >= share * f64::from(self.all)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a list of everything: what is surely inside counts, what is surely outside does not.
        #[test]
        fn it_holds_the_last_stretch(gaps in prop::collection::vec((0u64..3_000, any::<bool>()), 1..200)) {
            let span = Duration::from_secs(10);
            let mut window = Window::new(span);
            let mut seen: Vec<(u64, bool)> = Vec::new();
            let mut now = 0;
            for (gap, bad) in gaps {
                now += gap;
                seen.push((now, bad));
                window.add(Duration::from_millis(now), bad);
                let within = |ms: u64| seen.iter().filter(|(at, _)| now - at < ms).count() as u32;
                let count = window.count(Duration::from_millis(now));
                prop_assert!(count.all >= within(9_000) && count.all <= within(10_001), "{:?}", count);
                prop_assert!(count.bad <= count.all);
            }
            let later = window.count(Duration::from_millis(now) + span);
            prop_assert_eq!(later, Count { all: 0, bad: 0 });
        }
    }
}
