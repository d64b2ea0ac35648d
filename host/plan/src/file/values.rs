//! The values of a plan file as text, as one would write them on the command line, and as JSON. Used by
//! `file.rs` and `archetype.rs`; the texts are checked by their settings' value types.

use serde_json::{Map, Value};
use toml::de::DeValue;

use crate::errors::ValueError;

pub(super) fn string<'a>(value: &'a DeValue<'_>) -> Result<&'a str, ValueError> {
    value.as_str().ok_or_else(|| {
        ValueError::new(
            format!("this is a value of type {}, not a text", value.type_str()),
            "put it in quotes",
        )
    })
}

pub(super) fn integer(value: &DeValue<'_>) -> Option<i128> {
    value
        .as_integer()
        .and_then(|number| i128::from_str_radix(number.as_str(), number.radix()).ok())
}

/// A value as one would write it on the command line. Lists are joined by commas, tables are `key=value` lists.
pub(super) fn text_of(value: &DeValue<'_>) -> String {
    let joined = |parts: Vec<String>| parts.join(",");
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => {
            integer(value).map_or_else(|| number.to_string(), |number| number.to_string())
        }
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(on) => on.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(items) => joined(items.iter().map(|item| text_of(item.get_ref())).collect()),
        DeValue::Table(table) => joined(
            table
                .iter()
                .map(|(key, item)| format!("{}={}", key.get_ref(), text_of(item.get_ref())))
                .collect(),
        ),
    }
}

/// Stages as text, or as `[[stage]]` tables of a `duration` and the `users` or the `rate` at its end.
pub(super) fn staged(value: &DeValue<'_>) -> String {
    let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
        return match value.as_array() {
            Some(_) => "none".to_owned(),
            None => text_of(value),
        };
    };
    let stage = |item: &DeValue<'_>| match item.as_table() {
        Some(table) => {
            let part = |key: &str| table.get(key).map(|value| text_of(value.get_ref()));
            let target = part("users").or_else(|| part("rate")).unwrap_or_default();
            format!("{}:{target}", part("duration").unwrap_or_default())
        }
        None => text_of(item),
    };
    let stages: Vec<String> = items.iter().map(|item| stage(item.get_ref())).collect();
    stages.join("; ")
}

/// Headers in a list, or in a table of values by name, as lines.
pub(super) fn lines(value: &DeValue<'_>) -> String {
    let lines: Vec<String> = match value {
        DeValue::Array(items) => items.iter().map(|item| text_of(item.get_ref())).collect(),
        DeValue::Table(table) => table
            .iter()
            .map(|(name, item)| format!("{}: {}", name.get_ref(), text_of(item.get_ref())))
            .collect(),
        one => return text_of(one),
    };
    match lines.is_empty() {
        true => "none".to_owned(),
        false => lines.join("\n"),
    }
}

/// Conditions in a list, or in a table of bounds by metric: `p95 = "<500ms"`.
pub(super) fn listed(value: &DeValue<'_>) -> String {
    let joined = |parts: Vec<String>| parts.join("; ");
    let texts = |value: &DeValue<'_>| match value {
        DeValue::Array(items) => items.iter().map(|item| text_of(item.get_ref())).collect(),
        one => vec![text_of(one)],
    };
    match value {
        DeValue::Array(items) if items.is_empty() => "none".to_owned(),
        DeValue::Table(table) if table.is_empty() => "none".to_owned(),
        DeValue::Table(table) => joined(
            table
                .iter()
                .flat_map(|(metric, bounds)| {
                    let bounds = texts(bounds.get_ref());
                    bounds
                        .into_iter()
                        .map(move |b| format!("{}{b}", metric.get_ref()))
                })
                .collect(),
        ),
        value => joined(texts(value)),
    }
}

pub(super) fn json(value: &DeValue<'_>) -> Result<Value, ValueError> {
    let no_number = || {
        ValueError::new(
            "JSON has no such number",
            "use a finite 64-bit number, or a text",
        )
    };
    Ok(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(_) => {
            let number = integer(value).ok_or_else(no_number)?;
            i64::try_from(number)
                .map(Value::from)
                .or_else(|_| u64::try_from(number).map(Value::from))
                .map_err(|_| no_number())?
        }
        DeValue::Float(number) => {
            let number = number
                .as_str()
                .parse()
                .ok()
                .and_then(serde_json::Number::from_f64);
            Value::Number(number.ok_or_else(no_number)?)
        }
        DeValue::Boolean(on) => Value::Bool(*on),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| json(item.get_ref()))
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Table(table) => {
            let entries = table
                .iter()
                .map(|(key, item)| Ok((key.get_ref().to_string(), json(item.get_ref())?)));
            Value::Object(entries.collect::<Result<Map<_, _>, ValueError>>()?)
        }
    })
}
