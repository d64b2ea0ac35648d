//! Takes passwords and tokens out of what is printed or recorded.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use vespeiro_behavior::TOKEN;
use vespeiro_plan::Secrets;

/// What stands in their place.
pub const WITHHELD: &str = "(withheld)";

/// Whether a field, header or query parameter of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let sounds = [
        "password",
        "secret",
        "token",
        "authorization",
        "cookie",
        "api_key",
        "api-key",
    ];
    // What kind of token it is tells nothing.
    name != "token_type" && sounds.iter().any(|sound| name.contains(sound))
}

/// The value without its secrets.
pub(super) fn veil(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret(name) && !value.is_object() && !value.is_array() {
                    *value = WITHHELD.into();
                } else {
                    veil(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(veil),
        _ => {}
    }
}

/// A body without its secrets: JSON field by field, other text whole or not at all.
pub fn veil_body(body: &[u8]) -> Value {
    if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
        veil(&mut value);
        return value;
    }
    let text = String::from_utf8_lossy(body);
    if is_secret(&text) {
        return WITHHELD.into();
    }
    text.into_owned().into()
}

/// A mark, unless it is a token.
pub fn veil_mark(thing: &str) -> Cow<'_, str> {
    match thing.starts_with(TOKEN) {
        true => format!("{TOKEN}{WITHHELD}").into(),
        false => thing.into(),
    }
}

/// A path whose query parameters are without secrets.
pub(super) fn veil_path(path: &str) -> String {
    match path.split_once('?') {
        Some((path, query)) => format!("{path}?{}", veil_fields(query, |_| {})),
        None => path.to_owned(),
    }
}

/// Fields as a query or a form has them. `found` is told each secret.
fn veil_fields(fields: &str, mut found: impl FnMut(&str)) -> String {
    let each = fields.split('&').map(|field| match field.split_once('=') {
        Some((name, value)) if is_secret(name) => {
            found(value);
            format!("{name}=withheld")
        }
        _ => field.to_owned(),
    });
    each.collect::<Vec<_>>().join("&")
}

/// Shorter ones may be parts of anything.
const SHORTEST: usize = 6;
/// So many are remembered, of a session without end the first ones.
const MOST: usize = 1000;

/// What the passwords and tokens of one session are, so that they are withheld wherever they turn up: in a path, in a line
/// of log, in the next answer.
#[derive(Default)]
pub struct KnownSecrets {
    learned: Vec<String>,
    planned: Secrets,
}

// They are what it must not show.
impl fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KnownSecrets")
            .field(&self.learned.len())
            .finish()
    }
}

impl KnownSecrets {
    /// To begin with, those of the plan.
    pub fn of(secrets: &Secrets) -> Self {
        Self {
            planned: secrets.clone(),
            ..Self::default()
        }
    }

    fn learn(&mut self, secret: &str) {
        let is_new = secret.len() >= SHORTEST && !self.learned.iter().any(|known| known == secret);
        if is_new && self.learned.len() < MOST {
            self.learned.push(secret.to_owned());
            // One may be a part of another.
            self.learned
                .sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// A field's or header's value.
    pub fn value(&mut self, name: &str, value: &str) -> String {
        if !is_secret(name) {
            return self.text(value);
        }
        // `Bearer x`, `sid=x; Path=/`
        self.learn(value.rsplit(' ').next().unwrap_or_default());
        for pair in value.split(';') {
            self.learn(pair.split_once('=').map_or("", |(_, value)| value));
        }
        WITHHELD.into()
    }

    pub fn path(&mut self, path: &str) -> String {
        let veiled = match path.split_once('?') {
            Some((path, query)) => {
                let query = veil_fields(query, |secret| self.learn(secret));
                format!("{path}?{query}")
            }
            None => path.to_owned(),
        };
        self.text(&veiled)
    }

    /// A body by its content type: JSON and forms field by field, other text whole or not at all; `None` where it is no
    /// text.
    pub fn body(&mut self, content_type: &str, body: &[u8]) -> Option<Value> {
        if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
            self.json(&mut value);
            return Some(value);
        }
        let text = std::str::from_utf8(body).ok()?;
        if content_type.contains("urlencoded") {
            let fields = veil_fields(text, |secret| self.learn(secret));
            return Some(self.text(&fields).into());
        }
        if is_secret(text) {
            return Some(WITHHELD.into());
        }
        Some(self.text(text).into())
    }

    fn json(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if is_secret(name) && !value.is_object() && !value.is_array() {
                        self.learn(value.as_str().unwrap_or_default());
                        *value = WITHHELD.into();
                    } else {
                        self.json(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::String(text) => *text = self.text(text),
            _ => {}
        }
    }

    /// Any text, without those that are known.
    pub fn text(&self, text: &str) -> String {
        let mut text = self.planned.veil(text).into_owned();
        for secret in &self.learned {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), WITHHELD);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_secret_once_is_withheld_everywhere() {
        let mut known = KnownSecrets::default();
        assert_eq!(known.value("Authorization", "Bearer abcdef"), WITHHELD);
        assert_eq!(known.value("set-cookie", "sid=ghijkl; Path=/"), WITHHELD);
        assert_eq!(
            known.path("/x?api_key=mnopqr&page=2"),
            "/x?api_key=withheld&page=2"
        );
        let body = json!({ "data": { "access_token": "stuvwx", "note": "of abcdef" } }).to_string();
        let body = known.body("application/json", body.as_bytes()).unwrap();
        assert_eq!(body["data"]["access_token"], WITHHELD);
        assert_eq!(body["data"]["note"], "of (withheld)");
        let form = "application/x-www-form-urlencoded";
        let form = known.body(form, b"name=a&password=yz1234").unwrap();
        assert_eq!(form, "name=a&password=withheld");
        for secret in ["abcdef", "ghijkl", "mnopqr", "stuvwx", "yz1234"] {
            assert_eq!(known.text(&format!("/{secret}/")), "/(withheld)/");
        }
        assert_eq!(known.body("text/plain", b"\xff\xfe"), None);
        assert_eq!(known.text("short ones stay"), "short ones stay");
    }
}
