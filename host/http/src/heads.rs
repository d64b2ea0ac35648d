//! The prepared heads of requests to the plan's targets, and the calls that are made with them. Part of a worker's `Targets`;
//! rehearsals have them alone.
//!
//! What must stay true: a call goes to the target whose base URL it lies below, whoever has named it.

use std::rc::Rc;

use http::Method;
use url::{Origin, Position, Url};
use vespeiro_plan::Plan;

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

/// The prepared heads of requests to the targets of a plan, one for each target and method.
#[derive(Debug, Clone)]
pub struct Heads(Rc<[Prepared]>);

#[derive(Debug)]
struct Prepared {
    /// By `METHODS`.
    heads: Vec<Rc<RouteHead>>,
    /// Of gRPC calls.
    grpc: Rc<RouteHead>,
    /// Where the target is, by its base URL and by the `Host` that it is told.
    origins: Vec<Origin>,
    /// As links to it begin.
    base: String,
}

impl Prepared {
    fn new(options: &HeadOptions, base: &Url) -> Result<Self, Refused> {
        let heads = METHODS.map(|method| RouteHead::new(options, method).map(Rc::new));
        let mut all = Vec::with_capacity(METHODS.len());
        for head in heads {
            all.push(head?);
        }
        let told = format!("{}://{}", scheme(options), options.host);
        let known = [Url::parse(&told).ok(), Some(base.clone())];
        let known = known.into_iter().flatten().filter(|url| url.has_host());
        Ok(Self {
            heads: all,
            grpc: Rc::new(RouteHead::grpc(options)?),
            origins: known.map(|url| url.origin()).collect(),
            base: format!("{told}{}", options.prefix.trim_end_matches('/')),
        })
    }

    fn head(&self, method: &Method) -> &Rc<RouteHead> {
        let at = METHODS.iter().position(|known| known == method);
        &self.heads[at.unwrap_or(0)]
    }

    fn prefix(&self) -> &str {
        self.heads[0].prefix()
    }

    /// The path behind its prefix, byte for byte; `authority` is a URL without one. `None`: it does not lie below its base URL.
    fn path_of(&self, authority: &Url, path: &str) -> Option<String> {
        if !self.origins.contains(&authority.origin()) {
            return None;
        }
        let path = path.strip_prefix(self.prefix())?;
        match path.starts_with('/') {
            true => Some(path.to_owned()),
            false => self.prefix().is_empty().then(|| format!("/{path}")),
        }
    }
}

impl Heads {
    /// The targets in their order in the plan, its own first; there is at least one.
    pub(crate) fn new<'a>(
        targets: impl Iterator<Item = (&'a HeadOptions, &'a Url)>,
    ) -> Result<Self, Refused> {
        let each = targets.map(|(options, base)| Prepared::new(options, base));
        Ok(Self(each.collect::<Result<_, _>>()?))
    }

    /// For requests that are checked and never sent.
    pub fn unsent(plan: &Plan) -> Result<Self, Refused> {
        let each = plan.all_targets().map(|one| {
            let base = &one.target.base_url;
            let options = HeadOptions {
                https: base.scheme() == "https",
                host: host(base),
                prefix: prefix(base),
                ..HeadOptions::default()
            };
            Prepared::new(&options, base)
        });
        Ok(Self(each.collect::<Result<_, _>>()?))
    }

    /// A request, checked. `path` is one behind the prefix of the base URL of `target`, or a URL below that of any target, as
    /// links are.
    pub fn call(
        &self,
        target: u16,
        method: &Method,
        path: String,
        headers: Vec<(String, String)>,
        body: Option<Vec<u8>>,
    ) -> Result<Call, Refused> {
        let (target, path) = self.led_to(target, path)?;
        let head = Rc::clone(self.at(target).head(method));
        Ok(Call::new(head, path, headers, body)?.to(target))
    }

    /// The same of a gRPC call, whose message is put into its frame.
    pub fn grpc(
        &self,
        target: u16,
        path: String,
        headers: Vec<(String, String)>,
        message: &[u8],
    ) -> Result<Call, Refused> {
        let (target, path) = self.led_to(target, path)?;
        let head = Rc::clone(&self.at(target).grpc);
        Ok(Call::grpc(head, path, headers, message)?.to(target))
    }

    /// The target and the path of a request, which may be a URL.
    fn led_to(&self, target: u16, path: String) -> Result<(u16, String), Refused> {
        match path.starts_with('/') {
            true => Ok((target, path)),
            false => self.found(target, path),
        }
    }

    fn at(&self, target: u16) -> &Prepared {
        self.0.get(usize::from(target)).unwrap_or(&self.0[0])
    }

    /// The target that something is true of, with what it says; of several the one with the longest prefix.
    fn best<T>(&self, fits: impl Fn(u16, &Prepared) -> Option<T>) -> Option<(u16, T)> {
        let each = self.0.iter().zip(0..);
        let fitting = each.filter_map(|(one, at)| Some((one.prefix().len(), at, fits(at, one)?)));
        // The first of equals.
        let best = fitting.reduce(|best, one| if one.0 > best.0 { one } else { best });
        best.map(|(_, at, fits)| (at, fits))
    }

    /// Where a URL leads to; what is no URL stays as it is, and is refused later on.
    fn found(&self, target: u16, url: String) -> Result<(u16, String), Refused> {
        let Some((_, rest)) = url.split_once("://").filter(|(scheme, _)| is_http(scheme)) else {
            return Ok((target, url));
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = url.split_at(url.len() - rest.len() + end);
        let path = rest.split('#').next().unwrap_or_default();
        let plain = |url: &Url| url.username().is_empty() && url.password().is_none();
        let authority = Url::parse(authority).ok().filter(plain);
        let found =
            authority.and_then(|authority| self.best(|_, one| one.path_of(&authority, path)));
        found.ok_or_else(|| Refused::Elsewhere {
            url: shorten(&url),
            base: self.bases(),
        })
    }

    /// The base URLs, as an error tells them.
    fn bases(&self) -> String {
        const SHOWN: usize = 4;
        let mut bases: Vec<&str> = self.0.iter().map(|one| one.base.as_str()).collect();
        if bases.len() > SHOWN {
            bases.truncate(SHOWN);
            bases.push("…");
        }
        bases.join(", ")
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
        let path = &hop.url[Position::BeforePath..Position::AfterQuery];
        let leads_to = self.best(|at, one| {
            // A behavior may have its own `Host`.
            let stays = hop.is_same_origin && at == call.target();
            let is_there = stays || one.origins.contains(&hop.url.origin());
            let path = path.strip_prefix(one.prefix()).filter(|_| is_there)?;
            path.starts_with('/').then_some(path)
        });
        let (target, path) = leads_to.ok_or_else(elsewhere)?;
        // The one byte that a URL may keep and HTTP/2's library does not take.
        let path = path.replace('`', "%60");
        let head = Rc::clone(self.at(target).head(&hop.method));
        match call.sent_on(head, path, &hop, &answer.set_cookies) {
            Ok(call) => Ok(Some(call.to(target))),
            Err(Refused::NotAPath(_) | Refused::Leaves { .. }) => Err(elsewhere()),
            Err(_) => Err(Astray::Unreadable),
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
