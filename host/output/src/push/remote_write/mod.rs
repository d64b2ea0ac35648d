//! Prometheus remote write 1.0: protobuf in snappy, in batches. One of [`super::pusher`]'s encoders. It remembers every
//! series that it has sent, so that one that begins late is seen to begin at 0, and each ends with a stale marker.

mod proto;

use std::collections::HashMap;

use prost::Message as _;

use self::proto::{BucketSpan, Histogram, Label, MetricMetadata, Sample, TimeSeries, WriteRequest};
use super::pusher::{Encoder, Frame};
use crate::prometheus::{Labels, samples};
use vespeiro_metrics::families::{Family, MetricDesc, MetricKind, Value};
use vespeiro_metrics::{NATIVE_SCHEMA, Timing};

/// Headers of every post.
pub(super) const HEADERS: &[(&str, &str)] = &[
    ("content-type", "application/x-protobuf"),
    ("content-encoding", "snappy"),
    ("x-prometheus-remote-write-version", "0.1.0"),
];
/// Series in one post.
const BATCH: usize = 2_000;
/// The bits that tell Prometheus that a series has ended.
const STALE: u64 = 0x7ff0_0000_0000_0002;
/// Values below this are in the zero bucket; ours never are.
const ZERO_THRESHOLD: f64 = f64::MIN_POSITIVE;

#[derive(Debug)]
pub(super) struct RemoteWrite {
    instance: String,
    native: bool,
    /// When the last frame was, in milliseconds since 1970.
    last: Option<i64>,
    known: HashMap<Vec<Label>, SentSeries>,
}

/// A series that was sent.
#[derive(Debug, Clone, Copy)]
struct SentSeries {
    native: bool,
    /// When it was last sent.
    at: i64,
}

/// One value of a series.
enum SeriesValue {
    Float {
        value: f64,
        /// It counts up from 0.
        counts: bool,
    },
    Native(Histogram),
}

impl RemoteWrite {
    pub(super) fn new(instance: String, native: bool) -> Self {
        Self {
            instance,
            native,
            last: None,
            known: HashMap::new(),
        }
    }

    /// Series that begin here were 0 at `before`.
    fn family(
        &mut self,
        family: &Family<'_>,
        before: Option<i64>,
        at: i64,
        out: &mut Vec<TimeSeries>,
    ) {
        let metric = family.metric;
        if self.native && matches!(metric.kind, MetricKind::Histogram(_)) {
            for sample in &family.samples {
                if let Value::Histogram(timing) = &sample.value {
                    let labels: Vec<_> = sample.named(metric).collect();
                    let labels = self.labels(&metric.query(), &labels, None);
                    out.push(self.series(
                        labels,
                        before,
                        at,
                        SeriesValue::Native(native(timing, at)),
                    ));
                }
            }
            return;
        }
        let mut add =
            |name: &str, labels: &Labels<'_>, extra: Option<(&'static str, &str)>, value| {
                // A quantile is a gauge among counters.
                let counts =
                    metric.kind != MetricKind::Gauge && extra.is_none_or(|(name, _)| name == "le");
                let labels = self.labels(name, labels, extra);
                out.push(self.series(labels, before, at, SeriesValue::Float { value, counts }));
                Ok::<(), std::convert::Infallible>(())
            };
        let Ok(()) = samples(family, &mut add);
    }

    /// In the order of their names, as the protocol wants it; an empty label is no label.
    fn labels(
        &self,
        name: &str,
        labels: &Labels<'_>,
        extra: Option<(&'static str, &str)>,
    ) -> Vec<Label> {
        let own = [
            ("__name__", name),
            ("instance", &self.instance),
            ("job", "vespeiro"),
        ];
        let mut all: Vec<Label> = own
            .into_iter()
            .chain(labels.iter().copied())
            .chain(extra)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| Label {
                name: name.into(),
                value: value.into(),
            })
            .collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The series with its value, and with a 0 at `before` where it begins.
    fn series(
        &mut self,
        labels: Vec<Label>,
        before: Option<i64>,
        at: i64,
        point: SeriesValue,
    ) -> TimeSeries {
        let is_native = matches!(point, SeriesValue::Native(_));
        let known = self.known.insert(
            labels.clone(),
            SentSeries {
                native: is_native,
                at,
            },
        );
        let began = if known.is_none() { before } else { None };
        let mut series = TimeSeries {
            labels,
            ..TimeSeries::default()
        };
        match point {
            SeriesValue::Float { value, counts } => {
                let zero = began.filter(|_| counts).map(|timestamp| Sample {
                    value: 0.0,
                    timestamp,
                });
                let now = Sample {
                    value,
                    timestamp: at,
                };
                series.samples.extend(zero.into_iter().chain([now]));
            }
            SeriesValue::Native(histogram) => {
                let zero = began.map(|at| empty(0.0, at));
                series
                    .histograms
                    .extend(zero.into_iter().chain([histogram]));
            }
        }
        series
    }

    /// Stale markers for the series that were not sent at `at`.
    fn ended(&mut self, at: i64, out: &mut Vec<TimeSeries>) {
        let stale = f64::from_bits(STALE);
        self.known.retain(|labels, known| {
            if known.at == at {
                return true;
            }
            let mut series = TimeSeries {
                labels: labels.clone(),
                ..TimeSeries::default()
            };
            if known.native {
                series.histograms.push(empty(stale, at));
            } else {
                series.samples.push(Sample {
                    value: stale,
                    timestamp: at,
                });
            }
            out.push(series);
            false
        });
    }
}

impl Encoder for RemoteWrite {
    fn flag(&self) -> &'static str {
        "remote-write"
    }

    fn encode(&mut self, frame: &Frame<'_>) -> Vec<Vec<u8>> {
        let at = frame.at.as_millis() as i64;
        // A clock that was set back would make the receiver refuse all that follows.
        let at = self.last.map_or(at, |last| at.max(last + 1));
        let before = self.last.filter(|_| frame.late_were_zero);
        let mut series = Vec::new();
        for family in &frame.families {
            self.family(family, before, at, &mut series);
        }
        self.ended(at, &mut series);
        let metadata = match self.last {
            None => frame.families.iter().map(|f| metadata(f.metric)).collect(),
            Some(_) => Vec::new(),
        };
        self.last = Some(at);
        posts(series, metadata)
    }

    fn end_series(&mut self) -> Vec<Vec<u8>> {
        let Some(last) = self.last else {
            return Vec::new();
        };
        let mut series = Vec::new();
        self.ended(last + 1, &mut series);
        posts(series, Vec::new())
    }
}

fn metadata(metric: &MetricDesc) -> MetricMetadata {
    MetricMetadata {
        kind: match metric.kind {
            MetricKind::Counter => 1,
            MetricKind::Gauge => 2,
            MetricKind::Histogram(_) => 3,
            MetricKind::Summary => 5,
        },
        metric_family_name: metric.query(),
        help: metric.help.into(),
        unit: metric.unit.map_or("", |unit| unit.as_str()).into(),
    }
}

/// A histogram without buckets and with this sum: a zero, or a stale marker.
fn empty(sum: f64, timestamp: i64) -> Histogram {
    Histogram {
        sum,
        timestamp,
        schema: NATIVE_SCHEMA,
        zero_threshold: ZERO_THRESHOLD,
        count: Some(0),
        zero_count: Some(0),
        ..Histogram::default()
    }
}

/// Buckets as runs of neighbors, each count as the difference from the one before it.
fn native(timing: &Timing, timestamp: i64) -> Histogram {
    let mut histogram = Histogram {
        count: Some(timing.count()),
        ..empty(timing.sum().as_secs_f64(), timestamp)
    };
    let (mut next, mut before) = (None, 0);
    for (index, count) in timing.exponential() {
        match histogram.positive_spans.last_mut() {
            Some(span) if next == Some(index) => span.length += 1,
            _ => histogram.positive_spans.push(BucketSpan {
                offset: index - next.unwrap_or(0),
                length: 1,
            }),
        }
        histogram.positive_deltas.push(count as i64 - before);
        (next, before) = (Some(index + 1), count as i64);
    }
    histogram
}

fn posts(series: Vec<TimeSeries>, metadata: Vec<MetricMetadata>) -> Vec<Vec<u8>> {
    let mut metadata = Some(metadata);
    series
        .chunks(BATCH)
        .filter_map(|batch| {
            let request = WriteRequest {
                timeseries: batch.to_vec(),
                metadata: metadata.take().unwrap_or_default(),
            };
            // Only a body past 4 GB could be refused.
            snap::raw::Encoder::new()
                .compress_vec(&request.encode_to_vec())
                .ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use vespeiro_metrics::Scale;
    use vespeiro_metrics::testing::{about, snapshot};

    fn read(posts: &[Vec<u8>]) -> Vec<TimeSeries> {
        let read = |post: &Vec<u8>| {
            let bytes = snap::raw::Decoder::new().decompress_vec(post).unwrap();
            WriteRequest::decode(bytes.as_slice()).unwrap().timeseries
        };
        posts.iter().flat_map(read).collect()
    }

    fn named<'a>(series: &'a [TimeSeries], name: &str) -> Vec<&'a TimeSeries> {
        let is = |l: &Label| l.name == "__name__" && l.value == name;
        series.iter().filter(|s| s.labels.iter().any(is)).collect()
    }

    fn encoder(native: bool) -> RemoteWrite {
        RemoteWrite::new("host:run".into(), native)
    }

    #[test]
    fn every_series_begins_at_zero_and_ends_with_a_marker() {
        for is_native in [false, true] {
            let mut encoder = encoder(is_native);
            let mut first = snapshot();
            // As if the second archetype had not sent a request yet.
            let counts = Arc::make_mut(&mut first.archetypes[1]);
            counts.routes = vec![Default::default(); counts.routes.len()];
            let before = read(&encoder.encode(&Frame::of(&first, &about())));
            let mut second = snapshot();
            second.elapsed += Duration::from_secs(5);
            let after = read(&encoder.encode(&Frame::of(&second, &about())));
            assert!(after.len() > before.len());
            for series in &after {
                assert!(series.labels.is_sorted_by(|a, b| a.name < b.name));
                let late = !before.iter().any(|b| b.labels == series.labels);
                let points = series.samples.len() + series.histograms.len();
                assert_eq!(points, 1 + usize::from(late), "{series:?}");
                if late && !is_native {
                    assert_eq!(series.samples[0].value, 0.0);
                    assert_eq!(
                        series.samples[1].timestamp - series.samples[0].timestamp,
                        5_000
                    );
                }
            }
            let ends = read(&encoder.end_series());
            assert_eq!(ends.len(), after.len());
            for end in &ends {
                let float = end.samples.iter().map(|s| s.value);
                let sums = end.histograms.iter().map(|h| h.sum);
                let bits: Vec<u64> = float.chain(sums).map(f64::to_bits).collect();
                assert_eq!(bits, [STALE]);
            }
            assert!(encoder.end_series().is_empty());
            let histograms = named(&after, "vespeiro_request_duration_seconds").len();
            assert_eq!(histograms > 0, is_native);
        }
    }

    #[test]
    fn a_series_that_is_gone_ends_at_once() {
        let mut encoder = encoder(false);
        encoder.encode(&Frame::of(&snapshot(), &about()));
        let mut swapped = snapshot();
        swapped.elapsed += Duration::from_secs(1);
        let mut catalog = (*swapped.catalog).clone();
        catalog.versions[0].hash = "feedface".into();
        swapped.catalog = Arc::new(catalog);
        let infos = read(&encoder.encode(&Frame::of(&swapped, &about())));
        let infos = named(&infos, "vespeiro_behavior_info");
        let values: Vec<u64> = infos.iter().map(|s| s.samples[0].value.to_bits()).collect();
        assert_eq!(values.iter().filter(|bits| **bits == STALE).count(), 1);
        assert_eq!(infos.len(), 3);
    }

    #[test]
    fn a_native_histogram_counts_what_the_classic_one_does() {
        let mut timing = Timing::new(Scale::Micros);
        for millis in [1, 1, 2, 500, 500, 30_000] {
            timing.record(Duration::from_millis(millis));
        }
        let histogram = native(&timing, 7);
        assert_eq!(histogram.count, Some(6));
        let mut count = 0;
        let counts: Vec<i64> = histogram
            .positive_deltas
            .iter()
            .map(|delta| {
                count += delta;
                count
            })
            .collect();
        assert_eq!(counts, [2, 1, 2, 1]);
        let lengths: u32 = histogram.positive_spans.iter().map(|s| s.length).sum();
        assert_eq!(lengths, 4);
        // 0.5 s is 2^-1: the last value of the bucket -8 of 8 per power of two.
        let mut index = 0;
        let mut indices = Vec::new();
        for span in &histogram.positive_spans {
            index += span.offset;
            for _ in 0..span.length {
                indices.push(index);
                index += 1;
            }
        }
        assert_eq!(indices[2], -8);
    }
}
