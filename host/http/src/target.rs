//! A worker's client for the plan's target: what the plan says of connections, and a prepared head for each method.
//! Made by `engine` once per worker, and by the preflight.

use std::rc::Rc;

use http::Method;
use url::{Origin, Position, Url};
use vespeiro_model::Clock;
use vespeiro_plan::{HttpVersion, Identity, Plan, Sharing};

use crate::codec::{HeadOptions, RouteHead, shorten};
use crate::dial::{DialOptions, DialSetupError, Endpoint, Names, ProtocolWish, Tls, UNIX};
use crate::redirect::{Astray, hop, is_redirect};
use crate::target_policy::guard;
use crate::{
    Answer, Call, Channel, ChannelKind, Client, ClientOptions, Counts, Observer, Outcome, Refused,
    UserPool,
};

const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// The way to the target could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct ClientError(String);

impl ClientError {
    pub(crate) fn new(why: String) -> Self {
        Self(why)
    }
}

impl From<DialSetupError> for ClientError {
    fn from(error: DialSetupError) -> Self {
        Self(error.to_string())
    }
}

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
    fn new(options: &HeadOptions, base: &Url) -> Result<Self, Refused> {
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

/// The plan's target, as one worker speaks to it.
#[derive(Debug, Clone)]
pub struct Target {
    client: Client,
    base: Rc<Url>,
    heads: Heads,
    is_per_user: bool,
    /// Who the users of each archetype are to the target.
    identities: Rc<[usize]>,
}

impl Target {
    /// For one of `plan.workers` workers of this shard: it gets its share of the plan's connections, at least one.
    pub fn new(plan: &Plan, worker: usize, clock: Clock) -> Result<Self, ClientError> {
        let (target, connections) = (&plan.target, &plan.connections);
        let part = plan.place(worker).part();
        let share = |bound| part.share(bound);
        let options = ClientOptions {
            request_timeout: target.request_timeout,
            max_body: target.max_body as u64,
            max_headers: connections.max_headers,
            reuse: connections.reuse,
            max_connections: share(connections.max_connections),
            max_in_flight: share(connections.max_in_flight),
            connections_per_user: connections.per_user,
            idle_timeout: connections.idle_timeout,
            http2_connections: connections.http2_connections,
            http2_streams: connections.http2_streams,
        };
        let base = &target.base_url;
        let is_tls = base.scheme() == "https";
        let (identities, others) = identities(plan);
        let tls = |identity| is_tls.then(|| tls(plan, identity)).transpose();
        let others = others.into_iter().map(|own| tls(Some(own)));
        let others: Option<Vec<_>> = others.collect::<Result<_, _>>()?;
        let tls = tls(None)?;
        let dial = DialOptions {
            protocol: match target.http {
                HttpVersion::Auto => ProtocolWish::Auto,
                HttpVersion::Http1 => ProtocolWish::Http1,
                HttpVersion::Http2 => ProtocolWish::Http2,
            },
            connect_timeout: target.connect_timeout,
            local_addresses: connections.local_addresses.clone(),
            turn: worker,
            guard: Some(guard(&target.allow_host)),
            tls,
            proxy: connections.proxy.clone(),
            ..DialOptions::new(
                Endpoint::of(base),
                Names::new(&connections.resolve, connections.dns_ttl),
                clock,
            )
        };
        let head = HeadOptions {
            https: is_tls,
            host: connections
                .host_header
                .clone()
                .unwrap_or_else(|| host(base)),
            prefix: prefix(base),
            user_agent: connections.user_agent.clone(),
            run_id: plan.run_id.clone(),
            codings: connections.compressed,
            headers: connections.headers.0.clone(),
        };
        Ok(Self {
            client: Client::with_identities(dial, others.unwrap_or_default(), options)?,
            identities: if is_tls {
                identities.into()
            } else {
                vec![0; identities.len()].into()
            },
            base: Rc::new(base.clone()),
            is_per_user: connections.sharing == Sharing::PerUser,
            heads: Heads::new(&head, base).map_err(|refused| ClientError(refused.to_string()))?,
        })
    }

    /// The target's address.
    pub fn base(&self) -> &Url {
        &self.base
    }

    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Send as the first archetype's users would, and read to the end.
    pub fn send<'a>(&'a self, call: &'a Call) -> impl Future<Output = Outcome> + 'a {
        self.send_for(0, None, call)
    }

    /// Connections of one user's own, where the plan says so.
    pub fn user(&self, archetype: u16) -> Option<UserPool> {
        let own = || self.client.user_as(self.identity(archetype));
        self.is_per_user.then(own)
    }

    /// Send as a user of this archetype, over its own connections where it has some, and read to the end.
    pub fn send_for<'a>(
        &'a self,
        archetype: u16,
        user: Option<&'a UserPool>,
        call: &'a Call,
    ) -> impl Future<Output = Outcome> + 'a {
        (self.client).send_as(self.identity(archetype), user, call)
    }

    /// Open a channel as a user of this archetype; see [`Client::open_as`].
    pub async fn open_for(
        &self,
        archetype: u16,
        call: &Call,
        kind: ChannelKind,
        observer: Observer,
    ) -> (Outcome, Option<Channel>) {
        let identity = self.identity(archetype);
        self.client.open_as(identity, call, kind, observer).await
    }

    fn identity(&self, archetype: u16) -> usize {
        let known = self.identities.get(usize::from(archetype));
        known.copied().unwrap_or_default()
    }

    /// What became of connections so far.
    pub fn counts(&self) -> Counts {
        self.client.counts()
    }
}

/// By archetype which identity it has, 0 being the run's; and all others.
fn identities(plan: &Plan) -> (Vec<usize>, Vec<&Identity>) {
    let mut others: Vec<&Identity> = Vec::new();
    let each = plan.archetypes.iter().map(|archetype| {
        let Some(own) = &archetype.identity else {
            return 0;
        };
        let known = others.iter().position(|other| *other == own);
        1 + known.unwrap_or_else(|| {
            others.push(own);
            others.len() - 1
        })
    });
    let each = each.collect();
    (each, others)
}

/// What the plan says of TLS, with its files read; with this identity in place of the run's.
fn tls(plan: &Plan, identity: Option<&Identity>) -> Result<Tls, DialSetupError> {
    let mut tls = plan.connections.tls.clone();
    if let Some(Identity { cert, key }) = identity {
        (tls.client_cert, tls.client_key) = (Some(cert.clone()), Some(key.clone()));
    }
    Tls::new(&tls, plan.target.insecure)
}

fn scheme(options: &HeadOptions) -> &'static str {
    if options.https { "https" } else { "http" }
}

fn is_http(scheme: &str) -> bool {
    ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
}

fn prefix(base: &Url) -> String {
    if base.scheme() == UNIX {
        return String::new();
    }
    base.path().trim_end_matches('/').to_owned()
}

/// Name and port as HTTP has them, without the scheme's own port.
fn host(base: &Url) -> String {
    if base.scheme() == UNIX {
        return "localhost".to_owned();
    }
    let name = base.host_str().unwrap_or_default();
    match base.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    }
}
