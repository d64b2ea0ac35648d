//! Merging loses nothing: the parts of a run, each with its summary, give back the summary of the whole.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use vespeiro_metrics::testing::{Event, catalog, event};
use vespeiro_metrics::{Interval, Process, Recorder, Totals};
use vespeiro_model::Clock;
use vespeiro_plan::Language;
use vespeiro_plan::testing::plan;

/// The summary of a run in which this came to pass.
fn summary(id: &str, events: &[Event]) -> Summary {
    let mut recorder = Recorder::new(catalog(), 0, Clock::system());
    events.iter().for_each(|event| event.record(&mut recorder));
    let mut totals = Totals::new(catalog(), 2, Process::default(), Clock::system());
    totals.absorb(&mut recorder.take(Interval::new(&catalog())));
    let mut snapshot = totals.snapshot(Duration::from_secs(10), Process::default());
    snapshot.started = std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(1_741_091_600_042);
    snapshot.cpu.cores = 2;
    let mut plan = plan(Language::English);
    plan.run_id = id.into();
    Summary::new(&plan, &snapshot)
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
