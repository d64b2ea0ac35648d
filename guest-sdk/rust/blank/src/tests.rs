//! Plays the journey, whatever it asks for: `cargo test`.

use serde_json::json;
use vespeiro_guest::contract::Ending;
use vespeiro_guest::harness::Harness;

use super::*;

/// What the journey reads in a body is scripted here: `.reply(ITEMS, 200, json!({ "items": [] }))`.
fn harness() -> Harness {
    Harness::new(&BEHAVIOR)
}

#[test]
fn the_journey_comes_to_its_end_and_its_checks_hold() {
    for ordinal in [0, 1] {
        let played = harness().otherwise(200, json!({})).ordinal(ordinal).run();
        assert_eq!(played.ending, Ok(Ending::Completed));
        assert!(!played.requests.is_empty());
        assert!(played.checks.iter().all(|(_, passed)| *passed));
    }
}

#[test]
fn a_service_that_fails_is_no_mistake_of_the_journey() {
    let played = Harness::new(&BEHAVIOR).otherwise(503, json!({})).run();
    assert!(played.ending.is_ok(), "{:?}", played.ending);
}
