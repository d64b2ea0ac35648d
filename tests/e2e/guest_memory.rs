//! The memory that a behavior has on a worker: its instances share it, new sessions wait for it, and whoever waits in vain is
//! named; and memory that the machine does not have.

use std::process::Stdio;

use tempfile::TempDir;

use crate::support::{PATIENCE, RunOf, Service, by_hand, command, eventually};

/// Takes pages of 64 KiB for each session, writes to them, and thinks before its only request.
fn hungry(folder: &TempDir, pages: u32, thinks_ms: u32) -> String {
    let takes = format!(
        "(local.set $self (memory.grow (i32.const {pages})))
         (if (i32.eq (i32.const -1) (local.get $self)) (then (unreachable)))
         (memory.fill (i32.mul (local.get $self) (i32.const 65536)) (i32.const 1) (i32.const {}))",
        pages << 16
    );
    let thinks = format!("(i32.store (i32.const 260) (i32.const {thinks_ms}))");
    by_hand(folder, &[("begin", &takes), ("next", &thinks)])
        .display()
        .to_string()
}

/// Most memory that the process has had so far, in MiB.
fn peak(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()
        .map(|kib| kib >> 10)
}

#[test]
fn instances_share_their_memory_and_new_sessions_wait_for_it() {
    let folder = TempDir::new().unwrap();
    // 400 sessions of 768 KiB at once would be 300 MiB.
    let module = hungry(&folder, 12, 300);
    let service = Service::start();
    let mut run = RunOf::start(
        &service.url,
        &format!(
            "--archetype hungry={module} --users 400 --workers 1 --guest-memory 32MiB \
             --min-request-count 1 --max-request-count 1 --delay-min 0 --delay-max 1"
        ),
    );
    let id = run.process.id();
    let mut most = 0;
    eventually("the end of the run", || {
        most = most.max(peak(id).unwrap_or(0));
        run.process.has_ended()
    });
    let played = run.played();
    let log = &played.ended.stderr;
    assert_eq!(played.ended.code, Some(0), "{log}");
    assert_eq!(played.sessions("hungry", "crashed"), 0, "{log}");
    assert_eq!(played.sent(), 400, "{log}");
    assert!(most > 32 && most < 200, "{most} MiB");
    assert!(log.contains("new sessions wait"), "{log}");
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn who_gets_no_memory_for_ten_seconds_is_given_up_by_name_and_the_others_play_on() {
    let folder = TempDir::new().unwrap();
    let module = hungry(&folder, 12, 3_600_000);
    let service = Service::start();
    let run = RunOf::start(
        &service.url,
        &format!(
            "--archetype hungry={module}:1 --archetype active=builtin:active:1 --users 20 --workers 1 \
             --guest-memory 4MiB --min-request-count 100000 --max-request-count 100000 \
             --delay-min 20 --delay-max 40 --duration 50s"
        ),
    );
    assert!(PATIENCE.as_secs() > 50);
    eventually("the archetype to be given up", || {
        let log = run.process.stderr();
        log.contains("archetype hungry is quarantined after 10 s")
            .then_some(())
    });
    run.process.signal("INT");
    let played = run.played();
    let log = &played.ended.stderr;
    assert_eq!(played.ended.code, Some(1), "{log}");
    let last = log.lines().last().unwrap();
    assert!(
        last.starts_with("error: given up, because no session could begin for 10 s: hungry:"),
        "{last}"
    );
    assert_eq!(played.sessions("hungry", "crashed"), 0, "{log}");
    assert!(played.sent_by("active") > 1000, "{log}");
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn too_little_address_space_is_the_machines_limit_and_not_the_behaviors() {
    let folder = TempDir::new().unwrap();
    let module = by_hand(&folder, &[]).display().to_string();
    let service = Service::start();
    let within = |mib: u64, more: &str| {
        let arguments = format!(
            "ulimit -v {}; exec \"$0\" run --no-panel --cleanup=never --base-url {} --users 4 --workers 1 \
             --archetype a={module}:1 {more} --min-request-count 5 --max-request-count 5 --delay-min 0 --delay-max 1",
            mib << 10,
            service.url
        );
        let ended = command("sh")
            .args(["-c", &arguments, env!("CARGO_BIN_EXE_vespeiro")])
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&ended.stderr).into_owned();
        (ended.status.code(), log)
    };
    // Not even for the process itself, or for one instance.
    for mib in [150, 400, 4095] {
        let (code, log) = within(mib, "");
        assert_eq!(code, Some(1), "{log}");
        assert!(
            log.contains(&format!("and {mib} MiB are allowed (ulimit -v)")),
            "{log}"
        );
    }
    let (code, log) = within(4 << 10, "");
    assert_eq!(code, Some(1), "{log}");
    let last = log.lines().last().unwrap();
    assert!(last.contains("cannot be run on this machine"), "{log}");
    assert_eq!(last.matches("ulimit -v").count(), 1, "{log}");
    // For the first of three archetypes, each of whose instances sets 4 GiB of addresses aside.
    let more =
        format!("--archetype b={module}:1 --archetype c={module}:1 --archetype d={module}:1");
    let (code, log) = within(13 << 10, &more);
    assert_eq!(code, Some(1), "{log}");
    let last = log.lines().last().unwrap();
    assert!(
        last.starts_with(
            "error: given up, because this machine has no memory for another instance: "
        ),
        "{log}"
    );
    assert!(!log.contains("mend"), "{log}");
}
