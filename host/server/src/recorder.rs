//! A recording: what a person's browser asks of this address is handed on to a service, and both sides of it are kept as the
//! entries of an HTTP archive (HAR 1.2). Used by `vespeiro record`.
//!
//! What must stay true: a browser sees the service under this address alone, so links to itself that the service sends in
//! `location`, and the domains of its cookies, are turned to it; the archive has the service's own.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use crate::listener::{Listener, Server};
use crate::visitor::is_this_machine;
use vespeiro_http::{Forwarded, Forwarder};
use vespeiro_model::Clock;

/// Most bytes of a body, and of all bodies that are kept: what `vespeiro import` reads.
const MAX_BODY: usize = 16 << 20;
const MAX_KEPT: usize = 48 << 20;
/// Headers of a connection, which end here.
const HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    HeaderName::from_static("keep-alive"),
];

/// What is recorded so far.
#[derive(Debug, Default)]
struct Kept {
    entries: Vec<Value>,
    bytes: usize,
    lost: usize,
}

#[derive(Debug, Clone)]
struct Recorder {
    /// The service, without a slash at the end.
    base: Arc<str>,
    /// Its scheme, host and port, and ours.
    origins: Arc<(String, String)>,
    forwarder: Forwarder,
    kept: Arc<Mutex<Kept>>,
    clock: Clock,
}

/// A recording that goes on.
#[derive(Debug)]
pub struct Recording {
    server: Server,
    kept: Arc<Mutex<Kept>>,
}

impl Recording {
    /// Begin to hand on what comes to the listener.
    pub fn start(listener: Listener, base: &Url, forwarder: Forwarder, clock: Clock) -> Recording {
        let origins = (
            base[..url::Position::BeforePath].to_owned(),
            format!("http://{}", listener.address()),
        );
        let kept = Arc::default();
        let recorder = Recorder {
            base: base.as_str().trim_end_matches('/').into(),
            origins: Arc::new(origins),
            forwarder,
            kept: Arc::clone(&kept),
            clock,
        };
        let app = Router::new().fallback(pass).with_state(recorder);
        Recording {
            server: listener.serve(app),
            kept,
        }
    }

    /// End it. The archive, the requests in it, and how many there was no more room for.
    pub async fn end(self) -> (Value, usize, usize) {
        self.server.close().await;
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        let count = kept.entries.len();
        let archive = json!({"log": {
            "version": "1.2",
            "creator": {"name": "vespeiro", "version": env!("CARGO_PKG_VERSION")},
            "entries": kept.entries,
        }});
        (archive, count, kept.lost)
    }
}

/// One request, there and back.
async fn pass(State(recorder): State<Recorder>, request: Request) -> Response {
    let refuse = |status: StatusCode, why: String| (status, why + "\n").into_response();
    let (parts, body) = request.into_parts();
    if !is_this_machine(&parts.headers) {
        let why = "this is a recording for this machine alone: use its address".to_owned();
        return refuse(StatusCode::FORBIDDEN, why);
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        let why = format!("a recording takes bodies of {} MiB at most", MAX_BODY >> 20);
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, why);
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{path}", recorder.base);
    let headers = recorder.outward(&parts.headers);
    let (began, from) = (recorder.clock.wall(), recorder.clock.now());
    let sent = recorder
        .forwarder
        .send(
            parts.method.clone(),
            &url,
            headers.clone(),
            body.to_vec(),
            MAX_BODY,
        )
        .await;
    match sent {
        Ok(answer) => {
            let entry = json!({
                "startedDateTime": Timestamp::try_from(began).unwrap_or_default().to_string(),
                "time": recorder.clock.since(from).as_secs_f64() * 1e3,
                "request": {
                    "method": parts.method.as_str(), "url": url, "httpVersion": "HTTP/1.1",
                    "headers": listed(&headers), "queryString": [], "cookies": [], "headersSize": -1, "bodySize": body.len(),
                    "postData": {"mimeType": text(&headers, header::CONTENT_TYPE), "text": String::from_utf8_lossy(&body)},
                },
                "response": {
                    "status": answer.status, "statusText": "", "httpVersion": "HTTP/1.1", "headers": listed(&answer.headers),
                    "cookies": [], "redirectURL": text(&answer.headers, header::LOCATION), "headersSize": -1,
                    "bodySize": answer.body.len(),
                    "content": {
                        "size": answer.body.len(), "mimeType": text(&answer.headers, header::CONTENT_TYPE),
                        "text": std::str::from_utf8(&answer.body).unwrap_or_default(),
                    },
                },
                "cache": {}, "timings": {"send": 0, "wait": 0, "receive": 0},
            });
            recorder.keep(entry, body.len() + answer.body.len());
            recorder.inward(answer)
        }
        Err(error) => refuse(
            StatusCode::BAD_GATEWAY,
            format!("{}: {error}", recorder.base),
        ),
    }
}

impl Recorder {
    fn keep(&self, entry: Value, bytes: usize) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + bytes > MAX_KEPT {
            kept.lost += 1;
            return;
        }
        kept.bytes += bytes;
        kept.entries.push(entry);
    }

    /// What the service gets: no compressed answer is asked for, since it is to be read.
    fn outward(&self, given: &HeaderMap) -> HeaderMap {
        let (theirs, ours) = &*self.origins;
        let mut headers = passing(given);
        headers.remove(header::HOST);
        headers.remove(header::ACCEPT_ENCODING);
        for name in [header::ORIGIN, header::REFERER] {
            turn(&mut headers, &name, ours, theirs);
        }
        headers
    }

    /// What the browser gets.
    fn inward(&self, answer: Forwarded) -> Response {
        let (theirs, ours) = &*self.origins;
        let mut headers = passing(&answer.headers);
        headers.remove(header::STRICT_TRANSPORT_SECURITY);
        turn(&mut headers, &header::LOCATION, theirs, ours);
        let cookies: Vec<HeaderValue> = headers
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|cookie| here(cookie.to_str().ok()?))
            .collect();
        headers.remove(header::SET_COOKIE);
        for cookie in cookies {
            headers.append(header::SET_COOKIE, cookie);
        }
        let mut response = Response::new(Body::from(answer.body));
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
        *response.headers_mut() = headers;
        response
    }
}

fn passing(given: &HeaderMap) -> HeaderMap {
    let mut headers = given.clone();
    for name in HOP {
        headers.remove(name);
    }
    headers
}

/// Turns the beginning of a header's value from one origin to another.
fn turn(headers: &mut HeaderMap, name: &HeaderName, from: &str, to: &str) {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    let Some(rest) = value.and_then(|value| value.strip_prefix(from)) else {
        return;
    };
    if !(rest.is_empty() || rest.starts_with(['/', '?', '#'])) {
        return; // another origin that begins alike
    }
    if let Ok(turned) = HeaderValue::from_str(&format!("{to}{rest}")) {
        headers.insert(name.clone(), turned);
    }
}

/// A cookie without its domain, and for this address, which has no TLS.
fn here(cookie: &str) -> Option<HeaderValue> {
    let part = |part: &&str| {
        let name = part.split('=').next().unwrap_or_default().trim();
        !["domain", "secure"].contains(&name.to_ascii_lowercase().as_str())
    };
    let parts: Vec<&str> = cookie.split(';').filter(part).collect();
    HeaderValue::from_str(&parts.join(";")).ok()
}

fn listed(headers: &HeaderMap) -> Vec<Value> {
    let each = headers.iter().map(|(name, value)| {
        json!({"name": name.as_str(), "value": String::from_utf8_lossy(value.as_bytes())})
    });
    each.collect()
}

fn text(headers: &HeaderMap, name: HeaderName) -> String {
    let value = headers.get(name).map(HeaderValue::as_bytes);
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_services_own_origin_is_turned() {
        for (value, turned) in [
            ("http://a.test/x", "http://127.0.0.1:1/x"),
            ("http://a.test", "http://127.0.0.1:1"),
            ("http://a.test:81/x", "http://a.test:81/x"),
            ("http://a.test.evil/x", "http://a.test.evil/x"),
            ("/x", "/x"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, HeaderValue::from_static(value));
            turn(
                &mut headers,
                &header::LOCATION,
                "http://a.test",
                "http://127.0.0.1:1",
            );
            assert_eq!(headers[header::LOCATION], turned);
        }
    }

    #[test]
    fn a_cookie_comes_to_this_address() {
        let cookie = here("id=1; Domain=a.test; Path=/; Secure; HttpOnly").unwrap();
        assert_eq!(cookie, "id=1; Path=/; HttpOnly");
    }
}
