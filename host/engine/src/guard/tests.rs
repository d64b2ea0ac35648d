//! The guard against a made-up run: a second at a time, each with requests of its own kind.

use super::*;
use vespeiro_metrics::testing::{catalog, role, sample};
use vespeiro_metrics::{Interval, Process, Recorder, RequestSample, Totals};
use vespeiro_model::{Clock, Outcome};
use vespeiro_plan::{Degradation, GuardSettings as Guarded};

struct Played {
    recorder: Recorder,
    totals: Totals,
    guard: Guard,
    second: u64,
}

impl Played {
    fn new(guard: Guarded, ramp_up: u64) -> Played {
        Played {
            recorder: Recorder::new(catalog(), 0, Clock::system()),
            totals: Totals::new(catalog(), 1, Process::default(), Clock::system()),
            guard: Guard::new(&guard, Duration::from_secs(ramp_up)),
            second: 0,
        }
    }

    /// Seconds of 100 requests each; the number of the second that stops the run.
    fn seconds(&mut self, seconds: u64, millis: u64, failing: u32) -> Option<u64> {
        for _ in 0..seconds {
            for n in 0..100 {
                let status = if n < failing { 500 } else { 200 };
                self.recorder.sent(role(0), 0);
                self.recorder.request(&RequestSample {
                    outcome: Outcome::Status(status),
                    latency: Duration::from_millis(millis),
                    ..sample(0, 0)
                });
            }
            self.totals
                .absorb(&mut self.recorder.take(Interval::new(&catalog())));
            self.second += 1;
            let snapshot = self.snapshot();
            if self.guard.evaluate(&snapshot, true).is_some() {
                let again = self.guard.evaluate(&snapshot, true);
                assert!(again.is_none(), "it stops the run once");
                return Some(self.second);
            }
        }
        None
    }

    fn snapshot(&mut self) -> Snapshot {
        self.totals
            .snapshot(Duration::from_secs(self.second), Process::default())
    }

    fn close(&mut self) -> Vec<(ThresholdState, Option<f64>)> {
        let mut snapshot = self.snapshot();
        self.guard.close(&mut snapshot);
        let verdicts = snapshot.guard.thresholds.iter();
        verdicts.map(|v| (v.state, v.achieved)).collect()
    }
}

fn abort_on(text: &str) -> Guarded {
    Guarded {
        abort_on: vespeiro_plan::testing::conditions(text).unwrap(),
        ..Guarded::default()
    }
}

fn thresholds(text: &str) -> Guarded {
    Guarded {
        thresholds: vespeiro_plan::testing::thresholds(text).unwrap(),
        ..Guarded::default()
    }
}

#[test]
fn a_window_has_to_be_full_and_to_be_bad_as_a_whole() {
    let mut run = Played::new(abort_on("error_rate>50%:5s"), 0);
    assert_eq!(run.seconds(4, 10, 100), None, "not full");
    assert_eq!(run.seconds(1, 10, 100), Some(5));
    let mut run = Played::new(abort_on("error_rate>50%:4s"), 0);
    assert_eq!(run.seconds(20, 10, 40), None, "not over the bound");
    assert_eq!(
        run.seconds(20, 10, 100),
        Some(21),
        "40, 40, 40 and 100 of 400"
    );
    let mut run = Played::new(abort_on("p99>5s:2s; error_rate>1%:3s"), 0);
    assert_eq!(run.seconds(10, 4_000, 0), None);
    assert_eq!(run.seconds(10, 6_000, 0), Some(11));
    let alarm = run.guard.state.abort.clone().unwrap();
    assert_eq!(
        alarm.to_string(),
        "abort_on p99>5s:2s: p99 was 6000.0ms",
        "no more than the largest"
    );
}

#[test]
fn nothing_at_all_is_no_reason_to_stop() {
    let mut run = Played::new(abort_on("error_rate>=0%:2s"), 0);
    for _ in 0..10 {
        run.second += 1;
        let snapshot = run.snapshot();
        assert!(run.guard.evaluate(&snapshot, true).is_none());
    }
    assert_eq!(run.seconds(1, 10, 0), Some(11));
}

#[test]
fn arrivals_that_are_dropped_can_stop_the_run() {
    let mut run = Played::new(abort_on("dropped>=30:2s"), 0);
    for dropped in [10, 10, 20, 0] {
        run.recorder.dropped(dropped);
        let stopped = run.seconds(1, 10, 0);
        assert_eq!(stopped.is_some(), dropped == 20, "{stopped:?}");
        if stopped.is_some() {
            break;
        }
    }
    let mut run = Played::new(thresholds("dropped<1"), 0);
    run.seconds(2, 10, 0);
    assert_eq!(run.close(), [(ThresholdState::Ok, Some(0.0))]);
    run.recorder.dropped(3);
    run.seconds(1, 10, 0);
    assert_eq!(run.close(), [(ThresholdState::Crossed, Some(3.0))]);
}

#[test]
fn a_threshold_without_a_window_is_judged_by_the_whole_run() {
    let mut run = Played::new(thresholds("p95<500ms; error_rate<5%; checks>99%"), 0);
    assert_eq!(run.seconds(5, 900, 100), None);
    let crossed = run.guard.state.thresholds.iter().map(|v| v.state);
    assert_eq!(
        crossed.collect::<Vec<_>>(),
        [
            ThresholdState::Crossed,
            ThresholdState::Crossed,
            ThresholdState::NoData
        ]
    );
    assert_eq!(run.seconds(195, 10, 0), None);
    let closed = run.close();
    assert_eq!(closed[0].0, ThresholdState::Ok);
    assert_eq!(closed[1], (ThresholdState::Ok, Some(0.025)));
    assert_eq!(closed[2], (ThresholdState::NoData, None));
}

#[test]
fn a_threshold_with_a_window_has_to_hold_in_each_of_them() {
    let mut run = Played::new(thresholds("error_rate<50%:5s; rate>=100/s:5s"), 0);
    run.seconds(10, 10, 0);
    run.seconds(5, 10, 80);
    run.seconds(60, 10, 0);
    assert_eq!(
        run.close(),
        [
            (ThresholdState::Crossed, Some(0.8)),
            (ThresholdState::Ok, Some(100.0))
        ]
    );
    let mut short = Played::new(thresholds("error_rate<50%:5s"), 0);
    short.seconds(2, 10, 80);
    assert_eq!(short.close(), [(ThresholdState::Crossed, Some(0.8))]);
}

#[test]
fn a_threshold_may_stop_the_run_but_not_at_its_first_answers() {
    let mut run = Played::new(thresholds("p95<500ms abort; errors<9 abort"), 0);
    assert_eq!(run.seconds(9, 900, 0), None);
    assert_eq!(run.seconds(9, 900, 0), Some(10));
    assert_eq!(
        run.guard.state.abort.as_ref().unwrap().reason,
        AbortReason::Threshold
    );
}

#[test]
fn a_target_that_gets_much_worse_stops_the_run() {
    let guard = |factor| Guarded {
        degradation: Some(Degradation {
            factor,
            baseline: Duration::from_secs(20),
        }),
        ..Guarded::default()
    };
    let mut run = Played::new(guard(10.0), 10);
    assert_eq!(
        run.seconds(10, 3_000, 90),
        None,
        "the ramp-up does not count"
    );
    assert_eq!(run.seconds(25, 150, 0), None);
    assert_eq!(run.seconds(30, 1_400, 0), None, "not ten times as slow");
    let stopped = run.seconds(30, 1_600, 0).unwrap();
    assert!((66..=76).contains(&stopped), "{stopped}");
    let alarm = run.guard.state.abort.clone().unwrap().to_string();
    assert!(
        alarm.starts_with("degradation, p95>1500.2ms:10s: p95 was 160")
            && alarm.ends_with("150.0ms at the beginning"),
        "{alarm}"
    );

    let mut run = Played::new(guard(2.0), 0);
    assert_eq!(run.seconds(60, 10, 8), None);
    assert_eq!(run.seconds(30, 400, 15), None, "slower, but quick enough");
    assert!(run.seconds(30, 10, 20).is_some(), "more than 16 %");

    let mut broken = Played::new(guard(10.0), 0);
    assert_eq!(broken.seconds(90, 10, 100), None, "it was never well");
}

#[test]
fn a_condition_that_picks_nobody_is_found_before_the_run() {
    let unmatched = |text: &str| super::unmatched(&thresholds(text), &catalog(), None);
    assert_eq!(
        unmatched("p95{archetype=admin}<1s; checks{archetype=active}>1%"),
        None
    );
    assert_eq!(
        unmatched("p95{route=/api/v1/users/{id},method=GET,category=user-query}<1s"),
        None
    );
    assert_eq!(unmatched("p95{route=/api/*,archetype!=admin}<1s"), None);
    for text in [
        "p95{archetype=admn}<1s",
        "p95{archetype=admin,route=/api/v1/users/{id}}<1s",
        "p95{method=PATCH}<1s",
        "p95{category=other}<1s",
        "checks{archetype=nobody}>1%",
        "p95{route=/apis/*}<1s",
        "p95{archetype!=admin,archetype!=active}<1s",
        "p95{stage=1}<1s",
    ] {
        let line = unmatched(&format!("max<1s; {text}")).unwrap();
        assert!(
            line.contains(&format!("{text:?}")) && !line.contains('\n'),
            "{line}"
        );
    }
}
