//! Both forms of a module play: a core module as cargo builds it, and the component made of it.

use std::path::Path;

use tempfile::TempDir;
use wit_component::ComponentEncoder;

use crate::support::{RunOf, Service, example};

fn plays(module: &Path) {
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "--archetype mine={} --users 3 --min-request-count 4 --max-request-count 4 --delay-min 0 --delay-max 1",
            module.display()
        ),
    );
    assert_eq!(played.archetypes(), ["mine"]);
    assert_eq!(played.archetype("mine")["behavior"], "first");
    assert_eq!((played.sent(), played.errors()), (12, 0));
    assert_eq!(played.sessions("mine", "completed"), 12);
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn a_core_module_plays() {
    plays(&example("first"));
}

#[test]
fn a_component_plays() {
    let core = std::fs::read(example("first")).unwrap();
    let component = ComponentEncoder::default()
        .module(&core)
        .unwrap()
        .validate(true)
        .encode()
        .unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("component.wasm");
    std::fs::write(&path, component).unwrap();
    plays(&path);
}

#[test]
fn a_module_plays_beside_the_built_in_ones() {
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "--archetype mine={}:1 --archetype active=builtin:active:1 --users 4 \
             --min-request-count 10 --max-request-count 10 --delay-min 0 --delay-max 1",
            example("first").display()
        ),
    );
    assert_eq!((played.sent_by("mine"), played.sent_by("active")), (20, 20));
    assert_eq!(played.answered(), service.ledger(1));
}
