//! Runs in paused time: each second of a run against the schedule of its load, to the request.

use tokio::runtime::{Builder, LocalOptions};

use super::*;
use crate::worker::thread::work;
use vespeiro_model::ThresholdState;

/// What was counted up to the end of a second.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    sent: u64,
    answered: u64,
    in_flight: u64,
    is_complete: bool,
}

/// Play a run by a clock that goes on when nobody has anything to do. Tells its seconds, how it ended, and what was sent as far as
/// could be seen before the first second was over.
fn played(
    latency: Duration,
    settings: &[(&str, &str)],
) -> (Vec<Row>, RunEnd, Vec<(Duration, u64)>) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build_local(LocalOptions::default())
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::answering_after(latency).await;
        let own = [
            ("workers", "3"),
            ("max_users", "2000"),
            ("min_request_count", "1000000"),
            ("max_request_count", "1000000"),
            ("breaker", "off"),
            ("max_auth_failures", "1000000"),
            ("delay_min", "0ms"),
            ("delay_max", "0ms"),
        ];
        let plan = plan(folder.path(), &target.url, &[&own, settings].concat());
        let prepared = Prepared::of(plan, &target.url);
        let (stopper, control) = (Stopper::new(), Control::new());
        let mut rows = Vec::new();
        let mut total = [0; 2];
        let mut counted = Duration::ZERO;
        let mut glances = Vec::new();
        let spawn = |init| {
            tokio::task::spawn_local(work(init));
            Ok(None)
        };
        let run = prepared.run(&stopper, &control);
        let ended = execute_on(spawn, run, |snapshot| {
            if let Some(early) = &snapshot.early {
                assert_eq!((snapshot.elapsed, snapshot.sent()), (Duration::ZERO, 0));
                glances.push((early.elapsed, early.sent()));
            }
            if snapshot.elapsed == counted {
                return;
            }
            assert_eq!(snapshot.elapsed, counted + Duration::from_secs(1));
            counted = snapshot.elapsed;
            let now = [snapshot.sent(), snapshot.requests()];
            rows.push(Row {
                sent: now[0] - total[0],
                answered: now[1] - total[1],
                in_flight: snapshot.in_flight(),
                is_complete: snapshot.is_complete,
            });
            total = now;
        });
        let ended = ended.await.unwrap();
        assert_eq!(ended.snapshot.requests(), target.seen());
        (rows, ended, glances)
    })
}

#[test]
fn who_looks_on_sees_the_first_second_before_it_is_over() {
    let settings = [("rate", "200/s"), ("duration", "3s")];
    let (rows, ended, glances) = played(Duration::ZERO, &settings);
    // Looked at twice a second: as far as the workers have handed over.
    assert_eq!(glances[0], (Duration::ZERO, 0));
    let (at, sent) = glances[1];
    assert_eq!(at, Duration::from_millis(500));
    assert!((50..=100).contains(&sent), "{glances:?}");
    assert!(glances.iter().all(|(_, sent)| *sent < 200), "{glances:?}");
    // Which changes nothing of what is counted.
    assert_eq!(rows.iter().map(|row| row.sent).sum::<u64>(), 600);
    assert_eq!(ended.snapshot.sent(), 600);
}

#[test]
fn each_second_of_a_constant_rate_is_the_schedule() {
    let settings = [
        ("rate", "200/s"),
        ("duration", "6s"),
        ("abort_on", "rate<200/s:1s; rate>200/s:1s"),
        ("threshold", "rate>=200/s:1s; rate<=200/s:1s; rate>=200/s"),
    ];
    let (rows, ended, _) = played(Duration::ZERO, &settings);
    let sent: Vec<u64> = rows.iter().map(|row| row.sent).collect();
    assert_eq!(sent, [200; 6]);
    assert!(rows.iter().all(|row| row.is_complete), "{rows:?}");
    assert_eq!(ended.why, EndReason::Duration);
    assert_eq!(ended.snapshot.sent(), 1_200);
    for threshold in &ended.snapshot.guard.thresholds {
        assert_eq!(threshold.state, ThresholdState::Ok, "{threshold:?}");
    }
}

#[test]
fn each_second_of_a_ramp_is_the_schedule() {
    let stages = "4s:100/s; 3s:100/s; 2s:10/s";
    let settings = [
        ("rate", "20/s"),
        ("stage", stages),
        (
            "threshold",
            "rate{stage=2}<=100/s; rate{stage=2}>=100/s; requests{stage=1}<242; requests{stage=1}>238; \
             rate{stage=2}>=100/s:2s; requests{stage=3}<112; requests{stage=3}>108; rate{stage=3}<60/s",
        ),
    ];
    let (rows, ended, _) = played(Duration::ZERO, &settings);
    for threshold in &ended.snapshot.guard.thresholds {
        assert_eq!(threshold.state, ThresholdState::Ok, "{threshold:?}");
    }
    // 20/s and 20/s more in each second of the first four; then 100/s; then 45/s less in each.
    let sent: Vec<u64> = rows.iter().map(|row| row.sent).collect();
    let whole: Vec<u64> = (0..4).map(|second| 30 + 20 * second).collect();
    for (n, (sent, planned)) in sent.iter().zip(&whole).enumerate() {
        // The first of all is due at once, and each second begins where one more is due or is not.
        assert!(
            sent.abs_diff(*planned) <= 1,
            "second {n}: {sent} of {planned}"
        );
    }
    assert_eq!(sent[4..7], [100; 3]);
    assert_eq!(sent.iter().sum::<u64>(), 240 + 300 + 110);
}

#[test]
fn what_was_sent_counts_where_it_was_sent_however_late_its_answer_is() {
    let settings = [
        ("rate", "50/s"),
        ("duration", "5s"),
        ("abort_on", "rate<45/s:1s"),
        ("threshold", "rate>=50/s; throughput<34/s; throughput>33/s"),
    ];
    let (rows, ended, _) = played(Duration::from_millis(2_500), &settings);
    let sent: Vec<u64> = rows.iter().map(|row| row.sent).collect();
    assert_eq!(sent, [50, 50, 50, 50, 50, 0, 0]);
    assert_eq!((rows[0].answered, rows[1].answered), (0, 0), "{rows:?}");
    let (mut sent, mut answered) = (0, 0);
    for row in &rows {
        sent += row.sent;
        answered += row.answered;
        assert_eq!(row.in_flight, sent - answered, "{rows:?}");
    }
    let end = &ended.snapshot;
    assert_eq!((end.sent(), end.requests(), end.in_flight()), (250, 250, 0));
    assert_eq!(end.sending, Duration::from_secs(5));
    assert_eq!(end.mean_rate(), 50.0);
    for threshold in &end.guard.thresholds {
        assert_eq!(threshold.state, ThresholdState::Ok, "{threshold:?}");
    }
}
