//! The rate limit: one token bucket per session, kept in the session itself so that it can neither leak nor outlive
//! it. The gate asks before any work is done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Timestamp;

/// How fast buckets fill and how much they hold.
#[derive(Debug)]
pub struct RateLimit {
    /// Microseconds that one request costs.
    cost: u64,
    /// Microseconds by which a session may run ahead: a full bucket, less the request being asked for.
    credit: u64,
}

/// One session's bucket, as the moment (in microseconds) up to which it has spent; in the past when the bucket is
/// full. This form of the token bucket is one number, so that requests need no lock on it.
#[derive(Debug, Default)]
pub struct Bucket(AtomicU64);

impl RateLimit {
    /// A limit of `rate` requests per second with a burst of one second's worth, at least one request. `None` if the
    /// rate limits nothing: zero, negative, or no finite number.
    pub fn per_second(rate: f64) -> Option<Self> {
        if !rate.is_finite() || rate <= 0.0 {
            return None;
        }
        let cost = (1_000_000.0 / rate).round().max(1.0) as u64;
        Some(Self {
            cost,
            credit: 1_000_000_u64.saturating_sub(cost),
        })
    }

    /// Takes one request out of the bucket, or says how long until there is one.
    pub fn take(&self, bucket: &Bucket, now: Timestamp) -> Result<(), Duration> {
        let spend = |spent: u64| {
            let spent = spent.max(now.0);
            (spent - now.0 <= self.credit).then(|| spent.saturating_add(self.cost))
        };
        match bucket
            .0
            .try_update(Ordering::Relaxed, Ordering::Relaxed, spend)
        {
            Ok(_) => Ok(()),
            Err(spent) => Err(Duration::from_micros(
                (spent - now.0).saturating_sub(self.credit),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_full_bucket_is_one_second_and_refills_one_by_one() {
        let limit = RateLimit::per_second(4.0).unwrap();
        let bucket = Bucket::default();
        let start = Timestamp(1_000_000_000);
        for _ in 0..4 {
            assert_eq!(limit.take(&bucket, start), Ok(()));
        }
        assert_eq!(limit.take(&bucket, start), Err(Duration::from_millis(250)));
        let later = start.plus(Duration::from_millis(250));
        assert_eq!(limit.take(&bucket, later), Ok(()));
        assert!(limit.take(&bucket, later).is_err());
    }

    #[test]
    fn slow_rates_allow_one_at_a_time_and_odd_ones_do_not_limit() {
        let limit = RateLimit::per_second(0.1).unwrap();
        let bucket = Bucket::default();
        assert_eq!(limit.take(&bucket, Timestamp(5)), Ok(()));
        assert_eq!(
            limit.take(&bucket, Timestamp(5)),
            Err(Duration::from_secs(10))
        );
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(RateLimit::per_second(odd).is_none(), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_the_rate_together(
            rate in 1u64..500,
            gaps in prop::collection::vec(0u64..20_000, 1..400),
        ) {
            let limit = RateLimit::per_second(rate as f64).unwrap();
            let bucket = Bucket::default();
            let start = 1_000_000_000;
            let (mut now, mut passed) = (start, 0u64);
            for gap in gaps {
                now += gap;
                match limit.take(&bucket, Timestamp(now)) {
                    Ok(()) => passed += 1,
                    // Waiting as told is enough.
                    Err(wait) => {
                        now += wait.as_micros() as u64;
                        prop_assert_eq!(limit.take(&bucket, Timestamp(now)), Ok(()));
                        passed += 1;
                    }
                }
            }
            let allowed = rate as f64 + (now - start) as f64 * rate as f64 / 1e6;
            prop_assert!(passed as f64 <= allowed * 1.001 + 1.0, "{} passed, {} allowed", passed, allowed);
        }
    }
}
