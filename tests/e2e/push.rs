//! `--remote-write` and `--otlp` push the run's metrics: nothing is lost, every series ends cleanly, and a receiver that
//! is down is no harm to the run.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value::AsDouble;
use prost::Message;
use serde_json::Value;

use crate::support::{Post, Prometheus, Receiver, RunOf, Service};

const LOAD: &str = "--users 10 --min-request-count 30 --max-request-count 40 --delay-min 1 --delay-max 30 \
     --push-interval 200ms";
/// The bits with which Prometheus marks the end of a series.
pub const STALE: u64 = 0x7ff0_0000_0000_0002;

/// The protocol's messages, as a receiver reads them.
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    series: Vec<Series>,
}

#[derive(Clone, PartialEq, Message)]
struct Series {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Sample {
    #[prost(double, tag = "1")]
    pub value: f64,
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// All samples of each series, in the order in which they came.
pub fn written(posts: &[Post]) -> BTreeMap<BTreeMap<String, String>, Vec<Sample>> {
    let mut all: BTreeMap<_, Vec<Sample>> = BTreeMap::new();
    for post in posts {
        let bytes = snap::raw::Decoder::new().decompress_vec(&post.body);
        let request = WriteRequest::decode(bytes.unwrap().as_slice()).unwrap();
        for series in request.series {
            let labels = series.labels.into_iter().map(|l| (l.name, l.value));
            all.entry(labels.collect())
                .or_default()
                .extend(series.samples);
        }
    }
    all
}

#[test]
fn remote_write_loses_nothing_and_ends_every_series() {
    let service = Service::start();
    let receiver = Receiver::start(3);
    let run = RunOf::fine(
        &service.url,
        &format!(
            "{LOAD} --remote-write {} --push-headers X-Scope-OrgID=team",
            receiver.url
        ),
    );
    let posts = receiver.posts();
    for post in &posts {
        assert_eq!(post.path, "/api/v1/write");
        for (name, value) in [
            ("content-encoding", "snappy"),
            ("x-prometheus-remote-write-version", "0.1.0"),
            ("x-scope-orgid", "team"),
        ] {
            assert_eq!(post.headers[name], value);
        }
    }
    let mut requests = 0.0;
    let mut series = 0;
    for (labels, samples) in written(&posts) {
        assert!(
            samples.is_sorted_by(|a, b| a.timestamp < b.timestamp),
            "{labels:?}"
        );
        let (end, before) = samples.split_last().unwrap();
        assert_eq!(end.value.to_bits(), STALE, "{labels:?}");
        assert!(
            before.iter().all(|s| s.value.to_bits() != STALE),
            "{labels:?}"
        );
        assert_eq!(labels["job"], "vespeiro");
        if labels["__name__"] == "vespeiro_requests_total" {
            assert_eq!(
                before[0].value, 0.0,
                "{labels:?}: rates miss what came before"
            );
            requests += before.last().unwrap().value;
            series += 1;
        }
    }
    assert!(series > 30, "{series}");
    assert_eq!(requests, run.sent() as f64);
    let stderr = &run.ended.stderr;
    assert_eq!(stderr.matches("--remote-write").count(), 1, "{stderr}");
}

pub fn otlp(post: &Post) -> Vec<Metric> {
    let request = ExportMetricsServiceRequest::decode(post.body.as_slice()).unwrap();
    let resource = request.resource_metrics[0].resource.as_ref().unwrap();
    let service = resource.attributes.iter().find(|a| a.key == "service.name");
    assert!(format!("{service:?}").contains("\"vespeiro\""));
    request.resource_metrics[0].scope_metrics[0].metrics.clone()
}

#[test]
fn otlp_loses_nothing_and_ends_every_series() {
    let service = Service::start();
    for native in [false, true] {
        let receiver = Receiver::start(1);
        let flag = if native { "--native-histograms" } else { "" };
        let run = RunOf::fine(
            &service.url,
            &format!("{LOAD} --otlp {} {flag}", receiver.url),
        );
        let posts = receiver.posts();
        assert!(posts.iter().all(|p| p.path == "/v1/metrics"));
        let [.., last, end] = posts.as_slice() else {
            panic!("{} posts", posts.len());
        };
        let last = otlp(last);
        let requests = last.iter().find(|m| m.name == "vespeiro.requests").unwrap();
        let Some(Data::Sum(sum)) = &requests.data else {
            panic!("{requests:?}");
        };
        assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
        let count: f64 = sum
            .data_points
            .iter()
            .map(|p| match p.value {
                Some(AsDouble(value)) => value,
                _ => 0.0,
            })
            .sum();
        assert_eq!(count, run.sent() as f64);
        let latency = last.iter().find(|m| m.name == "vespeiro.request_duration");
        let timed: u64 = match latency.unwrap().data.as_ref().unwrap() {
            Data::Histogram(h) if !native => h.data_points.iter().map(|p| p.count).sum(),
            Data::ExponentialHistogram(h) if native => h.data_points.iter().map(|p| p.count).sum(),
            other => panic!("{other:?}"),
        };
        assert_eq!(timed, run.sent());
        for metric in otlp(end) {
            let ended = match metric.data.unwrap() {
                Data::Sum(d) => d.data_points.iter().all(|p| p.flags == 1),
                Data::Gauge(d) => d.data_points.iter().all(|p| p.flags == 1),
                Data::Histogram(d) => d.data_points.iter().all(|p| p.flags == 1),
                Data::ExponentialHistogram(d) => d.data_points.iter().all(|p| p.flags == 1),
                Data::Summary(d) => d.data_points.iter().all(|p| p.flags == 1),
            };
            assert!(ended, "{}", metric.name);
        }
    }
}

#[test]
fn a_receiver_that_is_down_costs_a_warning() {
    let service = Service::start();
    // Port 1 is nobody's.
    let run = RunOf::fine(
        &service.url,
        &format!("{LOAD} --remote-write http://127.0.0.1:1 --otlp http://127.0.0.1:1"),
    );
    assert_eq!(run.answered(), service.ledger(1));
    for flag in ["--remote-write", "--otlp"] {
        let told: Vec<&str> = run
            .ended
            .stderr
            .lines()
            .filter(|line| line.contains(flag))
            .collect();
        assert_eq!(told.len(), 2, "{:?}", run.ended.stderr);
        assert!(told[0].contains("the run goes on"), "{told:?}");
        assert!(told[1].contains("were not taken"), "{told:?}");
    }
}

/// Requests in the latest histograms, which have ended by now.
fn timed(prometheus: &Prometheus, native: bool, own: &str) -> u64 {
    let part = if native { "" } else { "_count" };
    let query = format!("vespeiro_request_duration_seconds{part}{own}[10m]");
    let series = prometheus.query(&query, None);
    let last = |series: &Value| match native {
        true => series["histograms"].as_array().unwrap().last().unwrap()[1]["count"].clone(),
        false => series["values"].as_array().unwrap().last().unwrap()[1].clone(),
    };
    let counts = series.iter().map(last);
    counts
        .map(|c| c.as_str().unwrap().parse::<u64>().unwrap())
        .sum()
}

#[test]
fn a_real_prometheus_takes_classic_and_native_histograms() {
    let Some(prometheus) = Prometheus::start(None) else {
        return;
    };
    let service = Service::start();
    for native in [false, true] {
        let (id, flag) = match native {
            true => ("native00", "--native-histograms"),
            false => ("classic0", ""),
        };
        let run = RunOf::fine(
            &service.url,
            &format!(
                "{LOAD} --run-id {id} --remote-write {} {flag}",
                prometheus.url
            ),
        );
        assert_eq!(
            run.ended.stderr.matches("--remote-write").count(),
            0,
            "{:?}",
            run.ended
        );
        let own = format!("{{instance=~\".*{id}\"}}");
        let sent = Some(run.sent() as f64);
        let counted = format!("sum(last_over_time(vespeiro_requests_total{own}[10m]))");
        assert_eq!(prometheus.number(&counted), sent);
        assert_eq!(
            timed(&prometheus, native, &own),
            run.sent(),
            "{}",
            prometheus.log()
        );
        for metric in [
            "requests_total",
            "request_duration_seconds",
            "elapsed_seconds",
        ] {
            let left = prometheus.query(&format!("vespeiro_{metric}{own}"), None);
            assert_eq!(left.len(), 0, "{metric} goes on after the end of the run");
        }
    }
}
