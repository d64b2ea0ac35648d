//! Texts with `${name}` in them: paths, headers, bodies.

use serde_json::Value;
use vespeiro_guest::{Me, encode};

use crate::values::{Names, Values, text};

/// A text in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

impl Template {
    /// Reads a text; every name in it has to be known. `$${` is `${` itself.
    pub(crate) fn read(source: &str, names: &Names) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = source;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                literal.push_str(before);
                literal.push_str("${");
                rest = after;
                continue;
            }
            literal.push_str(before);
            let (name, after) = after.split_once('}').ok_or_else(|| {
                "a `${` has no `}` behind it; write `$${` for the text".to_owned()
            })?;
            let name = name.trim();
            names.check(name)?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Name(name.to_owned()));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Template(parts))
    }

    /// The text of one session.
    pub(crate) fn fill(&self, me: &Me, values: &Values) -> String {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => filled.push_str(literal),
                Part::Name(name) => text(&values.get(me, name), &mut filled),
            }
        }
        filled
    }

    /// The same for a path: what comes out of `${…}` is percent-encoded, unless it is the whole path, as a link is.
    pub(crate) fn fill_path(&self, me: &Me, values: &Values) -> String {
        if let [Part::Name(_)] = &self.0[..] {
            return self.fill(me, values);
        }
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => filled.push_str(literal),
                Part::Name(name) => {
                    let mut value = String::new();
                    text(&values.get(me, name), &mut value);
                    encode(&mut filled, value);
                }
            }
        }
        filled
    }

    /// The same for a value of JSON: a name alone keeps its type.
    pub(crate) fn fill_json(&self, me: &Me, values: &Values) -> Value {
        match &self.0[..] {
            [Part::Name(name)] => values.get(me, name),
            _ => Value::String(self.fill(me, values)),
        }
    }

    /// The path's template, without a query: `/users/{id}` of `/users/${id}?page=1`.
    pub(crate) fn label(&self) -> String {
        let mut label = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => match literal.split_once('?') {
                    Some((path, _)) => {
                        label.push_str(path);
                        break;
                    }
                    None => label.push_str(literal),
                },
                Part::Name(name) => {
                    label.push('{');
                    label.push_str(name);
                    label.push('}');
                }
            }
        }
        if label.starts_with('/') {
            label
        } else {
            format!("/{label}")
        }
    }

    /// Whether it begins with a slash, or is a name that may.
    pub(crate) fn is_path(&self) -> bool {
        match &self.0[..] {
            [Part::Name(_)] => true,
            [Part::Text(literal), ..] => literal.starts_with('/'),
            _ => false,
        }
    }
}
