//! A journey that was read from a document, and how it is written as a `journey.toml`.

use std::fmt::Write as _;

use serde_json::Value;

/// One archetype.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journey {
    /// A name that files, archetypes and labels may have.
    pub name: String,
    /// Constants.
    pub vars: Vec<(String, Value)>,
    pub steps: Vec<Step>,
}

/// A request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Step {
    /// A comment above it.
    pub about: Option<String>,
    /// In lower case.
    pub method: String,
    /// Path and query, with `${…}`.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Body,
    /// Empty: any below 400.
    pub expect: Vec<u16>,
    /// Names, and where in the answer their values are.
    pub capture: Vec<(String, String)>,
    /// As `pause` has it.
    pub pause: Option<String>,
    pub category: Option<String>,
}

/// What a request carries.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Body {
    #[default]
    None,
    /// `${…}` stand in its texts.
    Json(Value),
    Form(Vec<(String, String)>),
    Text(String),
}

impl Journey {
    /// The journey file.
    pub(super) fn text(&self) -> String {
        let mut text = format!("name = {}\n", quoted(&self.name));
        if !self.vars.is_empty() {
            text.push_str("\n[vars]\n");
            for (name, value) in &self.vars {
                let _ = writeln!(text, "{} = {}", key_of(name), scalar(value));
            }
        }
        for step in &self.steps {
            text.push('\n');
            if let Some(about) = &step.about {
                let _ = writeln!(text, "# {}", one_line(about));
            }
            text.push_str("[[step]]\n");
            let _ = writeln!(text, "{} = {}", step.method, quoted(&step.path));
            if let Some(category) = &step.category {
                let _ = writeln!(text, "category = {}", quoted(category));
            }
            if let Some(pause) = &step.pause {
                let _ = writeln!(text, "pause = {}", quoted(pause));
            }
            write_pairs(&mut text, "headers", &step.headers);
            match &step.body {
                Body::None => {}
                Body::Json(value) => {
                    let json = serde_json::to_string_pretty(value).unwrap_or_default();
                    let _ = writeln!(text, "json = {}", block(&json));
                }
                Body::Form(fields) => write_pairs(&mut text, "form", fields),
                Body::Text(body) => {
                    let _ = writeln!(text, "body = {}", block(body));
                }
            }
            match &step.expect[..] {
                [] => {}
                [one] => drop(writeln!(text, "expect = {one}")),
                several => drop(writeln!(text, "expect = {several:?}")),
            }
            write_pairs(&mut text, "capture", &step.capture);
        }
        text
    }
}

fn write_pairs(text: &mut String, key: &str, pairs: &[(String, String)]) {
    if pairs.is_empty() {
        return;
    }
    let each = pairs
        .iter()
        .map(|(name, value)| format!("{} = {}", key_of(name), quoted(value)));
    let _ = writeln!(
        text,
        "{key} = {{ {} }}",
        each.collect::<Vec<_>>().join(", ")
    );
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        other => quoted(&other.to_string()),
    }
}

/// A text as TOML has it, which escapes as JSON does, and one character more.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// A longer text as it is, where it can stand so.
fn block(text: &str) -> String {
    let plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    if text.contains('\n') && !text.contains("'''") && text.chars().all(plain) {
        format!("'''\n{text}'''")
    } else {
        quoted(text)
    }
}

pub(super) fn key_of(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match !name.is_empty() && name.bytes().all(is_bare) {
        true => name.to_owned(),
        false => quoted(name),
    }
}

pub(super) fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(200).map(plain).collect()
}

/// A text that is to stand for itself where `${…}` is a name.
pub(crate) fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

/// A name that files, archetypes and `${…}` may have: letters, digits and `_`, 1 to 32 of them.
pub(crate) fn identifier(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        let next = if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        };
        if next != '_' || !(name.is_empty() || name.ends_with('_')) {
            name.push(next);
        }
    }
    name.truncate(32);
    let name = name.trim_matches('_');
    match name.is_empty() {
        true => "journey".to_owned(),
        false => name.to_owned(),
    }
}
