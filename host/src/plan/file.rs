//! Reads a plan file (TOML): settings at the top level, `[[archetype]]` tables. Used by `resolve.rs` for `--plan` and
//! for a scenario that is a file. Every value keeps its line; the values themselves are judged by their forms, as text.

use std::path::Path;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::archetypes::{Entry, check_name, parse_module, parse_weight};
use super::errors::{Bad, Origin, PlanError, nearest};
use super::layers::Layer;
use super::own::{self, Own};

/// What one plan file says.
#[derive(Default)]
pub(super) struct PlanFile {
    pub(super) layer: Layer,
    pub(super) archetypes: Vec<Entry>,
}

const ARCHETYPE_KEYS: [&str; 4] = ["name", "weight", "module", "config"];

/// The keys of `[[archetype]]`.
fn archetype_keys() -> impl Iterator<Item = &'static str> {
    ARCHETYPE_KEYS.into_iter().chain(own::KEYS)
}

/// Reads the file; `key` and `origin` say who asked for it. What is wrong goes to `errors`, the rest is returned.
pub(super) fn read(
    path: &Path,
    key: &str,
    origin: &Origin,
    errors: &mut Vec<PlanError>,
) -> PlanFile {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, path, errors),
        Err(error) => {
            let problem = format!("cannot read {}: {error}", path.display());
            errors.push(Bad::new(problem, "give the path of a TOML plan file").at(key, origin));
            PlanFile::default()
        }
    }
}

/// Where things are in a file, and what is wrong there.
struct Place<'a> {
    text: &'a str,
    path: &'a Path,
    errors: &'a mut Vec<PlanError>,
}

impl Place<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.get(..offset).unwrap_or(self.text);
        Origin::File {
            path: self.path.to_owned(),
            line: 1 + before.matches('\n').count(),
        }
    }

    fn refuse(&mut self, key: impl Into<String>, offset: usize, bad: Bad) {
        let origin = self.origin(offset);
        self.errors.push(bad.at(key, &origin));
    }
}

fn parse(text: &str, path: &Path, errors: &mut Vec<PlanError>) -> PlanFile {
    let mut place = Place { text, path, errors };
    let mut file = PlanFile::default();
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let problem = error
                .message()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            place.refuse(
                "TOML",
                error.span().map_or(0, |span| span.start),
                Bad::new(problem, "mend this line"),
            );
            return file;
        }
    };
    for (key, value) in table.get_ref() {
        let (name, at) = (key.get_ref().as_ref(), key.span().start);
        if let ("mix", Some(parts)) = (name, mixes(value.get_ref())) {
            for (part, value) in parts {
                let at = part.span().start;
                match part.get_ref().as_ref() {
                    "requests" => file
                        .layer
                        .set("mix", text_of(value.get_ref()), place.origin(at)),
                    "errors" => {
                        file.layer
                            .set("error_mix", text_of(value.get_ref()), place.origin(at))
                    }
                    odd => {
                        let bad = Bad::new("no such key", "write [mix.requests] and [mix.errors]");
                        place.refuse(format!("mix.{odd}"), at, bad);
                    }
                }
            }
            continue;
        }
        if name == "stage" {
            file.layer
                .set(name, staged(value.get_ref()), place.origin(at));
            continue;
        }
        if let Some(setting) = conditions(name) {
            file.layer
                .set(setting, listed(value.get_ref()), place.origin(at));
            continue;
        }
        if name != "archetype" {
            file.layer
                .set(name, text_of(value.get_ref()), place.origin(at));
            continue;
        }
        let tables = value.get_ref().as_array().map(|array| {
            array.iter().filter_map(|item| {
                item.get_ref()
                    .as_table()
                    .map(|table| (table, item.span().start))
            })
        });
        match (value.get_ref().as_array(), tables) {
            (Some(array), Some(tables)) if tables.clone().count() == array.len() => {
                file.archetypes
                    .extend(tables.filter_map(|(table, at)| archetype(table, at, &mut place)));
            }
            _ => place.refuse(
                name,
                at,
                Bad::new(
                    "this is no list of tables",
                    "write [[archetype]] above each of them",
                ),
            ),
        }
    }
    file
}

/// Stages as text, or as `[[stage]]` tables of a `duration` and the `users` or the `rate` at its end.
fn staged(value: &DeValue<'_>) -> String {
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

/// The setting that a list of conditions belongs to.
fn conditions(key: &str) -> Option<&'static str> {
    match key {
        "thresholds" | "threshold" => Some("threshold"),
        "abort_on" => Some("abort_on"),
        _ => None,
    }
}

/// Conditions in a list, or in a table of bounds by metric: `p95 = "<500ms"`.
fn listed(value: &DeValue<'_>) -> String {
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

/// The parts of `[mix]`, where it is not itself a list of shares.
fn mixes<'a, 'i>(value: &'a DeValue<'i>) -> Option<&'a DeTable<'i>> {
    let table = value.as_table()?;
    let parts = ["requests", "errors"];
    parts
        .iter()
        .any(|part| table.contains_key(*part))
        .then_some(table)
}

fn archetype(table: &DeTable<'_>, at: usize, place: &mut Place<'_>) -> Option<Entry> {
    let folder = place.path.parent().map(Path::to_owned).unwrap_or_default();
    let label = table
        .get("name")
        .and_then(|name| name.get_ref().as_str())
        .unwrap_or("?")
        .to_owned();
    for (key, _) in table
        .iter()
        .filter(|(key, _)| !archetype_keys().any(|known| known == key.get_ref().as_ref()))
    {
        let mend = nearest(key.get_ref(), archetype_keys()).map_or_else(
            || {
                let keys: Vec<_> = archetype_keys().collect();
                let keys = keys.join(", ");
                format!("use {keys}; what the behavior itself reads goes into config")
            },
            |near| format!("did you mean `{near}`?"),
        );
        let path = format!("archetype.{label}.{}", key.get_ref());
        place.refuse(path, key.span().start, Bad::new("no such key", mend));
    }
    let name = place.take(table, &label, "name", |value| check_name(string(value)?));
    let weight = place.take(table, &label, "weight", |value| {
        parse_weight(integer(value))
    });
    let module = place.take(table, &label, "module", |value| {
        parse_module(string(value)?, &folder)
    });
    let config = place.take(table, &label, "config", |value| match json(value)? {
        Value::Object(config) => Ok(config),
        _ => Err(Bad::new(
            "this is no table",
            "write config = { key = value }",
        )),
    });
    if !table.contains_key("name") {
        place.refuse(
            "archetype.name",
            at,
            Bad::new("an archetype without a name", "add name = \"...\""),
        );
    }
    let mut own = Own::default();
    for (key, value) in table {
        let (name, value, at) = (key.get_ref(), value.get_ref(), key.span().start);
        let text = match name.as_ref() {
            "stage" => staged(value),
            name if own::KEYS.contains(&name) => text_of(value),
            _ => continue,
        };
        own.set(name, text, place.origin(at));
    }
    Some(Entry {
        own,
        name: name??,
        weight: weight?,
        module: module?,
        config: config?,
        origin: place.origin(at),
    })
}

impl Place<'_> {
    /// The value of a key, if it has one: `None` when it is wrong, which is then already reported.
    fn take<T>(
        &mut self,
        table: &DeTable<'_>,
        label: &str,
        key: &str,
        convert: impl FnOnce(&DeValue<'_>) -> Result<T, Bad>,
    ) -> Option<Option<T>> {
        let Some(value) = table.get(key) else {
            return Some(None);
        };
        match convert(value.get_ref()) {
            Ok(converted) => Some(Some(converted)),
            Err(bad) => {
                self.refuse(format!("archetype.{label}.{key}"), value.span().start, bad);
                None
            }
        }
    }
}

fn string<'a>(value: &'a DeValue<'_>) -> Result<&'a str, Bad> {
    value.as_str().ok_or_else(|| {
        Bad::new(
            format!("this is no text but {}", value.type_str()),
            "put it in quotes",
        )
    })
}

fn integer(value: &DeValue<'_>) -> Option<i128> {
    value
        .as_integer()
        .and_then(|number| i128::from_str_radix(number.as_str(), number.radix()).ok())
}

/// A value as one would write it on the command line. Lists are joined by commas, tables are `key=value` lists.
fn text_of(value: &DeValue<'_>) -> String {
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

fn json(value: &DeValue<'_>) -> Result<Value, Bad> {
    let no_number = || {
        Bad::new(
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
            Value::Object(entries.collect::<Result<Map<_, _>, Bad>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Module;
    use super::*;

    fn read_text(text: &str) -> (PlanFile, Vec<String>) {
        let mut errors = Vec::new();
        let file = parse(text, Path::new("folder/plan.toml"), &mut errors);
        (file, errors.iter().map(PlanError::to_string).collect())
    }

    #[test]
    fn every_value_keeps_its_line_and_becomes_text() {
        let (file, errors) = read_text(
            "# plan\nusers = 1_000\n\nduration = \"5m\"\ninsecure = true\n[mix]\nauth = 0x14\nuser-query = 80.5\n",
        );
        assert_eq!(errors, [""; 0]);
        let entry = |key: &str| {
            let (text, origin) = &file.layer.entries[key];
            format!("{text} @ {origin}")
        };
        assert_eq!(entry("users"), "1000 @ folder/plan.toml:2");
        assert_eq!(entry("duration"), "5m @ folder/plan.toml:4");
        assert_eq!(entry("insecure"), "true @ folder/plan.toml:5");
        assert_eq!(entry("mix"), "auth=20,user-query=80.5 @ folder/plan.toml:6");
    }

    #[test]
    fn the_two_mixes_are_tables_of_one_name() {
        let (file, errors) = read_text(
            "[mix.requests]\nauth = 40\nx = 60\n[mix.errors]\nsuccess = 100.0\n[mix.other]\na = 1\n",
        );
        assert_eq!(
            errors,
            ["mix.other (folder/plan.toml:6): no such key; write [mix.requests] and [mix.errors]"]
        );
        let text = |key: &str| {
            let (text, origin) = &file.layer.entries[key];
            format!("{text} @ {origin}")
        };
        assert_eq!(text("mix"), "auth=40,x=60 @ folder/plan.toml:1");
        assert_eq!(text("error_mix"), "success=100.0 @ folder/plan.toml:4");
        let (file, _) = read_text("mix.errors = \"off\"\n");
        assert_eq!(file.layer.entries["error_mix"].0, "off");
    }

    #[test]
    fn stages_are_tables_or_texts() {
        let text = |file: &str| read_text(file).0.layer.entries["stage"].0.clone();
        let tables =
            "[[stage]]\nduration = \"30s\"\nusers = 100\n[[stage]]\nduration = 60\nrate = 2.5\n";
        assert_eq!(text(tables), "30s:100; 60:2.5");
        assert_eq!(text("stage = [\"30s:100\", \"1m:0\"]\n"), "30s:100; 1m:0");
        assert_eq!(text("stage = \"30s:100\"\n"), "30s:100");
        assert_eq!(text("stage = []\n"), "none");
        assert_eq!(text("[[stage]]\nuser = 1\n"), ":");
    }

    #[test]
    fn conditions_stand_in_lists_or_in_a_table_by_metric() {
        let (file, errors) = read_text(
            "abort_on = [\"error_rate>50%:30s\", \"p99>5s:1m\"]\n[thresholds]\np95 = \"<500ms\"\n\
             \"error_rate{archetype=admin}\" = [\"<1%\", \"<5%:30s abort\"]\n",
        );
        assert_eq!(errors, [""; 0]);
        let text = |key: &str| file.layer.entries[key].0.as_str();
        assert_eq!(text("abort_on"), "error_rate>50%:30s; p99>5s:1m");
        let mut parts: Vec<&str> = text("threshold").split("; ").collect();
        parts.sort_unstable();
        assert_eq!(
            parts,
            [
                "error_rate{archetype=admin}<1%",
                "error_rate{archetype=admin}<5%:30s abort",
                "p95<500ms"
            ]
        );
        let (file, _) = read_text("thresholds = []\n");
        assert_eq!(file.layer.entries["threshold"].0, "none");
    }

    #[test]
    fn an_archetype_takes_its_config_as_json() {
        let text = "[[archetype]]\nname = \"vip\"\nweight = 3\nmodule = \"builtin:power\"\n\
            config = { deep = { list = [1, 2.5, \"x\"] }, when = 2026-01-01, on = true }\n";
        let (file, errors) = read_text(text);
        assert_eq!(errors, [""; 0]);
        let [entry] = file.archetypes.as_slice() else {
            panic!("{:?}", file.archetypes)
        };
        assert_eq!((entry.name.as_str(), entry.weight), ("vip", Some(3)));
        assert_eq!(entry.module, Some(Module::BuiltIn("power".into())));
        let expected =
            serde_json::json!({"deep": {"list": [1, 2.5, "x"]}, "when": "2026-01-01", "on": true});
        assert_eq!(entry.config.clone().map(Value::Object), Some(expected));
        assert_eq!(entry.origin.to_string(), "folder/plan.toml:1");
    }

    #[test]
    fn every_mistake_of_an_archetype_is_reported_with_its_line() {
        let text = "[[archetype]]\nnam = \"a\"\n\n[[archetype]]\nname = \"b\"\nweight = -1\nmodule = \"x.wasm\"\nconfig = 3\n";
        let (_, errors) = read_text(text);
        assert_eq!(
            errors,
            [
                "archetype.?.nam (folder/plan.toml:2): no such key; did you mean `name`?",
                "archetype.name (folder/plan.toml:1): an archetype without a name; add name = \"...\"",
                "archetype.b.weight (folder/plan.toml:6): this is no weight; give a whole number, 0 to 1000000",
                "archetype.b.module (folder/plan.toml:7): module folder/x.wasm is not there; \
                 give the path of a .wasm file, or builtin:<name>",
                "archetype.b.config (folder/plan.toml:8): this is no table; write config = { key = value }",
            ]
        );
    }

    #[test]
    fn broken_toml_is_one_line_that_names_its_place() {
        for text in [
            "users = 1\nusers = 2\n",
            "users = 1\n= 2\n",
            "users = 1\nbase_url = \"x\nlang = 1",
        ] {
            let (_, errors) = read_text(text);
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(
                errors[0].starts_with("TOML (folder/plan.toml:2): "),
                "{errors:?}"
            );
            assert_eq!(errors[0].lines().count(), 1);
        }
        for text in [
            "archetype = 1",
            "archetype = [1]",
            "[archetype]\nname = \"a\"",
        ] {
            assert!(read_text(text).1[0].contains("[[archetype]]"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*", lines in "([a-z\\[\\]]{1,9} ?=? ?[0-9a-z\"{}\\[\\],.]{0,9}\n){0,6}") {
            read_text(&text);
            read_text(&lines);
        }
    }
}
