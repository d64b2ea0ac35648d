//! The request builder: from a route to a reply. [`Me::call`] starts it; [`Call::send`] boxes what is left of it, so
//! that a journey waiting for a reply holds two words and not a request.

use std::fmt::{Display, Write};
use std::future::Future;
use std::pin::Pin;

use serde::Serialize;

use crate::contract::{Capture, Fault, Request};
use crate::session::Exchange;
use crate::tokens::Tokens;
use crate::{Error, Me, Reply, Result, Route};

/// A request on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Reply>> + 'a>>;

/// A request being built.
#[must_use = "a call does nothing before `send`"]
pub struct Call<'a> {
    me: &'a Me,
    route: Route,
    path: String,
    /// What of the template still waits for its arguments.
    rest: &'static str,
    query: bool,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    capture: Capture,
    category: &'static str,
    timeout_ms: Option<u32>,
    mark: Option<String>,
    fault: Option<Fault>,
    tokens: Option<&'a Tokens>,
    problem: Option<Error>,
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("route", &self.route)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl<'a> Call<'a> {
    pub(crate) fn new(me: &'a Me, route: Route) -> Call<'a> {
        let mut call = Call {
            me,
            route,
            path: String::with_capacity(route.path.len() + 40),
            rest: route.path,
            query: false,
            headers: Vec::new(),
            body: None,
            capture: Capture::NONE,
            category: route.category,
            timeout_ms: None,
            mark: None,
            fault: None,
            tokens: None,
            problem: None,
        };
        call.copy_literal();
        call
    }

    /// Moves the template up to its next `{` into the path.
    fn copy_literal(&mut self) {
        let at = self
            .rest
            .bytes()
            .position(|byte| byte == b'{')
            .unwrap_or(self.rest.len());
        let (literal, rest) = self.rest.split_at(at);
        self.path.push_str(literal);
        self.rest = rest;
    }

    /// The value of the template's next placeholder, percent-encoded.
    pub fn arg(mut self, value: impl Display) -> Self {
        match self.rest.find('}') {
            Some(end) => {
                self.rest = &self.rest[end + 1..];
                encode(&mut self.path, value);
                self.copy_literal();
            }
            None => self.fail(Error::usage(format!(
                "{}: has no placeholder for `{value}`",
                self.route.path
            ))),
        }
        self
    }

    /// A query parameter, percent-encoded. Comes after the arguments.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.path.push(if self.query { '&' } else { '?' });
        self.query = true;
        encode(&mut self.path, name);
        self.path.push('=');
        encode(&mut self.path, value);
        self
    }

    /// A query parameter if there is a value.
    pub fn query_opt(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// A header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A JSON body, with its content type.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        let mut body = Vec::with_capacity(256);
        match serde_json::to_writer(&mut body, value) {
            Ok(()) => self.body = Some(body),
            Err(error) => self.fail(Error::usage(format!("{}: body: {error}", self.route.path))),
        }
        self.header("content-type", "application/json")
    }

    /// A body of bytes; its content type is a header of yours.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(bytes.into());
        self
    }

    /// Hand back the response's body.
    pub fn capture_body(mut self) -> Self {
        self.capture = self.capture.and(Capture::BODY);
        self
    }

    /// Hand back the response's headers.
    pub fn capture_headers(mut self) -> Self {
        self.capture = self.capture.and(Capture::HEADERS);
        self
    }

    /// Count the request for another category than its route's. The behavior has to declare it on some route.
    pub fn category(mut self, category: &'static str) -> Self {
        self.category = category;
        self
    }

    /// The longest wait for the whole response, in milliseconds, instead of the plan's.
    pub fn timeout_ms(mut self, millis: u32) -> Self {
        self.timeout_ms = Some(millis);
        self
    }

    /// Name of what this request creates, `<kind>:<name>`: in the run's journal before the request leaves, so that
    /// cleanup finds the thing even if the reply is lost. Take it back with [`Me::unmark`] once it is removed.
    pub fn mark(mut self, thing: impl Into<String>) -> Self {
        self.mark = Some(thing.into());
        self
    }

    /// The request is wrong on purpose; its failure is not held against the target, nor against a bearer token.
    pub fn fault(mut self, kind: Fault) -> Self {
        self.fault = Some(kind);
        self
    }

    /// Authorize with a bearer token, renewed before it expires; a 401 logs in again and repeats the request, once.
    pub fn bearer(mut self, tokens: &'a Tokens) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Send it and wait for the reply, whatever its status.
    ///
    /// # Errors
    /// [`Error::Failed`] when there is no reply, [`Error::Usage`] when the request cannot be built; with a bearer
    /// token also what its renewal met.
    pub fn send(self) -> Sending<'a> {
        Box::pin(async move {
            match self.tokens {
                None => {
                    let (me, route) = (self.me, self.route.path);
                    exchange(me, route, self.into_request()?).await
                }
                Some(tokens) => self.send_authorized(tokens).await,
            }
        })
    }

    async fn send_authorized(mut self, tokens: &Tokens) -> Result<Reply> {
        let (me, route) = (self.me, self.route.path);
        tokens.renew_if_due(me).await?;
        if self.fault.is_some() {
            self.headers.push(tokens.header());
            return exchange(me, route, self.into_request()?).await;
        }
        let generation = tokens.generation();
        let mut request = self.into_request()?;
        let again = request.clone();
        request.headers.push(tokens.header());
        let reply = exchange(me, route, request).await?;
        if reply.status != 401 {
            return Ok(reply);
        }
        drop(reply);
        tokens.replace(me, generation).await?;
        let mut request = again;
        request.headers.push(tokens.header());
        exchange(me, route, request).await
    }

    fn fail(&mut self, error: Error) {
        self.problem.get_or_insert(error);
    }

    fn into_request(self) -> Result<Request> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        if !self.rest.is_empty() {
            return Err(Error::usage(format!(
                "{}: lacks an argument for `{}`",
                self.route.path, self.rest
            )));
        }
        Ok(Request {
            method: self.route.method,
            path: self.path,
            route: self.route.path.into(),
            category: self.category.into(),
            headers: self.headers,
            body: self.body,
            capture: self.capture,
            timeout_ms: self.timeout_ms,
            mark: self.mark,
            fault: self.fault,
        })
    }
}

async fn exchange(me: &Me, route: &'static str, request: Request) -> Result<Reply> {
    match Exchange::new(me.core(), request).await {
        Ok(response) => Ok(Reply::new(route, response)),
        Err(kind) => Err(Error::Failed { route, kind }),
    }
}

/// Appends a value with everything but RFC 3986's unreserved characters percent-encoded.
fn encode(path: &mut String, value: impl Display) {
    struct Encoder<'a>(&'a mut String);
    impl Write for Encoder<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            for &byte in text.as_bytes() {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                    self.0.push(char::from(byte));
                } else {
                    self.0.push('%');
                    self.0.push(char::from(HEX[usize::from(byte >> 4)]));
                    self.0.push(char::from(HEX[usize::from(byte & 15)]));
                }
            }
            Ok(())
        }
    }
    // Writing to a string cannot fail; a `Display` that does leaves its argument empty.
    let _ = write!(Encoder(path), "{value}");
}
