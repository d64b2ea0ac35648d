//! One request as a behavior asked for it, checked. Made by the run, sent by the client over either protocol.
//!
//! What must stay true: a call that exists can be sent; what it may not say was refused when it was made.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use crate::codec::{Added, Refused, RouteHead, TRACE, check_headers, text_of};

/// A checked request, ready to send.
#[derive(Debug, Clone)]
pub struct Call {
    head: Rc<RouteHead>,
    path: String,
    headers: Vec<(String, String)>,
    trace: Option<[u8; TRACE]>,
    body: Option<Bytes>,
    timeout: Option<Duration>,
    capture: Capture,
    watched: bool,
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
            head,
            path,
            headers,
            trace: None,
            body: body.map(Bytes::from),
            timeout: None,
            capture: Capture::default(),
            watched: false,
        })
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

    pub(crate) fn head(&self) -> &RouteHead {
        &self.head
    }

    /// What it adds to its route's head.
    pub(crate) fn added(&self) -> Added<'_> {
        Added {
            path: &self.path,
            headers: &self.headers,
            trace: self.trace.as_ref(),
            body: self.body.as_ref().map(Bytes::len),
            last: false,
        }
    }

    pub fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
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

#[cfg(test)]
mod tests {
    use http::Method;

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
