//! A value that suits a schema of an OpenAPI document: its example where there is one, else the plainest that its rules allow.

use serde_json::{Map, Value, json};

/// How deep a value goes: schemas may refer to themselves.
const DEEPEST: usize = 8;
/// How many values one is made of: ten fields of ten fields, and so on, are a thousand million.
const MOST: usize = 5000;

/// A document, for what its parts refer to.
#[derive(Clone, Copy)]
pub(crate) struct Document<'a>(pub(crate) &'a Value);

impl<'a> Document<'a> {
    /// The part itself, or what it refers to within the document.
    pub(crate) fn resolve(self, part: &'a Value) -> &'a Value {
        let mut part = part;
        for _ in 0..DEEPEST {
            let Some(reference) = part.get("$ref").and_then(Value::as_str) else {
                break;
            };
            let target = reference.strip_prefix('#');
            match target.and_then(|pointer| self.0.pointer(pointer)) {
                Some(found) => part = found,
                None => break,
            }
        }
        part
    }

    /// A value for a schema. `name` is what it is called, for texts that people know by their name.
    pub(crate) fn value(self, name: &str, schema: &'a Value) -> Value {
        self.make(name, schema, 0, &mut { MOST })
            .unwrap_or(Value::Null)
    }

    /// The properties of a schema, those that it takes over from others too.
    pub(crate) fn properties(self, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
        let schema = self.resolve(schema);
        let mut all = Vec::new();
        for part in list(schema, "allOf")
            .iter()
            .chain(list(schema, "oneOf").first())
        {
            all.extend(self.shallow(part));
        }
        all.extend(self.shallow(schema));
        all
    }

    fn shallow(self, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
        let properties = self.resolve(schema).get("properties");
        let properties = properties.and_then(Value::as_object).into_iter().flatten();
        properties
            .map(|(name, schema)| (name.as_str(), schema))
            .collect()
    }

    /// `left` is how many more values may be made.
    fn make(self, name: &str, schema: &'a Value, depth: usize, left: &mut usize) -> Option<Value> {
        let schema = self.resolve(schema);
        *left = left.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        if let Some(said) = said(schema) {
            return Some(said.clone());
        }
        if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
            let mut merged = Map::new();
            let own = self.object(schema, depth, left);
            let parts = all
                .iter()
                .filter_map(|part| self.make(name, part, depth + 1, left));
            for part in parts.chain([Value::Object(own)]) {
                match part {
                    Value::Object(part) => merged.extend(part),
                    other => return Some(other),
                }
            }
            return Some(Value::Object(merged));
        }
        for choice in ["oneOf", "anyOf"] {
            let mut each = list(schema, choice).iter();
            if let Some(made) = each.find_map(|one| self.make(name, one, depth + 1, left)) {
                return Some(made);
            }
        }
        Some(match kind(schema) {
            "string" => text(name, schema).into(),
            "integer" => json!(number(schema, 1.0).round() as i64),
            "number" => json!(number(schema, 1.0)),
            "boolean" => true.into(),
            "null" => return None,
            "array" => {
                let least = schema.get("minItems").and_then(Value::as_u64);
                let item = schema.get("items");
                let item = item.and_then(|item| self.make(name, item, depth + 1, left));
                let count = least.unwrap_or(1).min(20) as usize;
                Value::Array(item.map_or_else(Vec::new, |item| vec![item; count]))
            }
            _ => Value::Object(self.object(schema, depth, left)),
        })
    }

    /// What is required; everything where nothing is.
    fn object(self, schema: &'a Value, depth: usize, left: &mut usize) -> Map<String, Value> {
        let required = list(schema, "required");
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut object = Map::new();
        for (name, property) in properties.into_iter().flatten() {
            let resolved = self.resolve(property);
            let is_read_only = resolved.get("readOnly") == Some(&Value::Bool(true));
            let is_wanted = required.is_empty() || required.iter().any(|one| one == name);
            if is_wanted && !is_read_only {
                let made = self.make(name, property, depth + 1, left);
                object.extend(made.map(|made| (name.clone(), made)));
            }
        }
        object
    }
}

/// What the document itself gives as a value.
pub(crate) fn said(schema: &Value) -> Option<&Value> {
    let direct = ["example", "const", "default"];
    let direct = direct.iter().find_map(|key| schema.get(key));
    let first = |key| match schema.get(key) {
        Some(Value::Array(all)) => all.first(),
        // Of a parameter or a body they are named.
        Some(Value::Object(all)) => all.values().next()?.get("value"),
        _ => None,
    };
    direct
        .or_else(|| first("examples"))
        .or_else(|| first("enum"))
}

fn list<'a>(schema: &'a Value, key: &str) -> &'a [Value] {
    schema
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Its type; of several the first that is something.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(one)) => one,
        Some(Value::Array(several)) => {
            let mut names = several.iter().filter_map(Value::as_str);
            names.find(|name| *name != "null").unwrap_or("null")
        }
        _ if schema.get("items").is_some() => "array",
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("format").is_some() || schema.get("pattern").is_some() => "string",
        _ => "object",
    }
}

fn number(schema: &Value, usual: f64) -> f64 {
    let bound = |key| schema.get(key).and_then(Value::as_f64);
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|bound| bound + 1.0));
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|bound| bound - 1.0));
    let value = least.map_or(usual, |least| least.max(usual));
    most.map_or(value, |most| value.min(most))
}

fn text(name: &str, schema: &Value) -> String {
    let format = schema
        .get("format")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let known = match (format, name.to_ascii_lowercase().as_str()) {
        ("email", _) | (_, "email") => "${user.email}",
        ("password", _) | (_, "password") => "${user.password}",
        (_, "username" | "user_name" | "login") => "${user.username}",
        ("date-time", _) => "2026-01-31T12:00:00Z",
        ("date", _) => "2026-01-31",
        ("time", _) => "12:00:00Z",
        ("uuid", _) => "00000000-0000-4000-8000-000000000000",
        ("uri" | "url", _) => "http://example.test/",
        ("ipv4", _) => "192.0.2.1",
        ("byte", _) => "AAAA",
        ("", "name" | "full_name" | "fullname") => "${user.name}",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let bound = |key| {
        schema
            .get(key)
            .and_then(Value::as_u64)
            .map(|bound| bound.min(10_000) as usize)
    };
    let mut made = if name.is_empty() {
        "text".to_owned()
    } else {
        name.to_owned()
    };
    while made.len() < bound("minLength").unwrap_or(0) {
        made.push('x');
    }
    if let Some(most) = bound("maxLength") {
        made.truncate(made.floor_char_boundary(most));
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_that_multiply_give_an_example_of_bounded_size() {
        let letters: Vec<String> = ('a'..='j').map(String::from).collect();
        let level = |next: String| {
            let fields = letters.iter();
            let fields = fields.map(|name| (name.clone(), json!({ "$ref": next })));
            json!({ "required": letters, "properties": fields.collect::<Map<_, _>>() })
        };
        let mut schemas: Map<String, Value> = (0..8)
            .map(|at| (format!("s{at}"), level(format!("#/s{}", at + 1))))
            .collect();
        schemas.insert("s8".into(), json!({ "type": "string" }));
        let document = Value::Object(schemas);
        let made = Document(&document).value("a", &document["s0"]);
        assert!(made.to_string().len() < 100 * MOST);
        assert!(
            made["a"]["a"]["a"]["a"]["a"]["a"]["a"]["a"].is_string(),
            "{made}"
        );
    }
}
