//! `--log debug` has a line for every request wherever it goes: a file and a pipe take lines as fast as they come.

use crate::support::{RunOf, Service, example};

#[test]
fn every_request_has_its_line_in_a_file() {
    let service = Service::start();
    let module = example("first");
    let run = RunOf::start(
        &service.url,
        &format!(
            "--archetype mine={} --users 20 --workers 2 --delay-min 0 --delay-max 0 --log debug \
             --min-request-count 1000 --max-request-count 1000 --guest-timeout 10s",
            module.display()
        ),
    );
    let mut played = run.played();
    played.ended = played.ended.fine();
    let said = played.ended.stderr.lines();
    let lines = said.filter(|line| line.contains("DEBUG") && line.contains(" -> "));
    assert_eq!(lines.count() as u64, played.sent());
    assert!(played.sent() >= 20_000);
    assert!(!played.ended.stderr.contains("lines are missing"));
}
