//! Reads one `[[archetype]]` table of a plan file. Used by `file.rs`.

use std::path::Path;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::Place;
use super::values::{integer, json, staged, string, text_of};
use crate::archetypes::{Entry, check_name, parse_module, parse_weight};
use crate::errors::ValueError;
use crate::layers::Layer;
use crate::overrides::OVERRIDABLE;

const ARCHETYPE_KEYS: [&str; 4] = ["name", "weight", "module", "config"];

/// The keys of `[[archetype]]`.
fn archetype_keys() -> impl Iterator<Item = &'static str> + Clone {
    ARCHETYPE_KEYS.into_iter().chain(OVERRIDABLE)
}

/// `at` is where the table begins. `None` when it is wrong, which is then already reported.
pub(super) fn archetype(table: &DeTable<'_>, at: usize, place: &mut Place<'_>) -> Option<Entry> {
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
        let hint = "; what the behavior itself reads goes into config";
        let bad = ValueError::no_such_key(key.get_ref(), archetype_keys(), hint);
        let path = format!("archetype.{label}.{}", key.get_ref());
        place.refuse(path, key.span().start, bad);
    }
    let name = place.take(table, &label, "name", |value| {
        check_name(string(value)?, "an archetype")
    });
    let weight = place.take(table, &label, "weight", |value| {
        parse_weight(integer(value))
    });
    let module = place.take(table, &label, "module", |value| {
        parse_module(string(value)?, &folder)
    });
    let config = place.take(table, &label, "config", |value| match json(value)? {
        Value::Object(config) => Ok(config),
        _ => Err(ValueError::new(
            "this is no table",
            "write config = { key = value }",
        )),
    });
    if !table.contains_key("name") {
        place.refuse(
            "archetype.name",
            at,
            ValueError::new("an archetype without a name", "add name = \"...\""),
        );
    }
    let mut overrides = Layer::default();
    for (key, value) in table {
        let (name, value, at) = (key.get_ref(), value.get_ref(), key.span().start);
        let text = match name.as_ref() {
            "stage" => staged(value),
            name if OVERRIDABLE.contains(&name) => text_of(value),
            _ => continue,
        };
        overrides.set(name, text, place.origin(at));
    }
    Some(Entry {
        overrides,
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
        convert: impl FnOnce(&DeValue<'_>) -> Result<T, ValueError>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Module;
    use crate::file::tests::read_text;

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
                 give the path of a .wasm, .js, .ts or .toml file, or builtin:<name>",
                "archetype.b.config (folder/plan.toml:8): this is no table; write config = { key = value }",
            ]
        );
    }
}
