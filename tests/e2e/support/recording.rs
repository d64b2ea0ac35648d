//! A stand-in for the user service that writes down who asked for what, in order, and when, and whose answers depend on nothing
//! but the request and the account: no clock, no order of arrival between accounts.
//!
//! A request belongs to the account of its token, and without one to the account that its body names.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Server;

/// What each account sent, line by line: method, path with query, body.
pub type Seen = BTreeMap<String, Vec<String>>;

/// The same, each line with the moment of its coming.
pub type Moments = BTreeMap<String, Vec<(Instant, String)>>;

/// The server, on a thread of its own until it is asked what it has seen.
pub struct Recording {
    pub url: String,
    memory: Memory,
    server: Server,
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    seen: Moments,
    /// The last profile written at each path.
    profiles: BTreeMap<String, Value>,
}

impl Recording {
    pub fn start() -> Recording {
        let memory = Memory::default();
        let app = Router::new().fallback(answer).with_state(memory.clone());
        let server = Server::start(app);
        Recording {
            url: server.url.clone(),
            memory,
            server,
        }
    }

    /// Stop, and tell what was seen.
    pub fn seen(self) -> Seen {
        let lines = |moments: Vec<_>| moments.into_iter().map(|(_, line)| line).collect();
        let seen = self.moments().into_iter();
        seen.map(|(account, moments)| (account, lines(moments)))
            .collect()
    }

    /// Stop, and tell what was seen when.
    pub fn moments(self) -> Moments {
        self.server.stop();
        std::mem::take(&mut self.memory.0.lock().unwrap().seen)
    }
}

async fn answer(
    State(memory): State<Memory>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path();
    if path == "/health" {
        return StatusCode::OK.into_response();
    }
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    let account = account(&headers, &said);
    let mut memory = memory.0.lock().unwrap();
    let line = format!("{method} {uri} {}", String::from_utf8_lossy(&body));
    let moment = (Instant::now(), line);
    memory.seen.entry(account.clone()).or_default().push(moment);
    let page = |items: Value| {
        let total = items.as_array().map_or(0, Vec::len);
        json!({ "data": items, "meta": { "page": 1, "per_page": 20, "total": total, "total_pages": 1 } })
    };
    let writes = method == Method::POST || method == Method::PUT;
    let reply = match path.strip_prefix("/api/v1").unwrap_or(path) {
        "/auth/login" | "/auth/refresh" => json!({ "data": {
            "access_token": account, "refresh_token": account, "token_type": "Bearer", "expires_in": 900,
            "user": { "id": format!("id-of-{account}"), "username": account },
        } }),
        "/users" | "/users/search" if method == Method::GET => page(json!([
            { "id": "id-of-ada", "username": "ada", "email": "ada@example.test" },
            { "id": "id-of-bob", "username": "bob", "email": "bob@example.test" },
        ])),
        "/roles" | "/permissions" if method == Method::GET => {
            page(json!([{ "id": "id-of-first", "name": "first" }]))
        }
        profile if profile.ends_with("/profile") => {
            if writes {
                memory.profiles.insert(path.to_owned(), said);
            }
            json!({ "data": memory.profiles.get(path).unwrap_or(&json!({})) })
        }
        // What is created is named by what was asked for, whoever comes first.
        _ => {
            let name = said["username"].as_str().or(said["name"].as_str());
            json!({ "data": { "id": format!("id-of-{}", name.unwrap_or("something")) } })
        }
    };
    (StatusCode::OK, axum::Json(reply)).into_response()
}

fn account(headers: &HeaderMap, said: &Value) -> String {
    let token = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let named = || {
        ["email", "username", "refresh_token"]
            .iter()
            .find_map(|field| said[field].as_str())
    };
    token.or_else(named).unwrap_or("nobody").to_owned()
}
