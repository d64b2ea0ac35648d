//! Journeys that are written as data: they play against the real service, a saved file is swapped in, and a mistake is told
//! with its line.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::{Moody, RunOf, Running, Service, eventually, post, vespeiro};

/// What `vespeiro new --lang toml` writes.
fn project(folder: &TempDir) -> PathBuf {
    let journey = folder.path().join("shop/journey.toml");
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_vespeiro"))
        .args(["new", "shop", "--lang", "toml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(program.status.success(), "{program:?}");
    assert!(journey.is_file());
    journey
}

#[test]
fn the_written_journey_plays_and_its_counts_are_the_services_own() {
    let folder = TempDir::new().unwrap();
    let journey = project(&folder);
    let journey = journey.to_str().unwrap();
    let checked = vespeiro(&["check", journey]).fine();
    assert!(checked.stdout.contains("POST /api/v1/auth/login (auth)"));
    let service = Service::start();
    let load = "--users 4 --requests 200 --delay-min 1ms --delay-max 3ms --seed 3";
    let mut played =
        RunOf::start(&service.url, &format!("--archetype shop={journey} {load}")).played();
    played.ended = played.ended.fine();
    assert_eq!((played.sent(), played.errors()), (200, 0));
    assert_eq!(played.answered(), service.ledger(1));
    let (passed, failed) = played.check("somebody is there");
    assert!(passed > 20 && failed == 0, "{passed} {failed}");
    assert!(played.sessions("shop", "completed") > 10);
    assert_eq!(played.archetype("shop")["behavior"], "shop");
}

#[test]
fn a_status_that_is_expected_is_a_success_in_figures_and_conditions_and_for_the_breaker() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("looks.toml");
    // More than the breaker lets be.
    let target = Moody::start(|n| (if n.is_multiple_of(3) { 200 } else { 503 }, None));
    let played = |expect: &str, load: &str| {
        let text = format!("name = 'looks'\n[[step]]\nget = '/things'\nexpect = {expect}\n");
        fs::write(&path, text).unwrap();
        // The look before the run is no request of it.
        let before = target.seen().len() + 1;
        let run = RunOf::start(
            &target.url,
            &format!(
                "--archetype looks={} --users 8 {load} --delay-min 1ms --delay-max 2ms \
                 --threshold error_rate<1% --threshold requests{{status=503}}>50",
                path.display()
            ),
        );
        let played = run.played();
        let given = target.seen().split_off(before);
        let failed = given.iter().filter(|(_, status)| *status == 503).count();
        (played, given.len(), failed)
    };
    let (expected, given, failed) = played("[200, 503]", "--requests 400");
    assert_eq!(expected.ended.code, Some(0), "{}", expected.ended.stderr);
    assert_eq!((expected.sent(), expected.errors()), (400, 0));
    assert_eq!(given, 400);
    assert_eq!(expected.summary["total"]["success_share"], 1.0);
    let results = expected.summary["results"].as_array().unwrap();
    let accepted = results.iter().find(|result| result["status"] == 503);
    let accepted = accepted.unwrap();
    assert_eq!(accepted["accepted"], true);
    assert_eq!(accepted["expected"], false);
    assert_eq!(accepted["count"], failed);
    assert_eq!(expected.summary["not_sent"].as_array().unwrap().len(), 0);
    assert_eq!(expected.sessions("looks", "completed"), 400);

    let (wrong, _, failed) = played("200", "--duration 2s --breaker-cool-down 400ms");
    assert_eq!(wrong.ended.code, Some(99), "{}", wrong.ended.stderr);
    assert_eq!(wrong.errors(), failed as u64);
    let unsent = wrong.summary["not_sent"].as_array().unwrap();
    let opened = unsent.iter().any(|kind| kind["failure"] == "circuit-open");
    assert!(opened, "{unsent:?}");
}

#[test]
fn a_saved_file_is_swapped_in_and_a_broken_one_is_told_and_left() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mine.toml");
    let write = |text: &str| {
        // As an editor does it: aside, then in place.
        let aside = folder.path().join("draft");
        fs::write(&aside, text).unwrap();
        fs::rename(&aside, &path).unwrap();
    };
    write("name = 'one'\n[[step]]\nget = '/health'\n");
    let service = Service::start();
    // A swap is rehearsed at low priority, which a busy machine may keep from its turn within a call.
    let people =
        "--users 4 --profile constant-users --delay-min 1ms --delay-max 5ms --guest-timeout 10s";
    let mine = path.to_str().unwrap();
    let run = RunOf::start(
        &service.url,
        &format!("--archetype mine={mine} --control 127.0.0.1:0 {people}"),
    );
    let authority = run.authority("control: ");
    let plays = |name: &str| {
        let status = crate::support::get(&authority, "/status").ok()?;
        status.contains(&format!("\"{name}\"")).then_some(())
    };
    eventually("the first one", || plays("one"));
    write("name = 'broken'\n[[step]]\nget = '/${nothing}'\n");
    eventually("the mistake", || {
        run.process
            .stderr()
            .contains("line 3: `nothing` names nothing")
            .then_some(())
    });
    // scripts/minute times it.
    write("name = 'two'\n[[step]]\nget = '/health?again'\n");
    eventually("the second one", || plays("two"));
    assert_eq!(post(&authority, "/stop", b"").status, 200);
    let mut played = run.played();
    played.ended = played.ended.fine();
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn a_mistake_is_told_with_file_line_and_way_out() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bad.toml");
    fs::write(&path, "[[step]]\nget = '/${a}'\n[[step]]\nget = 'b'\n").unwrap();
    let archetype = format!("mine={}", path.display());
    let ended = Running::start(&["run", "--archetype", &archetype])
        .ended()
        .orderly();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.stderr);
    for (line, part) in lines.iter().zip([
        "line 2: `a` names nothing",
        "line 4: a path begins with a slash",
    ]) {
        assert!(
            line.starts_with("error: behavior ") && line.contains(part),
            "{line}"
        );
    }
    let gone = vespeiro(&["run", "--archetype", "mine=nowhere.toml"]);
    assert_eq!(gone.code, Some(2), "{gone:?}");
}
