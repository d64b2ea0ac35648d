//! One worker's pool of connections to the target, and the measured exchange of one request for one response.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use bytes::BytesMut;
use http::Method;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use reqwest::redirect::Policy;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::call::{Call, OWN_HEADERS, Refused, TRACEPARENT};
use super::failure::classify;
use super::retry_after::retry_after;
use crate::timer_pool::TimerPool;
use vespeiro_model::Failure;
use vespeiro_plan::{HttpVersion, Plan, Target};

/// How this tool names itself to targets.
pub(super) const USER_AGENT: &str = concat!("vespeiro/", env!("CARGO_PKG_VERSION"));
/// Trace contexts that share a piece of memory: the library copies headers twice on their way, and what is shared costs
/// it no memory of its own. Few, since the piece is kept as long as the slowest of their requests lasts.
const TRACES: usize = 16;

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct ClientError(String);

/// A worker's connections to the target. Cheap to clone within the worker.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
    base: Rc<Url>,
    /// Requests in flight that this worker may still begin.
    permits: Option<Rc<Semaphore>>,
    timers: Rc<TimerPool>,
    /// Memory for the next trace contexts.
    traces: Rc<RefCell<BytesMut>>,
    /// Headers beside a behavior's.
    own_headers: usize,
    request_timeout: Duration,
    max_body: usize,
}

/// One request's place among the connections that the plan allows; free again when dropped.
pub type Place<'a> = SemaphorePermit<'a>;

/// A response, as far as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Lower-case names and values; empty unless captured.
    pub headers: Vec<(String, String)>,
    /// Empty unless captured.
    pub body: Vec<u8>,
    /// How long the target asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// One request that was sent, and what came of it.
#[derive(Debug)]
pub struct Exchange {
    pub result: Result<Answer, Failure>,
    /// From sending to the last byte of the body.
    pub latency: Duration,
    /// Bytes of the request's body.
    pub sent: u64,
    /// Bytes of the response's body.
    pub received: u64,
}

impl ClientError {
    pub(super) fn new(why: String) -> Self {
        Self(why)
    }
}

impl Client {
    /// The pool of one of `plan.workers` workers: it gets its share of the plan's connections, at least one.
    pub fn new(plan: &Plan) -> Result<Self, ClientError> {
        let target = &plan.target;
        let share = target.max_connections.div_ceil(plan.workers.max(1));
        let permits = (target.max_connections > 0).then(|| Rc::new(Semaphore::new(share)));
        let inner = builder(target, &plan.run_id)?
            .build()
            .map_err(|e| ClientError(chain(&e)))?;
        let base = Rc::new(target.base_url.clone());
        Ok(Self {
            inner,
            base,
            permits,
            timers: Rc::default(),
            traces: Rc::default(),
            own_headers: OWN_HEADERS + usize::from(target.trace_context),
            request_timeout: target.request_timeout,
            max_body: target.max_body,
        })
    }

    /// The target's address.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// A request to the target, checked.
    pub fn call(
        &self,
        method: Method,
        path: &str,
        headers: Vec<(String, String)>,
        body: Option<Vec<u8>>,
    ) -> Result<Call, Refused> {
        Call::with_room(self.own_headers, &self.base, method, path, headers, body)
    }

    /// Have a request carry this trace context, whatever its behavior has set.
    pub fn trace(&self, call: &mut Call, parent: &[u8]) {
        let mut traces = self.traces.borrow_mut();
        if traces.capacity() < parent.len() {
            *traces = BytesMut::with_capacity(TRACES * parent.len());
        }
        traces.extend_from_slice(parent);
        if let Ok(value) = HeaderValue::from_maybe_shared(traces.split().freeze()) {
            call.headers.insert(TRACEPARENT, value);
        }
    }

    /// Wait for a free place among the connections that the plan allows. `None` when it sets no cap.
    pub async fn place(&self) -> Option<Place<'_>> {
        match &self.permits {
            // The semaphore is never closed, so an error cannot come.
            Some(permits) => permits.acquire().await.ok(),
            None => None,
        }
    }

    /// Send and read to the end. The latency begins with the first poll: wait for a [`place`](Self::place) before.
    /// The request is moved into the HTTP library at once, so that what waits for the response is small.
    pub fn send(&self, call: Box<Call>) -> impl Future<Output = Exchange> {
        let call = *call;
        let sent = call.body.as_ref().map_or(0, |body| body.len() as u64);
        let limit = call.timeout.unwrap_or(self.request_timeout);
        let (capture_headers, capture_body) = (call.capture_headers, call.capture_body);
        let mut request = reqwest::Request::new(call.method, call.url);
        *request.headers_mut() = call.headers;
        *request.body_mut() = call.body.map(reqwest::Body::from);
        let response = self.inner.execute(request);
        async move {
            let mut received = 0;
            let start = Instant::now();
            let answer = async {
                match response.await {
                    Ok(response) => {
                        self.read(response, capture_headers, capture_body, &mut received)
                            .await
                    }
                    Err(error) => Err(classify(&error)),
                }
            };
            let result = self.timers.within(start + limit, answer).await;
            Exchange {
                result: result.unwrap_or(Err(Failure::Timeout)),
                latency: start.elapsed(),
                sent,
                received,
            }
        }
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        capture_headers: bool,
        capture_body: bool,
        received: &mut u64,
    ) -> Result<Answer, Failure> {
        let status = response.status().as_u16();
        let retry_after = match status {
            429 | 503 => retry_after(status, response.headers(), SystemTime::now()),
            _ => None,
        };
        let headers = if capture_headers {
            plain(response.headers())
        } else {
            Vec::new()
        };
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
            *received += chunk.len() as u64;
            if *received > self.max_body as u64 {
                return Err(Failure::TooLarge);
            }
            if capture_body {
                body.extend_from_slice(&chunk);
            }
        }
        Ok(Answer {
            status,
            headers,
            body,
            retry_after,
        })
    }
}

fn builder(target: &Target, run_id: &str) -> Result<reqwest::ClientBuilder, ClientError> {
    // Another part of the process may have installed it before: that one serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let run = HeaderValue::from_str(run_id).map_err(|e| ClientError(e.to_string()))?;
    let mut own = HeaderMap::new();
    own.insert(HeaderName::from_static("x-vespeiro-run"), run);
    if target.base_url.scheme() == "http" && target.http != HttpVersion::Http2 {
        // Otherwise the library writes it anew for each request; HTTP/2 has no such header.
        own.insert(HOST, host(&target.base_url)?);
    }
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(own)
        .redirect(Policy::none())
        // A request is sent once: what the tool counts is what the target gets.
        .retry(reqwest::retry::never())
        .no_proxy()
        .gzip(target.compressed)
        .connect_timeout(target.connect_timeout)
        .tcp_nodelay(true)
        .pool_max_idle_per_host(usize::MAX)
        .pool_idle_timeout(Duration::from_secs(30))
        .tls_danger_accept_invalid_certs(target.insecure);
    Ok(match target.http {
        HttpVersion::Auto => builder,
        HttpVersion::Http1 => builder.http1_only(),
        HttpVersion::Http2 => builder.http2_prior_knowledge(),
    })
}

/// Name and port as HTTP/1.1 has them, without the scheme's own port.
fn host(base: &Url) -> Result<HeaderValue, ClientError> {
    let name = base.host_str().unwrap_or_default();
    let host = match base.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    HeaderValue::try_from(host).map_err(|e| ClientError(e.to_string()))
}

fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

/// An error and its causes in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        next = cause.source();
    }
    line
}
