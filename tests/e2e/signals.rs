//! Somebody stops the run: it ends in order, with its summary and code 0, whatever its users are doing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Owned, RunOf, Running, Service, eventually, get, in_terminal, terminal};

#[test]
fn an_interrupt_ends_a_run_whose_users_think() {
    let service = Service::start();
    let run = RunOf::start(
        &service.url,
        "--users 20 --delay-min 10m --delay-max 20m --min-request-count 10 --max-request-count 10 --control 127.0.0.1:0",
    );
    // They think before their first request, so that only the run itself can say that they are there.
    let authority = run.authority("control: ");
    eventually("all users", || {
        let status: serde_json::Value =
            serde_json::from_str(&get(&authority, "/status").ok()?).ok()?;
        (status["users"] == 20).then_some(())
    });
    let asked = Instant::now();
    run.process.signal("INT");
    let mut played = run.played();
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "it waited for its thinkers"
    );
    played.ended = played.ended.fine();
    assert!(
        played.ended.stdout.contains("newcomer ("),
        "{}",
        played.ended.stdout
    );
    assert!(played.sessions("active", "cut") > 0);
    assert_eq!(played.answered(), service.ledger(1));
    played.adds_up();
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_under_way() {
    let service = Service::with(&["--latency", "60s"]);
    let run = RunOf::start(&service.url, "--users 20 --delay-min 0 --delay-max 0");
    // Nothing is answered yet, so that only the run itself can say that it has begun.
    eventually("the start of the run", || {
        (!run.process.stderr().is_empty()).then_some(())
    });
    let asked = Instant::now();
    run.process.signal("TERM");
    run.process.signal("INT");
    let mut played = run.played();
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "it waited for answers"
    );
    played.ended = played.ended.fine();
    // The service may have seen them, so they are counted, as unanswered.
    assert!(played.answered().is_empty());
    played.adds_up();
}

#[test]
fn a_third_signal_waits_for_nothing_at_all() {
    let service = Service::with(&["--latency", "60s"]);
    // Takes connections and never answers: the last push waits for it.
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let run = RunOf::start(
        &service.url,
        &format!(
            "--users 20 --delay-min 0 --delay-max 0 --remote-write http://{}/",
            hole.local_addr().unwrap()
        ),
    );
    eventually("the start of the run", || {
        (!run.process.stderr().is_empty()).then_some(())
    });
    run.process.signal("TERM");
    eventually("the wait for answers", || {
        run.process.stderr().contains("waiting for").then_some(())
    });
    run.process.signal("INT");
    eventually("the word on what stays", || {
        run.process
            .stderr()
            .contains("left; finish with")
            .then_some(())
    });
    run.process.signal("TERM");
    let ended = run.process.ended();
    assert_eq!(ended.code, Some(128 + 15), "{}", ended.stderr);
    assert!(ended.stdout.is_empty(), "it wrote a report");
}

#[test]
fn a_hang_up_is_a_request_to_end_however_often_it_comes() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let (journal, results) = (
        folder.path().join("run.journal"),
        folder.path().join("run.json"),
    );
    let run = Running::start(&[
        "run",
        "--no-panel",
        "--base-url",
        &service.url,
        "--users=20",
        "--delay-min=0",
        "--delay-max=20",
        "--min-request-count=1000000",
        "--max-request-count=1000000",
        "--cleanup-rate=5000",
        "--journal",
        journal.to_str().unwrap(),
        "--summary-json",
        results.to_str().unwrap(),
    ]);
    eventually("something to remove", || {
        (service.answered() > 20).then_some(())
    });
    // The terminal's and its shell's: a second request would skip the cleanup.
    run.signal("HUP");
    run.signal("HUP");
    let ended = run.ended().fine();
    assert!(ended.stdout.contains(" 0 left behind"), "{}", ended.stdout);
    assert!(results.is_file() && !journal.exists(), "{}", ended.stderr);
}

#[test]
fn a_terminal_that_vanishes_costs_neither_files_nor_cleanup() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let (journal, results) = (
        folder.path().join("run.journal"),
        folder.path().join("run.json"),
    );
    let (master, name) = terminal();
    // It leads a session of its own, whose terminal this is, as in a window that is closed.
    let mut run = Command::new("setsid")
        .args([
            "--ctty",
            env!("CARGO_BIN_EXE_vespeiro"),
            "run",
            "--base-url",
            &service.url,
        ])
        .args([
            "--users=20",
            "--delay-min=0",
            "--delay-max=20",
            "--cleanup-rate=5000",
        ])
        .args(["--min-request-count=1000000", "--max-request-count=1000000"])
        .args(["--journal", journal.to_str().unwrap()])
        .args(["--summary-json", results.to_str().unwrap()])
        .env("TERM", "xterm")
        .stdin(in_terminal(&name))
        .stdout(in_terminal(&name))
        .stderr(in_terminal(&name))
        .spawn()
        .map(Owned)
        .unwrap();
    eventually("something to remove", || {
        (service.answered() > 20).then_some(())
    });
    drop(master);
    let status = eventually("its end", || run.try_wait().unwrap());
    assert!(results.is_file(), "{status}");
    assert!(!journal.exists(), "{status}");
    // What it could not print is lost, and it says so.
    assert_eq!(status.code(), Some(1));
}

#[test]
fn a_run_that_may_go_on_without_a_terminal_does() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let mut run = Command::new("nohup")
        .args([
            env!("CARGO_BIN_EXE_vespeiro"),
            "run",
            "--no-panel",
            "--base-url",
            &service.url,
        ])
        .args([
            "--users=1",
            "--delay-min=0",
            "--delay-max=20",
            "--cleanup=never",
        ])
        .args([
            "--min-request-count=1000000",
            "--max-request-count=1000000",
            "--journal",
        ])
        .arg(folder.path().join("run.journal"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Owned)
        .unwrap();
    let kill = |name: &str| {
        let id = run.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &id])
                .status()
                .unwrap()
                .success()
        );
    };
    let more = |than: u64| {
        eventually("more requests", || {
            Some(service.answered()).filter(|answered| *answered > than)
        })
    };
    let answered = more(5);
    kill("HUP");
    more(answered + 50);
    kill("TERM");
    let status = eventually("its end", || run.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_service_listens_to_signals_before_it_tells_its_address() {
    // Nobody reads its output, which is full: the service has to wait with its first line.
    let (reader, mut writer) = UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    while writer.write(b".").is_ok() {}
    writer.set_nonblocking(false).unwrap();
    let stdout = Stdio::from(OwnedFd::from(writer));
    let service = Running::start_on(&["serve", "--port", "0"], Some(stdout), None);
    // Interrupt, terminate and hang-up, as the kernel's mask has them.
    const CAUGHT: u64 = 1 << 1 | 1 << 14 | 1;
    eventually("its handlers of signals", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", service.id())).ok()?;
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:"))?;
        let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
        (mask & CAUGHT == CAUGHT).then_some(())
    });
    let mut told = String::new();
    BufReader::new(reader).read_line(&mut told).unwrap();
    assert!(told.contains("http://127.0.0.1:"), "{told}");
    service.signal("TERM");
    service.ended().fine();
}

#[test]
fn a_look_at_a_target_that_says_nothing_ends_with_the_first_signal() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", mute.local_addr().unwrap());
    let run = RunOf::start(&url, "--users 1 --request-timeout 10m");
    let _asking = mute.accept().unwrap();
    let asked = Instant::now();
    run.process.signal("TERM");
    let played = run.played();
    assert!(asked.elapsed() < Duration::from_secs(20));
    assert_eq!(played.ended.code, Some(0), "{}", played.ended.stderr);
    assert_eq!(played.sent(), 0);
}

#[test]
fn the_service_ends_when_it_is_told_to() {
    let mut service = Service::start();
    service.process.signal("TERM");
    let status = eventually("the end of the service", || service.process.has_ended());
    assert_eq!(status.code(), Some(0));
}
