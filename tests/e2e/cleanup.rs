//! Nothing stays behind: the real binary against the reference service, ended in every way there is. The service's own
//! gauges say what it holds; they have to be the same before and after.

// Tests measure by the machine's clock.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

#[path = "support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Owned, PATIENCE, embedded, eventually, get, post};
use user_service::Config;

fn metrics(service: SocketAddr) -> String {
    get(&service.to_string(), "/metrics").unwrap()
}

/// What the service holds, by gauge.
fn holds(service: SocketAddr) -> Vec<(String, u64)> {
    let gauges = metrics(service);
    let line = |kind: &str| {
        let gauge = format!("user_service_{kind} ");
        let value = gauges.lines().find_map(|line| line.strip_prefix(&gauge));
        (kind.to_owned(), value.unwrap().trim().parse().unwrap())
    };
    [
        "users",
        "profiles",
        "roles",
        "permissions",
        "role_assignments",
        "sessions",
    ]
    .map(line)
    .to_vec()
}

/// Requests under `/api` that the service has counted.
fn received(service: SocketAddr) -> u64 {
    metrics(service)
        .lines()
        .filter(|line| line.starts_with("user_service_requests_total{"))
        .filter(|line| line.contains("route=\"/api"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}

fn vespeiro() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vespeiro"));
    // Compiled behaviors are shared by the tests; journals go where each test says.
    command
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .env("LANG", "C");
    command
}

/// A run as fast as it can be, which creates things of all kinds.
fn run(service: SocketAddr, journal: &Path) -> Command {
    let mut command = vespeiro();
    command
        .env("VESPEIRO_CLEANUP_RATE", "5000")
        .args(["run", "--no-panel", "--delay-min=0", "--delay-max=0"])
        .args(["--workers=2", "--users=24"])
        .arg(format!("--base-url=http://{service}"))
        .arg(format!("--journal={}", journal.display()));
    command
}

/// A run that has ended and has left all of it, with its journal.
fn run_that_leaves(service: SocketAddr, journal: &Path) -> Output {
    let output = run(service, journal)
        .args(["--min-request-count=20", "--max-request-count=20"])
        .arg("--cleanup=never")
        .output()
        .unwrap();
    succeeded(&output);
    output
}

/// A run that goes on until it is ended.
fn endless(service: SocketAddr, journal: &Path) -> Command {
    let mut command = run(service, journal);
    command.args(["--min-request-count=1000000", "--max-request-count=1000000"]);
    command
}

fn cleanup(journal: &Path) -> Output {
    vespeiro()
        .args(["cleanup", "--cleanup-rate=5000"])
        .arg(journal)
        .output()
        .unwrap()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("run.journal");
    (folder, journal)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeded(output: &Output) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
}

/// Wait until the journal has grown to `bytes`.
fn grown(journal: &Path, bytes: u64, child: &mut Child) {
    let since = Instant::now();
    while std::fs::metadata(journal).map_or(0, |file| file.len()) < bytes {
        assert!(since.elapsed() < PATIENCE, "the journal does not grow");
        assert!(child.try_wait().unwrap().is_none(), "the run has ended");
        std::thread::yield_now();
    }
}

/// Start it, whatever it may say.
fn unheard(command: &mut Command) -> Owned {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    Owned(command.spawn().unwrap())
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Tokens are never written down: a run that is killed, or is not to clean up, takes those of the administrator with it.
/// Nobody can log them out then; they expire.
fn without_sessions(mut holds: Vec<(String, u64)>) -> Vec<(String, u64)> {
    holds.retain(|(kind, _)| kind != "sessions");
    holds
}

#[test]
fn killed_at_any_moment_under_load() {
    // Slow enough that requests are under way at any moment.
    let latency = Some(Duration::from_millis(2));
    let service = embedded(Config {
        latency,
        ..Config::default()
    });
    let before = without_sessions(holds(service));
    // A small generator of its own: the moments are the same each time the test runs.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for round in 0..10 {
        let (_folder, journal) = folder();
        let mut command = endless(service, &journal);
        command.arg(format!("--seed={round}"));
        let mut child = unheard(&mut command);
        grown(&journal, 200 + random(16_000), &mut child);
        // Not right after a line was written, each time.
        std::thread::sleep(Duration::from_micros(random(3_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_ne!(
            without_sessions(holds(service)),
            before,
            "round {round}: nothing was left"
        );
        let output = cleanup(&journal);
        succeeded(&output);
        assert_eq!(
            without_sessions(holds(service)),
            before,
            "round {round}: {}",
            text(&output.stderr)
        );
        assert!(!journal.exists(), "round {round}");
    }
}

#[test]
fn the_sessions_of_a_killed_runs_own_users_end_with_them() {
    let service = embedded(Config::default());
    let before = holds(service);
    let (_folder, journal) = folder();
    let mut command = endless(service, &journal);
    command.args(["--archetype=newcomer", "--archetype=active"]);
    let mut child = unheard(&mut command);
    // They mark nothing but their own accounts, one line each.
    grown(&journal, 500, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    succeeded(&cleanup(&journal));
    assert_eq!(holds(service), before);
}

#[test]
fn a_normal_run_leaves_nothing_and_counts_its_cleanup_apart() {
    let service = embedded(Config::default());
    let before = holds(service);
    let (folder, journal) = folder();
    let summary = folder.path().join("summary.json");
    let output = run(service, &journal)
        .args(["--min-request-count=30", "--max-request-count=60"])
        // A request that is made to time out may never reach the service: this test counts both sides.
        .args(["--mix=off", "--error-mix=off"])
        .arg(format!("--summary-json={}", summary.display()))
        .output()
        .unwrap();
    succeeded(&output);
    assert_eq!(holds(service), before, "{}", text(&output.stderr));
    assert!(!journal.exists());
    let out = text(&output.stdout);
    assert!(out.contains("0 left behind"), "{out}");
    let summary: Value = serde_json::from_slice(&std::fs::read(summary).unwrap()).unwrap();
    let own = &summary["cleanup"];
    assert!(own["removed"].as_u64().unwrap() >= 24 - 3, "{own}");
    assert_eq!(own["left"], 0);
    assert!(own["journal"].is_null());
    let run = summary["total"]["requests"].as_u64().unwrap();
    assert_eq!(
        received(service),
        run + own["requests"].as_u64().unwrap(),
        "each request is the run's or the cleanup's"
    );
}

#[test]
fn a_torn_line_is_skipped_and_a_kept_journal_is_finished_later() {
    let service = embedded(Config::default());
    let before = without_sessions(holds(service));
    let (_folder, journal) = folder();
    let output = run_that_leaves(service, &journal);
    let told = format!("vespeiro cleanup {}", journal.display());
    assert!(text(&output.stderr).contains(&told));
    assert_ne!(without_sessions(holds(service)), before);
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&journal)
        .unwrap();
    file.write_all(b"- user:sim_user").unwrap();
    let output = cleanup(&journal);
    succeeded(&output);
    assert!(text(&output.stderr).contains("torn"));
    assert_eq!(without_sessions(holds(service)), before);
    let again = cleanup(&journal);
    assert_eq!(again.status.code(), Some(2), "there is no journal any more");
    assert_eq!(text(&again.stderr).lines().count(), 1);
    assert!(text(&again.stderr).contains("removes its journal too"));
}

#[test]
fn a_folder_is_cleaned_of_all_shards_of_one_run_and_of_no_other() {
    let service = embedded(Config::default());
    let before = without_sessions(holds(service));
    let (folder, journal) = folder();
    for index in 0..2 {
        let output = run(service, &journal)
            .args([
                "--min-request-count=20",
                "--max-request-count=20",
                "--cleanup=never",
            ])
            .args(["--run-id=shardrun", "--seed=3", "--shard"])
            .arg(format!("{index}/2"))
            .output()
            .unwrap();
        succeeded(&output);
    }
    let other = folder.path().join("other.journal");
    let output = run_that_leaves(service, &other);
    let several = cleanup(folder.path());
    assert_eq!(several.status.code(), Some(2), "{}", text(&several.stderr));
    assert!(
        text(&several.stderr).contains("shardrun"),
        "{}",
        text(&several.stderr)
    );
    assert_ne!(without_sessions(holds(service)), before);
    let one = vespeiro()
        .args(["cleanup", "--cleanup-rate=5000", "--run-id=shardrun"])
        .arg(folder.path())
        .output()
        .unwrap();
    succeeded(&one);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?} after {}", text(&output.stderr));
    // The only run that is left needs no name.
    succeeded(&cleanup(folder.path()));
    assert_eq!(without_sessions(holds(service)), before);
}

#[test]
fn what_cannot_be_removed_is_listed_and_kept() {
    let service = embedded(Config::default());
    let before = holds(service);
    let (_folder, journal) = folder();
    let output = run(service, &journal)
        .args(["--min-request-count=20", "--max-request-count=20"])
        .args(["--archetype=active", "--cleanup=never"])
        .output()
        .unwrap();
    succeeded(&output);
    let refused = vespeiro()
        .arg("cleanup")
        .arg(&journal)
        .env("VESPEIRO_ADMIN_PASSWORD", "wrong")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let listed = text(&refused.stdout);
    assert_eq!(
        listed.matches("left: user:sim_user_").count(),
        24,
        "{listed}"
    );
    assert!(journal.exists());
    succeeded(&cleanup(&journal));
    assert_eq!(holds(service), before);
}

#[test]
fn a_signal_cleans_up_and_a_second_one_keeps_the_journal() {
    let service = embedded(Config::default());
    let before = holds(service);
    for twice in [false, true] {
        let (_folder, journal) = folder();
        let mut command = endless(service, &journal);
        if twice {
            // Slow enough to be still at it when the second signal comes.
            command.arg("--cleanup-rate=1");
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        grown(&journal, 2_000, &mut child);
        signal(&child, "-INT");
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = errors.by_ref().map_while(Result::ok);
        said.find(|line| line.starts_with("cleanup: ")).unwrap();
        if twice {
            signal(&child, "-INT");
        }
        let rest: Vec<String> = said.collect();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{rest:?}");
        assert!(text(&output.stdout).contains("left behind"));
        assert_eq!(journal.exists(), twice, "{rest:?}");
        if twice {
            assert_ne!(holds(service), before);
            succeeded(&cleanup(&journal));
        }
        let after = holds(service);
        if twice {
            // Who is asked to skip the cleanup logs nobody out.
            assert_eq!(without_sessions(after), without_sessions(before.clone()));
        } else {
            assert_eq!(after, before, "{rest:?}");
        }
    }
}

#[test]
fn one_signal_ends_a_cleanup_without_a_run() {
    let service = embedded(Config::default());
    let before = without_sessions(holds(service));
    let (_folder, journal) = folder();
    run_that_leaves(service, &journal);
    let mut child = vespeiro()
        // Slow enough to be still at it when the signal comes.
        .args(["cleanup", "--cleanup-rate=1"])
        .arg(&journal)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = errors.by_ref().map_while(Result::ok);
    let began = said.find(|line| line.contains(" to remove")).unwrap();
    assert!(began.ends_with("; Ctrl-C skips it"), "{began}");
    signal(&child, "-INT");
    let rest: Vec<String> = said.collect();
    assert!(rest.contains(&"cleanup: skipped".to_owned()), "{rest:?}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{rest:?}");
    assert!(text(&output.stdout).contains(" left, "));
    assert!(journal.exists());
    succeeded(&cleanup(&journal));
    assert_eq!(without_sessions(holds(service)), before);
}

/// The same command where no file may grow past `kib`: what goes beyond is told to the program as an error, as on a full disk.
fn on_a_full_disk(inner: &Command, kib: u64) -> Command {
    bounded(inner, &format!("trap '' XFSZ; ulimit -f {kib}"))
}

/// The same command, within a bound that the shell sets.
fn bounded(inner: &Command, bound: &str) -> Command {
    let mut shell = Command::new("bash");
    let script = format!("{bound}; exec \"$@\"");
    shell
        .args(["-c", &script, "bash"])
        .arg(inner.get_program())
        .args(inner.get_args());
    for (name, value) in inner.get_envs() {
        shell.env(name, value.unwrap());
    }
    shell
}

#[test]
fn a_journal_that_cannot_be_written_ends_the_run_with_its_results_and_its_cleanup() {
    let service = embedded(Config::default());
    let before = holds(service);
    let (_folder, journal) = folder();
    let inner = endless(service, &journal);
    let output = on_a_full_disk(&inner, 64).output().unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("can no longer be written"), "{errors}");
    assert!(
        errors.contains("it went on without"),
        "the cleanup says nothing: {errors}"
    );
    let results = text(&output.stdout);
    assert!(results.contains("removed, 0 left behind"), "{results}");
    assert!(!journal.exists(), "{errors}");
    assert_eq!(holds(service), before, "{errors}{results}");

    let nowhere = run(service, Path::new("/dev/null/x.journal"))
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
    assert_eq!(text(&nowhere.stderr).lines().count(), 1);
}

#[test]
fn a_machine_without_free_files_costs_requests_and_neither_results_nor_the_cleanup() {
    let service = embedded(Config {
        latency: Some(Duration::from_millis(20)),
        ..Config::default()
    });
    let before = holds(service);
    let (folder, journal) = folder();
    let (summary, rows) = (
        folder.path().join("summary.json"),
        folder.path().join("rows.csv"),
    );
    let mut inner = endless(service, &journal);
    inner
        .args([
            "--duration=4s",
            "--control=127.0.0.1:0",
            "--mix=off",
            "--error-mix=off",
        ])
        .arg(format!("--summary-json={}", summary.display()))
        .arg(format!("--timeseries={}", rows.display()));
    // Few of its 24 users find a file for their connection, or none does.
    let output = bounded(&inner, "ulimit -n 36").output().unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("the limit is 36 (ulimit -n)"), "{errors}");
    // Each of its two workers says so once.
    let told = errors.matches("this machine is the limit").count();
    assert!((1..=2).contains(&told), "{errors}");
    assert!(!journal.exists(), "{errors}");
    assert_eq!(holds(service), before, "{errors}");
    let summary: Value = serde_json::from_slice(&std::fs::read(summary).unwrap()).unwrap();
    let generator: u64 = summary["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|result| result["failure"] == "generator")
        .map(|result| result["count"].as_u64().unwrap())
        .sum();
    assert!(generator > 0, "{summary}");
    let own = &summary["cleanup"];
    assert_eq!(own["left"], 0, "{own}");
    let total = summary["total"]["requests"].as_u64().unwrap();
    assert_eq!(
        received(service),
        total - generator + own["requests"].as_u64().unwrap(),
        "what had no file was not sent, and all else was answered"
    );
    let rows = std::fs::read_to_string(rows).unwrap();
    assert!(rows.lines().count() >= 4, "{rows}");
}

#[test]
fn a_cleanup_on_a_full_disk_gets_on_and_can_be_repeated() {
    let service = embedded(Config::default());
    let before = without_sessions(holds(service));
    let (_folder, journal) = folder();
    run_that_leaves(service, &journal);
    let users = |holds: Vec<(String, u64)>| holds[0].1;
    let left = users(holds(service));
    // As long as a file may get there: a line may stand twice.
    let mut full = std::fs::read_to_string(&journal).unwrap();
    let first = full.lines().nth(1).unwrap().to_owned() + "\n";
    while full.len() + first.len() <= 128 << 10 {
        full += &first;
    }
    std::fs::write(&journal, &full).unwrap();
    let slow = |rate: u32| {
        let mut inner = vespeiro();
        inner.arg("cleanup").arg(&journal);
        inner.arg(format!("--cleanup-rate={rate}"));
        on_a_full_disk(&inner, 128)
    };
    // Cut short in the middle: what it has removed, it cannot note.
    let mut child = unheard(&mut slow(20));
    let since = Instant::now();
    while users(holds(service)) == left {
        assert!(since.elapsed() < PATIENCE, "it does not get on");
        std::thread::yield_now();
    }
    signal(&child, "-INT");
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(text(&std::fs::read(&journal).unwrap()).starts_with(&full));
    // Done for good: what is gone already is found to be so.
    succeeded(&slow(5000).output().unwrap());
    assert_eq!(without_sessions(holds(service)), before);
    assert!(!journal.exists());
}

#[test]
fn the_demo_says_that_its_service_is_empty_again() {
    let output = vespeiro()
        .args(["demo", "--no-panel", "--users=8", "--duration=2s"])
        .args(["--delay-min=0", "--delay-max=5ms"])
        .output()
        .unwrap();
    succeeded(&output);
    let out = text(&output.stdout);
    assert!(
        out.contains(
            "holds what it held before the run: users 1, profiles 0, roles 1, permissions 3, sessions 0"
        ),
        "{out}"
    );
}

#[test]
fn strangers_are_not_played_against() {
    let (_folder, journal) = folder();
    let output = vespeiro()
        .args(["run", "--base-url=http://192.0.2.1:9501"])
        .arg(format!("--journal={}", journal.display()))
        .output()
        .unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("--allow-host 192.0.2.1"), "{errors}");
    assert!(!journal.exists());
}

#[test]
fn a_session_that_a_swap_ends_at_once_hears_of_the_login_under_way() {
    let service = embedded(Config {
        latency: Some(Duration::from_millis(700)),
        ..Config::default()
    });
    let before = holds(service);
    let (_folder, journal) = folder();
    let child = vespeiro()
        .args(["run", "--no-panel", "--delay-min=0", "--delay-max=0"])
        .args(["--users=8", "--workers=2", "--archetype=admin"])
        .args(["--mix=off", "--error-mix=off", "--control=127.0.0.1:0"])
        .arg(format!("--base-url=http://{service}"))
        .arg(format!("--journal={}", journal.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = Owned(child.unwrap());
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = errors.by_ref().map_while(Result::ok);
    let control = said.find_map(|line| Some(line.strip_prefix("control: http://")?.to_owned()));
    let control: String = control.unwrap();
    eventually("the administrators log in", || {
        let status = get(&control, "/status").ok()?;
        status.contains("\"users\":8,").then_some(())
    });
    let swapped = post(&control, "/swap/admin?builtin=newcomer&mode=now", b"");
    assert_eq!(swapped.status, 200, "{}", swapped.body);
    // Only then are all logins of the old version known to have had their replies.
    eventually("each newcomer's first request is answered", || {
        (received(service) >= 2 * 8).then_some(())
    });
    signal(&child, "-INT");
    let rest: Vec<String> = said.collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:?}");
    assert_eq!(holds(service), before, "{rest:?}");
}
