//! The replies that a rehearsal gives: lines of JSON, one for each reply, by path or by route.
//!
//! Lines for the same method and path are given in turn, and the last of them from then on. A path, with its query,
//! goes before a route. What no line speaks of is made up.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::made_up::made_up;
use vespeiro_behavior::types::{GrpcStatus, Outcome, Request, Response};
use vespeiro_http::grpc::of_http;
use vespeiro_model::{Failure, GrpcCode, Word as _};
use vespeiro_plan::bounded;
use vespeiro_plan::one_line;

/// The status of a line that has messages and says none.
const OPENED: u16 = 101;
/// How long a reply takes, in microseconds.
const LATENCY_US: u64 = 5000;

/// One line of the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) route: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    /// Instead of a status: why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Value>,
    /// Of a gRPC call: the name of its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) grpc: Option<GrpcCode>,
    /// What comes over the channel that the request opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) messages: Option<Vec<Value>>,
}

/// A file of replies that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct BadReplies {
    place: String,
    problem: String,
}

/// Where an answer came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub outcome: Outcome,
    /// No line of the file spoke of the request.
    pub made_up: bool,
    /// What comes over the channel that it opens, where a line says so: texts, or any JSON.
    pub messages: Option<Vec<Value>>,
}

/// What a target would say.
#[derive(Debug)]
pub enum Replies {
    Script(Script),
    /// The same to everything.
    Always(Outcome),
}

/// Lines, and which of them comes next.
#[derive(Debug, Default)]
pub struct Script {
    lines: Vec<Given>,
    /// By method and path: the lines, and how many were given.
    by_path: HashMap<(String, String), Turn>,
    by_route: HashMap<(String, String), Turn>,
}

#[derive(Debug, Clone)]
struct Given(Outcome, Option<Vec<Value>>);

#[derive(Debug, Default)]
struct Turn {
    lines: Vec<usize>,
    given: usize,
}

impl Turn {
    fn next(&mut self) -> Option<usize> {
        let at = self.given.min(self.lines.len().checked_sub(1)?);
        self.given += 1;
        self.lines.get(at).copied()
    }
}

impl Replies {
    /// Everything is made up.
    pub fn made_up() -> Self {
        Self::Script(Script::default())
    }

    /// Every request gets this status, and a small JSON body.
    pub fn status(status: u16) -> Self {
        Self::Always(Outcome::Response(Response {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: br#"{"error":"rehearsed"}"#.to_vec(),
            latency_us: LATENCY_US,
            grpc: None,
        }))
    }

    /// No request gets an answer.
    pub fn failing(failure: Failure) -> Self {
        Self::Always(Outcome::Failed(failure))
    }

    /// Read a file.
    pub fn read(path: &Path) -> Result<Self, BadReplies> {
        let place = path.display().to_string();
        let text = bounded::read_text(path, bounded::MAX_FILE).map_err(|error| BadReplies {
            place: place.clone(),
            problem: format!("cannot be read: {error}: check the path"),
        })?;
        Self::parse(&text, &place)
    }

    /// Read text; `place` names it in messages.
    pub fn parse(text: &str, place: &str) -> Result<Self, BadReplies> {
        let mut script = Script::default();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            script.add(line).map_err(|problem| BadReplies {
                place: format!("{place}:{}", number + 1),
                problem,
            })?;
        }
        Ok(Self::Script(script))
    }

    /// What comes of a request to a route of this template.
    pub fn answer(&mut self, request: &Request, route: &str) -> Answer {
        let (given, made_up) = match self {
            Self::Always(outcome) => (Given(outcome.clone(), None), false),
            Self::Script(script) => script.answer(request, route),
        };
        let Given(outcome, messages) = given;
        let outcome = match outcome {
            Outcome::Response(response) => Outcome::Response(captured(response, request, made_up)),
            failed => failed,
        };
        Answer {
            outcome,
            made_up,
            messages,
        }
    }
}

/// Only what the behavior wants to see, as from a target.
fn captured(mut response: Response, request: &Request, made_up: bool) -> Response {
    match request.grpc {
        true => as_grpc(&mut response, made_up),
        false => response.grpc = None,
    }
    if !request.capture.headers {
        response.headers.clear();
    }
    if !request.capture.body {
        response.body.clear();
    }
    response
}

/// With this code, and no words.
fn ended(code: GrpcCode) -> Box<GrpcStatus> {
    Box::new(GrpcStatus {
        code,
        message: String::new(),
        trailers: Vec::new(),
    })
}

/// The answer of a gRPC call: what a line says of its code, or what its status stands for. Nobody knows what a message is
/// made of, so that one which is made up is empty.
fn as_grpc(response: &mut Response, made_up: bool) {
    if made_up {
        (response.status, response.body) = (200, Vec::new());
    }
    let code = match response.status {
        ..400 => GrpcCode::Ok,
        status => of_http(status),
    };
    let status = response.grpc.get_or_insert_with(|| ended(code));
    if status.code != GrpcCode::Ok {
        response.body.clear();
    }
}

impl Script {
    fn add(&mut self, line: &str) -> Result<(), String> {
        let line: Line = serde_json::from_str(line).map_err(|error| {
            let error = one_line(&error);
            format!("{error}: write one JSON object a line, as {{\"method\": \"GET\", \"route\": \"/users/{{id}}\", \"status\": 200, \"body\": {{}}}}")
        })?;
        if line.path.is_none() && line.route.is_none() {
            return Err("names neither a route nor a path: give one of them".into());
        }
        let status = match (line.status, &line.messages, line.grpc) {
            (None, Some(_), _) => Some(OPENED),
            (None, None, Some(_)) => Some(200),
            (status, ..) => status,
        };
        let grpc = line.grpc.map(ended);
        let outcome = match (status, &line.failed) {
            (Some(status), None) if (100..600).contains(&status) => Outcome::Response(Response {
                status,
                headers: line.headers.into_iter().collect(),
                body: match line.body {
                    None => Vec::new(),
                    Some(Value::String(text)) => text.into_bytes(),
                    Some(value) => value.to_string().into_bytes(),
                },
                latency_us: LATENCY_US,
                grpc,
            }),
            (None, Some(word)) => Outcome::Failed(Failure::from_word(word).ok_or_else(|| {
                format!("{word:?} is no failure: use one of {}", Failure::list())
            })?),
            _ => {
                return Err(
                    "needs a status from 100 to 599, grpc, messages, or failed: give one of them"
                        .into(),
                );
            }
        };
        let at = self.lines.len();
        self.lines.push(Given(outcome, line.messages));
        let method = line.method.to_ascii_uppercase();
        for (map, key) in [
            (&mut self.by_path, line.path),
            (&mut self.by_route, line.route),
        ] {
            if let Some(key) = key {
                map.entry((method.clone(), key)).or_default().lines.push(at);
            }
        }
        Ok(())
    }

    fn answer(&mut self, request: &Request, route: &str) -> (Given, bool) {
        let method = request.method.as_str().to_owned();
        let by_path = self
            .by_path
            .get_mut(&(method.clone(), request.path.clone()))
            .and_then(Turn::next);
        let given = by_path.or_else(|| {
            self.by_route
                .get_mut(&(method, route.to_owned()))
                .and_then(Turn::next)
        });
        if let Some(given) = given.and_then(|at| self.lines.get(at)) {
            return (given.clone(), false);
        }
        let (status, body) = made_up(request, route);
        let response = Response {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body,
            latency_us: LATENCY_US,
            grpc: None,
        };
        (Given(Outcome::Response(response), None), true)
    }
}
