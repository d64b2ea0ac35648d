//! A [`Timing`] that takes little memory: an HDR histogram of 2 significant digits, of which only the cells in use are
//! kept. The summary keeps one for each point of a run's timeline, and adds them up when the run grows long.

use std::time::Duration;

use super::hdr::{self, DecodeError};
use super::{Scale, Timing};

const DIGITS: u8 = 2;

/// Latencies, counted; quantiles to 1 %, sum and largest value exact.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompactHistogram {
    /// Largest value of the cell in microseconds, and its count; ascending.
    cells: Vec<(u64, u64)>,
    sum_nanos: u64,
    max: Duration,
}

impl CompactHistogram {
    /// Of latencies: [`Scale::Micros`].
    pub fn of(timing: &Timing) -> CompactHistogram {
        debug_assert_eq!(timing.scale(), Scale::Micros);
        CompactHistogram {
            cells: hdr::cells(&hdr::histogram(DIGITS, timing.values())),
            sum_nanos: u64::try_from(timing.sum().as_nanos()).unwrap_or(u64::MAX),
            max: timing.max(),
        }
    }

    pub fn merge(&mut self, other: &CompactHistogram) {
        let mut all = Vec::with_capacity(self.cells.len().max(other.cells.len()));
        let (mut mine, mut theirs) = (self.cells.iter().peekable(), other.cells.iter().peekable());
        while let Some(&&(next, _)) = [mine.peek(), theirs.peek()].into_iter().flatten().min() {
            let take = |from: &mut std::iter::Peekable<std::slice::Iter<'_, (u64, u64)>>| {
                from.next_if(|cell| cell.0 == next).map_or(0, |cell| cell.1)
            };
            all.push((next, take(&mut mine) + take(&mut theirs)));
        }
        self.cells = all;
        self.sum_nanos = self.sum_nanos.saturating_add(other.sum_nanos);
        self.max = self.max.max(other.max);
    }

    pub fn count(&self) -> u64 {
        self.cells.iter().map(|(_, count)| count).sum()
    }

    /// How many are greater than `value`.
    pub fn count_above(&self, value: Duration) -> u64 {
        let micros = u64::try_from(value.as_micros()).unwrap_or(u64::MAX);
        let above = self.cells.iter().filter(|(ticks, _)| *ticks > micros);
        above.map(|(_, count)| count).sum()
    }

    /// The value that a share `quantile` of the values does not exceed; `None` when there are none.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let rank = (quantile.clamp(0.0, 1.0) * self.count() as f64)
            .ceil()
            .max(1.0) as u64;
        let mut seen = 0;
        let cell = self.cells.iter().find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        cell.map(|(ticks, _)| Duration::from_micros(*ticks).min(self.max))
    }

    pub fn mean(&self) -> Option<Duration> {
        self.sum_nanos
            .checked_div(self.count())
            .map(Duration::from_nanos)
    }

    pub fn max(&self) -> Option<Duration> {
        (!self.cells.is_empty()).then_some(self.max)
    }

    /// In the HDR V2 deflate form, in microseconds; empty when empty.
    pub fn to_base64(&self) -> String {
        hdr::encode(&hdr::histogram(DIGITS, self.cells.iter().copied()))
    }

    /// What [`CompactHistogram::to_base64`] wrote, with the exact mean and the largest value that were stored beside it.
    pub fn from_base64(
        text: &str,
        mean: Duration,
        max: Duration,
    ) -> Result<CompactHistogram, DecodeError> {
        if text.is_empty() {
            return Ok(CompactHistogram::default());
        }
        let cells = hdr::decode(text)?;
        let count: u64 = cells.iter().map(|(_, count)| count).sum();
        let nanos = mean.as_nanos().saturating_mul(u128::from(count));
        Ok(CompactHistogram {
            cells,
            sum_nanos: u64::try_from(nanos).unwrap_or(u64::MAX),
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn timing(micros: &[u64]) -> Timing {
        let mut timing = Timing::new(Scale::Micros);
        micros
            .iter()
            .for_each(|&m| timing.record(Duration::from_micros(m)));
        timing
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole_and_quantiles_are_close(
            values in prop::collection::vec(1..60_000_000u64, 1..200),
            split in 0..200usize,
            quantile in 0.0..=1.0f64,
        ) {
            let (left, right) = values.split_at(split.min(values.len()));
            let mut merged = CompactHistogram::of(&timing(left));
            merged.merge(&CompactHistogram::of(&timing(right)));
            let whole = CompactHistogram::of(&timing(&values));
            prop_assert_eq!(&merged, &whole);
            prop_assert_eq!(whole.count(), values.len() as u64);

            let exact = timing(&values).quantile(quantile).as_secs_f64();
            let got = whole.quantile(quantile).unwrap().as_secs_f64();
            prop_assert!((got - exact).abs() <= exact * 0.01 + 1e-6, "{got} is not {exact}");

            let mean = whole.mean().unwrap();
            let back = CompactHistogram::from_base64(&whole.to_base64(), mean, whole.max().unwrap()).unwrap();
            prop_assert_eq!(&back.cells, &whole.cells);
            prop_assert_eq!(back.mean().unwrap().as_micros(), mean.as_micros());
        }
    }

    #[test]
    fn nothing_has_no_quantile() {
        let none = CompactHistogram::of(&timing(&[]));
        assert_eq!(
            (none.quantile(0.5), none.mean(), none.max()),
            (None, None, None)
        );
        assert_eq!(none.to_base64(), "");
        assert_eq!(
            CompactHistogram::from_base64("", Duration::ZERO, Duration::ZERO).unwrap(),
            none
        );
        assert!(CompactHistogram::from_base64("AAAA", Duration::ZERO, Duration::ZERO).is_err());
    }
}
