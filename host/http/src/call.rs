//! One request as a behavior asked for it, and the refusal of what a behavior may not ask for.

use std::time::Duration;

use http::Method;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;

/// Headers that belong to the host: they frame the message or say who sends it.
const RESERVED: [&str; 7] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "user-agent",
    "x-vespeiro-run",
];
/// Headers that the host and the library add; room for them is made at once.
pub(super) const OWN_HEADERS: usize = 5;
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Longest path and query, in bytes.
const MAX_PATH: usize = 8192;

/// A checked request, ready to send.
#[derive(Debug, Clone)]
pub struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    pub(super) timeout: Option<Duration>,
    pub(super) capture_headers: bool,
    pub(super) capture_body: bool,
}

/// A request that is not sent because its behavior asked for something that it may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(
        "the path {0:?} must start with '/': name no scheme and no host, requests go to the target"
    )]
    NotAPath(String),
    #[error(
        "the path {0:?} has a space, a control character or a byte beyond ASCII: percent-encode it"
    )]
    Unencoded(String),
    #[error("a path of {0} bytes is over the {MAX_PATH} that are allowed")]
    TooLong(usize),
    #[error("the header {0:?} is not a valid name and value")]
    Header(String),
    #[error("the header {0:?} is the host's to set")]
    Reserved(String),
}

impl Call {
    /// Check and build. Only path and query of `base` change, so that nothing in `path` can name a host.
    pub fn new(
        base: &Url,
        method: Method,
        path: &str,
        headers: Vec<(String, String)>,
        body: Option<Vec<u8>>,
    ) -> Result<Self, Refused> {
        Self::with_room(OWN_HEADERS, base, method, path, headers, body)
    }

    /// The same, with room for so many headers beside those that are given.
    pub(super) fn with_room(
        room: usize,
        base: &Url,
        method: Method,
        path: &str,
        headers: Vec<(String, String)>,
        body: Option<Vec<u8>>,
    ) -> Result<Self, Refused> {
        check_path(path)?;
        let mut map = HeaderMap::with_capacity(headers.len() + room);
        for (name, value) in headers {
            let Ok(known) = HeaderName::from_bytes(name.as_bytes()) else {
                return Err(Refused::Header(shorten(&name)));
            };
            if RESERVED.contains(&known.as_str()) {
                return Err(Refused::Reserved(known.as_str().to_owned()));
            }
            let Ok(mut value) = HeaderValue::try_from(value) else {
                return Err(Refused::Header(shorten(&name)));
            };
            value.set_sensitive(known == http::header::AUTHORIZATION);
            map.append(known, value);
        }
        let url = address(base, path);
        Ok(Self {
            method,
            url,
            headers: map,
            body,
            timeout: None,
            capture_headers: false,
            capture_body: false,
        })
    }

    /// Hand back these parts of the response.
    pub fn capture(mut self, headers: bool, body: bool) -> Self {
        self.capture_headers = headers;
        self.capture_body = body;
        self
    }

    /// Ask a target that knows Envoy's fault filter to fail: with this status, or after this delay.
    pub fn failing(mut self, status: Option<u16>, delay: Option<Duration>) -> Self {
        if let Some(status) = status {
            let name = HeaderName::from_static("x-envoy-fault-abort-request");
            self.headers.insert(name, HeaderValue::from(status));
        }
        if let Some(delay) = delay {
            let name = HeaderName::from_static("x-envoy-fault-delay-request");
            let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
            self.headers.insert(name, HeaderValue::from(millis));
        }
        self
    }

    /// Nothing at the target changes by it, so it can be sent again.
    pub fn is_safe(&self) -> bool {
        self.method.is_safe()
    }

    /// Sending it twice does what sending it once does.
    pub fn is_idempotent(&self) -> bool {
        self.method.is_idempotent()
    }

    /// Wait this long instead of the plan's `request_timeout`.
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }
}

/// The base was parsed once; only what follows it is parsed for each request.
fn address(base: &Url, path: &str) -> Url {
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let mut url = base.clone();
    match base.path().trim_end_matches('/') {
        "" => url.set_path(path),
        prefix => url.set_path(&format!("{prefix}{path}")),
    }
    url.set_query(query);
    url
}

fn check_path(path: &str) -> Result<(), Refused> {
    if path.len() > MAX_PATH {
        return Err(Refused::TooLong(path.len()));
    }
    if !path.starts_with('/') {
        return Err(Refused::NotAPath(shorten(path)));
    }
    if path.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(Refused::Unencoded(shorten(path)));
    }
    Ok(())
}

/// Enough of a guest's text to recognize it, and no more.
fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: &str = "http://127.0.0.1:9501";

    fn call(path: &str, headers: &[(&str, &str)]) -> Result<Call, Refused> {
        let headers = headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        Call::new(&Url::parse(BASE).unwrap(), Method::GET, path, headers, None)
    }

    #[test]
    fn a_path_with_query_joins_the_base() {
        let call = call(
            "/api/v1/users?page=2&q=a%20b",
            &[("accept", "application/json")],
        )
        .unwrap();
        assert_eq!(
            call.url.as_str(),
            "http://127.0.0.1:9501/api/v1/users?page=2&q=a%20b"
        );
    }

    #[test]
    fn a_base_with_a_prefix_keeps_it() {
        let base = Url::parse("http://127.0.0.1:9501/users-service/").unwrap();
        let call = Call::new(&base, Method::GET, "/health?x=1", Vec::new(), None).unwrap();
        assert_eq!(
            call.url.as_str(),
            "http://127.0.0.1:9501/users-service/health?x=1"
        );
    }

    #[test]
    fn other_hosts_are_refused() {
        for path in [
            "http://example.org/",
            "example.org/",
            "@example.org/",
            "",
            ":80/",
        ] {
            assert!(
                matches!(call(path, &[]), Err(Refused::NotAPath(_))),
                "{path}"
            );
        }
    }

    #[test]
    fn control_characters_are_refused() {
        for path in ["/a b", "/a\r\nx: y", "/\0", "/ü"] {
            assert!(
                matches!(call(path, &[]), Err(Refused::Unencoded(_))),
                "{path:?}"
            );
        }
    }

    #[test]
    fn header_injection_and_reserved_headers_are_refused() {
        assert!(matches!(
            call("/", &[("x", "a\r\nhost: b")]),
            Err(Refused::Header(_))
        ));
        assert!(matches!(
            call("/", &[("x y", "a")]),
            Err(Refused::Header(_))
        ));
        assert!(matches!(
            call("/", &[("Host", "a")]),
            Err(Refused::Reserved(_))
        ));
        assert!(matches!(
            call("/", &[("Content-Length", "0")]),
            Err(Refused::Reserved(_))
        ));
    }

    proptest! {
        #[test]
        fn whatever_a_guest_says_goes_to_the_target_or_nowhere(path in ".{0,64}", name in ".{0,12}", value in ".{0,24}") {
            if let Ok(call) = call(&path, &[(&name, &value)]) {
                prop_assert_eq!(call.url.host_str(), Some("127.0.0.1"));
                prop_assert_eq!(call.url.port(), Some(9501));
                prop_assert!(call.url.username().is_empty());
            }
        }
    }
}
