//! What is by far too much is refused before it costs anything: users, archetypes, files.

use std::time::{Duration, Instant};

use crate::support::{RunOf, Running, Service, eventually, get, send, vespeiro};

/// It is refused at once, in one line with these words.
#[track_caller]
fn refused(arguments: &[&str], words: &[&str]) {
    let began = Instant::now();
    let ended = vespeiro(arguments).orderly();
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    for word in words {
        assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
    }
}

#[test]
fn more_users_than_there_is_memory_for_are_refused_with_the_figure() {
    let service = Service::start();
    let words = ["4000000000 users", "MiB of memory are left", "ask for"];
    refused(
        &[
            "run",
            "--no-panel",
            "--base-url",
            &service.url,
            "--users",
            "4000000000",
        ],
        &words,
    );
    let run = RunOf::start(
        &service.url,
        "--users 2 --duration 5m --control 127.0.0.1:0",
    );
    let control = run.authority("control: ");
    eventually("the first figures", || get(&control, "/status").ok());
    let answer = send(&control, "POST", "/users", &[], br#"{"users": 4000000000}"#).unwrap();
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(answer.body.contains("MiB of memory are left"), "{answer:?}");
    run.process.signal("TERM");
    assert_eq!(run.played().ended.code, Some(0));
}

#[test]
fn a_signal_is_heard_while_users_are_made() {
    let service = Service::start();
    let run = RunOf::start(
        &service.url,
        "--users 400000 --workers 2 --delay-min 10m --delay-max 20m --control 127.0.0.1:0 --profile constant-users",
    );
    let control = run.authority("control: ");
    let users = |control: &str| {
        let status: serde_json::Value =
            serde_json::from_str(&get(control, "/status").ok()?).ok()?;
        status["users"].as_u64().filter(|users| *users > 0)
    };
    let made = eventually("the first users", || users(&control));
    run.process.signal("TERM");
    let asked = Instant::now();
    let played = run.played();
    assert_eq!(played.ended.code, Some(0), "{}", played.ended.stderr);
    assert!(
        asked.elapsed() < Duration::from_secs(30),
        "{:?} after {made}",
        asked.elapsed()
    );
    let begun: u64 = played
        .archetypes()
        .iter()
        .map(|name| played.sessions(name, "cut"))
        .sum();
    assert!(begun < 400_000, "all of them were made first: {begun}");
}

#[test]
fn a_hundred_thousand_archetypes_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.toml");
    let all = (0..100_000)
        .map(|n| format!("[[archetype]]\nname = \"a{n}\"\nmodule = \"builtin:active\"\n"));
    std::fs::write(&plan, all.collect::<String>()).unwrap();
    refused(
        &["plan", "--plan", plan.to_str().unwrap()],
        &["100000 archetypes are more than the 1000"],
    );
}

#[test]
fn files_that_are_by_far_too_long_are_refused_before_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let huge = folder.path().join("huge.toml");
    // A terabyte that takes no room.
    std::fs::File::create(&huge)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let huge = huge.to_str().unwrap();
    // A module has to be a regular file, of 128 MiB at most.
    for (file, module) in [(huge, "128 MiB"), ("/dev/zero", "is no regular file")] {
        refused(&["plan", "--plan", file], &[file, "16 MiB"]);
        refused(&["report", file], &[file, "256 MiB"]);
        refused(&["check", file], &[file, module]);
    }
}

#[test]
fn a_session_that_marks_without_end_fails_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    // A thousand at each call, and it is never done: its answer is the first one again.
    let more = "(local.set $mixes (i32.const 1000))
         (loop $more
            (call $mark (i32.const 1024) (i32.const 15))
            (local.set $mixes (i32.sub (local.get $mixes) (i32.const 1)))
            (br_if $more (local.get $mixes)))
         (i32.store (local.get $self) (i32.const 0))";
    let module = crate::support::by_hand(
        &folder,
        &[
            ("data", "(data (i32.const 1024) \"user:k3x9a2b7_1\")"),
            ("next", more),
        ],
    );
    let service = Service::start();
    let played = RunOf::start(
        &service.url,
        &format!(
            "--archetype flood={} --users 1 --workers 1 --delay-min 0 --delay-max 0 --run-id k3x9a2b7 \
             --min-request-count 15 --max-request-count 15",
            module.display()
        ),
    )
    .played();
    let log = &played.ended.stderr;
    assert!(
        log.contains("it has marked more than 10000 things"),
        "{log}"
    );
    assert_eq!(played.sessions("flood", "failed"), 1, "{log}");
    assert_eq!(played.sent(), 15, "{log}");
}

#[test]
fn a_flood_of_marks_ends_the_run_and_fills_neither_disk_nor_memory() {
    let folder = tempfile::tempdir().unwrap();
    // A thousand things at each of its calls, all of other names, for ever.
    let module = crate::support::by_hand(
        &folder,
        &[
            ("data", "(global $made (mut i32) (i32.const 0)) (data (i32.const 1024) \"user:k3x9a2b7-00000000\")"),
            (
                "begin",
                "(local.set $self (i32.const 1000))
                 (loop $more
                    (global.set $made (i32.add (global.get $made) (i32.const 1)))
                    (i32.store (i32.const 1038) (i32.or (i32.const 0x30303030) (i32.and (global.get $made) (i32.const 0x0f0f0f0f))))
                    (i32.store (i32.const 1042) (i32.or (i32.const 0x30303030) (i32.and (i32.shr_u (global.get $made) (i32.const 4)) (i32.const 0x0f0f0f0f))))
                    (call $mark (i32.const 1024) (i32.const 22))
                    (local.set $self (i32.sub (local.get $self) (i32.const 1)))
                    (br_if $more (local.get $self)))",
            ),
        ],
    );
    let service = Service::start();
    let journal = folder.path().join("run.journal");
    let mut run = Running::start(&[
        "run",
        "--no-panel",
        "--base-url",
        &service.url,
        "--archetype",
        &format!("flood={}", module.display()),
        "--users=20",
        "--workers=2",
        "--delay-min=0",
        "--delay-max=0",
        "--profile=constant-users",
        "--run-id=k3x9a2b7",
        "--cleanup=never",
        "--duration=5m",
        "--journal",
        journal.to_str().unwrap(),
    ]);
    let mut longest = 0;
    let status = eventually("its end", || {
        longest = longest.max(std::fs::metadata(&journal).map_or(0, |file| file.len()));
        run.has_ended()
    });
    assert_eq!(status.code(), Some(1), "{}", run.stderr());
    assert!(
        run.stderr().contains("more than a run may"),
        "{}",
        run.stderr()
    );
    assert!(longest < 100 << 20, "{longest} bytes");
}
