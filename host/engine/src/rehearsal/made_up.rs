//! Replies that nobody has written: plausible enough that most journeys get to their end.

use serde_json::{Map, Value, json};

use super::secrets::is_secret;
use vespeiro_behavior::types::{Body, Method, Request, RequestKind};

/// Last parts of paths that end in `s` and name no list.
const NO_LISTS: [&str; 4] = ["status", "address", "progress", "class"];

/// Status and body for a request to a route of this template.
pub(super) fn made_up(request: &Request, route: &str) -> (u16, Vec<u8>) {
    match request.method {
        Method::Delete => return (204, Vec::new()),
        Method::Head | Method::Options => return (200, Vec::new()),
        Method::Get | Method::Post | Method::Put | Method::Patch => {}
    }
    let last = route.rsplit('/').next().unwrap_or_default();
    let lists = request.method == Method::Get
        && (last.ends_with('s') || last == "search")
        && !NO_LISTS.contains(&last);
    let body = if lists {
        json!({
            "data": [thing(1), thing(2)],
            "meta": { "page": 1, "per_page": 20, "total": 2, "total_pages": 1 },
        })
    } else {
        let said = request.body.as_ref().and_then(Body::as_bytes);
        let said = said.unwrap_or_default();
        let said: Map<String, Value> = serde_json::from_slice(said).unwrap_or_default();
        let mut one = thing(1);
        if is_token(request.kind) || last.contains("login") || last.contains("token") {
            one.extend(tokens());
        }
        one.extend(said.into_iter().filter(|(name, _)| !is_secret(name)));
        let data = Value::Object(one.clone());
        one.insert("data".into(), data);
        Value::Object(one)
    };
    let creates = request.method == Method::Post && request.kind == RequestKind::Plain;
    (
        if creates { 201 } else { 200 },
        body.to_string().into_bytes(),
    )
}

fn is_token(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Login | RequestKind::Refresh)
}

/// Something with an id and names.
fn thing(number: u32) -> Map<String, Value> {
    fields([
        ("id", json!(format!("id-{number}"))),
        ("name", json!(format!("name-{number}"))),
        ("username", json!(format!("user-{number}"))),
        ("email", json!(format!("user-{number}@example.test"))),
    ])
}

/// What a login gives.
fn tokens() -> Map<String, Value> {
    fields([
        ("access_token", json!("made-up-access-token")),
        ("refresh_token", json!("made-up-refresh-token")),
        ("token_type", json!("Bearer")),
        ("expires_in", json!(900)),
        ("user", Value::Object(thing(1))),
    ])
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    let named = fields.map(|(name, value)| (name.to_owned(), value));
    named.into_iter().collect()
}
