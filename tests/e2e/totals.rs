//! Nothing is lost and nothing counted twice: the summary's counts are the service's own, by method, route and status,
//! however the run comes to its end.

use crate::support::{Played, RunOf, Service, eventually};

#[track_caller]
fn assert_equal(service: &Service, played: &Played) {
    let answered = played.answered();
    assert_eq!(answered, service.ledger(1));
    assert_eq!(answered.values().sum::<u64>(), played.sent());
    assert_eq!(played.errors(), 0);
    played.adds_up();
}

#[test]
fn a_run_that_spends_its_budgets_counts_what_the_service_counts() {
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        "--users 30 --min-request-count 5 --max-request-count 80 --delay-min 0 --delay-max 1ms --workers 2",
    );
    assert_equal(&service, &played);
}

#[test]
fn a_run_that_its_duration_ends_counts_what_the_service_counts() {
    let service = Service::with(&["--latency", "10ms"]);
    let played = RunOf::fine(
        &service.url,
        "--users 40 --duration 2 --delay-min 1ms --delay-max 40ms --max-request-count 100000 --workers 2",
    );
    assert!(played.sent() > 100, "{}", played.sent());
    assert_equal(&service, &played);
}

#[test]
fn a_run_that_a_signal_ends_under_load_counts_what_the_service_counts() {
    // Slow enough that most users have a request under way when the signal comes.
    let service = Service::with(&["--latency", "50ms"]);
    let run = RunOf::start(
        &service.url,
        "--users 60 --delay-min 0 --delay-max 0 --min-request-count 100000 --max-request-count 100000 --workers 2",
    );
    eventually("load", || (service.answered() > 300).then_some(()));
    run.process.signal("TERM");
    let mut played = run.played();
    played.ended = played.ended.fine();
    assert_equal(&service, &played);
}
