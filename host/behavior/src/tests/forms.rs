//! What the loader takes, and what it says of what it does not take.

use wit_component::{StringEncoding, embed_component_metadata};

use super::super::ModuleFormat;
use super::*;

#[test]
fn a_core_module_with_canonical_names_alone_plays() {
    let behavior = load(&by_hand(&[])).unwrap();
    assert_eq!(
        (behavior.name.as_str(), behavior.version.as_str()),
        ("by-hand", "0.1.0")
    );
    assert_eq!(behavior.contract, "vespeiro:behavior/behavior@0.1.0");
    assert_eq!(
        behavior.imports,
        [
            "vespeiro:behavior/host@0.1.0",
            "vespeiro:behavior/types@0.1.0"
        ]
    );
    let form = ModuleFormat::Core {
        embedded_wit: false,
        preview1: false,
    };
    assert_eq!(behavior.form, form);
    plays(&mut Slot::new(behavior, 0));
}

fn plays(slot: &mut Slot) {
    let mut session = begin(slot, 1);
    let step = next(&mut session, 0).0.unwrap().unwrap();
    let types::Action::Requests(requests) = step.action else {
        panic!("{step:?}");
    };
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].path, "/health");
    assert_eq!(requests[0].route, types::RouteRef::Described(0));
    let step = next(&mut session, 0).0.unwrap().unwrap();
    assert_eq!(step.action, types::Action::Done(types::Ending::Completed));
}

#[test]
fn another_patch_version_is_the_same_contract_and_another_minor_one_is_not() {
    let versioned = |version: &str| {
        let text = BY_HAND.replace("@0.1.0", &format!("@{version}"));
        load(&wat::parse_str(text).unwrap())
    };
    assert_eq!(
        versioned("0.1.9").unwrap().contract,
        "vespeiro:behavior/behavior@0.1.9"
    );
    match versioned("0.3.0") {
        Err(LoadErrorKind::OtherContract { found }) => {
            assert_eq!(found, "vespeiro:behavior/behavior@0.3.0");
        }
        other => panic!("{other:?}"),
    }
}

/// The module by hand as version 0.2 has it: its request names a place and no texts, and a fault may have a word.
fn of_0_2(next: &str) -> Vec<u8> {
    let replaced = [
        ("@0.1.0", "@0.2.0"),
        (
            "(param $fault i32)",
            "(param $fault i32) (param $word i32) (param $words i32)",
        ),
        (
            r#""\00\00\00\00\30\00\00\00\07\00\00\00\30\00\00\00\07\00\00\00\40\00\00\00\0a\00\00\00""#,
            r#""\00\00\00\00\30\00\00\00\07\00\00\00""#,
        ),
        // A route is longer, up to where its categories lay.
        (r"\01\00\00\00\c0\00\00\00", r"\01\00\00\00\e0\00\00\00"),
        ("(data (i32.const 192)", "(data (i32.const 224)"),
        (";; next\n", next),
    ];
    let mut text = BY_HAND.to_owned();
    for (from, to) in replaced {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    wat::parse_str(&text).unwrap()
}

#[test]
fn a_module_of_0_2_names_its_route_by_its_place() {
    let module = of_0_2("");
    assert_eq!(
        load(&module).unwrap().contract,
        "vespeiro:behavior/behavior@0.2.0"
    );
    plays(&mut slot(&module));
}

#[test]
fn places_words_and_lists_that_no_request_may_have_fail_its_session() {
    for (next, said) in [
        (
            "(i32.store16 (i32.const 320) (i32.const 1))",
            "a request names the route 1, and its description has 1",
        ),
        (
            "(i32.store8 (i32.const 332) (i32.const 1)) (i32.store16 (i32.const 334) (i32.const 9))",
            "a request names the category 9, and its description has 1",
        ),
        (
            "(i32.store (i32.const 360) (i32.const 320)) (i32.store (i32.const 364) (i32.const 17))",
            "a request expects 17 statuses, and 16 are allowed",
        ),
        // The fault `by-hand`; the same place has the behavior's name.
        (
            "(i32.store8 (i32.const 392) (i32.const 1)) (i32.store8 (i32.const 396) (i32.const 5))
             (i32.store (i32.const 400) (i32.const 16)) (i32.store (i32.const 404) (i32.const 7))",
            "a request commits the fault \"by-hand\", which this host does not know",
        ),
    ] {
        let mut slot = slot(&of_0_2(next));
        let mut session = begin(&mut slot, 1);
        assert_eq!(next_step(&mut session), Err(said.to_owned()));
    }
}

fn next_step(session: &mut Session) -> Result<types::Step, String> {
    next(session, 0).0.unwrap()
}

#[test]
fn the_names_of_the_canonical_abi_play_too() {
    let text = BY_HAND
        .replace(
            "[export]vespeiro:behavior/behavior@0.1.0",
            "cm32p2|_ex_vespeiro:behavior/behavior@0.1",
        )
        .replace(
            "\"vespeiro:behavior/host@0.1.0\"",
            "\"cm32p2|vespeiro:behavior/host@0.1\"",
        )
        .replace("[resource-new]session", "session_new")
        .replace("[resource-drop]session", "session_drop")
        .replace("#[dtor]session", "|session_dtor")
        .replace(
            "vespeiro:behavior/behavior@0.1.0#",
            "cm32p2|vespeiro:behavior/behavior@0.1|",
        )
        .replace(
            "vespeiro:behavior/behavior@0.1.0|",
            "cm32p2|vespeiro:behavior/behavior@0.1|",
        )
        .replace("(export \"memory\")", "(export \"cm32p2_memory\")")
        .replace("cabi_realloc", "cm32p2_realloc");
    plays(&mut slot(&wat::parse_str(text).unwrap()));
}

#[test]
fn a_core_module_that_exports_nothing_of_the_contract_is_told_how() {
    match load(&wat::parse_str("(module)").unwrap()) {
        Err(kind @ LoadErrorKind::NoWit) => assert!(kind.to_string().contains("canonical names")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_missing_function_is_named() {
    let text = BY_HAND.replace("#describe", "#describes");
    match load(&wat::parse_str(text).unwrap()) {
        Err(LoadErrorKind::Componentize(why)) => assert!(why.contains("describe"), "{why}"),
        other => panic!("{other:?}"),
    }
}

/// The module by hand with a WIT of its own: the contract's, but for one line.
fn with_wit(from: &str, to: &str) -> Vec<u8> {
    let wit = Version::V0_1.wit();
    assert!(wit.contains(from), "{from}");
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve
        .push_source("behavior.wit", &wit.replacen(from, to, 1))
        .unwrap();
    let world = resolve.select_world(&[package], Some("archetype")).unwrap();
    let mut module = by_hand(&[]);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    module
}

#[test]
fn a_function_of_another_type_is_named() {
    for (from, to, name) in [
        ("-> description;", "-> string;", "describe"),
        (
            "result<step, string>;",
            "result<step, u32>;",
            "[method]session.next",
        ),
        (
            "use types.{setup, context, outcome, step, description};",
            "use types.{request as setup, context, outcome, step, description};",
            "[constructor]session",
        ),
    ] {
        match load(&with_wit(from, to)) {
            Err(kind @ LoadErrorKind::Mismatch(_)) => {
                let said = kind.to_string();
                assert!(said.contains(name), "{name}: {said}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn an_import_that_nobody_meets_is_named() {
    let http = r#"(component (import "wasi:http/types@0.2.0" (instance)))"#;
    // Without the contract that comes first.
    assert!(matches!(
        load(&wat::parse_str(http).unwrap()),
        Err(LoadErrorKind::NoContract)
    ));
    let more = [(
        "imports",
        r#"(import "env" "system" (func (param i32) (result i32)))"#,
    )];
    match load(&by_hand(&more)) {
        Err(LoadErrorKind::Componentize(why)) => assert!(why.contains("env"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_instance_that_describes_itself_otherwise_is_refused() {
    let more = [
        ("imports", r#"(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))"#),
        // One of 16 letters at the end of the name, by the instance's seed.
        (
            "describe",
            "(drop (call $random (i32.const 22) (i32.const 1)))
             (i32.store8 (i32.const 22) (i32.add (i32.const 97) (i32.and (i32.load8_u (i32.const 22)) (i32.const 15))))",
        ),
    ];
    let behavior = load(&by_hand(&more)).unwrap();
    let refused = (0..40).filter_map(|seed| {
        Slot::new(Arc::clone(&behavior), seed)
            .begin(setup(1), Feeder::default())
            .err()
    });
    let reasons: Vec<String> = refused.map(|crash| crash.to_string()).collect();
    assert!(!reasons.is_empty());
    assert!(
        reasons
            .iter()
            .all(|reason| reason.contains("crashed in describe: its answer differs")),
        "{reasons:?}"
    );
}
