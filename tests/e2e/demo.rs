//! The commands as a newcomer types them: the demo, and the specification's own line.

use crate::support::{Service, vespeiro};

#[test]
fn the_demo_shows_all_archetypes_and_all_endpoints() {
    let ended = vespeiro(&[
        "demo",
        "--no-panel",
        "--seed=7",
        "--delay-min=0",
        "--delay-max=5ms",
        "--min-request-count=300",
        "--max-request-count=400",
    ])
    .fine();
    for archetype in ["newcomer (", "active (", "admin (", "power ("] {
        let shown = |line: &str| line.starts_with(archetype);
        assert!(ended.stdout.lines().any(shown), "{}", ended.stdout);
    }
    let table = ended.stdout.split("\nslowest").next().unwrap_or_default();
    let routes = table.lines().filter(|l| l.contains(" /api/v1/"));
    assert_eq!(routes.count(), 33, "{}", ended.stdout);
    assert!(ended.stdout.contains(", unplanned 0,"), "{}", ended.stdout);
}

#[test]
fn the_demo_ends_after_its_duration() {
    let ended = vespeiro(&["demo", "--no-panel", "--duration=1"]).fine();
    assert!(ended.stdout.contains("newcomer ("), "{}", ended.stdout);
}

#[test]
fn the_command_line_of_the_specification_works() {
    let service = Service::start();
    let ended = vespeiro(&[
        "user:populate",
        "--users=10",
        "--min-request-count=5",
        "--max-request-count=50",
        &format!("--base-url={}", service.url),
        "--scenario=development",
        "--delay-min=0",
        "--delay-max=2",
    ])
    .fine();
    assert!(ended.stdout.contains("development"), "{}", ended.stdout);
    assert!(service.answered() >= 50);
}

#[test]
fn the_summary_speaks_portuguese_when_asked() {
    let ended = vespeiro(&["demo", "--no-panel", "--duration=1", "--lang=pt-BR"]).fine();
    for word in ["requisições", "usuários", "arquétipos"] {
        assert!(ended.stdout.contains(word), "{word}: {}", ended.stdout);
    }
}
