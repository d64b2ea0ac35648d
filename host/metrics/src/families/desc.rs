//! What a metric is: its name, help, unit, kind and labels, and how its samples are taken from a snapshot. Declared in
//! `table.rs`, written out by every exporter.

use std::borrow::Cow;

use vespeiro_model::words;

use crate::{RunInfo, Snapshot, Timing};

/// One metric. The name is without prefix, unit and `_total`.
#[derive(Clone, Copy)]
pub struct MetricDesc {
    pub name: &'static str,
    pub help: &'static str,
    pub unit: Option<MetricUnit>,
    pub kind: MetricKind,
    pub labels: &'static [&'static str],
    /// When the family has samples; `None`: it always has.
    pub when: Option<&'static str>,
    pub(super) collect: Collect,
}

/// Takes a metric's samples from a snapshot.
pub(super) type Collect = for<'a> fn(&'a Snapshot, &'a RunInfo, &mut Family<'a>);

/// What the samples of a metric are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    Counter,
    Gauge,
    /// With the upper bounds of its buckets, ascending.
    Histogram(&'static [f64]),
    Summary,
}

words! {
    /// The unit of a metric's values; always a base unit.
    pub enum MetricUnit {
        Seconds => "seconds",
        Bytes => "bytes",
        Ratio => "ratio",
    }
}

impl MetricKind {
    pub fn as_str(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram(_) => "histogram",
            MetricKind::Summary => "summary",
        }
    }
}

impl std::fmt::Debug for MetricDesc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.query())
    }
}

impl MetricDesc {
    /// The name of the family with prefix and unit: `vespeiro_request_duration_seconds`, `vespeiro_requests`.
    pub fn family(&self) -> String {
        match self.unit {
            Some(unit) => format!("vespeiro_{}_{unit}", self.name),
            None => format!("vespeiro_{}", self.name),
        }
    }

    /// The name that a query uses: a counter ends in `_total`.
    pub fn query(&self) -> String {
        match self.kind {
            MetricKind::Counter => format!("{}_total", self.family()),
            _ => self.family(),
        }
    }

    pub(super) const fn new(
        kind: MetricKind,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        collect: Collect,
    ) -> Self {
        Self {
            name,
            help,
            unit: None,
            kind,
            labels,
            when: None,
            collect,
        }
    }

    pub(super) const fn of(self, unit: MetricUnit) -> Self {
        Self {
            unit: Some(unit),
            ..self
        }
    }

    pub(super) const fn when(self, when: &'static str) -> Self {
        Self {
            when: Some(when),
            ..self
        }
    }
}

/// One metric and its samples.
#[derive(Debug, Clone)]
pub struct Family<'a> {
    pub metric: &'static MetricDesc,
    pub samples: Vec<Sample<'a>>,
}

/// One label set of a metric and its value.
#[derive(Debug, Clone)]
pub struct Sample<'a> {
    /// The labels' values, in the order of [`MetricDesc::labels`].
    pub labels: Vec<String>,
    pub value: Value<'a>,
}

/// The value of a sample; which one follows from the metric's [`MetricKind`].
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// Of a counter or a gauge.
    Number(f64),
    Histogram(Cow<'a, Timing>),
    Summary {
        /// Quantile and value.
        quantiles: Vec<(f64, f64)>,
        sum: f64,
        count: u64,
    },
}

impl Sample<'_> {
    /// Names and values of the labels.
    pub fn named(&self, metric: &MetricDesc) -> impl Iterator<Item = (&'static str, &str)> {
        let values = self.labels.iter().map(String::as_str);
        metric.labels.iter().copied().zip(values)
    }
}

/// The labels' values, in the order of [`MetricDesc::labels`], and the sample's.
impl<'a> Family<'a> {
    pub fn number(&mut self, labels: &[&str], value: f64) {
        self.sample(labels, Value::Number(value));
    }

    pub fn count(&mut self, labels: &[&str], count: u64) {
        self.number(labels, count as f64);
    }

    pub(super) fn histogram(&mut self, labels: &[&str], timing: &'a Timing) {
        self.sample(labels, Value::Histogram(Cow::Borrowed(timing)));
    }

    /// The same of one that has values.
    pub(super) fn used(&mut self, labels: &[&str], timing: &'a Timing) {
        if !timing.is_empty() {
            self.histogram(labels, timing);
        }
    }

    pub fn sample(&mut self, labels: &[&str], value: Value<'a>) {
        debug_assert_eq!(
            labels.len(),
            self.metric.labels.len(),
            "{}",
            self.metric.name
        );
        let labels = labels.iter().map(|value| (*value).to_owned()).collect();
        self.samples.push(Sample { labels, value });
    }
}
