//! What a behavior cannot exceed, and what is done about one that tries.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::yield_to_others;

#[test]
fn handles_that_are_no_sessions_trap() {
    let why = crash_of(&[("next", "(call $discard (i32.const 4711))")]);
    assert!(why.contains("unknown handle"), "{why}");
}

#[test]
fn a_session_that_drops_itself_costs_its_instance_only() {
    // The handle that the host holds is not the guest's to drop: there is none under that number in its table.
    let mut slot = slot(&by_hand(&[("next", "(call $discard (i32.const 1))")]));
    let mut session = begin(&mut slot, 1);
    assert!(next(&mut session, 0).0.is_err());
    assert!(session.lost().is_some());
    assert!(slot.begin(setup(2), Feeder::default()).unwrap().built);
}

#[test]
fn garbage_in_a_string_traps() {
    let why = crash_of(&[
        ("data", r#"(data (i32.const 1024) "\ff\fe\fd")"#),
        ("next", "(i32.store (i32.const 324) (i32.const 1024))"),
    ])
    .to_lowercase();
    assert!(why.contains("utf-8"), "{why}");
}

#[test]
fn a_list_that_is_not_there_traps() {
    for (at, length) in [(0xffff_0000_u32, 1), (320, 0x7fff_ffff_u32)] {
        let code = format!(
            "(i32.store (i32.const 268) (i32.const {at})) (i32.store (i32.const 272) (i32.const {length}))"
        );
        let why = crash_of(&[("next", &code)]);
        assert!(why.contains("crashed in next"), "{why}");
    }
}

#[test]
fn naming_the_same_bytes_over_and_over_does_not_fill_the_host() {
    // 512 headers, each of them the same 512 KiB: 256 MiB for the host, out of 1 MiB of the guest.
    let code = "
        (local.set $mix (i32.const 2048))
        (local.set $mixes (i32.const 512))
        (drop (memory.grow (i32.const 9)))
        (loop $more
            (i32.store (local.get $mix) (i32.const 65536))
            (i32.store offset=4 (local.get $mix) (i32.const 524288))
            (local.set $mix (i32.add (local.get $mix) (i32.const 16)))
            (local.set $mixes (i32.sub (local.get $mixes) (i32.const 1)))
            (br_if $more (local.get $mixes)))
        (i32.store (i32.const 348) (i32.const 2048))
        (i32.store (i32.const 352) (i32.const 512))";
    let why = crash_of(&[("next", code)]);
    assert!(
        why.contains("it passed more than 64 MiB to the host in one call"),
        "{why}"
    );
}

#[test]
fn what_a_call_passes_is_counted_over_all_its_calls_of_the_host_and_its_answer() {
    let after = "(drop (memory.grow (i32.const 9)))";
    let log = |times: u32| {
        repeated(
            times,
            "(call $log (i32.const 2) (i32.const 65536) (i32.const 524288))",
        )
    };
    // 512 KiB at a time, each of them cut when it is kept.
    let why = crash_of(&[("next", &format!("{after} {}", log(129)))]);
    assert!(why.contains("it passed more than 64 MiB"), "{why}");
    // As much as it may, and a path in the answer.
    let path = "(i32.store (i32.const 324) (i32.const 65536)) (i32.store (i32.const 328) (i32.const 524288))";
    for (times, fits) in [(126, true), (128, false)] {
        let code = format!("{after} {} {path}", log(times));
        let mut slot = slot(&by_hand(&[("next", &code)]));
        let mut session = begin(&mut slot, 1);
        let (answer, _) = next(&mut session, 0);
        assert_eq!(answer.is_ok(), fits, "{times}: {answer:?}");
    }
}

#[test]
fn what_is_kept_of_a_long_name_holds_no_more_memory_than_it_shows() {
    let code = "(drop (memory.grow (i32.const 9)))
        (memory.fill (i32.const 65536) (i32.const 97) (i32.const 524288))
        (call $observe (i32.const 65536) (i32.const 524288) (f64.const 1))
        (call $log (i32.const 2) (i32.const 65536) (i32.const 524288))";
    let mut slot = slot(&by_hand(&[("next", code)]));
    let mut session = begin(&mut slot, 1);
    let (answer, said) = next(&mut session, 0);
    assert!(answer.unwrap().is_ok());
    assert_eq!(said.len(), 2);
    for event in said {
        let (GuestEvent::Observe { metric: text, .. } | GuestEvent::Log { message: text, .. }) =
            event
        else {
            panic!("{event:?}");
        };
        assert!((256..=8192).contains(&text.len()), "{}", text.len());
        assert!(text.capacity() <= 2 * text.len(), "{}", text.capacity());
    }
}

#[test]
fn all_memories_together_are_within_the_cap() {
    let two = r#"(memory $more 1)"#;
    let code =
        "(if (i32.eq (memory.grow $more (i32.const 10)) (i32.const -1)) (then (unreachable)))
                (if (i32.eq (memory.grow (i32.const 10)) (i32.const -1)) (then (unreachable)))";
    // The imports' place comes before the module's own memory, so the second one is added with the data.
    let why = crash_of(&[("data", two), ("next", code)]);
    assert!(why.contains("more than 1 MiB of memory"), "{why}");
}

#[test]
fn a_loop_and_a_recursion_without_end_are_ended() {
    let why = crash_of(&[("next", "(loop $ever (br $ever))")]);
    assert!(why.contains("ran longer than 2000 ms"), "{why}");
    let why = crash_of(&[
        ("next", "(call $deeper)"),
        ("data", "(func $deeper (call $deeper))"),
    ]);
    assert!(why.contains("recursed too deep"), "{why}");
}

/// Behind all of the eight others that want each processor.
fn starved<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let done = AtomicBool::new(false);
    let processors = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..8 * processors {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let working = scope.spawn(|| {
            yield_to_others();
            work()
        });
        let result = working.join();
        done.store(true, Ordering::Relaxed);
        result.unwrap()
    })
}

#[test]
fn a_rehearsal_counts_the_processor_time_of_a_call_and_not_how_long_it_waits_for_a_processor() {
    let some = by_hand(&[("next", &repeated(20_000_000, ""))]);
    let without_end = by_hand(&[("next", "(loop $ever (br $ever))")]);
    // Compiled before anybody is in the way.
    let loaded = |bytes: &[u8], call| {
        let limits = Limits { call, ..LIMITS };
        let loaded = Behavior::load(engine(), "test.wasm", bytes, limits);
        loaded.unwrap_or_else(|error| panic!("{error}"))
    };
    let calm = || {
        let mut slot = Slot::rehearsing(loaded(&some, LIMITS.call), 7);
        let mut session = begin(&mut slot, 1);
        let began = std::time::Instant::now();
        next(&mut session, 0).0.unwrap().unwrap();
        began.elapsed()
    };
    let alone = (0..5).map(|_| calm()).min().unwrap();
    // Of the processor it will get less than a twentieth.
    let limit = (5 * alone).max(Duration::from_millis(20));
    let some = loaded(&some, limit);
    let without_end = loaded(&without_end, limit);
    // Now and then the machine has something else to do, and nobody is in its way.
    let mut tries = 0..10;
    let was_starved = tries.any(|_| {
        let (answer, took) = starved(|| {
            let mut slot = Slot::rehearsing(some.clone(), 7);
            let mut session = begin(&mut slot, 1);
            let began = std::time::Instant::now();
            (next(&mut session, 0).0, began.elapsed())
        });
        assert!(answer.is_ok(), "{answer:?}");
        took > limit
    });
    assert!(was_starved, "nobody was in its way, ten times");
    let mut slot = Slot::rehearsing(without_end, 7);
    let mut session = begin(&mut slot, 1);
    let why = next(&mut session, 0).0.unwrap_err();
    assert!(why.contains("it ran longer than"), "{why}");
}

/// Repeats `code` so often in the first step.
fn repeated(times: u32, code: &str) -> String {
    format!(
        "(local.set $mixes (i32.const {times}))
         (loop $more
            {code}
            (local.set $mixes (i32.sub (local.get $mixes) (i32.const 1)))
            (br_if $more (local.get $mixes)))"
    )
}

#[test]
fn marks_are_kept_or_the_session_is_told() {
    let marking = |times| {
        let code = repeated(times, "(call $mark (i32.const 16) (i32.const 7))");
        let mut slot = slot(&by_hand(&[("next", &code)]));
        let mut session = begin(&mut slot, 1);
        let (answer, events) = next(&mut session, 0);
        (answer.unwrap(), events.len())
    };
    let (answer, kept) = marking(1024);
    assert!(answer.is_ok());
    assert_eq!(kept, 1024);
    let (answer, kept) = marking(1025);
    assert!(
        answer
            .unwrap_err()
            .contains("more than 1024 things in one call")
    );
    assert_eq!(kept, 1024);
}

#[test]
fn what_the_constructor_marks_wrongly_is_told_by_the_first_step() {
    let long = "(call $mark (i32.const 1024) (i32.const 300))";
    let mut slot = slot(&by_hand(&[("begin", long)]));
    let mut session = begin(&mut slot, 1);
    let told = next(&mut session, 0).0.unwrap().unwrap_err();
    assert!(
        told.contains("a mark of 300 bytes is over the 256"),
        "{told}"
    );
}

#[test]
fn a_flood_of_log_lines_is_cut_and_says_so() {
    let code = repeated(
        1000,
        "(call $log (i32.const 1) (i32.const 16) (i32.const 7))",
    );
    let mut slot = slot(&by_hand(&[("next", &code)]));
    let mut session = begin(&mut slot, 1);
    let (answer, events) = next(&mut session, 0);
    answer.unwrap().unwrap();
    assert_eq!(events.len(), 33);
    match &events[32] {
        GuestEvent::Log { message, .. } => assert!(message.contains("968 more lines"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_instance_that_has_grown_is_given_up_for_a_new_one() {
    // Each session takes 64 KiB that it never gives back; 1 MiB is the cap, and half of it the bound.
    let mut slot = slot(&by_hand(&[("begin", "(drop (memory.grow (i32.const 0)))")]));
    let mut built = 0;
    for seed in 0..31 {
        built += u32::from(slot.begin(setup(seed), Feeder::default()).unwrap().built);
    }
    assert_eq!(built, 1);
    let small = slot.memory();
    assert!(small < LIMITS.memory / 2, "{small}");

    let leaky = by_hand(&[(
        "begin",
        "(if (i32.lt_u (memory.size) (i32.const 12)) (then (drop (memory.grow (i32.const 1)))))",
    )]);
    let mut slot = super::slot(&leaky);
    let instances = (0..100)
        .filter(|seed| slot.begin(setup(*seed), Feeder::default()).unwrap().built)
        .count();
    // A new one after 32 sessions each.
    assert_eq!(instances, 4);

    let mut slot = super::slot(&leaky);
    let first = begin(&mut slot, 0);
    for seed in 1..32 {
        begin(&mut slot, seed);
    }
    assert!(slot.begin(setup(32), Feeder::default()).unwrap().built);
    // It lives on in its own.
    assert!(first.lost().is_none());
}

/// Each session takes so many pages of 64 KiB, out of 16.
fn taking(pages: u32) -> Vec<u8> {
    let code = format!(
        "(if (i32.eq (i32.const -1) (memory.grow (i32.const {pages}))) (then (unreachable)))"
    );
    by_hand(&[("begin", &code)])
}

#[test]
fn instances_share_the_memory_and_no_session_begins_that_it_is_too_small_for() {
    let mut slot = slot(&taking(2));
    let mut began = std::collections::VecDeque::new();
    let mut most = 0;
    for seed in 0..500 {
        while !slot.has_room() {
            assert!(began.pop_front().is_some(), "no session, and no room");
        }
        began.push_back(begin(&mut slot, seed));
        most = most.max(began.len());
        assert!(slot.held() <= LIMITS.memory, "{seed}: {}", slot.held());
        assert!(began.iter().all(|session| session.lost().is_none()));
    }
    assert_eq!(most, 7, "sessions at once that 1 MiB is enough for");
}

#[test]
fn what_only_the_first_session_takes_is_not_expected_of_the_others() {
    let code = "(if (i32.lt_u (memory.size) (i32.const 12))
        (then (drop (memory.grow (i32.const 11)))))";
    let mut slot = slot(&by_hand(&[("begin", code)]));
    let began: Vec<Session> = (0..100)
        .map(|seed| {
            assert!(slot.has_room(), "{seed}");
            begin(&mut slot, seed)
        })
        .collect();
    assert!(began.iter().all(|session| session.lost().is_none()));
}

#[test]
fn a_trap_gives_the_memory_back_though_sessions_have_still_to_hear_of_it() {
    let code = "(call $mark (i32.const 16) (i32.const 7)) (drop (memory.grow (i32.const 9))) (unreachable)";
    let mut slot = slot(&by_hand(&[("next", code)]));
    let mut alive: Vec<Session> = (0..20).map(|seed| begin(&mut slot, seed)).collect();
    let (answer, said) = next(&mut alive[0], 0);
    assert!(answer.is_err());
    // What it has marked may be there all the same.
    assert_eq!(said.len(), 1);
    assert!(alive.iter().all(|session| session.lost().is_some()));
    assert_eq!(slot.held(), 0);
    assert!(slot.has_room());
}
