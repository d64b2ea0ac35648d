//! The request mix: which categories the run is short of. Behaviors weigh their choices by what this says.
//!
//! What is kept is a debt in requests: a category's share of all requests so far, less the requests it has had. Told
//! as it is, in points of the whole run, a debt would weigh less the longer the run, and a bias of the behaviors would
//! stay for good. So it is told as points of a window of fixed length: a debt has to be paid, however old.

/// Requests over which a debt is told, at least; the run so far while that is shorter.
const WINDOW: f64 = 300.0;
/// The same per user: with many users it takes long until a choice is felt, and a short window would overshoot.
const WINDOW_PER_USER: f64 = 10.0;
/// Furthest that a category is said to be from its share, in points.
const FURTHEST: f64 = 30.0;

/// Requests so far against the plan's shares. Categories are positions in the catalog.
#[derive(Debug)]
pub(in super::super) struct Mix {
    /// Shares of the governed requests, 0 to 1; `None` for categories that the plan leaves alone.
    shares: Vec<Option<f64>>,
    counts: Vec<u64>,
    governed: u64,
    window: f64,
}

impl Mix {
    /// `percents` by category, `None` for one that is not governed.
    pub(super) fn new(percents: Vec<Option<f64>>, users: usize) -> Self {
        Self {
            counts: vec![0; percents.len()],
            shares: shares(percents),
            governed: 0,
            window: WINDOW.max(WINDOW_PER_USER * users as f64),
        }
    }

    /// More categories are known now; the first ones keep their places, and what was made counts.
    pub(super) fn grow(&mut self, percents: Vec<Option<f64>>) {
        self.counts.resize(percents.len(), 0);
        self.shares = shares(percents);
    }

    /// A request of this category is about to be made. One that is not governed does not count.
    pub(in super::super) fn made(&mut self, category: u16) {
        let category = usize::from(category);
        if let Some(Some(_)) = self.shares.get(category) {
            self.counts[category] += 1;
            self.governed += 1;
        }
    }

    /// How far each of these categories is from its share, in points; above 0 it is wanted. Empty when the plan
    /// governs none of them, 0 for one that it leaves alone.
    pub(in super::super) fn wanted(&self, categories: impl Iterator<Item = u16>) -> Vec<f32> {
        let points: Vec<Option<f64>> = categories.map(|c| self.points(usize::from(c))).collect();
        let mut known: Vec<f64> = points.iter().flatten().copied().collect();
        if known.is_empty() {
            return Vec::new();
        }
        // Only differences steer. Told from their middle, a category that nobody can serve, and whose debt grows for
        // ever, does not push the others to a bound where they all look alike.
        known.sort_unstable_by(f64::total_cmp);
        let middle = (known[(known.len() - 1) / 2] + known[known.len() / 2]) / 2.0;
        let told = |p: f64| (p - middle).clamp(-FURTHEST, FURTHEST) as f32;
        points.into_iter().map(|p| p.map_or(0.0, told)).collect()
    }

    fn points(&self, category: usize) -> Option<f64> {
        let share = (*self.shares.get(category)?)?;
        let so_far = self.governed as f64;
        let debt = share * so_far - self.counts[category] as f64;
        Some(100.0 * debt / so_far.clamp(1.0, self.window))
    }
}

/// Percents as parts of what is governed: what no behavior of the run can do is shared out among the rest.
fn shares(percents: Vec<Option<f64>>) -> Vec<Option<f64>> {
    let reachable: f64 = percents.iter().flatten().sum();
    let share = |percent: f64| {
        if reachable > 0.0 {
            percent / reachable
        } else {
            0.0
        }
    };
    percents.into_iter().map(|p| p.map(share)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(percents: &[Option<f64>]) -> Mix {
        Mix::new(percents.to_vec(), 1)
    }

    #[test]
    fn what_is_short_is_wanted_and_what_is_not_governed_is_left_alone() {
        let mut mix = mix(&[Some(60.0), None, Some(40.0)]);
        assert_eq!(mix.wanted([0, 1, 2].into_iter()), [0.0, 0.0, 0.0]);
        (0..10).for_each(|_| mix.made(0));
        (0..99).for_each(|_| mix.made(1));
        // 10 of 10 instead of 6, 0 of 10 instead of 4.
        assert_eq!(mix.wanted([2, 1, 0].into_iter()), [30.0, 0.0, -30.0]);
        assert_eq!(mix.wanted([1].into_iter()), [0.0f32; 0]);
        assert_eq!(mix.wanted([u16::MAX].into_iter()), [0.0f32; 0]);
    }

    #[test]
    fn a_category_that_a_swap_brings_in_is_wanted_from_then_on() {
        let mut mix = mix(&[Some(40.0)]);
        (0..10).for_each(|_| mix.made(0));
        mix.made(1);
        mix.grow(vec![Some(40.0), Some(40.0)]);
        assert_eq!(mix.wanted([0, 1].into_iter()), [-30.0, 30.0]);
        (0..10).for_each(|_| mix.made(1));
        assert_eq!(mix.wanted([0, 1].into_iter()), [0.0, 0.0]);
    }

    #[test]
    fn a_debt_does_not_fade_as_the_run_goes_on() {
        let mut mix = mix(&[Some(50.0), Some(50.0)]);
        (0..20).for_each(|_| mix.made(0));
        let mut last = f32::INFINITY;
        for _ in 0..10_000 {
            mix.made(0);
            mix.made(1);
            let now = mix.wanted([1].into_iter().chain([0]))[0];
            assert!(now <= last);
            last = now;
        }
        assert_eq!(last, (100.0 * 10.0 / WINDOW) as f32);
    }

    #[test]
    fn a_category_that_nobody_serves_does_not_blind_the_rest() {
        let mut mix = mix(&[Some(40.0), Some(30.0), Some(30.0)]);
        for i in 0..100_000 {
            mix.made(if i % 2 == 0 { 1 } else { 2 });
        }
        mix.made(1);
        let wanted = mix.wanted([0, 1, 2].into_iter());
        assert_eq!(wanted[0], 30.0);
        assert!(wanted[2] > wanted[1], "{wanted:?}");
    }
}
