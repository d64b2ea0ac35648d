//! How long to wait after a connection that failed: exponential, with full jitter. Used by `engine` for users and retries.

use std::time::Duration;

/// Longest first wait; doubled with each failure in a row.
const BASE: Duration = Duration::from_millis(100);
/// Longest wait of all.
const LONGEST: Duration = Duration::from_secs(10);

/// Exponential back-off with full jitter: after the `in_a_row`th failure, anything from nothing to the whole of it.
/// `chance` is a draw of 0 to 1.
pub fn backoff(in_a_row: u32, chance: f64) -> Duration {
    let doubled = BASE.saturating_mul(1 << in_a_row.saturating_sub(1).min(10));
    doubled.min(LONGEST).mul_f64(chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_grow_within_their_bounds(in_a_row: u32, chance in 0.0f64..1.0) {
            let wait = backoff(in_a_row, chance);
            prop_assert!(wait <= LONGEST);
            prop_assert!(wait <= BASE.saturating_mul(1 << in_a_row.saturating_sub(1).min(20)));
            prop_assert!(backoff(in_a_row.saturating_add(1), chance) >= wait);
            prop_assert_eq!(backoff(in_a_row, 0.0), Duration::ZERO);
        }
    }
}
