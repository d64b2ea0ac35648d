//! The plan file as a JSON schema (draft 7), for completion and checks in editors. Made of the declarations of the settings,
//! so that a new one is in it. Printed by `vespeiro plan --format schema`.
//!
//! What must stay true: what the schema refuses, a run refuses too, but for words in capitals.

use serde_json::{Map, Value, json};

use crate::feeds::{FeedOrder, KEYS};
use crate::files;
use crate::layers::Setting;
use crate::overrides::can_override;
use crate::plan::settings;
use crate::preset::{OTHER_NAME, names};
use crate::secrets;
use crate::targets;
use crate::value_types::SettingKind;
use vespeiro_model::Word as _;

/// The schema of a plan file.
pub fn schema() -> Value {
    let settings = settings();
    let mut known: Map<String, Value> = settings
        .iter()
        .map(|setting| (setting.key.to_owned(), of(setting)))
        .collect();
    let overrides = settings.iter().filter(|setting| can_override(setting.key));
    let overrides = overrides.map(|setting| (setting.key.to_owned(), of(setting)));
    let other = format!("Another name of preset: {}", names());
    known.insert(
        OTHER_NAME.into(),
        described(json!({ "type": "string" }), &other),
    );
    known.insert("archetype".into(), archetypes(overrides.collect()));
    known.insert("feeds".into(), feeds());
    let of_targets = settings
        .iter()
        .filter(|one| targets::KEYS.contains(&one.key));
    let of_targets = of_targets.map(|setting| (setting.key.to_owned(), of(setting)));
    known.insert(
        "targets".into(),
        by_name(
            "What the run plays against beside base_url, by the name that routes give",
            of_targets.collect(),
        ),
    );
    let text = json!({ "type": "string" });
    let of_files = files::KEYS.map(|key| (key.to_owned(), text.clone()));
    known.insert(
        "files".into(),
        by_name(
            "Files that behaviors send, by the name that they give, as seen from this file",
            of_files.into_iter().collect(),
        ),
    );
    let of_secrets = secrets::KEYS.map(|key| (key.to_owned(), text.clone()));
    known.insert("secrets".into(), by_name(
        "Values that behaviors may ask for and nobody sees: an environment variable or a file for each name",
        of_secrets.into_iter().collect(),
    ));
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A plan of vespeiro",
        "type": "object",
        "additionalProperties": false,
        "properties": known,
    })
}

fn described(mut schema: Value, about: &str) -> Value {
    schema["description"] = about.into();
    schema
}

fn of(setting: &Setting) -> Value {
    let about = match setting.default.as_str() {
        "none" => setting.help.to_string(),
        _ if setting.kind.is_secret() => setting.help.to_string(),
        default => format!("{} [default: {default}]", setting.help),
    };
    described(form(setting), &about)
}

/// What may stand for a value: as the plan file's reader makes text of it.
fn form(setting: &Setting) -> Value {
    let conditions = json!({ "type": ["string", "array", "object"] });
    match setting.key {
        "mix" => json!({ "anyOf": [shares(), {
            "type": "object",
            "additionalProperties": false,
            "properties": { "requests": shares(), "errors": shares(), "faults": shares() },
        }] }),
        "error_mix" | "faults" => shares(),
        "stage" => stages(),
        "threshold" | "thresholds" | "abort_on" => conditions,
        "header" => json!({
            "type": ["string", "array", "object"],
            "additionalProperties": { "type": ["string", "number", "boolean"] },
        }),
        _ if !setting.words.is_empty() => json!({ "enum": setting.words }),
        _ => match setting.kind {
            SettingKind::Switch => json!({ "type": ["boolean", "string"] }),
            SettingKind::List | SettingKind::SecretList => {
                json!({ "type": ["string", "array", "object"] })
            }
            SettingKind::Value | SettingKind::Secret => match setting.value_name {
                "N" => json!({ "type": ["integer", "string"] }),
                _ => json!({ "type": ["string", "number", "array", "object"] }),
            },
        },
    }
}

/// Weights or percentages by name.
fn shares() -> Value {
    json!({ "type": ["string", "object"], "additionalProperties": { "type": ["number", "string"] } })
}

fn stages() -> Value {
    let number = json!({ "type": ["number", "string"] });
    json!({
        "type": ["string", "array"],
        "items": {
            "type": ["string", "object"],
            "properties": { "duration": number, "users": number, "rate": number },
        },
    })
}

fn archetypes(overrides: Map<String, Value>) -> Value {
    let mut own = json!({
        "name": { "type": "string", "description": "What figures and flags call it" },
        "weight": { "type": "integer", "description": "Its part of the users, beside the weights of the others" },
        "module": { "type": "string", "description": "A .wasm or .toml file, as seen from this file, or builtin:NAME" },
        "config": { "type": "object", "description": "Given to each of its sessions" },
    });
    if let Some(own) = own.as_object_mut() {
        own.extend(overrides);
    }
    json!({
        "type": "array",
        "description": "Who plays",
        "items": {
            "type": "object",
            "required": ["name"],
            "additionalProperties": false,
            "properties": own,
        },
    })
}

fn feeds() -> Value {
    let about = |key: &str| match key {
        "file" => {
            json!({ "type": "string", "description": "A .csv, .jsonl or .json file with its rows" })
        }
        "order" => {
            json!({ "enum": FeedOrder::TABLE.iter().map(|(word, _)| word).collect::<Vec<_>>() })
        }
        "per_user" => json!({ "type": ["integer", "string"] }),
        _ => json!({ "type": ["string", "array"] }),
    };
    let keys = KEYS.iter().map(|key| ((*key).to_owned(), about(key)));
    by_name(
        "Rows for behaviors, by the name that they ask for",
        keys.collect(),
    )
}

/// Tables by name, each of which may be a text where one of its values says all.
fn by_name(about: &str, keys: Map<String, Value>) -> Value {
    json!({
        "type": "object",
        "description": about,
        "additionalProperties": { "anyOf": [
            { "type": "string" },
            { "type": "object", "additionalProperties": false, "properties": keys },
        ] },
    })
}
