//! A worker's client for the plan's target: what the plan says of connections, and a prepared head for each method.
//! Made by `engine` once per worker, and by the preflight.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use http::Method;
use url::{Host, Url};
use vespeiro_plan::{HttpVersion, Plan};

use crate::codec::{Codings, HeadOptions, RouteHead};
use crate::dial::{DialOptions, DialSetupError, Endpoint, Names, ProtocolWish, Tls, TlsOptions};
use crate::{Call, Client, ClientOptions, Counts, Outcome, Refused};

/// How this tool names itself to targets.
pub const USER_AGENT: &str = concat!("vespeiro/", env!("CARGO_PKG_VERSION"));

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
pub struct Heads(Rc<[Rc<RouteHead>]>);

impl Heads {
    fn new(options: &HeadOptions) -> Result<Self, Refused> {
        let heads = METHODS
            .into_iter()
            .map(|method| RouteHead::new(options, method).map(Rc::new));
        Ok(Self(heads.collect::<Result<_, _>>()?))
    }

    /// For requests that are checked and never sent.
    pub fn unsent(base: &Url) -> Result<Self, Refused> {
        Self::new(&HeadOptions {
            host: host(base),
            prefix: prefix(base),
            ..HeadOptions::default()
        })
    }

    /// A request, checked.
    pub fn call(
        &self,
        method: &Method,
        path: String,
        headers: Vec<(String, String)>,
        body: Option<Vec<u8>>,
    ) -> Result<Call, Refused> {
        let at = METHODS.iter().position(|known| known == method);
        Call::new(Rc::clone(&self.0[at.unwrap_or(0)]), path, headers, body)
    }
}

/// The plan's target, as one worker speaks to it.
#[derive(Debug, Clone)]
pub struct Target {
    client: Client,
    base: Rc<Url>,
    heads: Heads,
}

impl Target {
    /// For one of `plan.workers` workers: it gets its share of the plan's connections, at least one.
    pub fn new(plan: &Plan, worker: usize) -> Result<Self, ClientError> {
        let target = &plan.target;
        let share = |bound: usize| bound.div_ceil(plan.workers.max(1));
        let options = ClientOptions {
            request_timeout: target.request_timeout,
            max_body: target.max_body as u64,
            max_connections: share(target.max_connections),
            ..ClientOptions::default()
        };
        let base = &target.base_url;
        let is_tls = base.scheme() == "https";
        let tls = TlsOptions {
            insecure: target.insecure,
            ..TlsOptions::default()
        };
        let names = Names::new(&[], Duration::from_secs(60));
        let dial = DialOptions {
            protocol: match target.http {
                HttpVersion::Auto => ProtocolWish::Auto,
                HttpVersion::Http1 => ProtocolWish::Http1,
                HttpVersion::Http2 => ProtocolWish::Http2,
            },
            connect_timeout: target.connect_timeout,
            turn: worker,
            tls: is_tls.then(|| Tls::new(&tls)).transpose()?,
            ..DialOptions::new(endpoint(base), names)
        };
        let head = HeadOptions {
            https: is_tls,
            host: host(base),
            prefix: prefix(base),
            user_agent: USER_AGENT.to_owned(),
            run_id: plan.run_id.clone(),
            codings: Codings {
                gzip: target.compressed,
                ..Codings::default()
            },
            headers: Vec::new(),
        };
        Ok(Self {
            client: Client::new(dial, options)?,
            base: Rc::new(base.clone()),
            heads: Heads::new(&head).map_err(|refused| ClientError(refused.to_string()))?,
        })
    }

    /// The target's address.
    pub fn base(&self) -> &Url {
        &self.base
    }

    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Send and read to the end.
    pub fn send<'a>(&'a self, call: &'a Call) -> impl Future<Output = Outcome> + 'a {
        self.client.send(call)
    }

    /// What became of connections so far.
    pub fn counts(&self) -> Counts {
        self.client.counts()
    }
}

fn prefix(base: &Url) -> String {
    base.path().trim_end_matches('/').to_owned()
}

fn endpoint(base: &Url) -> Endpoint {
    Endpoint::Tcp {
        host: match base.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => IpAddr::from(address).to_string(),
            Some(Host::Ipv6(address)) => IpAddr::from(address).to_string(),
            None => String::new(),
        },
        port: base.port_or_known_default().unwrap_or_default(),
    }
}

/// Name and port as HTTP has them, without the scheme's own port.
fn host(base: &Url) -> String {
    let name = base.host_str().unwrap_or_default();
    match base.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    }
}
