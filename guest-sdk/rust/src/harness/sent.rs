//! A request as the host would read it: what its places stand for, and nothing that the host would refuse.

use crate::contract::{Body, Capture, Method, Piece, Request};
use crate::{Behavior, Fault};

/// A request that a harness has got.
#[derive(Debug, Clone)]
pub struct Sent {
    /// HTTP method, of its route.
    pub method: Method,
    /// Path and query, percent-encoded, starting with `/`.
    pub path: String,
    /// The path template of its route.
    pub route: String,
    /// The category that it counts for.
    pub category: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body's bytes; `None` sends no body. A file of the plan stands in it as `(file NAME)`.
    pub body: Option<Vec<u8>>,
    /// Statuses that are no error.
    pub expect: Vec<u16>,
    /// What is handed back of the response.
    pub capture: Capture,
    /// Longest wait for the whole response, in milliseconds; `None` means the plan's.
    pub timeout_ms: Option<u32>,
    /// Name of what it creates, `<kind>:<name>`.
    pub mark: Option<String>,
    /// It is wrong on purpose.
    pub fault: Option<Fault>,
}

impl Sent {
    pub(super) fn of(behavior: &Behavior, request: Request) -> Result<Sent, String> {
        let place = usize::from(request.route);
        let Some(route) = behavior.routes().get(place) else {
            return Err(format!("there is no route {place} in the description"));
        };
        let category = match request.category.map(usize::from) {
            None => Some(&route.category),
            Some(place) => behavior.categories().get(place),
        };
        let Some(category) = category else {
            return Err(format!("{}: its category is not described", route.path));
        };
        let path = request.path;
        if !path.starts_with('/') || path.bytes().any(|byte| byte <= b' ' || byte == 127) {
            return Err(format!(
                "{}: the path `{path}` does not start with `/` or has control characters",
                route.path
            ));
        }
        Ok(Sent {
            method: route.method,
            path,
            route: route.path.into(),
            category: (*category).into(),
            headers: request.headers,
            body: request.body.map(bytes),
            expect: request.expect,
            capture: request.capture,
            timeout_ms: request.timeout_ms,
            mark: request.mark,
            fault: request.fault.as_ref().and_then(Fault::known),
        })
    }
}

fn bytes(body: Body) -> Vec<u8> {
    let of = |piece| match piece {
        Piece::Bytes(bytes) => bytes,
        Piece::File(name) => format!("(file {name})").into_bytes(),
    };
    match body {
        Body::Bytes(bytes) => bytes,
        Body::Pieces(pieces) => pieces.into_iter().flat_map(of).collect(),
    }
}
