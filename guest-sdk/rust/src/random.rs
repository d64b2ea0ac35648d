//! Randomness of a session: everything is drawn from the seed that the host gave. Journeys call these on [`Me`];
//! two sessions with the same seed and the same replies draw the same.

use std::ops::RangeBounds;

use fastrand::Rng;

use crate::Me;
use crate::me::same;

/// One way to go on, for [`Me::choose`].
#[derive(Debug, Clone, Copy)]
pub struct Choice<T> {
    /// What to do.
    pub what: T,
    /// How often, beside the others, when the mix is as it should be.
    pub weight: f32,
    /// The category that most of its requests count for.
    pub category: &'static str,
}

impl<T> Choice<T> {
    /// A way to go on.
    #[must_use]
    pub const fn new(what: T, weight: f32, category: &'static str) -> Choice<T> {
        Choice {
            what,
            weight,
            category,
        }
    }
}

/// Randomness.
impl Me {
    /// Draw with the session's generator, for what the methods below do not offer.
    pub fn with_rng<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        let state = &self.core().rng;
        let mut rng = Rng::with_seed(state.get());
        let drawn = draw(&mut rng);
        state.set(rng.get_seed());
        drawn
    }

    /// A whole number in the range.
    ///
    /// # Panics
    /// When the range is empty.
    pub fn range(&self, range: impl RangeBounds<u32>) -> u32 {
        self.with_rng(|rng| rng.u32(range))
    }

    /// True with this probability.
    pub fn chance(&self, probability: f64) -> bool {
        self.with_rng(Rng::f64) < probability
    }

    /// One of the items; `None` when there are none.
    pub fn pick<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        self.with_rng(|rng| rng.choice(items))
    }

    /// One of the items, each as often as its weight says; `None` when all weights are 0.
    pub fn weighted<'a, T>(&self, items: &'a [(T, f32)]) -> Option<&'a T> {
        self.draw(items.iter().map(|(item, weight)| (item, *weight)))
    }

    /// One of the ways to go on: by weight, steered towards the categories that the plan's mix still wants. A
    /// category that is `n` percentage points short has its weight multiplied by e^(n/3).
    pub fn choose<T: Copy>(&self, choices: &[Choice<T>]) -> Option<T> {
        self.choose_with(choices, |_| 1.0)
    }

    /// The same, each weight times what `liking` says of the choice: 0 rules it out.
    pub fn choose_with<T: Copy>(
        &self,
        choices: &[Choice<T>],
        liking: impl Fn(&Choice<T>) -> f32,
    ) -> Option<T> {
        // Tables list a category's choices together, and an exponential is the dearest thing here.
        let mut last: Option<(&str, f32)> = None;
        let weighted: Vec<(T, f32)> = choices
            .iter()
            .map(|choice| {
                let steer = match last {
                    Some((category, steer)) if same(category, choice.category) => steer,
                    _ => (self.wanted(choice.category) / 3.0)
                        .exp()
                        .clamp(0.01, 100.0),
                };
                last = Some((choice.category, steer));
                (choice.what, choice.weight * steer * liking(choice))
            })
            .collect();
        self.draw(weighted.iter().copied())
    }

    fn draw<T>(&self, items: impl Iterator<Item = (T, f32)> + Clone) -> Option<T> {
        let total: f32 = items.clone().map(|(_, weight)| weight.max(0.0)).sum();
        let mut rest = self.with_rng(Rng::f32) * total;
        let mut last = None;
        for (item, weight) in items {
            if weight > 0.0 {
                if rest < weight {
                    return Some(item);
                }
                rest -= weight;
                last = Some(item); // rounding may leave a crumb
            }
        }
        last
    }
}
