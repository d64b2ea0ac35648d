//! How long to wait after a failure: exponential, with jitter. The one back-off of the host: `engine` has it for users,
//! retries and crashed behaviors, `output` for receivers that do not answer.
//!
//! What must stay true: it is a pure function of the failures in a row and a draw, and never longer than its cap.

use std::time::Duration;

/// An exponential back-off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Longest wait after the first failure; doubled with each further failure in a row.
    pub base: Duration,
    /// Longest wait of all.
    pub cap: Duration,
    /// Part of the wait that is left to chance: 0 for none, 1 for all of it (full jitter).
    pub jitter: f64,
}

impl Backoff {
    /// Of users and retries after a connection that failed: full jitter, so that they do not come back together.
    pub const CONNECTION: Backoff = Backoff {
        base: Duration::from_millis(100),
        cap: Duration::from_secs(10),
        jitter: 1.0,
    };

    /// Of users whose session has crashed or sent nothing: no jitter, since each has a time of its own anyway.
    pub const SESSION: Backoff = Backoff {
        base: Duration::from_millis(100),
        cap: Duration::from_secs(5),
        jitter: 0.0,
    };

    /// Of receivers of metrics that do not answer: there is one sender.
    pub const RECEIVER: Backoff = Backoff {
        base: Duration::from_millis(250),
        cap: Duration::from_secs(30),
        jitter: 0.0,
    };

    /// The wait after the `in_a_row`th failure, counted from 1; 0 counts as the first. `chance` is a draw of 0 to 1.
    pub fn wait(&self, in_a_row: u32, chance: f64) -> Duration {
        let doublings = in_a_row.saturating_sub(1).min(31);
        let longest = self.base.saturating_mul(1 << doublings).min(self.cap);
        let jitter = self.jitter.clamp(0.0, 1.0);
        longest.mul_f64(1.0 - jitter * (1.0 - chance.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_doubles_up_to_its_cap() {
        let waits =
            [0, 1, 2, 3, 8, 60, u32::MAX].map(|n| Backoff::RECEIVER.wait(n, 0.0).as_millis());
        assert_eq!(waits, [250, 250, 500, 1_000, 30_000, 30_000, 30_000]);
        let waits = [1, 2, 7, 8, 9].map(|n| Backoff::CONNECTION.wait(n, 1.0).as_millis());
        assert_eq!(waits, [100, 200, 6_400, 10_000, 10_000]);
        assert_eq!(Backoff::CONNECTION.wait(9, 0.0), Duration::ZERO);
    }

    #[test]
    fn jitter_leaves_a_part_to_chance() {
        let half = Backoff {
            jitter: 0.5,
            ..Backoff::RECEIVER
        };
        assert_eq!(half.wait(1, 0.0), Duration::from_millis(125));
        assert_eq!(half.wait(1, 1.0), Duration::from_millis(250));
    }

    proptest! {
        #[test]
        fn waits_grow_within_their_bounds(in_a_row: u32, chance in 0.0f64..1.0) {
            let Backoff { base, cap, .. } = Backoff::CONNECTION;
            let wait = Backoff::CONNECTION.wait(in_a_row, chance);
            prop_assert!(wait <= cap);
            prop_assert!(wait <= base.saturating_mul(1 << in_a_row.saturating_sub(1).min(20)));
            prop_assert!(Backoff::CONNECTION.wait(in_a_row.saturating_add(1), chance) >= wait);
            prop_assert_eq!(Backoff::CONNECTION.wait(in_a_row, 0.0), Duration::ZERO);
        }

        #[test]
        fn no_wait_is_longer_than_the_cap_or_shorter_than_without_chance(
            base in 0u64..100_000, cap in 0u64..1_000_000, jitter in -1.0..2.0f64, n: u32, chance in -1.0..2.0f64,
        ) {
            let (base, cap) = (Duration::from_millis(base), Duration::from_millis(cap));
            let backoff = Backoff { base, cap, jitter };
            let wait = backoff.wait(n, chance);
            prop_assert!(wait <= cap && wait <= backoff.wait(n, 1.0) && wait >= backoff.wait(n, 0.0));
            prop_assert!(backoff.wait(n, 1.0) <= backoff.wait(n.saturating_add(1), 1.0));
        }
    }
}
