//! How a distribution stands in the file: without values, its figures are null instead of 0.
//!
//! What must stay true: both ways keep every field, so that a file reads back as what was written.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Distribution;
use vespeiro_metrics::{DecodeError, Scale, Timing};

/// Why a distribution's values are not known.
#[derive(Debug, thiserror::Error)]
pub enum NoTiming {
    #[error("its distributions come without their histograms; write it with this version")]
    LeftOut,
    #[error("{0}")]
    Broken(#[from] DecodeError),
}

impl Distribution {
    /// Its values, where it has its histogram.
    pub fn timing(&self) -> Result<Timing, NoTiming> {
        let scales = [Scale::Nanos, Scale::Micros, Scale::Millis].into_iter();
        let far = |scale: &Scale| (scale.tick_seconds().log10() - self.tick.log10()).abs();
        let scale = scales.min_by(|a, b| far(a).total_cmp(&far(b)));
        let scale = scale.unwrap_or(Scale::Micros);
        match &self.histogram {
            None if self.count == 0 => Ok(Timing::new(scale)),
            None => Err(NoTiming::LeftOut),
            Some(text) => {
                let time = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
                let (sum, max) = (time(self.sum), time(self.max));
                Ok(Timing::from_base64(scale, text, sum, max)?)
            }
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Written {
    count: u64,
    sum: f64,
    mean: Option<f64>,
    min: Option<f64>,
    p50: Option<f64>,
    p90: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
    p999: Option<f64>,
    max: Option<f64>,
    tick: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    histogram: Option<String>,
}

impl From<Distribution> for Written {
    fn from(of: Distribution) -> Written {
        let some = |seconds| (of.count > 0).then_some(seconds);
        Written {
            count: of.count,
            sum: of.sum,
            mean: some(of.mean),
            min: some(of.min),
            p50: some(of.p50),
            p90: some(of.p90),
            p95: some(of.p95),
            p99: some(of.p99),
            p999: some(of.p999),
            max: some(of.max),
            tick: of.tick,
            histogram: of.histogram,
        }
    }
}

impl From<Written> for Distribution {
    fn from(of: Written) -> Distribution {
        Distribution {
            count: of.count,
            sum: of.sum,
            mean: of.mean.unwrap_or(0.0),
            min: of.min.unwrap_or(0.0),
            p50: of.p50.unwrap_or(0.0),
            p90: of.p90.unwrap_or(0.0),
            p95: of.p95.unwrap_or(0.0),
            p99: of.p99.unwrap_or(0.0),
            p999: of.p999.unwrap_or(0.0),
            max: of.max.unwrap_or(0.0),
            tick: of.tick,
            histogram: of.histogram,
        }
    }
}
