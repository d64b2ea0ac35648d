//! One request as a behavior asked for it, checked. Made by the run, sent by the client over either protocol.
//!
//! What must stay true: a call that exists can be sent; what it may not say was refused when it was made.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use url::Url;

use crate::channel::{ChannelKind, websocket};
use crate::codec::{Added, Refused, RouteHead, TRACE, check_headers, text_of};
use crate::cookies::{self, Site};
use crate::grpc::framed;
use crate::pieces::{BodyReader, Pieces};
use crate::redirect::{Astray, Hop, goes_along};

/// A checked request, ready to send.
#[derive(Debug, Clone)]
pub struct Call {
    /// The place of its target in the plan, 0 being the run's own.
    target: u16,
    head: Rc<RouteHead>,
    path: String,
    headers: Vec<(String, String)>,
    trace: Option<[u8; TRACE]>,
    body: Option<Bytes>,
    /// The body, where it is more than bytes.
    pieces: Option<Rc<Pieces>>,
    timeout: Option<Duration>,
    capture: Capture,
    reads: Reads,
    watched: bool,
    /// It speaks gRPC.
    grpc: bool,
    /// The cookies that the behavior or the plan has set, once others were added to them.
    own_cookies: Option<OwnCookies>,
}

/// `None` inside: there were none.
#[derive(Debug, Clone)]
struct OwnCookies(Option<Box<str>>);

/// What the host itself reads of an answer, whatever the behavior has asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reads {
    pub cookies: bool,
    /// Where it redirects to.
    pub location: bool,
}

/// Parts of an answer that are handed back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capture {
    /// Trailers too.
    pub headers: bool,
    pub body: bool,
}

impl Call {
    /// Check and build. `path` follows the prefix of the base URL byte for byte. A header's value is sent as
    /// [`write_value`](crate::codec::write_value) says.
    pub fn new(
        head: Rc<RouteHead>,
        path: String,
        headers: Vec<(String, String)>,
        body: Option<Vec<u8>>,
    ) -> Result<Self, Refused> {
        head.check_path(&path)?;
        check_headers(&headers)?;
        Ok(Self {
            target: 0,
            head,
            path,
            headers,
            trace: None,
            body: body.map(Bytes::from),
            pieces: None,
            timeout: None,
            capture: Capture::default(),
            reads: Reads::default(),
            watched: false,
            grpc: false,
            own_cookies: None,
        })
    }

    /// Have this body, and no other.
    pub fn with_pieces(mut self, pieces: Pieces) -> Self {
        self.body = None;
        self.pieces = Some(Rc::new(pieces));
        self
    }

    /// A unary gRPC call, with a head of [`RouteHead::grpc`]: goes over HTTP/2 alone, and puts its message into a frame.
    pub fn grpc(
        head: Rc<RouteHead>,
        path: String,
        headers: Vec<(String, String)>,
        message: &[u8],
    ) -> Result<Self, Refused> {
        let body = framed(message).ok_or(Refused::Message(message.len()))?;
        Ok(Self {
            grpc: true,
            ..Self::new(head, path, headers, Some(body))?
        })
    }

    /// It is for this target.
    pub(crate) fn to(mut self, target: u16) -> Self {
        self.target = target;
        self
    }

    /// Read these of the answer.
    pub fn reads(mut self, reads: Reads) -> Self {
        self.reads = reads;
        self
    }

    /// Hand back these parts of the answer.
    pub fn capture(mut self, capture: Capture) -> Self {
        self.capture = capture;
        self
    }

    /// Somebody looks on: hand back all headers and the beginning of the body too, which [`Answer::captured`] takes out
    /// again.
    ///
    /// [`Answer::captured`]: crate::Answer::captured
    pub fn watched(mut self) -> Self {
        self.watched = true;
        self
    }

    /// Wait this long instead of the client's own limit.
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// Carry this trace context, whatever the behavior has set.
    pub fn trace(&mut self, parent: [u8; TRACE]) {
        self.trace = Some(parent);
    }

    /// Ask a target that knows Envoy's fault filter to fail: with this status, or after this delay.
    pub fn failing(mut self, status: Option<u16>, delay: Option<Duration>) -> Self {
        let mut set = |name: &str, value: String| {
            self.headers
                .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            self.headers.push((name.to_owned(), value));
        };
        if let Some(status) = status {
            set("x-envoy-fault-abort-request", status.to_string());
        }
        if let Some(delay) = delay {
            set("x-envoy-fault-delay-request", delay.as_millis().to_string());
        }
        self
    }

    /// Ask for no failure any more.
    pub fn unfailing(mut self) -> Self {
        let is_asked = |name: &str| name.starts_with("x-envoy-fault-");
        self.headers.retain(|(name, _)| !is_asked(name));
        self
    }

    /// Send the cookies that `merge` makes of those that the behavior, or else the plan, has set; `None` sends these. Asked
    /// again for each attempt.
    pub fn merge_cookies(&mut self, merge: impl FnOnce(Option<&str>, Site<'_>) -> Option<String>) {
        if self.own_cookies.is_none() {
            let own = self.headers.iter().filter(|(name, _)| is_cookie(name));
            let mut own: Vec<&str> = own.map(|(_, value)| value.as_str()).collect();
            let planned = self.head.value_of(COOKIE);
            if own.is_empty() {
                own.extend(planned.as_deref());
            }
            let own = (!own.is_empty()).then(|| own.join("; ").into());
            self.own_cookies = Some(OwnCookies(own));
        }
        let own = self.own_cookies.as_ref().and_then(|own| own.0.as_deref());
        let cookies = self.at_site(|site| merge(own, site));
        let cookies = cookies.or_else(|| own.map(str::to_owned));
        self.headers.retain(|(name, _)| !is_cookie(name));
        self.headers
            .extend(cookies.map(|cookies| (COOKIE.to_owned(), cookies)));
    }

    /// Cookies were added to its own.
    pub fn has_merged_cookies(&self) -> bool {
        self.own_cookies.is_some()
    }

    /// The URL that the target takes it for.
    pub(crate) fn url(&self) -> Result<Url, Astray> {
        let Self { head, path, .. } = self;
        let text = format!("{}://{}{}{path}", head.scheme(), self.host(), head.prefix());
        Url::parse(&text).map_err(|_| Astray::Unreadable)
    }

    /// What its `Host` says.
    fn host(&self) -> &str {
        let mut own = self.headers.iter();
        let own = own.find(|(name, _)| name.eq_ignore_ascii_case("host"));
        own.map_or_else(|| self.head.authority().as_str(), |(_, value)| value)
    }

    /// Hands on where it goes, as far as cookies care.
    pub fn at_site<T>(&self, then: impl FnOnce(Site<'_>) -> T) -> T {
        let host = self.host().to_ascii_lowercase();
        let colon = host.rfind(':').filter(|at| !host[*at..].contains(']'));
        then(Site {
            https: self.head.scheme() == "https",
            host: &host[..colon.unwrap_or(host.len())],
            path: &[self.head.prefix(), &self.path].concat(),
        })
    }

    /// The request that an answer to this one asks for. Cookies of its own go along but for those that the answer `sets`.
    pub(crate) fn sent_on(
        &self,
        head: Rc<RouteHead>,
        path: String,
        hop: &Hop,
        sets: &[String],
    ) -> Result<Self, Refused> {
        let mut headers = self.headers.clone();
        if let Some(OwnCookies(own)) = &self.own_cookies {
            headers.retain(|(name, _)| !is_cookie(name));
            headers.extend(
                own.as_deref()
                    .map(|own| (COOKIE.to_owned(), own.to_owned())),
            );
        }
        headers.retain_mut(|(name, value)| {
            if is_cookie(name) && !sets.is_empty() {
                *value = without(value, sets);
                return goes_along(name, hop) && !value.is_empty();
            }
            goes_along(name, hop)
        });
        let body = self.body.clone().filter(|_| hop.keeps_body);
        let pieces = self.pieces.clone().filter(|_| hop.keeps_body);
        let sent_on = Self::new(head, path, headers, None)?;
        Ok(Self {
            body,
            pieces,
            timeout: self.timeout,
            capture: self.capture,
            reads: self.reads,
            watched: self.watched,
            ..sent_on
        })
    }

    /// The same request as one that opens a channel; `key` is a WebSocket's own.
    pub(crate) fn opening(&self, kind: ChannelKind, key: &str) -> Self {
        let mut call = self.clone();
        let (asks, reserved) = match kind {
            ChannelKind::WebSocket => (websocket::asks(key), websocket::RESERVED.as_slice()),
            ChannelKind::EventStream => (Vec::new(), [].as_slice()),
        };
        let has = |call: &Self, name: &str| {
            call.headers
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        call.headers.retain(|(name, _)| {
            !reserved
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        });
        call.headers.extend(asks);
        if kind == ChannelKind::EventStream {
            // What is coded comes when a decoder lets go of it, and not when it was sent.
            for (name, value) in [
                ("accept", "text/event-stream"),
                ("cache-control", "no-cache"),
                ("accept-encoding", "identity"),
            ] {
                if !has(&call, name) {
                    call.headers.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        call
    }

    /// All values of one of its own headers, as one.
    pub(crate) fn said(&self, name: &str) -> String {
        let of = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let values: Vec<&str> = of.map(|(_, value)| value.as_str()).collect();
        values.join(",")
    }

    /// The place of its target in the plan, 0 being the run's own.
    pub fn target(&self) -> u16 {
        self.target
    }

    /// Behind the prefix of the base URL, with its query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Nothing at the target changes by it, so it can be sent again.
    pub fn is_safe(&self) -> bool {
        self.head.method().is_safe()
    }

    /// Sending it twice does what sending it once does.
    pub fn is_idempotent(&self) -> bool {
        self.head.method().is_idempotent()
    }

    pub fn method(&self) -> &Method {
        self.head.method()
    }

    pub(crate) fn head(&self) -> &RouteHead {
        &self.head
    }

    pub(crate) fn what_is_read(&self) -> Reads {
        self.reads
    }

    pub fn is_grpc(&self) -> bool {
        self.grpc
    }

    /// What it adds to its route's head.
    pub(crate) fn added(&self) -> Added<'_> {
        Added {
            path: &self.path,
            headers: &self.headers,
            trace: self.trace.as_ref(),
            body: match &self.pieces {
                Some(pieces) => Some(pieces.length()),
                None => self.body.as_ref().map(|body| body.len() as u64),
            },
            last: false,
        }
    }

    /// The body, where it is bytes and no more.
    pub fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }

    /// The body, where it is in pieces.
    pub fn pieces(&self) -> Option<&Pieces> {
        self.pieces.as_deref()
    }

    /// Reads the body, where it is in pieces.
    pub(crate) fn body_reader(&self) -> Option<BodyReader> {
        self.pieces.as_ref().map(BodyReader::new)
    }

    /// Parts of the answer that are asked for.
    pub fn captures(&self) -> Capture {
        self.capture
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.watched
    }

    /// The head as HTTP/1.1 has it: the request's line, then names and values. HTTP/2 says the same in its own form.
    pub fn written_head(&self) -> String {
        let mut bytes = Vec::new();
        self.head.write(self.added(), &mut bytes);
        text_of(&bytes)
    }

    /// Its own limit of time, if it has one.
    pub fn limit(&self) -> Option<Duration> {
        self.timeout
    }
}

const COOKIE: &str = "cookie";

fn is_cookie(name: &str) -> bool {
    name.eq_ignore_ascii_case(COOKIE)
}

/// The cookies of a header, without those that the lines of an answer set.
fn without(header: &str, sets: &[String]) -> String {
    let is_set = |pair: &&str| {
        sets.iter()
            .any(|line| cookies::name(line) == cookies::name(pair))
    };
    let left: Vec<&str> = header
        .split(';')
        .map(str::trim)
        .filter(|pair| !is_set(pair))
        .collect();
    left.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::HeadOptions;

    fn options() -> HeadOptions {
        HeadOptions {
            host: "target.test".into(),
            ..HeadOptions::default()
        }
    }

    #[test]
    fn a_fault_replaces_what_a_behavior_has_set() {
        let head = RouteHead::new(&options(), Method::GET).unwrap();
        let headers = vec![("X-Envoy-Fault-Abort-Request".to_owned(), "500".to_owned())];
        let call = Call::new(Rc::new(head), "/".into(), headers, None).unwrap();
        let call = call.failing(Some(503), Some(Duration::from_millis(20)));
        let expected = [
            ("x-envoy-fault-abort-request", "503"),
            ("x-envoy-fault-delay-request", "20"),
        ];
        let headers: Vec<_> = call
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(headers, expected);
    }

    #[test]
    fn what_it_may_not_say_is_refused() {
        let head = Rc::new(RouteHead::new(&options(), Method::GET).unwrap());
        assert!(Call::new(Rc::clone(&head), "x".into(), Vec::new(), None).is_err());
        assert!(
            Call::new(
                head,
                "/".into(),
                vec![("TE".into(), "trailers".into())],
                None
            )
            .is_err()
        );
    }
}
