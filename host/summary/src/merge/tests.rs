//! Merging loses nothing: the parts of a run, each with its summary, give back the summary of the whole.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use vespeiro_metrics::testing::{Event, catalog, event};
use vespeiro_metrics::{Interval, Process, Recorder, Snapshot, Totals};
use vespeiro_model::Clock;
use vespeiro_plan::Language;
use vespeiro_plan::testing::plan;

/// The summary of a run in which this came to pass.
fn summary(id: &str, events: &[Event]) -> Summary {
    let mut plan = plan(Language::English);
    plan.run_id = id.into();
    Summary::new(&plan, &snapshot(events))
}

fn snapshot(events: &[Event]) -> Snapshot {
    let mut recorder = Recorder::new(catalog(), 0, Clock::system());
    events.iter().for_each(|event| event.record(&mut recorder));
    let mut totals = Totals::new(catalog(), 2, Process::default(), Clock::system());
    totals.absorb(&mut recorder.take(Interval::new(&catalog())));
    let mut snapshot = totals.snapshot(Duration::from_secs(10), Process::default());
    snapshot.started = std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(1_741_091_600_042);
    snapshot.cpu.cores = 2;
    snapshot
}

/// Without what is that of the parts, and without an order.
fn comparable(mut summary: Summary) -> Summary {
    summary.run = self::summary("same", &[]).run;
    summary.generator.cores = 0;
    summary.slowest.clear();
    summary
        .series
        .sort_by_key(|s| (s.archetype.clone(), s.path.clone(), s.method.clone()));
    summary
        .series
        .iter_mut()
        .for_each(|s| s.results = sorted(s.results.clone()));
    summary.results = sorted(summary.results);
    summary.classes.sort_by_key(|c| c.class);
    summary.not_sent.sort_by_key(|n| n.failure as usize);
    summary.mix.sort_by_key(|m| m.category.clone());
    summary
        .checks
        .sort_by_key(|c| (c.archetype.clone(), c.name.clone()));
    summary
        .observed
        .sort_by_key(|o| (o.archetype.clone(), o.metric.clone()));
    summary
        .abandoned
        .sort_by_key(|a| (a.archetype.clone(), a.reason.clone(), a.place.clone()));
    summary
        .transactions
        .sort_by_key(|t| (t.archetype.clone(), t.name.clone()));
    for observed in &mut summary.observed {
        // Sums of floating point numbers depend on their order.
        observed.sum = observed.sum.round();
        observed.mean = observed.mean.round();
    }
    summary
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_parts_give_back_the_whole(
        events in prop::collection::vec(event(), 0..200),
        cuts in (0..200usize, 0..200usize),
    ) {
        let (a, b) = (cuts.0.min(events.len()), cuts.1.min(events.len()));
        let (a, b) = (a.min(b), a.max(b));
        let parts = [
            summary("a", &events[..a]),
            summary("b", &events[a..b]),
            summary("c", &events[b..]),
        ];
        let merged = merge(&parts).unwrap().unwrap();
        prop_assert_eq!(merged.run.users, 300);
        prop_assert_eq!(merged.run.elapsed_seconds, 10.0);
        let whole = summary("whole", &events);
        prop_assert_eq!(comparable(merged), comparable(whole));
    }
}

#[test]
fn time_is_counted_once() {
    assert_eq!(played(&[(0.0, 10.0), (5.0, 12.0), (1.0, 2.0)]), 12.0);
    assert_eq!(played(&[(100.0, 110.0), (0.0, 10.0)]), 20.0);
}

#[test]
fn the_same_run_twice_is_refused() {
    let one = summary("a", &[]);
    let error = merge(&[one.clone(), one]).unwrap_err();
    assert!(matches!(error, MergeError::Twice(_)), "{error}");
    assert!(merge(&[]).unwrap().is_none());
}

#[test]
fn figures_without_their_histogram_are_refused() {
    let recorded = Event::Request(0, 0, 0, vespeiro_model::Outcome::Status(200), false, 5);
    let mut one = summary("a", std::slice::from_ref(&recorded));
    let other = summary("b", &[recorded]);
    one.series[0].latency.histogram = None;
    let error = merge(&[one, other]).unwrap_err().to_string();
    assert!(
        error.contains("histogram") && !error.contains('\n'),
        "{error}"
    );
}

#[test]
fn figures_in_several_units_are_refused() {
    let recorded = Event::Request(0, 0, 0, vespeiro_model::Outcome::Status(200), false, 5);
    let mut one = summary("a\n", std::slice::from_ref(&recorded));
    let other = summary("b", &[recorded]);
    one.series[0].latency.tick = 1e-9;
    let error = merge(&[one, other]).unwrap_err();
    assert!(matches!(error, MergeError::Unfit { .. }), "{error}");
    assert!(!error.to_string().contains('\n'));
}

#[test]
fn observed_values_whose_bounds_are_the_wrong_way_round_are_refused() {
    let mut one = summary("a", &[]);
    one.observed.push(crate::json::Observed {
        archetype: "mine".into(),
        metric: "people".into(),
        count: 1,
        sum: 1.0,
        min: 50.0,
        max: 10.0,
        mean: 1.0,
        p50: 1.0,
        p90: 1.0,
        p95: 1.0,
        p99: 1.0,
        cells: vec![(0, 1)],
    });
    let error = merge(&[one, summary("b", &[])]).unwrap_err();
    assert!(matches!(error, MergeError::Unfit { .. }), "{error}");
}

#[test]
fn a_run_begins_at_a_millisecond_and_an_older_file_at_a_second() {
    let at = |id: &str, started: &str| {
        let mut summary = summary(id, &[]);
        summary.run.started_at = started.into();
        summary
    };
    assert_eq!(summary("a", &[]).run.started_at, "2025-03-04T12:33:20.042Z");
    // As text, the older one would come last.
    let parts = [
        at("new", "2025-03-04T12:33:20.250Z"),
        at("old", "2025-03-04T12:33:20Z"),
    ];
    let merged = merge(&parts).unwrap().unwrap();
    assert_eq!(merged.run.started_at, "2025-03-04T12:33:20Z");
    assert_eq!(merged.run.elapsed_seconds, 10.25);
}

/// Conditions of every kind that files of runs can tell of.
const CONDITIONS: [&str; 18] = [
    "requests>3",
    "errors{archetype=admin}<2",
    "requests{status=5xx}<1",
    "error_rate{method=GET}<20%",
    "failure_rate<50%",
    "p95<300ms",
    "p50{outcome=failure}<1s",
    "max{archetype!=admin}<2s",
    "mean{phase=waiting}<1s",
    "p99{category=user-query}<1s",
    "not_sent{archetype=admin}<1",
    "checks>90%",
    "rate>1/s",
    "completed_sessions>50%",
    "p95{transaction=\"transaction 1\"}<1s",
    "max{transaction=*,archetype=admin,pauses=with,outcome=failure}<1s",
    "transactions{transaction!=redirects*}>3",
    "failed_transactions<50%",
];

fn report(condition: &str, achieved: Option<f64>) -> ThresholdReport {
    let threshold: vespeiro_plan::Threshold = condition.parse().unwrap();
    ThresholdReport {
        condition: threshold.to_string(),
        metric: threshold.condition.metric.as_str().into(),
        unit: crate::thresholds::Unit::Count,
        bound: threshold.condition.bound.value(),
        achieved,
        state: ThresholdState::Crossed,
        strict: false,
    }
}

/// One of `shards` shards of a run, with these conditions.
fn shard(index: usize, shards: usize, events: &[Event], conditions: &[&str]) -> Summary {
    let mut summary = summary("same", events);
    summary.run.shard = Some(crate::json::Shard { index, shards });
    summary.thresholds = conditions
        .iter()
        .map(|text| report(text, Some(1.0)))
        .collect();
    summary
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn thresholds_of_shards_are_those_of_the_whole(
        events in prop::collection::vec(event(), 0..200), cut in 0..200usize,
    ) {
        let cut = cut.min(events.len());
        let parts = [
            shard(1, 2, &events[cut..], &CONDITIONS),
            shard(0, 2, &events[..cut], &CONDITIONS),
        ];
        let merged = merge(&parts).unwrap().unwrap();
        let whole = snapshot(&events);
        for (text, report) in CONDITIONS.iter().zip(&merged.thresholds) {
            let condition = text.parse::<vespeiro_plan::Threshold>().unwrap().condition;
            let figures = vespeiro_metrics::Aggregate::of(&whole, &condition.selector);
            let value = figures.value(condition.metric);
            prop_assert_eq!(report.achieved, value, "{}", text);
            let state = match value {
                None => ThresholdState::NoData,
                Some(value) if condition.holds(value) => ThresholdState::Ok,
                Some(_) => ThresholdState::Crossed,
            };
            prop_assert_eq!(report.state, state, "{}", text);
        }
    }
}

#[test]
fn what_the_files_do_not_tell_is_added_up_or_the_worst() {
    let conditions = [
        "requests{stage=2,archetype=admin}>3",
        "p95{stage=2,archetype=admin}<1s",
    ];
    let mut parts = [shard(0, 2, &[], &conditions), shard(1, 2, &[], &conditions)];
    for (part, (count, state)) in parts
        .iter_mut()
        .zip([(2.0, ThresholdState::Ok), (2.5, ThresholdState::Crossed)])
    {
        part.thresholds[0].achieved = Some(count);
        part.thresholds[1].achieved = Some(count);
        part.thresholds[1].state = state;
    }
    let merged = merge(&parts).unwrap().unwrap();
    assert_eq!(merged.thresholds[0].achieved, Some(4.5));
    assert_eq!(merged.thresholds[0].state, ThresholdState::Ok);
    assert_eq!(merged.thresholds[1].achieved, Some(2.5));
    assert_eq!(merged.thresholds[1].state, ThresholdState::Crossed);
}

#[test]
fn shards_are_a_run_together_and_nothing_else_is() {
    let all = |shards: usize| {
        (0..shards)
            .map(|index| shard(index, shards, &[], &["requests>1"]))
            .collect::<Vec<_>>()
    };
    let merged = merge(&all(3)).unwrap().unwrap();
    assert_eq!(
        (merged.run.id.as_str(), merged.run.users, merged.run.shard),
        ("same", 300, None)
    );
    assert_eq!(merged.run.parts.len(), 3);
    let refused = |parts: &[Summary]| merge(parts).unwrap_err().to_string();
    let lacking = |parts: Vec<Summary>, what: &str| {
        let told = refused(&parts);
        assert!(told.contains(what), "{told}");
        assert!(merge_any(&parts).is_ok());
    };
    lacking(all(4).split_off(2), "shards 0, 1 of the 4");
    lacking(all(3)[..1].to_vec(), "shards 1, 2 of the 3");
    lacking(all(30)[..5].to_vec(), "13, 14, …");
    assert!(refused(&[all(2), all(2)].concat()).contains("shard 0 of run same is given twice"));
    let odd = |change: fn(&mut Summary)| {
        let mut parts = all(2);
        change(&mut parts[1]);
        refused(&parts)
    };
    for told in [
        odd(|part| part.run.shard = None),
        odd(|part| part.run.id = "other".into()),
        odd(|part| part.run.seed = 1),
        odd(|part| {
            part.run.shard = Some(crate::json::Shard {
                index: 1,
                shards: 3,
            })
        }),
        odd(|part| part.thresholds.clear()),
        odd(|part| part.run.target = "http://elsewhere".into()),
    ] {
        assert!(told.contains("no other shard"), "{told}");
    }
}

#[test]
fn a_window_is_judged_by_the_merged_seconds() {
    let point = |at: usize, errors: u64| crate::json::Point {
        at: at as f64,
        over: 1.0,
        requests: 10,
        sent: 10,
        errors,
        ..Default::default()
    };
    let part = |index: usize, errors: [u64; 6]| {
        let mut part = shard(index, 2, &[], &["errors<9:2s", "error_rate<30%:2s"]);
        let points = errors
            .iter()
            .enumerate()
            .map(|(at, errors)| point(at + 1, *errors));
        part.timeline = Some(crate::json::Timeline {
            points: points.collect(),
            ..Default::default()
        });
        part
    };
    // Neither crosses by itself, and together they do in seconds 3 and 4.
    let parts = [part(0, [0, 0, 3, 3, 0, 0]), part(1, [0, 0, 2, 2, 0, 0])];
    let merged = merge(&parts).unwrap().unwrap();
    let [errors, share] = &merged.thresholds[..] else {
        panic!("{:?}", merged.thresholds)
    };
    assert_eq!(
        (errors.achieved, errors.state),
        (Some(10.0), ThresholdState::Crossed)
    );
    assert_eq!(
        (share.achieved, share.state),
        (Some(0.25), ThresholdState::Ok)
    );
}
