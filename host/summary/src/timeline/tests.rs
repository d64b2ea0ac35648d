//! Tests of the timeline: nothing is lost when it grows coarse or is merged, and it stays bounded.

use std::time::Duration;

use super::*;
use crate::sampler::Sampler;
use vespeiro_metrics::testing::{catalog, sample, snapshot};
use vespeiro_metrics::{Interval, Process, Recorder, RequestSample, Totals};
use vespeiro_model::{BreakerState, Clock, Outcome};

/// Seconds of as many requests as the number of the second, the first of each an error.
pub(crate) fn played(seconds: u64) -> Timeline {
    let mut recorder = Recorder::new(catalog(), 0, Clock::system());
    let mut totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
    let (mut beat, mut recording) = (Sampler::default(), TimelineRecorder::default());
    assert!(
        beat.update(&totals.snapshot(Duration::ZERO, Process::default()))
            .is_none()
    );
    let mut last = snapshot();
    for second in 1..=seconds {
        for n in 0..second {
            recorder.request(&RequestSample {
                outcome: Outcome::Status(if n == 0 { 500 } else { 200 }),
                latency: Duration::from_millis(10 * second),
                category: (n % 2) as u16,
                ..sample(0, 0)
            });
        }
        totals.absorb(&mut recorder.take(Interval::new(&catalog())));
        last = totals.snapshot(Duration::from_secs(second), Process::default());
        recording.watch(&last);
        recording.add(&beat.update(&last).unwrap());
    }
    recording.finish(&last)
}

fn requests(timeline: &Timeline) -> u64 {
    timeline.points.iter().map(|p| p.requests).sum()
}

#[test]
fn each_point_is_a_second() {
    let timeline = played(3);
    let points = &timeline.points;
    let counts: Vec<_> = points
        .iter()
        .map(|p| (p.at, p.over, p.requests, p.errors))
        .collect();
    assert_eq!(
        counts,
        [(1.0, 1.0, 1, 1), (2.0, 1.0, 2, 1), (3.0, 1.0, 3, 1)]
    );
    assert_eq!(points[2].classes, [0, 0, 2, 0, 0, 1]);
    assert_eq!(points[2].mix, [2, 1, 0]);
    assert_eq!(timeline.categories, ["auth", "user-query", "user-mutation"]);
    let latency = points[2].latency.as_ref().unwrap();
    assert!((latency.p50 - 0.03).abs() < 0.0003, "{latency:?}");
}

#[test]
fn a_long_run_is_coarse_and_whole() {
    let seconds = 1_500;
    let timeline = played(seconds);
    assert_eq!(timeline.points.len(), 375);
    assert!(timeline.points.iter().all(|p| p.over == 4.0));
    assert_eq!(requests(&timeline), seconds * (seconds + 1) / 2);
    assert_eq!(timeline.points[0].requests, 1 + 2 + 3 + 4);
}

#[test]
fn runs_at_the_same_time_add_up() {
    let (long, short) = (played(9), played(4));
    let merged = merge(&[(0.0, &long), (2.0, &short)]).unwrap();
    assert_eq!(merged.points.len(), 9);
    assert_eq!(requests(&merged), requests(&long) + requests(&short));
    assert_eq!(merged.points[2].requests, 3 + 1);
    assert_eq!(merged.points[2].mix[0], 2 + 1);
    let latency = merged.points[2].latency.as_ref().unwrap();
    assert_eq!(latency.max, long.points[2].latency.as_ref().unwrap().max);
    assert_eq!(latency.histogram().unwrap().count(), 4);
}

#[test]
fn a_merged_timeline_stays_bounded_too() {
    let (one, other) = (played(700), played(500));
    let merged = merge(&[(0.0, &one), (650.0, &other)]).unwrap();
    assert!(merged.points.len() <= POINTS);
    assert_eq!(requests(&merged), requests(&one) + requests(&other));
}

#[test]
fn what_happened_is_told_once_and_in_order() {
    let mut recording = TimelineRecorder::default();
    let mut now = snapshot();
    std::sync::Arc::make_mut(&mut now.run).resilience = Default::default();
    now.elapsed = Duration::from_secs(1);
    recording.watch(&now);
    now.desired.paused = true;
    recording.watch(&now);
    recording.watch(&now);
    now.desired.paused = false;
    now.swaps[1][0] = 1;
    recording.watch(&now);
    std::sync::Arc::make_mut(&mut now.run)
        .resilience
        .transitions[BreakerState::Open as usize] = 2;
    now.worker_statuses.0[0].breaker = Some(BreakerState::Open);
    recording.watch(&now);
    now.worker_statuses
        .0
        .iter_mut()
        .for_each(|s| s.breaker = Some(BreakerState::Closed));
    now.stopping = true;
    recording.watch(&now);
    let timeline = recording.finish(&now);
    let kinds: Vec<_> = timeline.events.iter().map(|e| e.kind).collect();
    use vespeiro_model::EventKind::*;
    assert_eq!(
        kinds,
        [
            Paused,
            Swapped,
            Resumed,
            BreakerOpened,
            BreakerClosed,
            Stopping
        ]
    );
    assert_eq!(timeline.events[1].archetype.as_deref(), Some("admin"));
    assert!(timeline.events[1].detail.is_some());
}

#[test]
fn events_are_bounded() {
    let mut recording = TimelineRecorder::default();
    let mut now = snapshot();
    std::sync::Arc::make_mut(&mut now.run).resilience = Default::default();
    for _ in 0..EVENTS {
        for paused in [true, false] {
            now.desired.paused = paused;
            recording.watch(&now);
        }
    }
    let timeline = recording.finish(&now);
    assert_eq!(timeline.events.len(), EVENTS);
    assert_eq!(timeline.events_lost, EVENTS as u64);
}
