//! A behavior that was composed of two components: one is the contract's, and what it imports besides is the other's export.

use wasm_compose::composer::ComponentComposer;
use wasm_compose::config::Config;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::*;

const YEARS: &str = "interface years { this: func() -> u32; }";

/// The component of a module in the world `part` of this text. Whether it is valid is seen when it is loaded.
pub(super) fn component(mut module: Vec<u8>, wit: &str) -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    resolve
        .push_source("behavior.wit", Version::V0_1.wit())
        .unwrap();
    let text = format!("package test:years@0.1.0; {YEARS} {wit}");
    let package = resolve.push_source("years.wit", &text).unwrap();
    let world = resolve.select_world(&[package], Some("part")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let encoder = ComponentEncoder::default().module(&module).unwrap();
    encoder.validate(false).encode().unwrap()
}

#[test]
fn a_composed_component_plays() {
    let asking = by_hand(&[
        (
            "imports",
            r#"(import "test:years/years@0.1.0" "this" (func $year (result i32)))"#,
        ),
        (
            "next",
            "(call $observe (i32.const 16) (i32.const 7) (f64.convert_i32_u (call $year)))",
        ),
    ]);
    let asking = component(
        asking,
        "world part { include vespeiro:behavior/archetype@0.1.0; import years; }",
    );
    match load(&asking) {
        Err(LoadErrorKind::Import(name)) => assert_eq!(name, "test:years/years@0.1.0"),
        other => panic!("{other:?}"),
    }
    let knowing =
        r#"(module (func (export "test:years/years@0.1.0#this") (result i32) (i32.const 2026)))"#;
    let knowing = component(
        wat::parse_str(knowing).unwrap(),
        "world part { export years; }",
    );
    let folder = tempfile::tempdir().unwrap();
    let [asking, knowing] =
        [("asking.wasm", asking), ("knowing.wasm", knowing)].map(|(name, bytes)| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        });
    let config = Config {
        definitions: vec![knowing],
        ..Config::default()
    };
    let composed = ComponentComposer::new(&asking, &config).compose().unwrap();
    let mut slot = slot(&composed);
    let mut session = begin(&mut slot, 1);
    let (answer, events) = next(&mut session, 0);
    answer.unwrap().unwrap();
    assert!(
        matches!(&events[..], [GuestEvent::Observe { value: 2026.0, .. }]),
        "{events:?}"
    );
}
