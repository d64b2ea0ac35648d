//! A [`Timing`] with 2 significant digits, and without a scale of its own. The summary keeps one for each point of a run's
//! timeline, and adds them up when the run grows long.

use std::time::Duration;

use super::{DecodeError, Scale, Timing};

/// Latencies, counted; quantiles to 1 %, sum and largest value exact.
#[derive(Debug, Clone, PartialEq)]
pub struct CompactHistogram(Timing);

impl Default for CompactHistogram {
    fn default() -> CompactHistogram {
        CompactHistogram(Timing::coarse(Scale::Micros))
    }
}

impl CompactHistogram {
    /// Of latencies: [`Scale::Micros`].
    pub fn of(timing: &Timing) -> CompactHistogram {
        let mut compact = CompactHistogram::default();
        compact.0.merge(timing);
        compact
    }

    pub fn merge(&mut self, other: &CompactHistogram) {
        self.0.merge(&other.0);
    }

    pub fn count(&self) -> u64 {
        self.0.count()
    }

    /// How many are greater than `value`.
    pub fn count_above(&self, value: Duration) -> u64 {
        let micros = u64::try_from(value.as_micros()).unwrap_or(u64::MAX);
        let above = self.0.values().filter(|(ticks, _)| *ticks > micros);
        above.map(|(_, count)| count).sum()
    }

    /// The value that a share `quantile` of the values does not exceed; `None` when there are none.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        self.unless_empty(self.0.quantile(quantile))
    }

    pub fn mean(&self) -> Option<Duration> {
        self.unless_empty(self.0.mean())
    }

    pub fn max(&self) -> Option<Duration> {
        self.unless_empty(self.0.max())
    }

    fn unless_empty(&self, value: Duration) -> Option<Duration> {
        (!self.0.is_empty()).then_some(value)
    }

    /// In the HDR V2 deflate form, in microseconds; empty when empty.
    pub fn to_base64(&self) -> String {
        self.0.to_base64()
    }

    /// What [`CompactHistogram::to_base64`] wrote, with the exact mean and the largest value that were stored beside it.
    pub fn from_base64(
        text: &str,
        mean: Duration,
        max: Duration,
    ) -> Result<CompactHistogram, DecodeError> {
        let mut timing = Timing::from_base64(Scale::Micros, text, Duration::ZERO, max)?;
        timing.set_mean(mean);
        Ok(match timing.is_coarse() {
            true => CompactHistogram(timing),
            false => CompactHistogram::of(&timing),
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
            prop_assert!(back.0.values().eq(whole.0.values()));
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
