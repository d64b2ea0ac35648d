//! Tests of comparing: equal runs differ seldom, other ones are seen, and what lies in blocks is weighed as such.

use std::time::{Duration, SystemTime};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;
use crate::sampler::Sampler;
use crate::timeline::TimelineRecorder;
use vespeiro_metrics::testing::{catalog, sample};
use vespeiro_metrics::{Interval, Process, Recorder, RequestSample, Totals};
use vespeiro_model::{Clock, Outcome};
use vespeiro_plan::Language;
use vespeiro_plan::testing::plan;

/// A run of 40 s; `slow` makes the latency of a second longer, `errors` is their share.
fn run(seed: u64, slow: impl Fn(&mut StdRng) -> f64, errors: f64) -> Summary {
    lasting(40, seed, slow, errors)
}

fn lasting(seconds: u64, seed: u64, slow: impl Fn(&mut StdRng) -> f64, errors: f64) -> Summary {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut recorder = Recorder::new(catalog(), 0, Clock::system());
    let mut totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
    let (mut beat, mut recording) = (Sampler::default(), TimelineRecorder::default());
    beat.update(&totals.snapshot(Duration::ZERO, Process::default()));
    for second in 1..=seconds {
        let slow = slow(&mut dice);
        for _ in 0..200 + dice.random_range(0..10) {
            let millis = 10.0 * slow - (1.0 - dice.random::<f64>()).ln() * 5.0 * slow;
            recorder.request(&RequestSample {
                outcome: Outcome::Status(if dice.random::<f64>() < errors {
                    500
                } else {
                    200
                }),
                latency: Duration::from_secs_f64(millis / 1e3),
                ..sample(0, 0)
            });
        }
        totals.absorb(&mut recorder.take(Interval::new(&catalog())));
        let now = totals.snapshot(Duration::from_secs(second), Process::default());
        recording.add(&beat.update(&now).unwrap());
    }
    let mut last = totals.snapshot(Duration::from_secs(seconds), Process::default());
    last.started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_741_091_600);
    let mut summary = Summary::new(&plan(Language::English), &last);
    summary.timeline = Some(recording.finish(&last));
    summary
}

fn verdict(comparison: &Comparison, kind: Figure) -> Change {
    let total = |row: &&Row| row.group == Scope::Total && row.kind == kind;
    comparison.rows.iter().find(total).unwrap().verdict
}

/// Of runs of the same load, each against each other: how many comparisons there are, and how many see a change.
fn alarms(runs: &[Summary]) -> (usize, usize) {
    let pairs = runs.iter().flat_map(|a| runs.iter().map(move |b| (a, b)));
    let compared = pairs
        .filter(|(a, b)| !std::ptr::eq(*a, *b))
        .map(|(before, now)| compare(before, now).unwrap());
    let quiet = |one: &Comparison| one.rows.iter().all(|row| row.verdict == Change::Noise);
    let quiet: Vec<bool> = compared.map(|one| quiet(&one)).collect();
    (quiet.len(), quiet.iter().filter(|quiet| !**quiet).count())
}

/// Not one of all its figures, or people would stop to look.
#[test]
fn the_same_load_again_is_noise() {
    let runs: Vec<Summary> = (0..8).map(|seed| run(seed, |_| 1.0, 0.02)).collect();
    let (all, loud) = alarms(&runs);
    assert!(all == 56 && loud <= 2, "{loud} of {all}");
}

/// A few seconds tell little of how much seconds differ.
#[test]
fn short_runs_are_not_taken_for_more_than_they_are() {
    let moody = |dice: &mut StdRng| 1.0 + dice.random::<f64>();
    for seconds in [2, 3, 6] {
        let runs: Vec<Summary> = (20..32)
            .map(|seed| lasting(seconds, seed, moody, 0.02))
            .collect();
        let (all, loud) = alarms(&runs);
        assert!(loud * 20 <= all, "{seconds} s: {loud} of {all}");
    }
    // But what is beyond doubt is seen.
    let slower = |dice: &mut StdRng| 20.0 + dice.random::<f64>();
    let compared = compare(&lasting(6, 1, moody, 0.0), &lasting(6, 2, slower, 0.2)).unwrap();
    for kind in [
        Figure::Quantile("p50"),
        Figure::Quantile("p95"),
        Figure::Errors,
    ] {
        assert_eq!(verdict(&compared, kind), Change::Worse, "{kind:?}");
    }
}

#[test]
fn another_load_is_seen() {
    let compared = compare(&run(1, |_| 1.0, 0.01), &run(2, |_| 1.25, 0.03)).unwrap();
    for quantile in ["p50", "p95", "p99"] {
        assert_eq!(
            verdict(&compared, Figure::Quantile(quantile)),
            Change::Worse,
            "{quantile}"
        );
    }
    assert_eq!(verdict(&compared, Figure::Errors), Change::Worse);
    assert_eq!(verdict(&compared, Figure::Rate), Change::Noise);
    assert!(compared.is_worse());

    let back = compare(&run(2, |_| 1.25, 0.03), &run(1, |_| 1.0, 0.01)).unwrap();
    assert_eq!(verdict(&back, Figure::Quantile("p95")), Change::Better);
    assert!(!back.is_worse());
}

/// Seconds that are slow or quick as a whole: 8,000 requests say no more than 40 seconds do.
#[test]
fn requests_that_hang_together_are_weaker_evidence() {
    let moody = |dice: &mut StdRng| 1.0 + dice.random::<f64>();
    let runs: Vec<Summary> = (10..16).map(|seed| run(seed, moody, 0.0)).collect();
    let pairs = runs.iter().flat_map(|a| runs.iter().map(move |b| (a, b)));
    let (mut told, mut untold, mut all) = (0, 0, 0);
    for (before, now) in pairs.filter(|(a, b)| !std::ptr::eq(*a, *b)) {
        let changed = |before: &Summary, now: &Summary| {
            let compared = compare(before, now).unwrap();
            usize::from(verdict(&compared, Figure::Quantile("p50")) != Change::Noise)
        };
        all += 1;
        told += changed(before, now);
        let (mut before, mut now) = (before.clone(), now.clone());
        (before.timeline, now.timeline) = (None, None);
        untold += changed(&before, &now);
    }
    assert!(
        told * 10 <= all && untold > told,
        "{told} and {untold} of {all}"
    );
}

/// However moody a run was, it was never that slow.
#[test]
fn a_tail_that_was_never_there_before_is_seen() {
    let moody = |dice: &mut StdRng| 1.0 + dice.random::<f64>();
    let slower = |dice: &mut StdRng| 20.0 + dice.random::<f64>();
    let compared = compare(&run(1, moody, 0.0), &run(2, slower, 0.0)).unwrap();
    for quantile in ["p50", "p95", "p99"] {
        assert_eq!(
            verdict(&compared, Figure::Quantile(quantile)),
            Change::Worse,
            "{quantile}"
        );
    }
}

#[test]
fn a_handful_of_requests_shows_nothing() {
    let few = |latency: u64| {
        let mut recorder = Recorder::new(catalog(), 0, Clock::system());
        for _ in 0..4 {
            let latency = Duration::from_millis(latency);
            recorder.request(&RequestSample {
                latency,
                ..sample(0, 0)
            });
        }
        let mut totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
        totals.absorb(&mut recorder.take(Interval::new(&catalog())));
        let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
        Summary::new(&plan(Language::English), &snapshot)
    };
    let compared = compare(&few(10), &few(1_000)).unwrap();
    assert!(
        compared.rows.iter().all(|row| row.verdict == Change::Noise),
        "{compared:?}"
    );
}
