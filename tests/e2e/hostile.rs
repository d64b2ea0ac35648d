//! Modules that mean harm, all of them in one run: each is contained, by name, and those who play beside them spend their
//! budgets as if nothing were.

use std::io::Write as _;

use tempfile::{NamedTempFile, TempDir};

use crate::support::{RunOf, Service, by_hand, eventually, slow_to_compile, vespeiro};

/// Requests of each user, and users who mean well.
const BUDGET: u64 = 30;
const ACTIVE: u64 = 4;
/// Users of each hostile archetype: as many crashes in a row as it takes to be quarantined, without waiting for more.
const EACH: u64 = 10;

struct Hostile {
    name: &'static str,
    more: &'static [(&'static str, &'static str)],
    /// What the log says of it.
    says: &'static str,
}

const CRASHING: [Hostile; 10] = [
    Hostile {
        name: "endless-loop",
        more: &[("next", "(loop $ever (br $ever))")],
        says: "it ran longer than 100 ms",
    },
    Hostile {
        name: "endless-allocation",
        more: &[(
            "next",
            "(loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 16))))) (unreachable)",
        )],
        says: "it asked for more than 16 MiB of memory",
    },
    Hostile {
        name: "deep-recursion",
        more: &[
            ("next", "(call $deeper)"),
            ("data", "(func $deeper (call $deeper))"),
        ],
        says: "it recursed too deep",
    },
    Hostile {
        // 512 headers that are all the same 512 KiB.
        name: "huge-reply",
        more: &[(
            "next",
            "(local.set $mix (i32.const 8192))
             (local.set $mixes (i32.const 512))
             (drop (memory.grow (i32.const 16)))
             (loop $more
                (i32.store (local.get $mix) (i32.const 65536))
                (i32.store offset=4 (local.get $mix) (i32.const 524288))
                (local.set $mix (i32.add (local.get $mix) (i32.const 16)))
                (local.set $mixes (i32.sub (local.get $mixes) (i32.const 1)))
                (br_if $more (local.get $mixes)))
             (i32.store (i32.const 348) (i32.const 8192))
             (i32.store (i32.const 352) (i32.const 512))",
        )],
        says: "it passed more than 64 MiB to the host in one call",
    },
    Hostile {
        name: "wrong-handles",
        more: &[("next", "(call $discard (i32.const 4711))")],
        says: "unknown handle",
    },
    Hostile {
        name: "trap-in-constructor",
        more: &[("begin", "(unreachable)")],
        says: "crashed in the session's constructor",
    },
    Hostile {
        name: "trap-in-next",
        more: &[("next", "(unreachable)")],
        says: "archetype trap-in-next: behavior by-hand 0.1.0 crashed in next",
    },
    Hostile {
        name: "trap-in-drop",
        more: &[("drop", "(unreachable)")],
        says: "crashed in the session's destructor",
    },
    Hostile {
        name: "no-text-at-all",
        more: &[
            ("data", r#"(data (i32.const 1024) "\ff\fe\fd")"#),
            ("next", "(i32.store (i32.const 324) (i32.const 1024))"),
        ],
        says: "archetype no-text-at-all: behavior by-hand 0.1.0 crashed in next",
    },
    Hostile {
        name: "lost-list",
        more: &[("next", "(i32.store (i32.const 268) (i32.const 0x7fff0000))")],
        says: "archetype lost-list: behavior by-hand 0.1.0 crashed in next",
    },
];

/// These are told, or cut short, and never crash: nothing is lost but their sessions.
const FAILING: [Hostile; 3] = [
    Hostile {
        // Every string of a request is made of control characters.
        name: "garbage",
        more: &[
            (
                "data",
                r#"(data (i32.const 1024) "/\1b[2J\0d\0a\00\07\08\e2\80\ae")"#,
            ),
            (
                "next",
                "(i32.store (i32.const 324) (i32.const 1024)) (i32.store (i32.const 328) (i32.const 13))
                 (i32.store (i32.const 332) (i32.const 1024)) (i32.store (i32.const 336) (i32.const 13))
                 (i32.store (i32.const 340) (i32.const 1024)) (i32.store (i32.const 344) (i32.const 13))",
            ),
        ],
        says: "percent-encode it",
    },
    Hostile {
        name: "too-many-marks",
        more: &[(
            "next",
            "(local.set $mixes (i32.const 2000))
             (loop $more
                (call $mark (i32.const 16) (i32.const 7))
                (local.set $mixes (i32.sub (local.get $mixes) (i32.const 1)))
                (br_if $more (local.get $mixes)))",
        )],
        says: "it marks or unmarks more than 1024 things in one call",
    },
    Hostile {
        name: "endless-delay",
        more: &[("next", "(i32.store (i32.const 260) (i32.const -1))")],
        says: "a delay of 4294967295 ms is over 3600000",
    },
];

#[test]
fn hostile_modules_are_contained_and_named_and_the_others_play_on() {
    let folder = TempDir::new().unwrap();
    let mut plan = NamedTempFile::with_suffix(".toml").unwrap();
    let all = || CRASHING.iter().chain(&FAILING);
    let users = ACTIVE + EACH * all().count() as u64;
    write!(
        plan,
        "users = {users}\nworkers = 1\nmin_request_count = {BUDGET}\nmax_request_count = {BUDGET}\n\
         delay_min = 0\ndelay_max = 1\nguest_memory = \"16MiB\"\nguest_timeout = \"100ms\"\n\
         [[archetype]]\nname = \"active\"\nmodule = \"builtin:active\"\nweight = {ACTIVE}\n"
    )
    .unwrap();
    for Hostile { name, more, .. } in all() {
        let module = by_hand(&folder, more);
        let own = folder.path().join(format!("{name}.wasm"));
        std::fs::rename(module, &own).unwrap();
        write!(
            plan,
            "[[archetype]]\nname = \"{name}\"\nmodule = \"{}\"\nweight = {EACH}\n",
            own.display()
        )
        .unwrap();
    }
    let service = Service::start();
    let played = RunOf::start(&service.url, &format!("--plan {}", plan.path().display())).played();
    let log = &played.ended.stderr;
    assert_eq!(played.ended.code, Some(1), "{log}");
    assert!(!log.contains(['\u{1b}', '\u{7}']), "{log:?}");
    let last = log.lines().last().unwrap();
    assert!(last.starts_with("error: quarantined"), "{last}");
    for Hostile { name, says, .. } in all() {
        assert!(log.contains(says), "{name}: {log}");
    }
    for Hostile { name, .. } in &CRASHING {
        assert!(last.contains(name), "{name}: {last}");
        // What takes its worker's time from everybody is given up sooner.
        let slow = ["endless-loop", "endless-allocation", "huge-reply"];
        let least = if slow.contains(name) { 3 } else { 10 };
        assert!(played.sessions(name, "crashed") >= least, "{name}");
    }
    for Hostile { name, .. } in &FAILING {
        assert!(!last.contains(name), "{name}: {last}");
        assert!(played.sessions(name, "failed") >= EACH, "{name}");
        assert_eq!(played.sessions(name, "crashed"), 0, "{name}");
        assert_eq!(played.sent_by(name), 0, "{name}");
    }
    assert_eq!(played.sent_by("active"), ACTIVE * BUDGET, "{log}");
    assert_eq!(played.sessions("active", "crashed"), 0);
    assert_eq!(played.sessions("active", "failed"), 0);
    assert_eq!(played.answered(), service.ledger(1));
    played.adds_up();
}

#[test]
fn one_looping_session_in_eight_is_given_up_in_a_moment() {
    let folder = TempDir::new().unwrap();
    // Every eighth session of each instance loops; a counter in the module's memory says which.
    let seldom = by_hand(
        &folder,
        &[(
            "next",
            "(i32.store (i32.const 512) (i32.add (i32.const 1) (i32.load (i32.const 512))))
             (if (i32.eqz (i32.rem_u (i32.load (i32.const 512)) (i32.const 8))) (then (loop $ever (br $ever))))",
        )],
    );
    let service = Service::start();
    let played = RunOf::start(
        &service.url,
        &format!(
            "--archetype seldom={}:1 --archetype active=builtin:active:1 --users 8 --workers 1 \
             --min-request-count 300 --max-request-count 300 --delay-min 0 --delay-max 1",
            seldom.display()
        ),
    )
    .played();
    let log = &played.ended.stderr;
    assert_eq!(played.ended.code, Some(1), "{log}");
    let last = log.lines().last().unwrap();
    assert!(
        last.starts_with("error: quarantined") && last.contains("seldom"),
        "{log}"
    );
    assert!(log.contains("ms from everybody else"), "{log}");
    assert!(
        played.archetype("seldom")["traps"].as_u64().unwrap() <= 5,
        "{log}"
    );
    assert_eq!(played.sent_by("active"), 4 * 300, "{log}");
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn one_instruction_over_a_whole_memory_is_a_call_that_is_too_long() {
    let folder = TempDir::new().unwrap();
    let filling = by_hand(
        &folder,
        &[(
            "next",
            "(drop (memory.grow (i32.const 8000)))
             (memory.fill (i32.const 65536) (i32.const 1) (i32.const 520000000))",
        )],
    );
    let service = Service::start();
    let played = RunOf::start(
        &service.url,
        &format!(
            "--archetype filling={} --users 1 --guest-memory 512MiB --guest-timeout 1ms",
            filling.display()
        ),
    )
    .played();
    let log = &played.ended.stderr;
    assert_eq!(played.ended.code, Some(1), "{log}");
    assert!(log.contains("it ran longer than 1 ms"), "{log}");
    assert_eq!(played.sent(), 0, "{log}");
}

#[test]
fn a_module_that_is_slow_to_compile_is_given_up_and_signals_are_heard_meanwhile() {
    let folder = TempDir::new().unwrap();
    let module = slow_to_compile(&folder);
    let service = Service::start();
    let arguments = format!("--archetype slow={} --users 1 --no-cache", module.display());
    let bounded = RunOf::start(&service.url, &format!("{arguments} --compile-timeout 1s"));
    let ended = bounded.process.ended().orderly();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("takes more than 1 s of processor time"),
        "{}",
        ended.stderr
    );

    let loading = RunOf::start(&service.url, &arguments);
    let parent = loading.process.id().to_string();
    // Its compiler has begun when there is a child.
    eventually("the compiler", || {
        let threads = std::fs::read_dir(format!("/proc/{parent}/task")).ok()?;
        let any = threads.flatten().any(|thread| {
            let children = std::fs::read_to_string(thread.path().join("children"));
            children.is_ok_and(|children| !children.trim().is_empty())
        });
        any.then_some(())
    });
    loading.process.signal("TERM");
    let ended = loading.process.ended().fine();
    assert!(
        ended.stderr.contains("stopped before the run began"),
        "{}",
        ended.stderr
    );
}

#[test]
fn instances_that_double_are_refused_before_they_are_built() {
    let folder = TempDir::new().unwrap();
    let mut text = "(component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
    for level in 1..25 {
        let inner = level - 1;
        text += &format!(
            "(component $c{level} (alias outer 1 $c{inner} (component $c))
                (instance (instantiate $c)) (instance (instantiate $c)))"
        );
    }
    let module = folder.path().join("doubling.wasm");
    let text = format!("(component {text} (instance (instantiate $c24)))");
    std::fs::write(&module, wat::parse_str(text).unwrap()).unwrap();
    let ended = vespeiro(&["check", module.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("instances, and a behavior may have 1000"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_million_log_lines_are_cut_and_hold_nobody_up() {
    let folder = TempDir::new().unwrap();
    let flood = by_hand(
        &folder,
        &[(
            "next",
            "(local.set $mixes (i32.const 1000000))
             (loop $more
                (call $log (i32.const 3) (i32.const 16) (i32.const 7))
                (local.set $mixes (i32.sub (local.get $mixes) (i32.const 1)))
                (br_if $more (local.get $mixes)))",
        )],
    );
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "--archetype flood={}:1 --archetype active=builtin:active:1 --users 2 --guest-timeout 1m \
             --min-request-count 1 --max-request-count 1 --delay-min 0 --delay-max 1",
            flood.display()
        ),
    );
    let log = &played.ended.stderr;
    assert_eq!(
        log.lines()
            .filter(|line| line.contains("\"by-hand\""))
            .count(),
        32,
        "{log}"
    );
    assert!(
        log.contains("(999968 more lines of this call are left out)"),
        "{log}"
    );
    assert_eq!((played.sent_by("flood"), played.sent_by("active")), (1, 1));
}

#[test]
fn a_module_that_leaks_is_built_anew_before_it_meets_its_cap() {
    let folder = TempDir::new().unwrap();
    // 64 KiB of each session stay behind; 100 sessions would take 6 of 4 MiB.
    let leaky = by_hand(
        &folder,
        &[(
            "begin",
            "(if (i32.eq (i32.const -1) (memory.grow (i32.const 1))) (then (unreachable)))",
        )],
    );
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "--archetype leaky={} --users 1 --guest-memory 4MiB --min-request-count 100 --max-request-count 100 \
             --delay-min 0 --delay-max 1",
            leaky.display()
        ),
    );
    assert_eq!(
        played.sessions("leaky", "crashed"),
        0,
        "{}",
        played.ended.stderr
    );
    let built = played.archetype("leaky")["instances_built"]
        .as_u64()
        .unwrap();
    assert!((3..=5).contains(&built), "{built}");
    assert_eq!(played.answered(), service.ledger(1));
}
