//! Slows a whole worker down while the target answers many requests with 429: by a factor that grows as long as their share
//! is too large, and decays when it is not. Used by [`crate::Admission`].
//!
//! What must stay true: it is a pure function of the times and outcomes that it was told.

use std::time::Duration;

use super::window::Window;

/// How far back the share is computed.
const SPAN: Duration = Duration::from_secs(10);
/// Share of 429s that slows the worker down.
const SHARE: f64 = 0.1;
/// Fewest outcomes that a share is computed from.
const VOLUME: u32 = 20;
/// The factor is multiplied by this in each second above the share.
const GROWTH: f64 = 1.5;
/// The largest factor.
const MOST: f64 = 32.0;
/// Each second below the share leaves this part of the factor's excess over 1.
const DECAY: f64 = 0.8;

#[derive(Debug)]
pub struct Throttle {
    window: Window,
    factor: f64,
    /// The second up to which the factor is computed.
    second: u64,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            window: Window::new(SPAN),
            factor: 1.0,
            second: 0,
        }
    }
}

impl Throttle {
    /// The outcome of a request that was not meant to get a 429. `now` never goes back.
    pub fn record(&mut self, now: Duration, limited: bool) {
        self.window.add(now, limited);
    }

    /// How many times slower users have to be now; 1: not at all.
    pub fn factor(&mut self, now: Duration) -> f64 {
        let passed = now.as_secs().saturating_sub(self.second);
        if passed == 0 {
            return self.factor;
        }
        self.second = now.as_secs();
        if self.window.count(now).is_over(VOLUME, SHARE) {
            // One step, however long nobody asked: silence is no sign of trouble.
            self.factor = (self.factor * GROWTH).min(MOST);
        } else if self.factor > 1.0 {
            let steps = i32::try_from(passed).unwrap_or(i32::MAX);
            self.factor = 1.0 + (self.factor - 1.0) * DECAY.powi(steps);
            if self.factor < 1.05 {
                self.factor = 1.0;
            }
        }
        self.factor
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays seconds of 100 outcomes, of which so many are 429s.
    fn play(limited: &[u32]) -> Vec<f64> {
        let mut slowdown = Throttle::default();
        let seconds = limited.iter().enumerate();
        let factors = seconds.map(|(second, limited)| {
            for n in 0..100 {
                let now = Duration::from_millis(second as u64 * 1_000 + n * 10);
                slowdown.record(now, n < u64::from(*limited));
                slowdown.factor(now);
            }
            slowdown.factor(Duration::from_secs(second as u64 + 1))
        });
        factors.collect()
    }

    #[test]
    fn it_grows_while_many_are_turned_away_and_decays_after() {
        let mut story = vec![50; 5];
        story.extend([0; 60]);
        let factors = play(&story);
        assert!(factors[4] > 4.0, "{factors:?}");
        let most = factors.iter().copied().fold(1.0, f64::max);
        assert!(most <= MOST);
        assert_eq!(*factors.last().unwrap(), 1.0, "{factors:?}");
        let peak = factors.iter().position(|f| *f == most).unwrap();
        assert!(factors[peak..].is_sorted_by(|a, b| a >= b), "{factors:?}");
    }

    #[test]
    fn a_few_do_not_matter() {
        assert!(play(&[9; 30]).iter().all(|factor| *factor == 1.0));
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(story in prop::collection::vec(0u32..100, 0..100)) {
            prop_assert!(play(&story).iter().all(|factor| (1.0..=MOST).contains(factor)));
        }
    }
}
