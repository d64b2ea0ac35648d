//! Human pauses. Journeys call these on [`Me`]; each pause lies within the plan's pace, so that a plan with a pace of
//! 0 makes a stress test of any journey.

use std::ops::RangeInclusive;

use crate::Me;
use crate::contract::MAX_DELAY_MS;
use crate::session::Pause;

/// Pauses.
impl Me {
    /// A human pause: log-normal over the plan's whole pace, most of them rather short, a few long.
    pub async fn think(&self) {
        let pace = self.pace();
        self.pause_within(pace.delay_min_ms, pace.delay_max_ms)
            .await;
    }

    /// A pause before sending a form: in the upper half of the pace.
    pub async fn think_long(&self) {
        let pace = self.pace();
        let middle = pace.delay_min_ms + pace.delay_max_ms.saturating_sub(pace.delay_min_ms) / 2;
        self.pause_within(middle, pace.delay_max_ms).await;
    }

    /// A brief pause, as between quick searches: in the lowest tenth of the pace.
    pub async fn think_briefly(&self) {
        let pace = self.pace();
        let tenth = pace.delay_max_ms.saturating_sub(pace.delay_min_ms) / 10;
        self.pause_within(pace.delay_min_ms, pace.delay_min_ms + tenth)
            .await;
    }

    /// A pause between these bounds in milliseconds, clamped to the plan's pace.
    pub async fn think_between(&self, millis: RangeInclusive<u32>) {
        let pace = self.pace();
        let clamp = |millis: u32| millis.min(pace.delay_max_ms).max(pace.delay_min_ms);
        self.pause_within(clamp(*millis.start()), clamp(*millis.end()))
            .await;
    }

    /// Exactly this pause, whatever the pace: for what a person is told to wait for. More than an hour
    /// ([`MAX_DELAY_MS`]) is refused by the host.
    pub fn wait_ms(&self, millis: u32) -> impl Future<Output = ()> + '_ {
        Pause::new(self.core(), u64::from(millis))
    }

    /// How long a human pause within these bounds is, in milliseconds, for [`Me::wait_ms`]: for whoever has to know it
    /// before it begins. `slower` moves its median, in standard deviations of the pause's logarithm: at 0.0 it is that of
    /// [`Me::think`] within its bounds, above it someone takes longer; the bounds hold all the same. At most an hour
    /// ([`MAX_DELAY_MS`]).
    #[must_use]
    pub fn pause_length(&self, millis: RangeInclusive<u32>, slower: f64) -> u32 {
        let (min, max) = millis.into_inner();
        self.with_rng(|rng| log_normal(rng, min, max, slower))
            .min(MAX_DELAY_MS)
    }

    async fn pause_within(&self, min: u32, max: u32) {
        let millis = self.pause_length(min..=max, 0.0);
        Pause::new(self.core(), u64::from(millis)).await;
    }
}

/// A whole number in `min..=max`, log-normal: the bounds lie two standard deviations from their geometric mean, which is
/// its median, moved by `slower` deviations; what falls outside is drawn again.
fn log_normal(rng: &mut fastrand::Rng, min: u32, max: u32, slower: f64) -> u32 {
    if max <= min {
        return min;
    }
    let (low, high) = (f64::from(min.max(1)).ln(), f64::from(max).ln());
    let (middle, deviation) = ((low + high) / 2.0, (high - low) / 4.0);
    for _ in 0..4 {
        // Box and Muller; 1 - f64() is never 0.
        let normal =
            (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos();
        let moved = normal + slower;
        if moved.abs() <= 2.0 {
            return ((middle + deviation * moved).exp().round() as u32).clamp(min, max);
        }
    }
    let usual = middle + deviation * slower.clamp(-2.0, 2.0);
    (usual.exp().round() as u32).clamp(min, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_have_the_quantiles_of_the_log_normal() {
        let mut rng = fastrand::Rng::with_seed(5);
        let mut drawn: Vec<u32> = (0..20_000)
            .map(|_| log_normal(&mut rng, 100, 2000, 0.0))
            .collect();
        drawn.sort_unstable();
        let quantile = |share: f64| f64::from(drawn[(share * 20_000.0) as usize]);
        assert!(drawn[0] >= 100 && drawn[19_999] <= 2000);
        // Median: sqrt(100 * 2000). Quartiles: 0.674 of a deviation of ln(20) / 4, less the cut tails.
        assert!(
            (quantile(0.5) / 447.2 - 1.0).abs() < 0.03,
            "{}",
            quantile(0.5)
        );
        assert!(
            (quantile(0.25) / 278.0 - 1.0).abs() < 0.04,
            "{}",
            quantile(0.25)
        );
        assert!(
            (quantile(0.75) / 720.0 - 1.0).abs() < 0.04,
            "{}",
            quantile(0.75)
        );
    }

    #[test]
    fn an_empty_pace_is_no_pause() {
        let mut rng = fastrand::Rng::with_seed(1);
        assert_eq!(log_normal(&mut rng, 0, 0, 0.0), 0);
        assert_eq!(log_normal(&mut rng, 7, 7, 0.5), 7);
        assert!((0..1000).all(|_| log_normal(&mut rng, 0, 10, 0.0) <= 10));
    }

    #[test]
    fn whoever_is_slower_takes_longer_within_the_same_bounds() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut median = |slower: f64| {
            let mut drawn: Vec<u32> = (0..20_000)
                .map(|_| log_normal(&mut rng, 100, 2000, slower))
                .collect();
            drawn.sort_unstable();
            assert!(drawn[0] >= 100 && drawn[19_999] <= 2000);
            // Nobody piles up at a bound.
            assert!(drawn.iter().filter(|millis| **millis == 2000).count() < 100);
            f64::from(drawn[10_000])
        };
        let (quick, usual, slow) = (median(-0.5), median(0.0), median(0.5));
        // Half a deviation is a factor of 1.45; a little less, for what lies beyond the bounds is drawn again.
        assert!((0.67..0.80).contains(&(quick / usual)), "{quick} {usual}");
        assert!((1.25..1.50).contains(&(slow / usual)), "{slow} {usual}");
        assert!(log_normal(&mut rng, 100, 2000, 50.0) <= 2000);
        assert!(log_normal(&mut rng, 100, 2000, -50.0) >= 100);
    }
}
