//! What somebody who tries a behavior is told, one entry for each thing that happens: as JSON, or as `text.rs` writes it.
//!
//! What must stay true: no entry holds a secret that its name gives away, wherever the secret turns up again.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::session_text::{no_row, word};
use vespeiro_behavior::GuestEvent;
use vespeiro_behavior::types::{Action, Content, Operation, Request};
use vespeiro_engine::rehearsal::{KnownSecrets, veil_mark};
use vespeiro_engine::{Seen, SessionEnd};
use vespeiro_http::dial::Protocol;
use vespeiro_http::{Answer, Call, Outcome};
use vespeiro_metrics::Span;
use vespeiro_model::{Failure, GrpcCode, RequestPhase};
use vespeiro_plan::Secrets;

/// Names and values, in their order.
pub(super) type Fields = Vec<(String, String)>;

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Entry {
    Session {
        behavior: String,
        version: String,
        module: String,
        target: String,
        seed: u64,
    },
    /// The next step, before it is carried out.
    Step {
        step: u32,
        /// Waited before it, in seconds.
        pause: f64,
        /// What it sends: method and path.
        requests: Vec<String>,
    },
    Request {
        request: u32,
        method: String,
        path: String,
        route: String,
        category: String,
        /// Wrong on purpose.
        fault: bool,
        headers: Fields,
        body: Option<Value>,
        body_bytes: usize,
    },
    Answer(Box<Answered>),
    /// Over a channel: sent, or come.
    Message {
        channel: u32,
        sent: bool,
        /// Name of an event.
        #[serde(skip_serializing_if = "String::is_empty")]
        name: String,
        /// Nothing more is sent, or comes.
        end: bool,
        body: Option<Value>,
        body_bytes: usize,
    },
    Check {
        name: String,
        passed: bool,
    },
    Log {
        level: &'static str,
        message: String,
    },
    Observe {
        metric: String,
        value: f64,
    },
    Share {
        bytes: usize,
    },
    Abandoned {
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        place: Option<String>,
    },
    /// It begins, or has ended, where it says whether it passed.
    Transaction {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        passed: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
        /// Without pauses.
        #[serde(skip_serializing_if = "Option::is_none")]
        active_seconds: Option<f64>,
        #[serde(skip)]
        span: Option<Span>,
    },
    Mark {
        thing: String,
    },
    Unmark {
        thing: String,
    },
    Feed {
        feed: String,
        problem: &'static str,
    },
    End {
        end: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// The reason is the tool's, not in the behavior's words.
        #[serde(skip)]
        is_ours: bool,
        steps: u32,
        requests: u32,
        checks_passed: u32,
        checks_failed: u32,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct Answered {
    pub(super) request: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    /// How a gRPC call has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grpc: Option<GrpcCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<Failure>,
    /// Why there is no answer, or the words that came with the code of a gRPC call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<String>,
    pub(super) headers: Fields,
    pub(super) trailers: Fields,
    pub(super) body: Option<Value>,
    pub(super) body_bytes: usize,
    /// Parts that the behavior is told of.
    pub(super) captured: Vec<&'static str>,
    /// Without what it was blocked.
    pub(super) seconds: f64,
    #[serde(serialize_with = "as_map")]
    pub(super) phases: Vec<(&'static str, f64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connection: Option<String>,
    pub(super) reused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) protocol: Option<&'static str>,
}

fn as_map<S: Serializer>(pairs: &[(&'static str, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().copied())
}

/// Makes entries of what is seen, and counts.
#[derive(Debug, Default)]
pub(super) struct Scribe {
    secrets: KnownSecrets,
    steps: u32,
    requests: u32,
    passed: u32,
    failed: u32,
}

impl Scribe {
    /// That tells none of these.
    pub(super) fn without(secrets: &Secrets) -> Self {
        Self {
            secrets: KnownSecrets::of(secrets),
            ..Self::default()
        }
    }

    /// `None` for a step that is the end: that is told by itself.
    pub(super) fn entry(&mut self, seen: &Seen<'_>) -> Option<Entry> {
        Some(match seen {
            Seen::Step { step, pauses } => {
                let line = |request: &Request| {
                    let method = request.method.as_str();
                    format!("{method} {}", self.secrets.path(&request.path))
                };
                let each: Vec<String> = match &step.action {
                    Action::Requests(requests) => requests.iter().map(line).collect(),
                    Action::Operations(all) => all
                        .iter()
                        .filter_map(Operation::request)
                        .map(line)
                        .collect(),
                    Action::Done(_) => return None,
                };
                self.steps += 1;
                Entry::Step {
                    step: self.steps,
                    pause: match pauses {
                        true => f64::from(step.delay_ms) / 1e3,
                        false => 0.0,
                    },
                    requests: each,
                }
            }
            Seen::Sent {
                number,
                call,
                route,
                category,
                is_fault,
            } => {
                self.requests += 1;
                self.request(*number, call, route, category, *is_fault)
            }
            Seen::Answered { number, call, sent } => {
                Entry::Answer(Box::new(self.answer(*number, call, sent)))
            }
            Seen::Message {
                channel,
                sent,
                content,
                event,
            } => {
                let (text, bytes) = match content {
                    Content::Text(text) => ("text/plain", text.as_bytes()),
                    Content::Binary(bytes) => ("", &bytes[..]),
                    Content::End => ("", [].as_slice()),
                };
                let fields = Fields::from([("content-type".to_owned(), text.to_owned())]);
                let (_, body, body_bytes) = self.message(&fields, bytes);
                Entry::Message {
                    channel: *channel,
                    sent: *sent,
                    name: (*event).to_owned(),
                    end: **content == Content::End,
                    body,
                    body_bytes,
                }
            }
            Seen::Said(event) => self.said(event),
            Seen::Transaction { name, ended } => self.transaction(name, *ended),
            Seen::Ended(end) => self.end(end),
        })
    }

    fn request(
        &mut self,
        request: u32,
        call: &Call,
        route: &str,
        category: &str,
        fault: bool,
    ) -> Entry {
        let head = call.written_head();
        let mut lines = head.split("\r\n");
        let mut start = lines.next().unwrap_or_default().split(' ');
        let method = start.next().unwrap_or_default().to_owned();
        let path = self.secrets.path(start.next().unwrap_or_default());
        let fields = lines.filter_map(|line| line.split_once(": "));
        let fields: Fields = fields.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let (shown, length) = match call.pieces() {
            Some(pieces) => (Cow::Owned(pieces.shown()), pieces.length() as usize),
            None => {
                let body = call.body().map(|body| &body[..]).unwrap_or_default();
                (Cow::Borrowed(body), body.len())
            }
        };
        let (headers, body, _) = self.message(&fields, &shown);
        Entry::Request {
            request,
            method,
            path,
            route: route.to_owned(),
            category: category.to_owned(),
            fault,
            headers,
            body,
            body_bytes: length,
        }
    }

    fn answer(&mut self, request: u32, call: &Call, sent: &Outcome) -> Answered {
        let nothing = Answer::default();
        let (answer, flaw) = match &sent.result {
            Ok(answer) => (answer, None),
            Err(flaw) => (&nothing, Some(flaw)),
        };
        let asked = call.captures();
        let parts = [("headers", asked.headers), ("body", asked.body)];
        let (headers, body, kept) = self.message(&answer.headers, &answer.body);
        let (trailers, ..) = self.message(&answer.trailers, &[]);
        let phases = RequestPhase::ALL.into_iter().zip(sent.phases.each());
        Answered {
            request,
            status: flaw.is_none().then_some(answer.status),
            grpc: answer.grpc.as_ref().map(|grpc| grpc.code),
            failure: flaw.map(|flaw| flaw.failure),
            cause: match (flaw, &answer.grpc) {
                (Some(flaw), _) => Some(self.secrets.text(&flaw.cause)),
                (None, Some(grpc)) if !grpc.message.is_empty() => {
                    Some(self.secrets.text(&grpc.message))
                }
                _ => None,
            },
            headers,
            trailers,
            body,
            body_bytes: kept.max(sent.received.body as usize),
            captured: parts
                .iter()
                .filter_map(|(name, is)| is.then_some(*name))
                .collect(),
            seconds: sent.phases.service().as_secs_f64(),
            phases: phases
                .map(|(phase, took)| (phase.as_str(), took.as_secs_f64()))
                .collect(),
            connection: sent.remote.as_ref().map(ToString::to_string),
            reused: sent.reused,
            protocol: sent.protocol.map(|protocol| match protocol {
                Protocol::Http1 => "HTTP/1.1",
                Protocol::Http2 => "HTTP/2",
            }),
        }
    }

    /// Headers and body without their secrets, and how long the body is.
    fn message(&mut self, headers: &Fields, body: &[u8]) -> (Fields, Option<Value>, usize) {
        let mut content_type = "";
        let mut shown = Fields::new();
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("content-type") {
                content_type = value;
            }
            shown.push((name.clone(), self.secrets.value(name, value)));
        }
        let veiled = match body.is_empty() {
            true => None,
            false => self.secrets.body(content_type, body),
        };
        (shown, veiled, body.len())
    }

    fn said(&mut self, event: &GuestEvent) -> Entry {
        match event {
            GuestEvent::Log { level, message } => Entry::Log {
                level: word(*level),
                message: self.secrets.text(message),
            },
            GuestEvent::Check { name, passed } => {
                match passed {
                    true => self.passed += 1,
                    false => self.failed += 1,
                }
                Entry::Check {
                    name: self.secrets.text(name),
                    passed: *passed,
                }
            }
            GuestEvent::Observe { metric, value } => Entry::Observe {
                metric: metric.clone(),
                value: *value,
            },
            GuestEvent::Share(value) => Entry::Share { bytes: value.len() },
            GuestEvent::Abandoned { reason, place } => Entry::Abandoned {
                reason: self.secrets.text(reason),
                place: place.as_deref().map(|place| self.secrets.text(place)),
            },
            GuestEvent::Begin(name) => self.transaction(name, None),
            GuestEvent::End {
                transaction,
                passed,
            } => self.transaction(transaction, Some((*passed, Span::default()))),
            GuestEvent::Mark(thing) => Entry::Mark {
                thing: self.secrets.text(&veil_mark(thing)),
            },
            GuestEvent::Unmark(thing) => Entry::Unmark {
                thing: self.secrets.text(&veil_mark(thing)),
            },
            GuestEvent::NoRow { feed, why } => Entry::Feed {
                feed: feed.clone(),
                problem: no_row(*why),
            },
        }
    }

    fn transaction(&mut self, name: &str, ended: Option<(bool, Span)>) -> Entry {
        let span = ended.map(|(_, span)| span);
        Entry::Transaction {
            name: self.secrets.text(name),
            passed: ended.map(|(passed, _)| passed),
            seconds: span.map(|span| span.duration.as_secs_f64()),
            active_seconds: span.map(|span| span.active.as_secs_f64()),
            span,
        }
    }

    fn end(&self, end: &SessionEnd) -> Entry {
        let is_ours = !matches!(end, SessionEnd::Failed(_));
        let (end, why) = match end {
            SessionEnd::Completed => ("completed", None),
            SessionEnd::Abandoned => ("abandoned", None),
            SessionEnd::Cut => ("cut", None),
            SessionEnd::Failed(why) | SessionEnd::Refused(why) => ("failed", Some(why.clone())),
            SessionEnd::Crashed(crash) => ("crashed", Some(crash.to_string())),
        };
        Entry::End {
            end,
            why: why.map(|why| self.secrets.text(&why)),
            is_ours,
            steps: self.steps,
            requests: self.requests,
            checks_passed: self.passed,
            checks_failed: self.failed,
        }
    }
}
