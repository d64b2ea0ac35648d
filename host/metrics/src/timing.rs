//! A distribution of durations with 3 significant digits (2 where there are many), as HDR histograms have it, with the exact sum and the exact largest
//! value beside it. Used for every latency of the run.
//!
//! What must stay true: values are clamped to the scale's range, so that recording never fails; and none is told that is larger
//! than the largest.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::hdr::{self, DecodeError};
use crate::sparse_histogram::{Digits, SparseHistogram};

/// How fine [`Timing::exponential`] is: 2^3 buckets for each power of two, each 9 % wider than the one before it.
pub const NATIVE_SCHEMA: i32 = 3;

/// No shard's times of a second come to more: half a million users who each took half an hour.
const MOST_NANOS: u64 = 1 << 60;

/// Resolution and range of a [`Timing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scale {
    /// 1 ns to 60 s: calls into a behavior.
    Nanos,
    /// 1 us to 60 s: requests, scheduling lag.
    Micros,
    /// 1 ms to 24 h: sessions.
    Millis,
}

impl Scale {
    /// Nanoseconds of one tick of the histogram.
    pub fn tick_nanos(self) -> u64 {
        match self {
            Scale::Nanos => 1,
            Scale::Micros => 1_000,
            Scale::Millis => 1_000_000,
        }
    }

    /// Seconds of one tick of the histogram.
    pub fn tick_seconds(self) -> f64 {
        self.tick_nanos() as f64 / 1e9
    }

    fn max_ticks(self) -> u64 {
        match self {
            Scale::Nanos => 60_000_000_000,
            Scale::Micros => 60_000_000,
            Scale::Millis => 86_400_000,
        }
    }
}

/// Durations, counted. Empty ones hold no memory; a used one holds what its values need, at most 80 KB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    scale: Scale,
    grid: SparseHistogram,
    sum_nanos: u64,
    /// 0 where it is not known: then it is as large as its cell.
    max_nanos: u64,
}

/// The values of a [`Timing`] without its memory: ticks and counts of what is in use.
#[derive(Debug, Default)]
pub(super) struct Cells {
    used: Box<[(u64, u64)]>,
    sum_nanos: u64,
    max_nanos: u64,
}

impl Timing {
    pub fn new(scale: Scale) -> Timing {
        Timing {
            scale,
            grid: SparseHistogram::default(),
            sum_nanos: 0,
            max_nanos: 0,
        }
    }

    /// With 2 significant digits, in at most 12 KB: quantiles to 1 %. Sum and largest value are exact all the same.
    pub(super) fn coarse(scale: Scale) -> Timing {
        Timing {
            grid: SparseHistogram::new(Digits::Two),
            ..Timing::new(scale)
        }
    }

    pub fn scale(&self) -> Scale {
        self.scale
    }

    pub fn record(&mut self, took: Duration) {
        let nanos = took
            .as_secs()
            .saturating_mul(1_000_000_000)
            .saturating_add(u64::from(took.subsec_nanos()));
        // Constants in each arm: the compiler turns the divisions into multiplications.
        let ticks = match self.scale {
            Scale::Nanos => nanos,
            Scale::Micros => nanos / 1_000,
            Scale::Millis => nanos / 1_000_000,
        };
        self.sum_nanos = self.sum_nanos.saturating_add(nanos);
        self.max_nanos = self.max_nanos.max(nanos);
        self.grid.record(ticks.clamp(1, self.scale.max_ticks()));
    }

    /// Add everything that another one of the same scale holds.
    pub fn merge(&mut self, other: &Timing) {
        debug_assert_eq!(self.scale, other.scale);
        if !other.is_empty() {
            self.grid.merge(&other.grid);
            self.sum_nanos = self.sum_nanos.saturating_add(other.sum_nanos);
            self.max_nanos = self.max_nanos.max(other.max_nanos);
        }
    }

    /// What was recorded after an earlier state of the same one. Its largest value is exact where it is larger than all before.
    pub fn since(&self, earlier: &Timing) -> Timing {
        let mut later = self.clone();
        later.sum_nanos = self.sum_nanos.saturating_sub(earlier.sum_nanos);
        let exact = later.grid.subtract(&earlier.grid);
        debug_assert!(exact, "not an earlier state");
        if self.max_nanos <= earlier.max_nanos {
            let cell = later.grid.last().map(|cell| later.nanos(cell.highest));
            later.max_nanos = cell.unwrap_or(0).min(self.max_nanos);
        }
        later
    }

    /// Take the values out, and leave nothing behind.
    pub(super) fn take_cells(&mut self) -> Cells {
        let grid = std::mem::take(&mut self.grid);
        Cells {
            used: grid.cells().map(|c| (c.highest, c.count)).collect(),
            sum_nanos: std::mem::take(&mut self.sum_nanos),
            max_nanos: std::mem::take(&mut self.max_nanos),
        }
    }

    /// Put values in.
    pub(super) fn add_cells(&mut self, cells: &Cells) {
        for &(ticks, count) in &cells.used {
            self.grid.record_n(ticks, count);
        }
        self.sum_nanos = self.sum_nanos.saturating_add(cells.sum_nanos);
        self.max_nanos = self.max_nanos.max(cells.max_nanos);
    }

    /// Whether it is of the same scale and digits, and as it could have been recorded within a second.
    pub(super) fn fits(&self, like: &Timing) -> bool {
        let (nanos, grids) = ([self.sum_nanos, self.max_nanos], (&self.grid, &like.grid));
        self.scale == like.scale
            && grids.0.digits() == grids.1.digits()
            && grids.0.is_sound()
            && nanos.iter().all(|nanos| *nanos <= MOST_NANOS)
    }

    /// Forget the values, keep the memory.
    pub fn reset(&mut self) {
        self.grid.reset();
        self.sum_nanos = 0;
        self.max_nanos = 0;
    }

    pub fn count(&self) -> u64 {
        self.grid.count()
    }

    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Exact sum of what was recorded.
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum_nanos)
    }

    /// Exact mean; zero when empty.
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.sum_nanos.checked_div(self.count()).unwrap_or(0))
    }

    /// The value that a share `quantile` (0 to 1) of the values does not exceed; zero when empty.
    pub fn quantile(&self, quantile: f64) -> Duration {
        let rank = (quantile.clamp(0.0, 1.0) * self.count() as f64).ceil() as u64;
        let cell = self.grid.ranked(rank.max(1));
        self.told(cell.map(|cell| cell.highest))
    }

    pub fn min(&self) -> Duration {
        self.told(self.grid.first().map(|cell| cell.lowest))
    }

    /// Exact, and beyond the scale's range too; zero when empty.
    pub fn max(&self) -> Duration {
        match (self.max_nanos, self.grid.last()) {
            (_, None) => Duration::ZERO,
            (0, Some(cell)) => Duration::from_nanos(self.nanos(cell.highest)),
            (exact, Some(_)) => Duration::from_nanos(exact),
        }
    }

    /// How many are greater than `value`, which is one that [`Timing::quantile`] gave.
    pub fn count_above(&self, value: Duration) -> u64 {
        let nanos = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
        let ticks = nanos / self.scale.tick_nanos();
        let above = self.grid.cells().filter(|cell| cell.lowest > ticks);
        above.map(|cell| cell.count).sum()
    }

    /// Every value in use, in ticks, with its count; ascending.
    pub(super) fn values(&self) -> impl Iterator<Item = (u64, u64)> {
        self.grid.cells().map(|cell| (cell.highest, cell.count))
    }

    /// Number of values in each bucket that ends at the given bound (ascending, in seconds), and a last one up to
    /// infinity. Not cumulative.
    pub fn buckets(&self, bounds: &[f64]) -> Vec<(f64, u64)> {
        let mut buckets: Vec<(f64, u64)> = bounds
            .iter()
            .copied()
            .chain([f64::INFINITY])
            .map(|bound| (bound, 0))
            .collect();
        let tick = self.scale.tick_seconds();
        let mut at = 0;
        for cell in self.grid.cells() {
            let seconds = cell.lowest as f64 * tick;
            // Half a tick of slack: 5_000 ticks of 1e-6 are not exactly 0.005 in floating point.
            while at + 1 < buckets.len() && seconds > buckets[at].0 + tick / 2.0 {
                at += 1;
            }
            buckets[at].1 += cell.count;
        }
        buckets
    }

    /// Number of values by exponential bucket, ascending: bucket `i` ends at 2^(i / 2^[`NATIVE_SCHEMA`]) seconds, its
    /// end included. Empty buckets are left out.
    pub fn exponential(&self) -> Vec<(i32, u64)> {
        let mut buckets: Vec<(i32, u64)> = Vec::new();
        let tick = self.scale.tick_seconds();
        let per_power = f64::from(1 << NATIVE_SCHEMA);
        for cell in self.grid.cells() {
            let seconds = cell.lowest as f64 * tick;
            // A hair of slack: powers of two in ticks are not exact in floating point.
            let index = (seconds.log2() * per_power - 1e-9).ceil() as i32;
            match buckets.last_mut() {
                Some((last, count)) if *last == index => *count += cell.count,
                _ => buckets.push((index, cell.count)),
            }
        }
        buckets
    }

    /// The histogram in the HDR V2 deflate form, in base64, in ticks of [`Scale::tick_seconds`]; empty when empty.
    pub fn to_base64(&self) -> String {
        hdr::encode(&hdr::histogram(self.grid.digits().number(), self.values()))
    }

    /// What [`Timing::to_base64`] wrote, with the exact sum and the largest value that were stored beside it.
    pub fn from_base64(
        scale: Scale,
        text: &str,
        sum: Duration,
        max: Duration,
    ) -> Result<Timing, DecodeError> {
        let mut timing = Timing::new(scale);
        if !text.is_empty() {
            let (digits, cells) = hdr::decode(text)?;
            timing.grid = SparseHistogram::new(Digits::at_least(digits));
            timing.grid.record_ascending(&cells);
            timing.sum_nanos = whole_nanos(sum);
            timing.max_nanos = whole_nanos(max);
        }
        Ok(timing)
    }

    /// With 2 significant digits.
    pub(super) fn is_coarse(&self) -> bool {
        self.grid.digits() == Digits::Two
    }

    /// The sum where only the mean was kept.
    pub(super) fn set_mean(&mut self, mean: Duration) {
        self.sum_nanos = whole_nanos(mean).saturating_mul(self.count());
    }

    fn nanos(&self, ticks: u64) -> u64 {
        ticks.saturating_mul(self.scale.tick_nanos())
    }

    /// A value of the grid: a cell may end beyond the largest that fell into it.
    fn told(&self, ticks: Option<u64>) -> Duration {
        let nanos = ticks.map_or(0, |ticks| self.nanos(ticks));
        Duration::from_nanos(nanos).min(self.max())
    }
}

fn whole_nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clamps_to_its_range_and_keeps_the_exact_sum() {
        let mut timing = Timing::new(Scale::Micros);
        timing.record(Duration::ZERO);
        timing.record(Duration::from_secs(100));
        assert_eq!(timing.count(), 2);
        assert_eq!(timing.min(), Duration::from_micros(1));
        let high = timing.quantile(1.0);
        assert!(high >= Duration::from_secs(60) && high < Duration::from_millis(60_050));
        assert_eq!(timing.max(), Duration::from_secs(100));
        assert_eq!(timing.sum(), Duration::from_secs(100));
    }

    #[test]
    fn keeps_three_significant_digits() {
        for micros in [1, 999, 12_345, 1_234_567, 59_999_999] {
            let mut timing = Timing::new(Scale::Micros);
            timing.record(Duration::from_micros(micros));
            let got = timing.quantile(0.5).as_micros() as f64;
            assert!(
                (got - micros as f64).abs() / micros as f64 <= 0.001,
                "{micros} became {got}"
            );
        }
    }

    #[test]
    fn the_largest_value_is_exact_and_no_other_is_told_larger() {
        let of = |micros: &[u64]| {
            let mut timing = Timing::new(Scale::Micros);
            let all = micros.iter().copied().map(Duration::from_micros);
            all.for_each(|took| timing.record(took));
            timing
        };
        let micros = Duration::from_micros;
        let mut timing = of(&[206_913]);
        let all = [timing.min(), timing.quantile(0.5), timing.mean()];
        assert!(all.iter().all(|told| *told <= timing.max()), "{all:?}");
        assert_eq!(timing.max(), micros(206_913));
        assert_eq!(timing.count_above(timing.quantile(1.0)), 0);

        let before = timing.clone();
        timing.merge(&of(&[200_001]));
        assert_eq!(timing.max(), micros(206_913));
        let later = timing.since(&before).max();
        assert!(
            later >= micros(200_001) && later < micros(200_300),
            "{later:?}"
        );
        timing.merge(&of(&[900_777]));
        assert_eq!(timing.since(&before).max(), micros(900_777));

        let mut moved = of(&[]);
        moved.add_cells(&timing.take_cells());
        assert_eq!(moved.max(), micros(900_777));
        assert_eq!(timing.max(), Duration::ZERO);
        // A file of before, which had no more than the cell.
        let old = Timing::from_base64(
            Scale::Micros,
            &before.to_base64(),
            micros(206_913),
            micros(0),
        );
        assert!(old.unwrap().max() >= micros(206_913));
    }

    #[test]
    fn buckets_hold_every_value_once_and_a_bound_belongs_to_its_bucket() {
        let mut timing = Timing::new(Scale::Micros);
        for millis in [1, 5, 5, 6, 70_000] {
            timing.record(Duration::from_millis(millis));
        }
        let buckets = timing.buckets(&[0.001, 0.005, 0.01]);
        assert_eq!(
            buckets.iter().map(|b| b.1).collect::<Vec<_>>(),
            [1, 2, 1, 1]
        );
    }

    #[test]
    fn exponential_buckets_hold_every_value_once_within_their_ends() {
        let mut timing = Timing::new(Scale::Micros);
        (1..3_000u64).for_each(|i| timing.record(Duration::from_micros(i * i * 5)));
        let buckets = timing.exponential();
        assert!(buckets.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(buckets.iter().map(|b| b.1).sum::<u64>(), timing.count());
        let rank = timing.count() / 2;
        let mut seen = 0;
        let (index, _) = buckets
            .iter()
            .find(|(_, count)| {
                seen += count;
                seen >= rank
            })
            .unwrap();
        let end = 2f64.powf(f64::from(*index) / 8.0);
        let median = timing.quantile(0.5).as_secs_f64();
        assert!(median <= end * 1.01 && median > end / 1.1, "{median} {end}");
    }

    #[test]
    fn base64_brings_back_the_same_distribution() {
        let mut timing = Timing::new(Scale::Micros);
        (0..5_000u64).for_each(|i| timing.record(Duration::from_micros(i * i % 3_000_000)));
        let text = timing.to_base64();
        let back = Timing::from_base64(Scale::Micros, &text, timing.sum(), timing.max()).unwrap();
        let cells = |timing: &Timing| timing.grid.cells().collect::<Vec<_>>();
        assert_eq!(cells(&back), cells(&timing));
        assert_eq!((back.sum(), back.max()), (timing.sum(), timing.max()));
        let none = Duration::ZERO;
        assert!(Timing::from_base64(Scale::Micros, "AAAA", none, none).is_err());
        assert!(Timing::from_base64(Scale::Micros, "no base64", none, none).is_err());
    }

    #[test]
    fn a_reset_one_is_as_good_as_new() {
        let mut timing = Timing::new(Scale::Millis);
        timing.record(Duration::from_secs(7));
        timing.reset();
        assert!(timing.is_empty());
        assert_eq!(
            (timing.max(), timing.sum()),
            (Duration::ZERO, Duration::ZERO)
        );
        timing.record(Duration::from_secs(1));
        assert_eq!(timing.max(), Duration::from_secs(1));
    }
}
