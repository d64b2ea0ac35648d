//! What languages compile to beyond plain WebAssembly: a collected heap, exceptions, floats and vectors that are the same on
//! every machine, and imports that nobody meets.

use super::*;

/// What the first step observes when it runs `code`, where `$seen` is what is observed.
fn observed(data: &str, code: &str) -> f64 {
    let code = format!("{code} (call $observe (i32.const 16) (i32.const 7) (local.get $seen))");
    let mut slot = slot(&by_hand(&[
        ("data", data),
        ("next locals", "(local $seen f64) (local $bits i32)"),
        ("next", &code),
    ]));
    let mut session = begin(&mut slot, 1);
    let (answer, events) = next(&mut session, 0);
    answer.unwrap().unwrap();
    match events[..] {
        [GuestEvent::Observe { value, .. }] => value,
        _ => panic!("{events:?}"),
    }
}

#[test]
fn a_collected_heap_is_there() {
    let types = "(type $pair (struct (field i32) (field (mut i32))))";
    let seen = observed(
        types,
        "(local.set $seen (f64.convert_i32_u (struct.get $pair 0 (struct.new $pair (i32.const 42) (i32.const 7)))))",
    );
    assert_eq!(seen, 42.0);
}

/// Makes an array of 16 KiB so often; `keep` is what is done with each.
fn arrays(times: u32, keep: &str) -> Vec<u8> {
    let code = format!(
        "(local.set $bits (i32.const {times}))
         (loop $more
            {keep}
            (local.set $bits (i32.sub (local.get $bits) (i32.const 1)))
            (br_if $more (local.get $bits)))"
    );
    by_hand(&[
        (
            "data",
            "(type $bytes (array (mut i8)))
             (type $list (struct (field (ref $bytes)) (field (ref null $list))))
             (global $kept (mut (ref null $list)) (ref.null $list))",
        ),
        ("next locals", "(local $seen f64) (local $bits i32)"),
        ("next", &code),
    ])
}

#[test]
fn what_nobody_holds_is_collected_and_what_is_held_is_within_the_cap() {
    // 16 MiB in all, of which 1 MiB may be held at a time.
    let mut slot = slot(&arrays(
        1024,
        "(drop (array.new_default $bytes (i32.const 16384)))",
    ));
    let mut session = begin(&mut slot, 1);
    next(&mut session, 0).0.unwrap().unwrap();
    assert!(slot.memory() <= LIMITS.memory, "{}", slot.memory());

    let held = arrays(
        1024,
        "(global.set $kept (struct.new $list (array.new_default $bytes (i32.const 16384)) (global.get $kept)))",
    );
    let mut slot = super::slot(&held);
    let mut session = begin(&mut slot, 1);
    let why = next(&mut session, 0).0.unwrap_err();
    assert!(why.contains("more than 1 MiB of memory"), "{why}");
}

#[test]
fn an_exception_is_caught_by_whoever_catches_it_and_else_ends_the_call_in_words() {
    let tag = "(tag $wrong (param i32))";
    let seen = observed(
        tag,
        "(local.set $bits (block $caught (result i32)
            (try_table (catch $wrong $caught) (throw $wrong (i32.const 42)))
            (i32.const 0)))
         (local.set $seen (f64.convert_i32_u (local.get $bits)))",
    );
    assert_eq!(seen, 42.0);
    let why = crash_of(&[("data", tag), ("next", "(throw $wrong (i32.const 1))")]);
    assert!(
        why.contains("it threw an exception that nothing in it catches"),
        "{why}"
    );
}

#[test]
fn exceptions_from_before_the_standard_are_refused_with_what_to_do() {
    let legacy = by_hand(&[
        ("data", "(tag $wrong (param i32))"),
        ("next", "try (throw $wrong (i32.const 1)) catch_all end"),
    ]);
    let core = load(&legacy);
    assert!(
        matches!(core, Err(LoadErrorKind::LegacyExceptions)),
        "{core:?}"
    );
    // In a component of their own, which is looked at by somebody else.
    let world = "world part { include vespeiro:behavior/archetype@0.1.0; }";
    let inside = load(&composed::component(legacy, world));
    assert!(
        matches!(inside, Err(LoadErrorKind::LegacyExceptions)),
        "{inside:?}"
    );
}

#[test]
fn a_float_that_is_no_number_has_the_same_bits_on_every_machine() {
    // Left alone, a machine of Intel's makes the one with a sign of it.
    let seen = observed(
        "",
        "(f64.store (i32.const 704) (f64.div (f64.load (i32.const 720)) (f64.load (i32.const 720))))
         (local.set $seen (f64.convert_i32_u (i32.load (i32.const 708))))",
    );
    assert_eq!(seen, f64::from(0x7ff8_0000_u32));
}

#[test]
fn relaxed_vectors_compute_the_same_on_every_machine() {
    // Left alone, a machine of Intel's makes 0x80000000 of a float that is no number.
    let seen = observed(
        "",
        "(local.set $seen (f64.convert_i32_u (i32x4.extract_lane 0
            (i32x4.relaxed_trunc_f32x4_s (f32x4.splat (f32.div (f32.load (i32.const 720)) (f32.load (i32.const 720))))))))",
    );
    assert_eq!(seen, 0.0);
}

#[test]
fn emscriptens_runtime_may_say_that_its_memory_has_grown() {
    let mut slot = slot(&by_hand(&[
        (
            "imports",
            r#"(import "env" "emscripten_notify_memory_growth" (func $grown (param i32)))"#,
        ),
        (
            "next",
            "(drop (memory.grow (i32.const 1))) (call $grown (i32.const 0))",
        ),
    ]));
    let mut session = begin(&mut slot, 1);
    next(&mut session, 0).0.unwrap().unwrap();
}
