//! Reads the tables of a plan file that hold one table for each name: `[feeds.NAME]`, `[files.NAME]`, `[targets.NAME]`,
//! `[secrets.NAME]`. Used by `file.rs`.

use toml::de::DeValue;

use super::{Place, text_for};
use crate::archetypes::check_name;
use crate::errors::ValueError;
use crate::layers::{NamedLayer, NamedLayers};

/// What such a table is made of.
pub(super) struct Kind {
    /// Its own name.
    pub(super) table: &'static str,
    /// One of its tables, as in a message.
    pub(super) one: &'static str,
    /// How one is written.
    pub(super) example: &'static str,
    pub(super) keys: &'static [&'static str],
    /// The key whose value may stand for the whole table: `[feeds]`, `people = "people.csv"`.
    pub(super) short: &'static str,
}

/// What it says, by name.
pub(super) fn named(
    kind: &Kind,
    value: &DeValue<'_>,
    at: usize,
    place: &mut Place<'_>,
) -> NamedLayers {
    let Kind { table, one, .. } = kind;
    let mut all = NamedLayers::new();
    let Some(tables) = value.as_table() else {
        let bad = ValueError::new(format!("this is no table of {table}"), kind.example);
        place.refuse(*table, at, bad);
        return all;
    };
    for (name, said) in tables {
        let at = name.span().start;
        let label = name.get_ref();
        if let Err(bad) = check_name(label, one) {
            place.refuse(format!("{table}.{label}"), at, bad);
            continue;
        }
        let mut layer = NamedLayer::new(place.origin(at));
        let Some(own) = said.get_ref().as_table() else {
            let text = text_for(kind.short, said.get_ref());
            layer.layer.set(kind.short, text, place.origin(at));
            all.insert(label.to_string(), layer);
            continue;
        };
        for (key, value) in own {
            let (key, at) = (key.get_ref().as_ref(), key.span().start);
            if kind.keys.contains(&key) {
                let text = text_for(key, value.get_ref());
                layer.layer.set(key, text, place.origin(at));
                continue;
            }
            let bad = ValueError::no_such_key(key, kind.keys.iter().copied(), "");
            place.refuse(format!("{table}.{label}.{key}"), at, bad);
        }
        all.insert(label.to_string(), layer);
    }
    all
}
