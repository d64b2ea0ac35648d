//! OTLP over HTTP, in protobuf. One of [`super::pusher`]'s encoders. Names and units are chosen so that a receiver that
//! makes Prometheus names of them gets those of a scrape. Everything is cumulative from the start of the run.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1 as otlp;
use opentelemetry_proto::tonic::resource::v1::Resource;
use otlp::exponential_histogram_data_point::Buckets;
use otlp::metric::Data;
use otlp::summary_data_point::ValueAtQuantile;
use prost::Message as _;

use super::pusher::{Encoder, Frame};
use vespeiro_metrics::families::{Family, MetricKind, MetricUnit, Sample, Value};
use vespeiro_metrics::{NATIVE_SCHEMA, Timing};

/// Headers of every post.
pub(super) const HEADERS: &[(&str, &str)] = &[("content-type", "application/x-protobuf")];

const CUMULATIVE: i32 = otlp::AggregationTemporality::Cumulative as i32;

#[derive(Debug)]
pub(super) struct Otlp {
    resource: Resource,
    native: bool,
    /// What ends the series of the last frame.
    end: Option<Vec<u8>>,
}

/// Times of the points in nanoseconds since 1970, and their flags: points that end a series have no value.
#[derive(Debug, Clone, Copy)]
struct At {
    start: u64,
    now: u64,
    flags: u32,
}

impl Otlp {
    pub(super) fn new(run: &str, instance: String, native: bool) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let attributes = [
            ("service.name", "vespeiro"),
            ("service.version", version),
            ("service.instance.id", &instance),
            ("vespeiro.run", run),
        ];
        let resource = Resource {
            attributes: attributes.map(attribute).to_vec(),
            ..Resource::default()
        };
        Self {
            resource,
            native,
            end: None,
        }
    }

    fn request(&self, frame: &Frame<'_>, ended: bool) -> Vec<u8> {
        let nanos = |d: std::time::Duration| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        let at = At {
            start: nanos(frame.started),
            now: nanos(frame.at).saturating_add(u64::from(ended) * 1_000_000),
            flags: match ended {
                true => otlp::DataPointFlags::NoRecordedValueMask as u32,
                false => 0,
            },
        };
        let told = frame
            .families
            .iter()
            .filter(|family| !family.samples.is_empty());
        let scope = otlp::ScopeMetrics {
            scope: Some(InstrumentationScope {
                name: "vespeiro".into(),
                version: env!("CARGO_PKG_VERSION").into(),
                ..InstrumentationScope::default()
            }),
            metrics: told.map(|family| metric(family, at, self.native)).collect(),
            ..otlp::ScopeMetrics::default()
        };
        let request = ExportMetricsServiceRequest {
            resource_metrics: vec![otlp::ResourceMetrics {
                resource: Some(self.resource.clone()),
                scope_metrics: vec![scope],
                ..otlp::ResourceMetrics::default()
            }],
        };
        request.encode_to_vec()
    }
}

impl Encoder for Otlp {
    fn flag(&self) -> &'static str {
        "otlp"
    }

    fn encode(&mut self, frame: &Frame<'_>) -> Vec<Vec<u8>> {
        self.end = Some(self.request(frame, true));
        vec![self.request(frame, false)]
    }

    fn end_series(&mut self) -> Vec<Vec<u8>> {
        self.end.take().into_iter().collect()
    }
}

fn attribute((name, value): (&str, &str)) -> KeyValue {
    KeyValue {
        key: name.into(),
        value: Some(AnyValue {
            value: Some(StringValue(value.into())),
        }),
        ..KeyValue::default()
    }
}

fn metric(family: &Family<'_>, at: At, native: bool) -> otlp::Metric {
    let metric = family.metric;
    let attributes = |sample: &Sample<'_>| sample.named(metric).map(attribute).collect();
    let numbers = || {
        let point = |sample: &Sample<'_>| match sample.value {
            Value::Number(value) => Some(number(attributes(sample), value, at)),
            _ => None,
        };
        family.samples.iter().filter_map(point).collect()
    };
    let timings = family
        .samples
        .iter()
        .filter_map(|sample| match &sample.value {
            Value::Histogram(timing) => Some((attributes(sample), timing)),
            _ => None,
        });
    let data = match metric.kind {
        MetricKind::Counter => Data::Sum(otlp::Sum {
            data_points: numbers(),
            aggregation_temporality: CUMULATIVE,
            is_monotonic: true,
        }),
        MetricKind::Gauge => Data::Gauge(otlp::Gauge {
            data_points: numbers(),
        }),
        MetricKind::Histogram(_) if native => {
            Data::ExponentialHistogram(otlp::ExponentialHistogram {
                data_points: timings.map(|(a, t)| exponential(a, t, at)).collect(),
                aggregation_temporality: CUMULATIVE,
            })
        }
        MetricKind::Histogram(bounds) => Data::Histogram(otlp::Histogram {
            data_points: timings.map(|(a, t)| explicit(a, t, bounds, at)).collect(),
            aggregation_temporality: CUMULATIVE,
        }),
        MetricKind::Summary => {
            let point = |sample| summary(attributes(sample), &sample.value, at);
            Data::Summary(otlp::Summary {
                data_points: family.samples.iter().filter_map(point).collect(),
            })
        }
    };
    otlp::Metric {
        name: format!("vespeiro.{}", metric.name),
        description: metric.help.into(),
        unit: match metric.unit {
            Some(MetricUnit::Seconds) => "s".into(),
            Some(MetricUnit::Bytes) => "By".into(),
            Some(MetricUnit::Ratio) => "1".into(),
            None => String::new(),
        },
        data: Some(data),
        ..otlp::Metric::default()
    }
}

/// A point with what all kinds of points have.
macro_rules! point {
    ($kind:ident, $attributes:expr, $at:expr $(, $field:ident: $value:expr)*) => {
        otlp::$kind {
            attributes: $attributes,
            start_time_unix_nano: $at.start,
            time_unix_nano: $at.now,
            flags: $at.flags,
            $($field: $value,)*
            ..otlp::$kind::default()
        }
    };
}

fn number(attributes: Vec<KeyValue>, value: f64, at: At) -> otlp::NumberDataPoint {
    let value = otlp::number_data_point::Value::AsDouble(value);
    let value = (at.flags == 0).then_some(value);
    point!(NumberDataPoint, attributes, at, value: value)
}

fn explicit(
    attributes: Vec<KeyValue>,
    timing: &Timing,
    bounds: &[f64],
    at: At,
) -> otlp::HistogramDataPoint {
    let mut point = point!(HistogramDataPoint, attributes, at);
    if at.flags == 0 {
        point.count = timing.count();
        point.sum = Some(timing.sum().as_secs_f64());
        point.bucket_counts = timing.buckets(bounds).iter().map(|b| b.1).collect();
        point.explicit_bounds = bounds.to_vec();
    }
    point
}

fn exponential(
    attributes: Vec<KeyValue>,
    timing: &Timing,
    at: At,
) -> otlp::ExponentialHistogramDataPoint {
    let scale = NATIVE_SCHEMA;
    let mut point = point!(ExponentialHistogramDataPoint, attributes, at, scale: scale);
    if at.flags == 0 {
        let buckets = timing.exponential();
        point.count = timing.count();
        point.sum = Some(timing.sum().as_secs_f64());
        if let (Some((first, _)), Some((last, _))) = (buckets.first(), buckets.last()) {
            let mut counts = vec![0; (last - first + 1) as usize];
            for (index, count) in &buckets {
                counts[(index - first) as usize] = *count;
            }
            point.positive = Some(Buckets {
                // OTLP numbers a bucket by its lower end, Prometheus by its upper one.
                offset: first - 1,
                bucket_counts: counts,
            });
        }
    }
    point
}

fn summary(attributes: Vec<KeyValue>, value: &Value<'_>, at: At) -> Option<otlp::SummaryDataPoint> {
    let Value::Summary {
        quantiles,
        sum,
        count,
    } = value
    else {
        return None;
    };
    let mut point = point!(SummaryDataPoint, attributes, at);
    if at.flags == 0 {
        (point.count, point.sum) = (*count, *sum);
        let quantiles = quantiles.iter().copied();
        let values = quantiles.map(|(quantile, value)| ValueAtQuantile { quantile, value });
        point.quantile_values = values.collect();
    }
    Some(point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vespeiro_metrics::testing::{about, snapshot};

    fn metrics(body: &[u8]) -> Vec<otlp::Metric> {
        let request = ExportMetricsServiceRequest::decode(body).unwrap();
        request.resource_metrics[0].scope_metrics[0].metrics.clone()
    }

    fn counts(data: &Data) -> Vec<u64> {
        match data {
            Data::Histogram(h) => h
                .data_points
                .iter()
                .map(|p| p.bucket_counts.iter().sum())
                .collect(),
            Data::ExponentialHistogram(h) => {
                let sum = |p: &otlp::ExponentialHistogramDataPoint| {
                    p.positive.iter().flat_map(|b| &b.bucket_counts).sum()
                };
                h.data_points.iter().map(sum).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn classic_and_exponential_histograms_hold_the_same_requests() {
        let snapshot = snapshot();
        for native in [false, true] {
            let mut encoder = Otlp::new("run", "i".into(), native);
            let told = metrics(&encoder.encode(&Frame::of(&snapshot, &about()))[0]);
            let latency = told
                .iter()
                .find(|m| m.name == "vespeiro.request_duration")
                .unwrap();
            assert_eq!(latency.unit, "s");
            let all: u64 = counts(latency.data.as_ref().unwrap()).iter().sum();
            assert_eq!(all, snapshot.requests());
        }
    }

    #[test]
    fn the_end_is_said_once_for_every_series() {
        let mut encoder = Otlp::new("run", "i".into(), false);
        let told = metrics(&encoder.encode(&Frame::of(&snapshot(), &about()))[0]);
        let ended = metrics(&encoder.end_series()[0]);
        assert_eq!(told.len(), ended.len());
        for (told, ended) in told.iter().zip(&ended) {
            let (Some(Data::Sum(told)), Some(Data::Sum(ended))) = (&told.data, &ended.data) else {
                continue;
            };
            assert_eq!(told.data_points.len(), ended.data_points.len());
            let over = |p: &otlp::NumberDataPoint| p.flags == 1 && p.value.is_none();
            assert!(ended.data_points.iter().all(over));
        }
        assert!(encoder.end_series().is_empty());
    }
}
