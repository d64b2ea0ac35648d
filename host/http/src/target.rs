//! A worker's client for the plan's target: what the plan says of connections, and the heads of its requests. Made by `engine` once per worker, and by the preflight.

use std::rc::Rc;

use url::Url;
use vespeiro_model::Clock;
use vespeiro_plan::{HttpVersion, Identity, Plan, Sharing};

use crate::codec::HeadOptions;
use crate::dial::{DialOptions, DialSetupError, Endpoint, Names, ProtocolWish, Tls};
use crate::heads::{host, prefix};
use crate::target_policy::guard;
use crate::{
    Call, Channel, ChannelKind, Client, ClientOptions, Counts, Heads, Observer, Outcome, UserPool,
};

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
