//! How names, texts and comments stand in JavaScript. Used by `script.rs`.
//!
//! What must stay true: no text ends what it stands in.

use serde_json::Value;

use super::journey::one_line;

/// A piece of a text.
pub(super) enum Part {
    Text(String),
    /// A name in `${…}`.
    Name(String),
}

/// The pieces of a text; `$${` is `${` itself.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = rest.split_at(at);
        let name = after[2..].split_once('}').filter(|(name, _)| is_name(name));
        match (before.strip_suffix('$'), name) {
            (Some(before), _) => {
                plain.push_str(before);
                plain.push_str("${");
                rest = &after[2..];
            }
            (None, Some((name, behind))) => {
                plain.push_str(before);
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Name(name.to_owned()));
                rest = behind;
            }
            (None, None) => {
                plain.push_str(before);
                plain.push_str("${");
                rest = &after[2..];
            }
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}

pub(super) fn is_name(name: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    name.split('.').all(word)
}

/// A text as JavaScript has it.
pub(super) fn string(text: &str) -> String {
    let plain = |c: char| c != '\'' && c != '\\' && !c.is_control();
    match text.chars().all(plain) {
        true => format!("'{text}'"),
        false => Value::from(text).to_string(),
    }
}

/// A key of an object: bare where it may be; `__proto__` would be no key.
pub(super) fn key(name: &str) -> String {
    match (is_name(name) && !name.contains('.'), name) {
        (_, "__proto__") => "['__proto__']".to_owned(),
        (true, name) => name.to_owned(),
        (false, name) => string(name),
    }
}

pub(super) fn member(of: &str, name: &str) -> String {
    match is_name(name) {
        true => format!("{of}.{name}"),
        false => format!("{of}[{}]", string(name)),
    }
}

pub(super) fn braced(pairs: &[String]) -> String {
    match pairs {
        [] => "{}".to_owned(),
        pairs => format!("{{ {} }}", pairs.join(", ")),
    }
}

/// A text that stays in its line: JavaScript knows two line ends more than others.
pub(super) fn comment(text: &str) -> String {
    one_line(text).replace(['\u{2028}', '\u{2029}'], " ")
}

/// `2s`, `300ms`, `1.5s` in milliseconds.
pub(super) fn millis(text: &str) -> Option<u64> {
    let (number, factor) = match text.strip_suffix("ms") {
        Some(number) => (number, 1.0),
        None => (text.strip_suffix('s')?, 1_000.0),
    };
    let millis = number.parse::<f64>().ok()? * factor;
    (millis >= 0.0).then_some(millis.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_the_sdks() {
        assert_eq!(millis("1.5s"), Some(1_500));
        assert_eq!(millis("300ms"), Some(300));
        assert_eq!((millis("x"), millis("")), (None, None));
    }
}
