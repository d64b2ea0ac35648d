//! Behaviors that go wrong cost their own sessions and nothing else: the run goes on, the others spend their budgets,
//! every request is counted, and the log names what happened and where.

use std::io::Write as _;
use std::path::Path;

use tempfile::{NamedTempFile, TempDir};

use crate::support::{Counts, Played, RunOf, Service, by_hand, example};

/// One archetype with one way to go wrong.
struct Wrong {
    mode: &'static str,
    /// Good requests of each session before it goes wrong.
    after: u32,
    /// What the log says of it.
    says: &'static str,
}

/// Active users who play beside them, and everybody's budget.
const ACTIVE: u64 = 4;
const BUDGET: u64 = 40;

/// Play all of them, with `each` users and pauses of `delays` milliseconds, together with the built-in `active`, whose
/// users have to spend their budgets all the same.
fn play(wrongs: &[Wrong], each: u64, delays: (u32, u32)) -> Played {
    let mut plan = NamedTempFile::with_suffix(".toml").unwrap();
    let users = each * wrongs.len() as u64 + ACTIVE;
    let (shortest, longest) = delays;
    write!(
        plan,
        "users = {users}\nworkers = 1\nmin_request_count = {BUDGET}\nmax_request_count = {BUDGET}\n\
         delay_min = {shortest}\ndelay_max = {longest}\nguest_memory = \"32MiB\"\nguest_timeout = \"100ms\"\n\
         [[archetype]]\nname = \"active\"\nmodule = \"builtin:active\"\nweight = {ACTIVE}\n"
    )
    .unwrap();
    let module = example("misbehaving");
    for Wrong { mode, after, .. } in wrongs {
        write!(
            plan,
            "[[archetype]]\nname = \"{mode}\"\nmodule = \"{}\"\nweight = {each}\n\
             config = {{ mode = \"{mode}\", after = {after} }}\n",
            module.display()
        )
        .unwrap();
    }
    let service = Service::start();
    let played = RunOf::start(&service.url, &format!("--plan {}", plan.path().display())).played();
    let log = &played.ended.stderr;
    for Wrong { mode, says, .. } in wrongs {
        assert!(log.contains(says), "{mode}: {log}");
    }
    assert_eq!(played.sent_by("active"), ACTIVE * BUDGET, "{log}");
    assert_eq!(played.sessions("active", "crashed"), 0);
    assert_eq!(played.sessions("active", "failed"), 0);
    // What was refused went nowhere: neither to the service nor anywhere else.
    assert_eq!(played.answered(), service.ledger(1));
    assert_eq!(played.errors(), 0);
    played.adds_up();
    played
}

#[test]
fn behaviors_that_crash_are_named_and_quarantined_and_the_others_go_on() {
    let wrong = |mode, after, says| Wrong { mode, after, says };
    let wrongs = [
        wrong(
            "trap",
            1,
            "archetype trap: behavior misbehaving 0.1.0 crashed in next: ",
        ),
        wrong(
            "trap-constructor",
            0,
            "crashed in the session's constructor",
        ),
        wrong("loop", 0, "ran longer than 100 ms"),
        wrong("alloc", 0, "more than 32 MiB of memory"),
        wrong("recursion", 0, "recursed too deep"),
    ];
    let played = play(&wrongs, 10, (0, 1));
    assert_eq!(played.ended.code, Some(1));
    let last = played.ended.stderr.lines().last().unwrap();
    assert!(last.starts_with("error: quarantined"), "{last}");
    for Wrong { mode, .. } in &wrongs {
        assert!(last.contains(mode), "{mode}: {last}");
        // What takes its worker's time from everybody is given up sooner.
        let least = if matches!(*mode, "loop" | "alloc") {
            3
        } else {
            10
        };
        assert!(
            played.archetype(mode)["traps"].as_u64().unwrap() >= least,
            "{mode}"
        );
        assert!(played.sessions(mode, "crashed") >= least, "{mode}");
        assert_eq!(played.sessions(mode, "completed"), 0, "{mode}");
    }
    assert!(!last.contains("active"), "{last}");
}

#[test]
fn what_a_behavior_may_not_ask_for_fails_its_session_and_goes_nowhere() {
    let wrong = |mode, says| Wrong {
        mode,
        after: 1,
        says,
    };
    let wrongs = [
        wrong("error", "wrong on purpose"),
        wrong("absolute-url", "http://192.0.2.1/health"),
        wrong("control-path", "evil"),
        wrong("header-injection", "x-note"),
        wrong("huge-delay", "ms is over 3600000"),
        wrong("undeclared-route", "not among the behavior's routes"),
    ];
    // Guests may log 50 lines a second: the pauses let everyone have its say in the first of them.
    let played = play(&wrongs, 2, (20, 40));
    assert_eq!(played.ended.code, Some(0), "{}", played.ended.stderr);
    for Wrong { mode, .. } in &wrongs {
        // One good request a session; the last of the budget may end it before it goes wrong.
        assert_eq!(played.sent_by(mode), 2 * BUDGET, "{mode}");
        assert!(
            played.sessions(mode, "failed") >= 2 * (BUDGET - 1),
            "{mode}"
        );
    }
}

/// One user of one archetype, with a budget of 300 requests.
fn alone(service: &Service, mode: &str) -> Played {
    let config = format!("config = {{ mode = \"{mode}\", after = 1 }}");
    one(service, &example("misbehaving"), &config)
}

fn one(service: &Service, module: &Path, config: &str) -> Played {
    let mut plan = NamedTempFile::with_suffix(".toml").unwrap();
    write!(
        plan,
        "users = 1\nmin_request_count = 300\nmax_request_count = 300\ndelay_min = 0\ndelay_max = 1\n\
         [[archetype]]\nname = \"mine\"\nmodule = \"{}\"\n{config}\n",
        module.display()
    )
    .unwrap();
    RunOf::fine(&service.url, &format!("--plan {}", plan.path().display()))
}

#[test]
fn a_batch_over_the_limit_is_refused_whole() {
    let service = Service::start();
    let played = alone(&service, "huge-batch");
    // The SDK asks for no more than the budget has left: with 299 left the host refuses, with 256 it sends them all.
    let log = &played.ended.stderr;
    assert!(
        log.contains("a batch of 299 requests is over the 256"),
        "{log}"
    );
    assert_eq!(played.sessions("mine", "failed"), 43);
    assert_eq!(played.sent(), 300);
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn a_route_that_was_not_declared_counts_as_other() {
    let service = Service::start();
    // Only 0.1 can name such a route: every other session does.
    let folder = TempDir::new().unwrap();
    let odd = "(if (i32.and (local.get $left) (i32.const 1))
        (then (i32.store (i32.const 324) (i32.const 2048)) (i32.store (i32.const 328) (i32.const 11))
              (i32.store (i32.const 332) (i32.const 2048)) (i32.store (i32.const 336) (i32.const 11)))
        (else (i32.store (i32.const 324) (i32.const 48)) (i32.store (i32.const 328) (i32.const 7))
              (i32.store (i32.const 332) (i32.const 48)) (i32.store (i32.const 336) (i32.const 7))))";
    let undeclared = "(data (i32.const 2048) \"/undeclared\")";
    let module = by_hand(&folder, &[("data", undeclared), ("next", odd)]);
    let played = one(&service, &module, "");
    assert_eq!(played.sent(), 300);
    // The service has no such path either: what it calls unmatched is what we call other.
    let with = |counts: &Counts, status: u16| -> u64 {
        let found = counts.iter().filter(|((.., s), _)| *s == status);
        found.map(|(_, count)| count).sum()
    };
    let (ours, theirs) = (played.answered(), service.ledger(1));
    for status in [200, 404] {
        assert_eq!(with(&ours, status), with(&theirs, status), "{status}");
    }
    let other = ("-".to_owned(), "other".to_owned(), 404);
    assert_eq!(ours.get(&other), Some(&with(&theirs, 404)), "{ours:?}");
    assert_eq!(ours[&other], 150);
    played.adds_up();
}
