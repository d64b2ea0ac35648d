//! A request as a browser has sent it, whether recorded or copied as a curl line: which headers count, and its body.

use serde_json::Value;

use crate::journey::{Body, Step, literal};

/// Headers that the connection, the browser or the host of the run sets.
const NOT_OURS: [&str; 9] = [
    "host",
    "connection",
    "content-length",
    "accept-encoding",
    "transfer-encoding",
    "keep-alive",
    "te",
    "upgrade",
    "proxy-connection",
];
/// A request of the recording.
pub(crate) struct Recorded {
    pub(crate) step: Step,
    pub(crate) status: u16,
    /// The answer's body, where it is JSON.
    pub(crate) answer: Value,
}

/// Whether a behavior may set it, and a recording should.
pub(crate) fn is_ours_to_set(name: &str) -> bool {
    !name.starts_with(':') && !name.starts_with("sec-") && !NOT_OURS.contains(&name)
}

/// JSON where it is some, else the text with its type.
pub(crate) fn body(text: &str, headers: &mut Vec<(String, String)>) -> Body {
    if text.is_empty() {
        return Body::None;
    }
    let kind = headers.iter().position(|(name, _)| name == "content-type");
    let is_json = kind.is_some_and(|at| headers[at].1.contains("json"));
    if is_json && let Ok(value) = serde_json::from_str::<Value>(text) {
        headers.retain(|(name, _)| name != "content-type");
        return Body::Json(literal_json(value));
    }
    if kind.is_none() {
        headers.push((
            "content-type".into(),
            "application/x-www-form-urlencoded".into(),
        ));
    }
    Body::Text(literal(text))
}

fn literal_json(value: Value) -> Value {
    match value {
        Value::String(text) => literal(&text).into(),
        Value::Array(list) => list.into_iter().map(literal_json).collect(),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, one)| (key, literal_json(one)))
                .collect(),
        ),
        other => other,
    }
}
