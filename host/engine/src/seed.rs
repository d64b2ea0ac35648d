//! One seed feeds all randomness of a run: every draw is a pure function of the run's seed and of what it is for.

use vespeiro_model::random;

/// What a draw is for, so that no two uses share a stream.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    User = 1,
    Budget = 2,
    Session = 3,
    Pause = 4,
    CoolDown = 5,
    Backoff = 6,
    Feed = 7,
    Fault = 8,
    Instance = 16,
    Trace = 17,
    Version = 32,
}

/// A 64-bit value for the `n`th draw of `stream` under `seed`: what SplitMix64 draws first from the three together.
pub(super) fn derive(seed: u64, stream: Stream, n: u64) -> u64 {
    let mix = |mut state| random::draw(&mut state);
    mix(mix(seed ^ mix(stream as u64)).wrapping_add(n))
}

/// The same, spread evenly over `0.0..1.0`.
pub(super) fn unit(seed: u64, stream: Stream, n: u64) -> f64 {
    (derive(seed, stream, n) >> 11) as f64 / (1u64 << 53) as f64
}

/// The same, as a whole number in `low..=high`.
pub(super) fn within(seed: u64, stream: Stream, n: u64, low: u32, high: u32) -> u32 {
    let span = u64::from(high.saturating_sub(low)) + 1;
    // Multiply and shift: even to one part in 2^32, and without a loop.
    low + (((derive(seed, stream, n) >> 32) * span) >> 32) as u32
}

/// The same, log-normal between the two: the median is their geometric mean, they lie two standard deviations from it,
/// and what falls outside is drawn again. This is how long people take.
pub(super) fn log_normal(seed: u64, stream: Stream, n: u64, low: f64, high: f64) -> f64 {
    debug_assert!(0.0 < low && low <= high);
    let middle = (low.ln() + high.ln()) / 2.0;
    let deviation = (high.ln() - low.ln()) / 4.0;
    let seed = derive(seed, stream, n);
    let normal = (0..8).map(|again| {
        // Box and Muller; 1 - unit is never 0.
        let radius = (-2.0 * (1.0 - unit(seed, stream, 2 * again)).ln()).sqrt();
        radius * (std::f64::consts::TAU * unit(seed, stream, 2 * again + 1)).cos()
    });
    let within = normal.into_iter().find(|normal: &f64| normal.abs() <= 2.0);
    (middle + deviation * within.unwrap_or(0.0))
        .exp()
        .clamp(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn draws_stay_within_their_bounds(seed: u64, n: u64, low in 0u32..1_000_000, more in 0u32..1_000_000) {
            let drawn = within(seed, Stream::Budget, n, low, low + more);
            prop_assert!((low..=low + more).contains(&drawn));
            prop_assert!((0.0..1.0).contains(&unit(seed, Stream::Pause, n)));
        }
    }

    #[test]
    fn budgets_are_spread_evenly() {
        let mut tens = [0u32; 10];
        for n in 0..10_000 {
            tens[within(7, Stream::Budget, n, 0, 99) as usize / 10] += 1;
        }
        assert!(
            tens.iter().all(|count| (850..1150).contains(count)),
            "{tens:?}"
        );
    }

    #[test]
    fn long_pauses_have_the_quantiles_of_the_log_normal() {
        let mut drawn: Vec<f64> = (0..20_000)
            .map(|n| log_normal(7, Stream::Pause, n, 1.0, 3.0))
            .collect();
        drawn.sort_unstable_by(f64::total_cmp);
        let quantile = |share: f64| drawn[(share * 20_000.0) as usize];
        assert!(drawn[0] >= 1.0 && drawn[19_999] <= 3.0);
        // Median: sqrt(3). Quartiles: 0.674 of a deviation of ln(3) / 4, less the cut tails.
        for (share, expected) in [(0.25, 1.447), (0.5, 1.732), (0.75, 2.073)] {
            let got = quantile(share);
            assert!((got / expected - 1.0).abs() < 0.02, "{share}: {got}");
        }
    }

    #[test]
    fn streams_differ() {
        assert_ne!(derive(1, Stream::User, 0), derive(1, Stream::Session, 0));
        assert_ne!(derive(1, Stream::User, 0), derive(2, Stream::User, 0));
    }
}
