//! What is known of a collection while it is read, and `${…}` in the place of its `{{…}}`. Used by `postman` and its `request`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::journey::{Step, identifier, literal};

/// Folders within folders, and variables within variables, that are looked into.
pub(super) const DEEPEST: usize = 16;

/// A request, and the folder at the top that it is in.
pub(super) struct Asked {
    pub(super) folder: String,
    pub(super) step: Step,
    pub(super) base: Option<String>,
    pub(super) needs: BTreeSet<String>,
}

#[derive(Default)]
pub(super) struct Reader<'a> {
    /// By name as the collection has it.
    pub(super) variables: BTreeMap<&'a str, &'a str>,
    /// Names that test scripts set.
    pub(super) set: BTreeSet<String>,
    pub(super) asked: Vec<Asked>,
    pub(super) config: BTreeMap<String, String>,
    pub(super) notes: BTreeMap<String, usize>,
    /// Names that the request under way needs.
    pub(super) needs: BTreeSet<String>,
    /// Names that stand in JSON without quotes: their values are no texts.
    pub(super) bare: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn filled_json(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => self.filled(&text).into(),
            Value::Array(all) => all.into_iter().map(|one| self.filled_json(one)).collect(),
            Value::Object(map) => {
                let each = map
                    .into_iter()
                    .map(|(key, one)| (key, self.filled_json(one)));
                Value::Object(each.collect())
            }
            other => other,
        }
    }

    /// JSON in which `{{name}}` may stand in the place of a value.
    pub(super) fn quoted_placeholders(&mut self, text: &str) -> String {
        let mut made = String::new();
        let (mut is_text, mut rest) = (false, text);
        while let Some(c) = rest.chars().next() {
            if !is_text
                && rest.starts_with("{{")
                && let Some((0, end, name)) = placeholder(rest)
            {
                self.bare.insert(identifier(name));
                made += &format!("\"{}\"", &rest[..end]);
                rest = &rest[end..];
                continue;
            }
            let taken = if is_text && c == '\\' {
                rest.chars().take(2).map(char::len_utf8).sum()
            } else {
                c.len_utf8()
            };
            is_text ^= c == '"';
            made += &rest[..taken];
            rest = &rest[taken..];
        }
        made
    }

    /// The text with the values of variables that the collection knows.
    pub(super) fn resolved(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..DEEPEST {
            let Some((start, end, name)) = placeholder(&text) else {
                break;
            };
            let Some(value) = self.variables.get(name) else {
                break;
            };
            text = format!("{}{value}{}", &text[..start], &text[end..]);
        }
        text
    }

    /// The text with `${…}` where the collection has `{{…}}`.
    pub(super) fn filled(&mut self, text: &str) -> String {
        let mut made = String::new();
        let mut rest = text;
        while let Some((start, end, name)) = placeholder(rest) {
            made += &literal(&rest[..start]);
            made += &self.named(name);
            rest = &rest[end..];
        }
        made + &literal(rest)
    }

    pub(super) fn named(&mut self, name: &str) -> String {
        let known = identifier(name);
        if let Some(made_up) = name.strip_prefix('$') {
            return made_up_by(made_up).to_owned();
        }
        if self.set.contains(&known) || self.variables.contains_key(name) {
            let filled = format!("${{{known}}}");
            self.needs.insert(known);
            return filled;
        }
        let about = format!("{{{{{name}}}}} of the collection's environment");
        self.config.entry(known.clone()).or_insert(about);
        format!("${{config.{known}}}")
    }

    pub(super) fn note(&mut self, what: String) {
        *self.notes.entry(what).or_default() += 1;
    }
}

pub(super) fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn enabled(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    list(value).filter(|one| one.get("disabled") != Some(&Value::Bool(true)))
}

pub(super) fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The first `{{name}}`: where it begins, where it ends, and its name.
pub(super) fn placeholder(text: &str) -> Option<(usize, usize, &str)> {
    let start = text.find("{{")?;
    let end = start + text[start..].find("}}")?;
    Some((start, end + 2, text[start + 2..end].trim()))
}

/// What stands for a value that Postman makes up.
fn made_up_by(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    match () {
        () if name.contains("email") => "${user.email}",
        () if name.contains("username") => "${user.username}",
        () if name.contains("password") => "${user.password}",
        () if name.contains("guid") || name.contains("uuid") => "${run}-${user.index}-${session}",
        () if name.contains("int") || name.contains("timestamp") => "${session}",
        () => "${user.name}",
    }
}
