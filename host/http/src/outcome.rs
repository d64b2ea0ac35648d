//! The outcome of a call: the answer or the failure, where its time went, and how many bytes it took. Made by the client,
//! read by the run.
//!
//! What must stay true: the phases are the differences of one row of instants, so that their sum is the request's time,
//! exactly.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::Failure;
use crate::body::{Body, Coding};
use crate::call::{Call, Capture, Reads};
use crate::codec::{Codings, Head, Header, Receive, Refusal, text_of};
use crate::dial::{Protocol, Remote};
use crate::grpc::{self, GrpcAnswer, GrpcStatus, Part};
use crate::redirect::is_redirect;
use crate::retry_after::retry_after;
use vespeiro_model::{Clock, Phases};

/// A response, as far as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Lower-case names, and values as [`text_of`] reads them; empty unless captured or watched. Without `content-encoding` and
    /// `content-length` where the body was decoded.
    pub headers: Vec<(String, String)>,
    /// Decoded; empty unless captured, and its beginning where it is only watched.
    pub body: Vec<u8>,
    /// Sent after the body; captured with the headers.
    pub trailers: Vec<(String, String)>,
    /// How long the target asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Values of `Set-Cookie`, where the call reads them.
    pub set_cookies: Vec<String>,
    /// Of an answer that redirects, where the call reads it.
    pub location: Option<String>,
    /// How a gRPC call has ended. Its body is the message without the frame, its trailers those of an answer that has nothing
    /// else too, and its status 0 where its time was over before one came.
    pub grpc: Option<Box<GrpcStatus>>,
}

impl Answer {
    /// Only what was asked for: see [`Call::watched`].
    pub fn captured(&mut self, asked: Capture) {
        if !asked.headers {
            self.headers = Vec::new();
            self.trailers = Vec::new();
        }
        if !asked.body {
            self.body = Vec::new();
        }
    }
}

/// Bytes in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// All that HTTP took, within TLS where there is TLS.
    pub wire: u64,
    /// Of bodies: as they were before they were coded for the wire.
    pub body: u64,
}

/// The outcome of a call.
#[derive(Debug)]
pub struct Outcome {
    pub result: Result<Answer, Flaw>,
    pub phases: Phases,
    /// Its connection had carried a request before.
    pub reused: bool,
    /// `None` where no connection was made.
    pub remote: Option<Remote>,
    pub protocol: Option<Protocol>,
    /// Of all attempts.
    pub sent: Traffic,
    pub received: Traffic,
}

impl Outcome {
    /// Where it went, over TCP.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.remote {
            Some(Remote::Tcp(address)) => Some(*address),
            _ => None,
        }
    }
}

/// The phase that a request is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Blocked,
    /// Lookup, connection and handshake: the dialer says how long each of them took.
    Dialing,
    Sending,
    Waiting,
    Receiving,
}

/// Measures one request's phases.
#[derive(Debug)]
pub(crate) struct Watch {
    clock: Clock,
    phases: Phases,
    phase: Phase,
    since: Instant,
}

impl Watch {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            phases: Phases::default(),
            phase: Phase::Blocked,
            since: clock.now(),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Leave the phase that it is in.
    pub(crate) fn enter(&mut self, phase: Phase, now: Instant) {
        let spent = now.saturating_duration_since(self.since);
        let of = &mut self.phases;
        *match self.phase {
            Phase::Blocked => &mut of.blocked,
            Phase::Dialing => &mut of.connect,
            Phase::Sending => &mut of.sending,
            Phase::Waiting => &mut of.waiting,
            Phase::Receiving => &mut of.receiving,
        } += spent;
        // An instant that lies before another, which clocks of some machines hand out, counts as the same.
        (self.phase, self.since) = (phase, self.since.max(now));
    }

    /// After [`Phase::Dialing`] was left: how much of it were lookup and handshake. The rest is the connection's.
    pub(crate) fn dialed(&mut self, lookup: Duration, tls: Duration) {
        let of = &mut self.phases;
        let lookup = lookup.min(of.connect);
        let tls = tls.min(of.connect - lookup);
        of.connect -= lookup + tls;
        of.lookup += lookup;
        of.tls += tls;
    }

    /// The request is sent again: all of its time so far counts as blocked.
    pub(crate) fn again(&mut self, now: Instant) {
        self.enter(Phase::Blocked, now);
        self.phases = Phases {
            blocked: self.phases.total(),
            ..Phases::default()
        };
    }

    pub(crate) fn finish(&mut self, now: Instant) -> Phases {
        self.enter(Phase::Blocked, now);
        self.phases
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }
}

/// Takes an answer's parts, of either protocol.
#[derive(Debug, Default)]
pub(crate) struct Taking {
    answer: Answer,
    body: Option<Body>,
    capture: Capture,
    reads: Reads,
    watched: bool,
    codings: Codings,
    max_body: u64,
    clock: Clock,
    /// Of a gRPC call.
    grpc: Option<Box<GrpcAnswer>>,
}

impl Taking {
    pub(crate) fn new(call: &Call, max_body: u64, clock: Clock) -> Self {
        Self {
            answer: Answer::default(),
            body: None,
            capture: call.captures(),
            reads: call.what_is_read(),
            watched: call.is_watched(),
            codings: call.head().codings(),
            max_body,
            clock,
            grpc: call.is_grpc().then(Box::default),
        }
    }

    /// Bytes of the body, decoded; of a gRPC message, without its frame.
    pub(crate) fn received(&self) -> u64 {
        self.body.as_ref().map_or(0, Body::received)
    }

    /// The answer is complete.
    pub(crate) fn finish(&mut self) -> Result<Answer, Refusal> {
        if let Some(body) = &mut self.body {
            self.answer.body = body.finish()?;
        }
        if let Some(grpc) = &mut self.grpc {
            if self.answer.trailers.is_empty() {
                // An answer of its head alone has its trailers there.
                self.answer.trailers = self.answer.headers.clone();
            }
            let own = [grpc::STATUS, grpc::MESSAGE, "content-type"];
            let is_own = |name: &str| own.contains(&name);
            self.answer.trailers.retain(|(name, _)| !is_own(name));
            self.answer.grpc = Some(Box::new(grpc.finish()));
        }
        Ok(std::mem::take(&mut self.answer))
    }
}

impl Receive for Taking {
    fn head(&mut self, head: Head<'_>) -> Result<(), Refusal> {
        self.answer.status = head.status;
        let mut coding = None;
        // What is a part of something coded cannot be decoded.
        let whole = !head.bodiless && head.status != 206;
        let redirects = self.reads.location && is_redirect(head.status);
        for header in head.headers {
            if whole && header.name.eq_ignore_ascii_case("content-encoding") {
                coding = Coding::of(header.value, self.codings);
            }
            if matches!(head.status, 429 | 503) && header.name.eq_ignore_ascii_case("retry-after") {
                let asked = retry_after(head.status, header.value, self.clock.wall());
                self.answer.retry_after = self.answer.retry_after.or(asked);
            }
            if self.reads.cookies && header.name.eq_ignore_ascii_case("set-cookie") {
                self.answer.set_cookies.push(text_of(header.value));
            }
            if redirects
                && self.answer.location.is_none()
                && header.name.eq_ignore_ascii_case("location")
            {
                self.answer.location = Some(text_of(header.value));
            }
        }
        if self.capture.headers || self.watched {
            let of_coding = ["content-encoding", "content-length"];
            let hidden = |header: &&Header<'_>| {
                coding.is_some()
                    && of_coding
                        .iter()
                        .any(|name| header.name.eq_ignore_ascii_case(name))
            };
            self.answer.headers = fields(head.headers.iter().filter(|header| !hidden(header)));
        }
        if let Some(grpc) = &mut self.grpc {
            // Its body begins with the message's frame.
            grpc.head(head.status, head.headers);
        } else if head.length != Some(0) {
            let body = Body::new(self.capture.body, self.max_body, coding, head.length)?;
            self.body = Some(match self.watched {
                true => body.with_beginning(),
                false => body,
            });
        }
        Ok(())
    }

    fn data(&mut self, mut bytes: &[u8]) -> Result<(), Refusal> {
        if let Some(grpc) = &mut self.grpc {
            while let Some(part) = grpc.next(&mut bytes) {
                match (part, &mut self.body) {
                    (Part::Begins(length), _) => {
                        let (kept, length) = (self.capture.body, Some(length.into()));
                        let body = Body::new(kept, self.max_body, None, length)?;
                        self.body = Some(match self.watched {
                            true => body.with_beginning(),
                            false => body,
                        });
                    }
                    (Part::Bytes(bytes), Some(body)) => body.push(bytes)?,
                    (Part::Bytes(_), None) => {}
                }
            }
            return Ok(());
        }
        match &mut self.body {
            Some(body) => body.push(bytes),
            None => Ok(()),
        }
    }

    fn trailers(&mut self, trailers: &[Header<'_>]) -> Result<(), Refusal> {
        if let Some(grpc) = &mut self.grpc {
            grpc.fields(trailers);
        }
        if self.capture.headers || self.watched {
            self.answer.trailers = fields(trailers.iter());
        }
        Ok(())
    }
}

fn fields<'a>(headers: impl Iterator<Item = &'a Header<'a>>) -> Vec<(String, String)> {
    headers
        .map(|header| (header.name.to_ascii_lowercase(), text_of(header.value)))
        .collect()
}

/// A request that failed: the kind, and why in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    pub failure: Failure,
    pub cause: Box<str>,
}

impl From<Refusal> for Flaw {
    fn from(refusal: Refusal) -> Self {
        Self {
            failure: refusal.failure,
            cause: refusal.cause.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever happens to a request, its phases add up to its time.
        #[test]
        fn nothing_of_the_time_is_lost(steps in prop::collection::vec((0..6u8, 0..1000u64, 0..1000u64), 0..20)) {
            let mut watch = Watch::new(Clock::system());
            let start = watch.since;
            let mut now = start;
            for (step, nanos, part) in steps {
                now += Duration::from_nanos(nanos);
                match step {
                    0 => watch.enter(Phase::Dialing, now),
                    1 => {
                        watch.enter(Phase::Sending, now);
                        watch.dialed(Duration::from_nanos(part), Duration::from_nanos(part / 3));
                    }
                    2 => watch.enter(Phase::Sending, now),
                    3 => watch.enter(Phase::Waiting, now),
                    4 => watch.enter(Phase::Receiving, now),
                    _ => {
                        watch.again(now);
                        prop_assert_eq!(watch.phases.service(), Duration::ZERO);
                    }
                }
            }
            prop_assert_eq!(watch.finish(now).total(), now - start);
        }
    }
}
