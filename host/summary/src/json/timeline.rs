//! The run over time as it stands in the file: points, stages, events. Filled by `timeline.rs`, read by the HTML page.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Requests;
use crate::sampler::CLASSES;
use vespeiro_metrics::{CompactHistogram, DecodeError, Scale, Timing};
use vespeiro_model::EventKind;

/// The run over time, as data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Timeline {
    /// Names of the figures in each point's `mix`.
    pub categories: Vec<String>,
    /// Of the run's profile, in order; those in which no second was are missing, and all where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageFigures>,
    /// In order; each begins where the one before it ends.
    pub points: Vec<Point>,
    /// In order.
    pub events: Vec<Event>,
    /// Events that found no place.
    #[serde(default)]
    pub events_lost: u64,
}

/// One stage and what happened in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageFigures {
    /// From 1, as in the plan.
    pub stage: usize,
    /// As it was asked for: `30s:100`.
    pub asked: String,
    /// How long it went on.
    pub seconds: f64,
    /// The part of that in which requests could leave.
    pub sending_seconds: f64,
    /// Requests that left.
    pub sent: u64,
    /// Those that got their outcome in it, and their latency; `per_second` is of what left.
    #[serde(flatten)]
    pub requests: Requests,
}

/// An interval of the run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    /// Its end, in seconds since the start of the run.
    pub at: f64,
    /// Its length in seconds: 1 at first, more when the run is long.
    pub over: f64,
    /// Active at its end; the most of them where several seconds are one point.
    pub users: u64,
    pub sessions: u64,
    /// Requests that left.
    pub sent: u64,
    /// Requests that got their outcome.
    pub requests: u64,
    pub errors: u64,
    pub injected: u64,
    pub not_sent: u64,
    /// By the first digit of the status; the first is for requests without a response.
    pub classes: [u64; CLASSES],
    /// Requests by category; categories that came up later are missing at the end.
    pub mix: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Cores that the generator kept busy.
    pub cpu_cores: f64,
    pub memory_bytes: u64,
    /// A worker did not hand in its part in time: some of it is in a later point.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

/// Latency of a point's requests, in seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Latency {
    pub mean: f64,
    /// Quantiles to 1 %.
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
    /// HDR histogram of microseconds with 2 significant digits, V2 deflate form, base64.
    pub histogram: String,
}

impl Latency {
    pub(crate) fn of(histogram: &CompactHistogram) -> Option<Latency> {
        let quantile = |q| Some(histogram.quantile(q)?.as_secs_f64());
        Some(Latency {
            mean: histogram.mean()?.as_secs_f64(),
            p50: quantile(0.5)?,
            p95: quantile(0.95)?,
            p99: quantile(0.99)?,
            max: histogram.max()?.as_secs_f64(),
            histogram: histogram.to_base64(),
        })
    }

    /// Its values, to 1 %.
    pub fn timing(&self) -> Result<Timing, DecodeError> {
        let histogram = self.histogram()?;
        let mean = histogram.mean().unwrap_or_default().as_nanos();
        let nanos = mean.saturating_mul(u128::from(histogram.count()));
        let sum = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let max = histogram.max().unwrap_or_default();
        Timing::from_base64(Scale::Micros, &self.histogram, sum, max)
    }

    pub(crate) fn histogram(&self) -> Result<CompactHistogram, DecodeError> {
        let time = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        CompactHistogram::from_base64(&self.histogram, time(self.mean), time(self.max))
    }
}

/// Something that happened to the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// In seconds since the start of the run.
    pub at: f64,
    pub kind: EventKind,
    /// Whose behavior it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archetype: Option<String>,
    /// Which version, or which condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
