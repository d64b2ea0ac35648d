//! The prepared heads of requests to the plan's target, and the calls that are made with them. Part of a worker's `Target`;
//! rehearsals have them alone.

use std::rc::Rc;

use http::Method;
use url::{Origin, Position, Url};

use crate::codec::{HeadOptions, RouteHead, shorten};
use crate::dial::UNIX;
use crate::redirect::{Astray, hop, is_redirect};
use crate::{Answer, Call, Refused};

const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// The prepared heads of requests to one target, one for each method.
#[derive(Debug, Clone)]
pub struct Heads(Rc<Prepared>);

#[derive(Debug)]
struct Prepared {
    /// By `METHODS`.
    heads: Vec<Rc<RouteHead>>,
    /// Where the target is, by its base URL and by the `Host` that it is told.
    origins: Vec<Origin>,
    /// As links to it begin.
    base: String,
}

impl Heads {
    pub(crate) fn new(options: &HeadOptions, base: &Url) -> Result<Self, Refused> {
        let heads = METHODS.map(|method| RouteHead::new(options, method).map(Rc::new));
        let mut all = Vec::with_capacity(METHODS.len());
        for head in heads {
            all.push(head?);
        }
        let told = format!("{}://{}", scheme(options), options.host);
        let known = [Url::parse(&told).ok(), Some(base.clone())];
        let known = known.into_iter().flatten().filter(|url| url.has_host());
        Ok(Self(Rc::new(Prepared {
            heads: all,
            origins: known.map(|url| url.origin()).collect(),
            base: format!("{told}{}", options.prefix.trim_end_matches('/')),
        })))
    }

    /// For requests that are checked and never sent.
    pub fn unsent(base: &Url) -> Result<Self, Refused> {
        let options = HeadOptions {
            https: base.scheme() == "https",
            host: host(base),
            prefix: prefix(base),
            ..HeadOptions::default()
        };
        Self::new(&options, base)
    }

    /// A request, checked. `path` is one behind the prefix of the base URL, or a URL below that, as links are.
    pub fn call(
        &self,
        method: &Method,
        path: String,
        headers: Vec<(String, String)>,
        body: Option<Vec<u8>>,
    ) -> Result<Call, Refused> {
        let path = match path.starts_with('/') {
            true => path,
            false => self.path_of(path)?,
        };
        Call::new(Rc::clone(self.head(method)), path, headers, body)
    }

    fn head(&self, method: &Method) -> &Rc<RouteHead> {
        let at = METHODS.iter().position(|known| known == method);
        &self.0.heads[at.unwrap_or(0)]
    }

    /// The path of a URL, byte for byte; what is no URL stays as it is, and is refused later on.
    fn path_of(&self, url: String) -> Result<String, Refused> {
        let Some((_, rest)) = url.split_once("://").filter(|(scheme, _)| is_http(scheme)) else {
            return Ok(url);
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = url.split_at(url.len() - rest.len() + end);
        let is_ours = |url: &Url| {
            self.0.origins.contains(&url.origin())
                && url.username().is_empty()
                && url.password().is_none()
        };
        let path = rest.split('#').next().unwrap_or_default();
        let path = path.strip_prefix(self.0.heads[0].prefix());
        match path.filter(|_| Url::parse(authority).is_ok_and(|url| is_ours(&url))) {
            Some(path) if path.starts_with('/') => Ok(path.to_owned()),
            Some(path) if self.0.heads[0].prefix().is_empty() => Ok(format!("/{path}")),
            _ => Err(Refused::Elsewhere {
                url: shorten(&url),
                base: self.0.base.clone(),
            }),
        }
    }

    /// What a call's answer asks for, of a run that follows up to `most` redirects and has followed some for this call:
    /// another call, or none.
    pub fn follow(
        &self,
        call: &Call,
        answer: &Answer,
        followed: u32,
        most: u32,
    ) -> Result<Option<Call>, Astray> {
        let Some(location) = answer
            .location
            .as_deref()
            .filter(|_| is_redirect(answer.status))
        else {
            return Ok(None);
        };
        if followed >= most {
            return Err(Astray::TooOften(most));
        }
        let hop = hop(&call.url()?, call.method(), answer.status, location)?;
        let elsewhere = || Astray::Elsewhere(hop.url.origin().ascii_serialization());
        if !hop.is_same_origin && !self.0.origins.contains(&hop.url.origin()) {
            return Err(elsewhere());
        }
        let path = &hop.url[Position::BeforePath..Position::AfterQuery];
        let path = path.strip_prefix(self.0.heads[0].prefix());
        // The one byte that a URL may keep and HTTP/2's library does not take.
        let path = path.map(|path| path.replace('`', "%60"));
        let head = Rc::clone(self.head(&hop.method));
        let sent_on = path.map(|path| call.sent_on(head, path, &hop, &answer.set_cookies));
        match sent_on {
            Some(Ok(call)) => Ok(Some(call)),
            Some(Err(Refused::NotAPath(_) | Refused::Leaves { .. })) | None => Err(elsewhere()),
            Some(Err(_)) => Err(Astray::Unreadable),
        }
    }
}

fn scheme(options: &HeadOptions) -> &'static str {
    if options.https { "https" } else { "http" }
}

fn is_http(scheme: &str) -> bool {
    ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
}

pub(crate) fn prefix(base: &Url) -> String {
    if base.scheme() == UNIX {
        return String::new();
    }
    base.path().trim_end_matches('/').to_owned()
}

/// Name and port as HTTP has them, without the scheme's own port.
pub(crate) fn host(base: &Url) -> String {
    if base.scheme() == UNIX {
        return "localhost".to_owned();
    }
    let name = base.host_str().unwrap_or_default();
    match base.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    }
}
