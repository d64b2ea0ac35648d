//! A distribution of arbitrary numbers, for the values that behaviors `observe`: count, sum, extremes and quantiles to about
//! 2 %, beyond 1e15 to a third. Written by the recorder, read through snapshots.
//!
//! What must stay true: at most a few thousand cells, whatever a behavior reports.

use serde::{Deserialize, Serialize};

use super::merge::MOST;

/// Bits of the mantissa that tell two cells apart: 32 cells for each power of two.
const MANTISSA_BITS: u32 = 5;
/// Magnitudes from 2^-30 (about 1e-9) to 2^50 (about 1e15) are told apart so; smaller ones count as zero, of larger ones
/// each power of two is a cell.
const LOWEST: u64 = (1023 - 30) << MANTISSA_BITS;
const HIGHEST: u64 = (1023 + 50) << MANTISSA_BITS;
/// The key of the smallest of those larger ones.
const LARGE: u64 = HIGHEST - LOWEST + 1;

/// By how much values are smaller in the sum: 2^64 times the largest value fits.
/// What the largest numbers have.
const MOST_KEY: u16 = 3_534;

const SHRINK: f64 = 1.0 / (1u128 << 64) as f64;

/// Counts per cell of a logarithmic scale, on both sides of zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sketch {
    count: u64,
    /// By [`SHRINK`], so that no number of values is too much for it.
    sum: f64,
    min: f64,
    max: f64,
    /// Ascending by key; the key's order is the order of the values.
    cells: Vec<(i16, u64)>,
}

impl Sketch {
    /// A value that is not finite is left out.
    pub fn record(&mut self, value: f64) {
        if value.is_finite() {
            self.extremes(value, value);
            self.count += 1;
            self.sum += value * SHRINK;
            self.add(key(value), 1);
        }
    }

    pub fn merge(&mut self, other: &Sketch) {
        if other.count > 0 {
            self.extremes(other.min, other.max);
            self.count += other.count;
            self.sum += other.sum;
            other
                .cells
                .iter()
                .for_each(|&(key, count)| self.add(key, count));
        }
    }

    pub fn reset(&mut self) {
        let mut cells = std::mem::take(&mut self.cells);
        cells.clear();
        *self = Sketch {
            cells,
            ..Sketch::default()
        };
    }

    /// Keys and counts, for [`Sketch::restored`].
    pub fn cells(&self) -> &[(i16, u64)] {
        &self.cells
    }

    /// The one that had these cells, with what was stored beside them.
    pub fn restored(cells: Vec<(i16, u64)>, sum: f64, min: f64, max: f64) -> Sketch {
        let mut sketch = Sketch {
            count: cells.iter().map(|(_, count)| count).sum(),
            sum: sum * SHRINK,
            min,
            max,
            cells: Vec::new(),
        };
        cells
            .into_iter()
            .for_each(|(key, count)| sketch.add(key, count));
        sketch
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// The largest number there is where it would be more.
    pub fn sum(&self) -> f64 {
        (self.sum / SHRINK).clamp(f64::MIN, f64::MAX)
    }

    /// Smallest value; 0 when empty.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// Largest value; 0 when empty.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// Exact mean; 0 when empty.
    pub fn mean(&self) -> f64 {
        if self.count == 0 {
            0.0
        } else {
            self.sum / self.count as f64 / SHRINK
        }
    }

    /// The value that a share `quantile` (0 to 1) of the values does not exceed, to about 2 %, beyond 1e15 to a third; 0 when empty.
    pub fn quantile(&self, quantile: f64) -> f64 {
        let rank = (quantile.clamp(0.0, 1.0) * self.count as f64)
            .ceil()
            .max(1.0) as u64;
        let mut seen = 0;
        for &(key, count) in &self.cells {
            seen += count;
            if seen >= rank {
                return middle(key).clamp(self.min, self.max);
            }
        }
        self.max
    }

    /// Whether a behavior could have made it.
    pub(super) fn is_sound(&self) -> bool {
        let counts = self
            .cells
            .iter()
            .try_fold(0u64, |sum, (_, count)| sum.checked_add(*count));
        let finite = [self.sum, self.min, self.max]
            .iter()
            .all(|value| value.is_finite());
        counts == Some(self.count)
            && self.count <= MOST
            && finite
            && self.min <= self.max
            && self.cells.is_sorted_by(|a, b| a.0 < b.0)
            && self
                .cells
                .iter()
                .all(|(key, _)| key.unsigned_abs() <= MOST_KEY)
    }

    fn extremes(&mut self, min: f64, max: f64) {
        let first = self.count == 0;
        self.min = if first { min } else { self.min.min(min) };
        self.max = if first { max } else { self.max.max(max) };
    }

    fn add(&mut self, key: i16, count: u64) {
        match self.cells.binary_search_by_key(&key, |cell| cell.0) {
            Ok(at) => self.cells[at].1 += count,
            Err(at) => self.cells.insert(at, (key, count)),
        }
    }
}

fn key(value: f64) -> i16 {
    let cell = value.abs().to_bits() >> (52 - MANTISSA_BITS);
    // At most 3,534: the range above spans 80 powers of two, and 973 more are larger.
    let key = match cell {
        ..LOWEST => 0,
        LOWEST..HIGHEST => (cell - LOWEST + 1) as i16,
        HIGHEST.. => (LARGE + ((cell - HIGHEST) >> MANTISSA_BITS)) as i16,
    };
    if value < 0.0 { -key } else { key }
}

fn middle(key: i16) -> f64 {
    if key == 0 {
        return 0.0;
    }
    let place = u64::from(key.unsigned_abs());
    let edge = |cell: u64| f64::from_bits(cell << (52 - MANTISSA_BITS));
    let middle = match place {
        LARGE.. => edge(HIGHEST + ((place - LARGE) << MANTISSA_BITS)) * 1.5,
        _ => (edge(place - 1 + LOWEST) + edge(place + LOWEST)) / 2.0,
    };
    f64::from(key.signum()) * middle
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ignores_what_is_not_finite() {
        let mut sketch = Sketch::default();
        [f64::NAN, f64::INFINITY, -3.0]
            .iter()
            .for_each(|v| sketch.record(*v));
        assert_eq!(
            (
                sketch.count(),
                sketch.min(),
                sketch.max(),
                sketch.quantile(0.5)
            ),
            (1, -3.0, -3.0, -3.0)
        );
    }

    #[test]
    fn the_largest_values_have_a_sum_and_a_mean() {
        let mut sketch = Sketch::default();
        for value in [1e308; 5] {
            sketch.record(value);
        }
        assert_eq!((sketch.sum(), sketch.mean()), (f64::MAX, 1e308));
        for value in [-1e308; 5] {
            sketch.record(value);
        }
        assert_eq!((sketch.sum(), sketch.mean()), (0.0, 0.0));
        let mut small = Sketch::default();
        small.record(0.1);
        small.record(0.2);
        assert_eq!(small.sum(), 0.1 + 0.2);
    }

    #[test]
    fn stays_bounded_whatever_it_is_fed() {
        let mut sketch = Sketch::default();
        (-1_000..1_000).for_each(|e| {
            let magnitude = 2f64.powf(f64::from(e));
            (0..40).for_each(|i| sketch.record(magnitude * (1.0 + f64::from(i) / 40.0)));
            sketch.record(-magnitude);
        });
        assert!(sketch.cells.len() <= 2 * 3_534 + 1);
    }

    #[test]
    fn large_values_keep_their_magnitude() {
        let mut sketch = Sketch::default();
        let values = [-1e308, -1e300, -2e17, 1.7e18, 1e200, f64::MAX];
        values.iter().for_each(|&value| sketch.record(value));
        for (at, value) in values.into_iter().enumerate() {
            let told = sketch.quantile((at + 1) as f64 / values.len() as f64);
            assert!((told / value - 1.0).abs() <= 0.34, "{told} for {value}");
        }
    }

    proptest! {
        #[test]
        fn quantiles_are_close_and_merging_changes_nothing(
            values in prop::collection::vec(prop_oneof![-1e9..1e9, -1.0..1.0, Just(0.0)], 1..300),
            split in 0..300usize,
            quantile in 0.0..1.0f64,
        ) {
            let (mut whole, mut left, mut right) = (Sketch::default(), Sketch::default(), Sketch::default());
            for (i, &value) in values.iter().enumerate() {
                whole.record(value);
                if i < split { left.record(value) } else { right.record(value) }
            }
            right.merge(&left);
            prop_assert_eq!(&right.cells, &whole.cells);
            prop_assert_eq!((right.count, right.min, right.max), (whole.count, whole.min, whole.max));

            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let rank = ((quantile * sorted.len() as f64).ceil() as usize).max(1) - 1;
            let error = (whole.quantile(quantile) - sorted[rank]).abs();
            prop_assert!(error <= sorted[rank].abs() * 0.02 + 1e-9, "off by {error}");
        }
    }
}
