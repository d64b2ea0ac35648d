//! Reads the `[feeds.NAME]` tables of a plan file. Used by `file.rs`.

use toml::de::DeValue;

use super::Place;
use super::values::text_of;
use crate::archetypes::check_name;
use crate::errors::ValueError;
use crate::feeds::{FeedLayer, FeedLayers, KEYS};

/// Reads the `[feeds.NAME]` tables of a plan file, or their files alone: `[feeds]`, `people = "people.csv"`.
pub(super) fn feeds(value: &DeValue<'_>, at: usize, place: &mut Place<'_>) -> FeedLayers {
    let mut feedings = FeedLayers::new();
    let Some(tables) = value.as_table() else {
        let bad = ValueError::new(
            "this is no table of feeds",
            "write [feeds.people] above file = \"people.csv\"",
        );
        place.refuse("feeds", at, bad);
        return feedings;
    };
    for (name, said) in tables {
        let at = name.span().start;
        let label = name.get_ref();
        if let Err(bad) = check_name(label, "a feed") {
            place.refuse(format!("feeds.{label}"), at, bad);
            continue;
        }
        let mut feeding = FeedLayer::new(place.origin(at));
        let Some(table) = said.get_ref().as_table() else {
            let file = text_of(said.get_ref());
            feeding.layer.set("file", file, place.origin(at));
            feedings.insert(label.to_string(), feeding);
            continue;
        };
        for (key, value) in table {
            let (key, at) = (key.get_ref().as_ref(), key.span().start);
            if KEYS.contains(&key) {
                let text = text_of(value.get_ref());
                feeding.layer.set(key, text, place.origin(at));
                continue;
            }
            let bad = ValueError::no_such_key(key, KEYS.into_iter(), "");
            place.refuse(format!("feeds.{label}.{key}"), at, bad);
        }
        feedings.insert(label.to_string(), feeding);
    }
    feedings
}
