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

/// A tenth of the older value is too little to matter.
const TENTH: f64 = 0.1;

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

fn verdict(comparison: &Comparison, kind: Figure) -> Verdict {
    let total = |row: &&Row| row.group == Scope::Total && row.kind == kind;
    comparison.rows.iter().find(total).unwrap().verdict
}

/// Of runs of the same load, each against each other: how many comparisons there are, and how many see a change.
fn alarms(runs: &[Summary]) -> (usize, usize) {
    let pairs = runs.iter().flat_map(|a| runs.iter().map(move |b| (a, b)));
    let compared = pairs
        .filter(|(a, b)| !std::ptr::eq(*a, *b))
        .map(|(before, now)| compare(before, now, TENTH).unwrap());
    let quiet = |one: &Comparison| one.rows.iter().all(|row| !row.verdict.is_change());
    let quiet: Vec<bool> = compared.map(|one| quiet(&one)).collect();
    (quiet.len(), quiet.iter().filter(|quiet| !**quiet).count())
}

/// Not one of all its figures, or people would stop to look.
#[test]
fn the_same_load_again_has_not_changed() {
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
    let compared = compare(
        &lasting(6, 1, moody, 0.0),
        &lasting(6, 2, slower, 0.2),
        TENTH,
    )
    .unwrap();
    for kind in [Figure::P50, Figure::P95, Figure::Errors] {
        assert_eq!(verdict(&compared, kind), Verdict::Worse, "{kind:?}");
    }
}

#[test]
fn another_load_is_seen() {
    let compared = compare(&run(1, |_| 1.0, 0.01), &run(2, |_| 1.25, 0.03), TENTH).unwrap();
    for quantile in [Figure::P50, Figure::P95, Figure::P99] {
        assert_eq!(verdict(&compared, quantile), Verdict::Worse, "{quantile:?}");
    }
    assert_eq!(verdict(&compared, Figure::Errors), Verdict::Worse);
    assert!(!verdict(&compared, Figure::Rate).is_change());
    assert!(compared.is_worse());

    let back = compare(&run(2, |_| 1.25, 0.03), &run(1, |_| 1.0, 0.01), TENTH).unwrap();
    assert_eq!(verdict(&back, Figure::P95), Verdict::Better);
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
            let compared = compare(before, now, TENTH).unwrap();
            usize::from(verdict(&compared, Figure::P50).is_change())
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
    let compared = compare(&run(1, moody, 0.0), &run(2, slower, 0.0), TENTH).unwrap();
    for quantile in [Figure::P50, Figure::P95, Figure::P99] {
        assert_eq!(verdict(&compared, quantile), Verdict::Worse, "{quantile:?}");
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
    let compared = compare(&few(10), &few(1_000), TENTH).unwrap();
    assert!(
        compared.rows.iter().all(|row| !row.verdict.is_change()),
        "{compared:?}"
    );
}

/// Pairs of runs of so many seconds, of which the later is slower.
fn compared(
    seconds: u64,
    slow: impl Fn(&mut StdRng) -> f64 + Copy,
    slower: f64,
) -> Vec<Comparison> {
    let pair = |seed| {
        let before = lasting(seconds, seed, slow, 0.02);
        let now = lasting(seconds, seed + 100, |dice| slow(dice) * slower, 0.02);
        compare(&before, &now, TENTH).unwrap()
    };
    (40..45).map(pair).collect()
}

#[test]
fn runs_that_are_long_enough_tell_that_nothing_has_changed() {
    for pair in compared(100, |_| 1.0, 1.0) {
        for kind in [Figure::Rate, Figure::P50, Figure::P95, Figure::Errors] {
            let Verdict::Same { within } = verdict(&pair, kind) else {
                panic!("{kind:?}: {pair:?}");
            };
            assert!((0.0..=TENTH).contains(&within), "{kind:?}: {within}");
        }
    }
    for pair in compared(20, |_| 1.0, 2.0) {
        assert_eq!(verdict(&pair, Figure::P50), Verdict::Worse);
    }
}

/// Of runs that are too short nothing is called the same, however alike they are; and runs that are longer by what was
/// asked for do tell, mostly: it is an estimate.
#[test]
fn runs_that_are_too_short_say_how_much_longer_they_should_be() {
    let moody = |dice: &mut StdRng| 1.0 + dice.random::<f64>() / 4.0;
    for slower in [1.0, 1.15] {
        let mut asked = Vec::new();
        for pair in compared(4, moody, slower) {
            match verdict(&pair, Figure::P50) {
                Verdict::CannotTell { more_seconds } => asked.push(more_seconds.unwrap()),
                Verdict::Worse if slower > 1.0 => {}
                other => panic!("{slower}: {other:?}"),
            }
        }
        assert!(asked.len() >= 3, "{slower}: {asked:?}");
        let most = asked.iter().copied().fold(0.0, f64::max);
        assert!((4.0..400.0).contains(&most), "{slower}: {asked:?}");
        let longer = compared(4 + most as u64, moody, slower);
        let verdicts: Vec<_> = longer.iter().map(|p| verdict(p, Figure::P50)).collect();
        let untold = |verdict: &&Verdict| matches!(verdict, Verdict::CannotTell { .. });
        assert!(
            verdicts.iter().filter(untold).count() <= 1,
            "{slower}: {most}: {verdicts:?}"
        );
    }
}
