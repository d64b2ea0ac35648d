//! `vespeiro report --remote-write` and `--otlp` push a run that has ended as it was: each count at its own time, and all of
//! them at the end by route.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value::AsDouble;
use serde_json::Value;
use tempfile::TempDir;

use crate::push::{STALE, otlp, written};
use crate::support::{Ended, Prometheus, Receiver, RunOf, Service, vespeiro};

/// A run of a few seconds, and its file.
struct Run {
    folder: TempDir,
    summary: Value,
}

impl Run {
    fn play(service: &Service) -> Run {
        let folder = TempDir::new().unwrap();
        let load = "--users 6 --duration 3 --delay-min 1 --delay-max 30 --seed 7";
        let summary = RunOf::fine(&service.url, load).summary;
        std::fs::write(folder.path().join("run.json"), summary.to_string()).unwrap();
        Run { folder, summary }
    }

    fn report(&self, arguments: &[&str]) -> Ended {
        let file = self.folder.path().join("run.json");
        vespeiro(&[&["report", file.to_str().unwrap()], arguments].concat())
    }

    fn points(&self) -> &[Value] {
        self.summary["timeline"]["points"].as_array().unwrap()
    }

    /// In milliseconds since 1970.
    fn started(&self) -> i64 {
        let started = self.summary["run"]["started_at"].as_str().unwrap();
        let started: jiff::Timestamp = started.parse().unwrap();
        started.as_millisecond()
    }

    fn sent(&self) -> f64 {
        self.summary["total"]["requests"].as_f64().unwrap()
    }
}

#[test]
fn a_run_that_has_ended_is_written_with_its_own_time() {
    let service = Service::start();
    let run = Run::play(&service);
    // The first post is asked for again.
    let receiver = Receiver::start(1);
    let url = receiver.url.clone();
    run.report(&["--remote-write", &url, "--push-headers=X-Scope-OrgID=team"])
        .fine();
    let posts = receiver.posts();
    assert!(posts.iter().all(|post| post.path == "/api/v1/write"));
    assert!(posts.iter().all(|p| p.headers["x-scope-orgid"] == "team"));

    let mut requests: BTreeMap<i64, f64> = BTreeMap::new();
    let mut timed: BTreeMap<i64, f64> = BTreeMap::new();
    let mut routes: BTreeMap<(String, String), f64> = BTreeMap::new();
    for (labels, samples) in written(&posts) {
        let in_order = samples.is_sorted_by(|a, b| a.timestamp < b.timestamp);
        assert!(in_order, "{labels:?}");
        let (end, before) = samples.split_last().unwrap();
        assert_eq!(end.value.to_bits(), STALE, "{labels:?}");
        let sum = match labels["__name__"].as_str() {
            "vespeiro_requests_total" => &mut requests,
            "vespeiro_request_duration_seconds_count" => &mut timed,
            _ => continue,
        };
        for sample in before {
            *sum.entry(sample.timestamp - run.started()).or_default() += sample.value;
        }
        if labels["__name__"] == "vespeiro_requests_total" && labels["route"] != "-" {
            let route = (labels["method"].clone(), labels["route"].clone());
            *routes.entry(route).or_default() += before.last().unwrap().value;
        }
    }

    let mut so_far = 0.0;
    let mut expected = BTreeMap::from([(0, 0.0)]);
    for point in run.points() {
        so_far += point["requests"].as_f64().unwrap();
        expected.insert((point["at"].as_f64().unwrap() * 1e3) as i64, so_far);
    }
    assert!(run.points().len() >= 3 && so_far == run.sent());
    let (&last, _) = expected.last_key_value().unwrap();
    expected.insert(last + 1, so_far);
    assert_eq!(requests, expected);
    assert_eq!(timed, expected);
    let known = run.summary["routes"].as_array().unwrap().iter();
    let word = |route: &Value, key: &str| route[key].as_str().unwrap().to_owned();
    let known: BTreeMap<_, _> = known
        .map(|r| ((word(r, "method"), word(r, "path")), r["requests"].as_f64()))
        .collect();
    let routes: BTreeMap<_, _> = routes.into_iter().map(|(r, n)| (r, Some(n))).collect();
    assert_eq!(routes, known);
}

#[test]
fn a_run_that_has_ended_is_told_by_otlp_with_its_own_time() {
    let service = Service::start();
    let run = Run::play(&service);
    for native in [false, true] {
        let receiver = Receiver::start(0);
        let flag: &[&str] = if native {
            &["--native-histograms"]
        } else {
            &[]
        };
        run.report(&[&["--otlp", &receiver.url.clone()], flag].concat())
            .fine();
        let posts = receiver.posts();
        // The beginning, each point, the routes, the end of all.
        assert_eq!(posts.len(), run.points().len() + 3);
        let mut so_far = 0.0;
        let at = run.points().iter().map(|p| p["at"].as_f64().unwrap());
        let counts = run.points().iter().map(|p| p["requests"].as_f64().unwrap());
        for ((post, at), count) in posts[1..].iter().zip(at).zip(counts) {
            so_far += count;
            let (time, sum) = requests(post);
            assert_eq!(sum, so_far);
            let passed = time as f64 / 1e9 - run.started() as f64 / 1e3;
            assert!((passed - at).abs() < 0.001, "{passed} is not {at}");
        }
        let routes = &posts[posts.len() - 2];
        assert_eq!(requests(routes).1, run.sent());
        let latency = otlp(routes);
        let latency = latency
            .iter()
            .find(|m| m.name == "vespeiro.request_duration");
        let timed: u64 = match latency.unwrap().data.as_ref().unwrap() {
            Data::Histogram(h) if !native => h.data_points.iter().map(|p| p.count).sum(),
            Data::ExponentialHistogram(h) if native => h.data_points.iter().map(|p| p.count).sum(),
            other => panic!("{other:?}"),
        };
        assert_eq!(timed as f64, run.sent());
    }
}

/// When it was, in nanoseconds since 1970, and how many there were.
fn requests(post: &crate::support::Post) -> (u64, f64) {
    let told = otlp(post);
    let requests = told.iter().find(|m| m.name == "vespeiro.requests").unwrap();
    let Some(Data::Sum(sum)) = &requests.data else {
        panic!("{requests:?}");
    };
    let value = |point: &opentelemetry_proto::tonic::metrics::v1::NumberDataPoint| match point.value
    {
        Some(AsDouble(value)) => value,
        ref other => panic!("{other:?}"),
    };
    let sum_of = sum.data_points.iter().map(value).sum();
    (sum.data_points[0].time_unix_nano, sum_of)
}

#[test]
fn a_real_prometheus_takes_a_run_that_has_ended() {
    let Some(prometheus) = Prometheus::start(None) else {
        return;
    };
    let service = Service::start();
    let run = Run::play(&service);
    run.report(&["--remote-write", &prometheus.url]).fine();
    let own = format!(
        "vespeiro_requests_total{{instance={}}}[10m]",
        run.summary["run"]["id"]
    );
    let sum = |of: &str| prometheus.number(&format!("sum({of}({own}))"));
    assert_eq!(sum("last_over_time"), Some(run.sent()));
    // Extrapolated a little: what would be counted twice were twice as much.
    let increase = sum("increase").unwrap() / run.sent();
    assert!((0.9..1.6).contains(&increase), "{increase}");
}

#[test]
fn who_does_not_take_a_run_is_named() {
    let service = Service::start();
    let run = Run::play(&service);
    let ended = run.report(&["--otlp", &service.url]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    for part in ["--otlp", &service.url, "404", "0 of"] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    let ended = run.report(&["--remote-write", "nowhere"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let ended = run.report(&["--otlp", &service.url, "--push-headers=hunter2"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}
