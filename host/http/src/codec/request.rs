//! What a request's bytes are made of: the head of a route, prepared once, and what a behavior adds to it, written behind
//! it into the caller's buffer.
//!
//! What must stay true: nothing that a behavior says can end a line or frame the message, and `Host` is said once.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use http::uri::{self, Authority, PathAndQuery, Scheme, Uri};
use http::{HeaderMap, Method, Request};
use vespeiro_plan::Codings;

use super::check::{
    Refused, check_field, check_header, check_path, check_within, length_bit, shorten,
};
use super::text::{text_of, write_value};
use crate::grpc;

/// Length of a trace context (W3C, version 00).
pub const TRACE: usize = 55;
const TRACEPARENT: &str = "traceparent";

/// What all requests to one target have in common.
#[derive(Debug, Clone, Default)]
pub struct HeadOptions {
    /// The scheme, for HTTP/2: `https`, otherwise `http`.
    pub https: bool,
    /// Name and port as `Host` has them, without the scheme's own port.
    pub host: String,
    /// Path of the base URL; what is sent stays within it. May be empty or end with `/`.
    pub prefix: String,
    pub user_agent: String,
    /// Marks what the run sends, as `x-vespeiro-run`.
    pub run_id: String,
    pub codings: Codings,
    /// For every request; a behavior's own value wins.
    pub headers: Vec<(String, String)>,
}

/// A header that goes with every request, as either protocol has it.
#[derive(Debug, Clone)]
struct Field {
    name: HeaderName,
    value: HeaderValue,
    line: Box<[u8]>,
}

impl Field {
    fn new(name: &str, value: &str) -> Result<Self, Refused> {
        check_field(name, value)?;
        let mut bytes = Vec::new();
        write_value(value, &mut bytes);
        let wrong = || Refused::Header(shorten(name));
        let spelled = name;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let line = [spelled.as_bytes(), b": ", &bytes, b"\r\n"].concat();
        Ok(Self {
            value: HeaderValue::from_maybe_shared(Bytes::from(bytes)).map_err(|_| wrong())?,
            name,
            line: line.into(),
        })
    }

    fn is(&self, name: &str) -> bool {
        self.name.as_str().eq_ignore_ascii_case(name)
    }
}

/// The constant part of a route's requests. Made once for each route or method, shared by all its requests.
#[derive(Debug, Clone)]
pub struct RouteHead {
    method: Method,
    scheme: Scheme,
    authority: Authority,
    prefix: Box<str>,
    codings: Codings,
    /// Method and prefix: what precedes a path.
    start: Box<[u8]>,
    /// What follows a path, where nothing of it is replaced: version and all fields.
    constant: Box<[u8]>,
    /// Of each request, unless a behavior has its own value; `Host` comes first.
    fields: Box<[Field]>,
    /// The lengths of their names, as bits: a name of another length replaces none of them.
    lengths: u64,
}

/// What one request adds to its route's head.
#[derive(Debug, Clone, Copy)]
pub struct Added<'a> {
    /// Path and query, checked by [`RouteHead::check_path`].
    pub path: &'a str,
    /// Names and values, checked by [`check_headers`](super::check_headers).
    pub headers: &'a [(String, String)],
    pub trace: Option<&'a [u8; TRACE]>,
    pub body: Option<u64>,
    /// The connection is to carry no other request.
    pub last: bool,
}

impl RouteHead {
    /// An error names the part of `options` that cannot be sent.
    pub fn new(options: &HeadOptions, method: Method) -> Result<Self, Refused> {
        Self::with(options, method, &[])
    }

    /// Of gRPC calls. What is coded for HTTP is nothing that those who answer them know of.
    pub fn grpc(options: &HeadOptions) -> Result<Self, Refused> {
        let options = HeadOptions {
            codings: Codings::default(),
            ..options.clone()
        };
        let more = [("te", "trailers"), ("content-type", grpc::CONTENT_TYPE)];
        Self::with(&options, Method::POST, &more)
    }

    fn with(options: &HeadOptions, method: Method, more: &[(&str, &str)]) -> Result<Self, Refused> {
        let prefix = options.prefix.trim_end_matches('/');
        if !prefix.is_empty() {
            check_path(prefix)?;
        }
        let authority = Authority::from_maybe_shared(Bytes::from(options.host.clone()));
        let mut fields = vec![
            Field::new(HOST, &options.host)?,
            Field::new("user-agent", &options.user_agent)?,
        ];
        if !options.run_id.is_empty() {
            fields.push(Field::new("x-vespeiro-run", &options.run_id)?);
        }
        for (name, value) in &options.headers {
            check_header(name, value)?;
            if fields[..2].iter().any(|field| field.is(name)) {
                return Err(Refused::Reserved(name.to_ascii_lowercase()));
            }
            fields.push(Field::new(name, value)?);
        }
        let lacks = |fields: &[Field], name: &str| fields.iter().all(|field| field.name != name);
        if lacks(&fields, "accept") {
            fields.push(Field::new("accept", "*/*")?);
        }
        for (name, value) in more {
            if lacks(&fields, name) {
                fields.push(Field::new(name, value)?);
            }
        }
        let mut lengths = 0;
        if let Some(names) = options.codings.names()
            && lacks(&fields, ACCEPT_ENCODING)
        {
            fields.push(Field::new(ACCEPT_ENCODING, &names)?);
            lengths |= length_bit(RANGE.len());
        }
        let mut constant = VERSION.to_vec();
        for field in &fields {
            lengths |= length_bit(field.name.as_str().len());
            constant.extend_from_slice(&field.line);
        }
        Ok(Self {
            start: format!("{method} {prefix}").into_bytes().into(),
            method,
            scheme: if options.https {
                Scheme::HTTPS
            } else {
                Scheme::HTTP
            },
            authority: authority.map_err(|_| Refused::Header("host".into()))?,
            prefix: prefix.into(),
            codings: options.codings,
            constant: constant.into(),
            fields: fields.into(),
            lengths,
        })
    }

    pub fn method(&self) -> &Method {
        &self.method
    }

    pub fn scheme(&self) -> &str {
        self.scheme.as_str()
    }

    /// Name and port, as `Host` has them.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What every request says under this name, unless a behavior has its own value.
    pub fn value_of(&self, name: &str) -> Option<String> {
        let field = self.fields.iter().find(|field| field.is(name))?;
        Some(text_of(field.value.as_bytes()))
    }

    /// What precedes every path: empty, or a path that does not end with `/`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What answers may be coded with.
    pub fn codings(&self) -> Codings {
        self.codings
    }

    /// Check a path with its query, which is sent byte for byte as it stands.
    pub fn check_path(&self, path: &str) -> Result<(), Refused> {
        check_within(&self.prefix, path)
    }

    /// Write the head of an HTTP/1.1 request, with the empty line that ends it.
    pub fn write(&self, added: Added<'_>, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.start);
        into.extend_from_slice(added.path.as_bytes());
        if self.is_replaced_by(added.headers) {
            into.extend_from_slice(VERSION);
            for field in self.fields_beside(added) {
                into.extend_from_slice(&field.line);
            }
        } else {
            into.extend_from_slice(&self.constant);
        }
        for (name, value) in added.own_headers() {
            into.extend_from_slice(name.as_bytes());
            into.extend_from_slice(b": ");
            write_value(value, into);
            into.extend_from_slice(b"\r\n");
        }
        if let Some(trace) = added.trace {
            into.extend_from_slice(b"traceparent: ");
            into.extend_from_slice(trace);
            into.extend_from_slice(b"\r\n");
        }
        if added.last {
            into.extend_from_slice(b"connection: close\r\n");
        }
        if let Some(length) = self.content_length(added) {
            into.extend_from_slice(b"content-length: ");
            write_number(length, into);
            into.extend_from_slice(b"\r\n");
        }
        into.extend_from_slice(b"\r\n");
    }

    /// The head of an HTTP/2 request.
    pub fn http2(&self, added: Added<'_>) -> Result<Request<()>, http::Error> {
        let count = self.fields.len() + added.headers.len() + 2;
        let mut headers = HeaderMap::with_capacity(count);
        for field in self.fields_beside(added).filter(|field| !field.is(HOST)) {
            headers.append(field.name.clone(), field.value.clone());
        }
        let mut authority = self.authority.clone();
        for (name, value) in added.own_headers() {
            if name.eq_ignore_ascii_case(HOST) {
                authority = Authority::from_maybe_shared(Bytes::copy_from_slice(value.as_bytes()))?;
                continue;
            }
            let mut bytes = Vec::with_capacity(value.len());
            write_value(value, &mut bytes);
            let name = HeaderName::from_bytes(name.as_bytes())?;
            headers.append(name, HeaderValue::from_maybe_shared(Bytes::from(bytes))?);
        }
        if let Some(trace) = added.trace {
            headers.append(
                HeaderName::from_static(TRACEPARENT),
                HeaderValue::from_bytes(trace)?,
            );
        }
        if let Some(length) = self.content_length(added) {
            headers.append(CONTENT_LENGTH, HeaderValue::from(length));
        }
        let path = [&self.prefix, added.path].concat();
        let mut uri = uri::Parts::default();
        uri.scheme = Some(self.scheme.clone());
        uri.authority = Some(authority);
        uri.path_and_query = Some(PathAndQuery::from_maybe_shared(Bytes::from(path))?);
        let mut request = Request::new(());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::from_parts(uri)?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// What `content-length` says. A method that usually has a body says that it has none.
    pub fn content_length(&self, added: Added<'_>) -> Option<u64> {
        let usual = matches!(self.method, Method::POST | Method::PUT | Method::PATCH);
        added.body.or(usual.then_some(0))
    }

    /// Whether one of these may take the place of one of its fields.
    fn is_replaced_by(&self, headers: &[(String, String)]) -> bool {
        let may = |(name, _): &(String, String)| self.lengths & length_bit(name.len()) != 0;
        headers.iter().any(may)
    }

    /// Those of its fields that a request does not replace.
    fn fields_beside<'a>(&'a self, added: Added<'a>) -> impl Iterator<Item = &'a Field> {
        let may_be_replaced = self.is_replaced_by(added.headers);
        self.fields.iter().filter(move |field| {
            !may_be_replaced
                || !added.headers.iter().any(|(name, _)| {
                    field.is(name)
                        // A part of a coded body cannot be decoded.
                        || (field.name == ACCEPT_ENCODING && name.eq_ignore_ascii_case(RANGE))
                })
        })
    }
}

const VERSION: &[u8] = b" HTTP/1.1\r\n";
const HOST: &str = "host";
const RANGE: &str = "range";
const ACCEPT_ENCODING: &str = "accept-encoding";

impl<'a> Added<'a> {
    /// Without a trace context of the behavior's, where the host has one.
    fn own_headers(self) -> impl Iterator<Item = &'a (String, String)> {
        let traced = self.trace.is_some();
        self.headers
            .iter()
            .filter(move |(name, _)| !(traced && name.eq_ignore_ascii_case(TRACEPARENT)))
    }
}

fn write_number(number: u64, into: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut left = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    into.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::check_headers;
    use super::*;

    fn options() -> HeadOptions {
        HeadOptions {
            host: "127.0.0.1:9501".into(),
            user_agent: "vespeiro/1".into(),
            run_id: "run".into(),
            ..HeadOptions::default()
        }
    }

    fn written(
        options: &HeadOptions,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<u64>,
    ) -> String {
        let head = RouteHead::new(options, method).unwrap();
        head.check_path(path).unwrap();
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(n, v)| ((*n).into(), (*v).into()))
            .collect();
        headers
            .iter()
            .for_each(|(name, value)| check_header(name, value).unwrap());
        let mut bytes = Vec::new();
        head.write(
            Added {
                path,
                headers: &headers,
                trace: None,
                body,
                last: false,
            },
            &mut bytes,
        );
        bytes.iter().copied().map(char::from).collect()
    }

    #[test]
    fn a_request_as_it_leaves() {
        assert_eq!(
            written(
                &options(),
                Method::GET,
                "/users?page=2",
                &[("Authorization", "Bearer a"), ("X-Name", "J\u{fc}rgen")],
                None
            ),
            "GET /users?page=2 HTTP/1.1\r\nhost: 127.0.0.1:9501\r\nuser-agent: vespeiro/1\r\nx-vespeiro-run: run\r\n\
             accept: */*\r\nAuthorization: Bearer a\r\nX-Name: J\u{fc}rgen\r\n\r\n"
        );
        let mut options = options();
        options.prefix = "/api/".into();
        options.headers = vec![
            ("X-Key".into(), "1".into()),
            ("Accept".into(), "text/plain".into()),
        ];
        options.codings.gzip = true;
        options.codings.zstd = true;
        assert_eq!(
            written(&options, Method::POST, "/a/../b", &[("x-key", "2")], None),
            "POST /api/a/../b HTTP/1.1\r\nhost: 127.0.0.1:9501\r\nuser-agent: vespeiro/1\r\nx-vespeiro-run: run\r\n\
             Accept: text/plain\r\naccept-encoding: gzip, zstd\r\nx-key: 2\r\ncontent-length: 0\r\n\r\n"
        );
        let text = written(
            &options,
            Method::GET,
            "/",
            &[("Range", "bytes=0-1")],
            Some(12),
        );
        assert!(
            !text.contains("accept-encoding") && text.ends_with("content-length: 12\r\n\r\n"),
            "{text}"
        );
    }

    #[test]
    fn a_behaviors_host_and_user_agent_win() {
        let own = [("User-Agent", "browser/1"), ("Host", "other.test:81")];
        assert_eq!(
            written(&options(), Method::GET, "/", &own, None),
            "GET / HTTP/1.1\r\nx-vespeiro-run: run\r\naccept: */*\r\nUser-Agent: browser/1\r\nHost: other.test:81\r\n\r\n"
        );
        let headers = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let added = Added {
            path: "/",
            headers: &headers,
            trace: None,
            body: None,
            last: false,
        };
        let head = RouteHead::new(&options(), Method::GET).unwrap();
        let request = head.http2(added).unwrap();
        assert_eq!(request.uri(), "http://other.test:81/");
        assert_eq!(request.headers()["user-agent"], "browser/1");
        assert!(!request.headers().contains_key("host"));
        for name in ["Host", "User-Agent"] {
            let mut options = options();
            options.headers = vec![(name.into(), "x".into())];
            assert!(matches!(
                RouteHead::new(&options, Method::GET),
                Err(Refused::Reserved(_))
            ));
        }
    }

    #[test]
    fn a_trace_context_is_the_hosts() {
        let head = RouteHead::new(&options(), Method::GET).unwrap();
        let headers = [("Traceparent".to_owned(), "mine".to_owned())];
        let mut bytes = Vec::new();
        let added = Added {
            path: "/",
            headers: &headers,
            trace: Some(&[b'0'; TRACE]),
            body: None,
            last: false,
        };
        head.write(added, &mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.matches("traceparent").count(), 1);
        assert!(text.contains(&format!("traceparent: {}\r\n", "0".repeat(TRACE))));
        let request = head.http2(added).unwrap();
        assert_eq!(request.headers()["traceparent"], "0".repeat(TRACE));
        assert_eq!(request.uri(), "http://127.0.0.1:9501/");
    }

    #[test]
    fn every_path_that_is_taken_can_be_said_in_both_protocols() {
        let head = RouteHead::new(&options(), Method::GET).unwrap();
        let mut taken = 0;
        for byte in 0..=127u8 {
            for path in [
                format!("/a{}b", char::from(byte)),
                format!("/?a{}b", char::from(byte)),
            ] {
                if head.check_path(&path).is_ok() {
                    let added = Added {
                        path: &path,
                        headers: &[],
                        trace: None,
                        body: None,
                        last: false,
                    };
                    let said = head.http2(added).unwrap();
                    assert_eq!(said.uri().path_and_query().unwrap().as_str(), path);
                    taken += 1;
                }
            }
        }
        assert_eq!(taken, 2 * (94 - 5));
    }

    #[test]
    fn numbers() {
        for number in [0, 7, 10, 123, u64::MAX] {
            let mut bytes = Vec::new();
            write_number(number, &mut bytes);
            assert_eq!(bytes, number.to_string().into_bytes());
        }
    }

    proptest! {
        /// Whatever a guest says goes to the target as one request of the right shape, or nowhere.
        #[test]
        fn one_request_comes_out(path in ".{0,40}|/[!-~]{0,40}", name in ".{0,12}|[a-zA-Z-]{1,12}|host|User-Agent", value in ".{0,24}", body: Option<u16>) {
            let head = RouteHead::new(&options(), Method::GET).unwrap();
            let headers = [(name, value)];
            if head.check_path(&path).is_err() || check_headers(&headers).is_err() {
                return Ok(());
            }
            let host = if headers[0].0.eq_ignore_ascii_case("host") { headers[0].1.clone() } else { options().host };
            let mut bytes = Vec::new();
            let added = Added { path: &path, headers: &headers, trace: None, body: body.map(u64::from), last: false };
            head.write(added, &mut bytes);
            let mut slots = [httparse::EMPTY_HEADER; 8];
            let mut request = httparse::Request::new(&mut slots);
            prop_assert_eq!(request.parse(&bytes), Ok(httparse::Status::Complete(bytes.len())));
            prop_assert_eq!(request.path, Some(path.as_str()));
            let of = |name: &str| request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name)).count();
            prop_assert_eq!((of("host"), of("transfer-encoding")), (1, 0));
            prop_assert_eq!(of("content-length"), usize::from(body.is_some()));
            // And the same one over HTTP/2.
            let http2 = head.http2(added).unwrap();
            prop_assert_eq!(http2.uri().path_and_query().map(|path| path.as_str()), Some(path.as_str()));
            prop_assert_eq!(http2.uri().authority().map(|host| host.as_str()), Some(host.as_str()));
            let mut same: Vec<_> = http2.headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes())).collect();
            let mut lines: Vec<_> = request.headers.iter().map(|header| (header.name.to_ascii_lowercase(), header.value.trim_ascii())).filter(|(name, _)| name != "host").collect();
            same.iter_mut().for_each(|(_, value)| *value = value.trim_ascii());
            same.sort_unstable();
            lines.sort_unstable();
            prop_assert_eq!(same, lines);
        }
    }
}
