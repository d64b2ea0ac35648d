//! Takes passwords and tokens out of what is printed or recorded.

use std::borrow::Cow;

use serde_json::Value;

use vespeiro_behavior::TOKEN;

/// What stands in their place.
pub const WITHHELD: &str = "(withheld)";

/// Whether a field, header or query parameter of this name holds a secret.
pub(super) fn is_secret(name: &str) -> bool {
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
    let Some((path, query)) = path.split_once('?') else {
        return path.to_owned();
    };
    let parameters = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}=withheld"),
            _ => parameter.to_owned(),
        });
    format!("{path}?{}", parameters.collect::<Vec<_>>().join("&"))
}
