//! A worker's clients for the plan's targets: what the plan says of connections, and the heads of their requests. Made by
//! `engine` once per worker, and by the preflight.
//!
//! What must stay true: targets share nothing: a connection, a header or a certificate of one is never another's.

use std::cell::OnceCell;
use std::rc::Rc;

use url::Url;
use vespeiro_model::Clock;
use vespeiro_plan::{Connections, HttpVersion, Identity, Plan, Sharing, TargetOf};

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

/// The plan's targets, its own first, as one worker speaks to them.
#[derive(Debug, Clone)]
pub struct Targets {
    each: Rc<[Target]>,
    heads: Heads,
}

/// One of them.
#[derive(Debug)]
struct Target {
    client: Client,
    grpc: Grpc,
    name: String,
    base: Url,
    is_per_user: bool,
    /// Who the users of each archetype are to it.
    identities: Vec<usize>,
}

/// One user's own connections to the targets. Dropped, they are closed.
#[derive(Debug)]
pub struct UserConnections(Box<[Option<OwnPools>]>);

/// Those to one target.
#[derive(Debug)]
struct OwnPools {
    pool: UserPool,
    /// Where gRPC calls have connections of their own.
    grpc: OnceCell<UserPool>,
}

impl Targets {
    /// For one of `plan.workers` workers of this shard: it gets its share of the plan's connections, at least one of each target.
    pub fn new(plan: &Plan, worker: usize, clock: Clock) -> Result<Self, ClientError> {
        let heads: Vec<_> = plan.all_targets().map(|one| head(plan, one)).collect();
        let bases = plan.all_targets().map(|one| &one.target.base_url);
        let heads = Heads::new(heads.iter().zip(bases));
        let each = plan.all_targets().enumerate();
        let each = each.map(|(at, one)| Target::new(plan, one, at == 0, worker, clock));
        Ok(Self {
            each: each.collect::<Result<_, _>>()?,
            heads: heads.map_err(|refused| ClientError(refused.to_string()))?,
        })
    }

    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Name and address of each.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, &Url)> {
        self.each.iter().map(|one| (one.name.as_str(), &one.base))
    }

    /// Send as the first archetype's users would, and read to the end.
    pub fn send<'a>(&'a self, call: &'a Call) -> impl Future<Output = Outcome> + 'a {
        self.send_for(0, None, call)
    }

    /// Connections of one user's own, where the plan says so.
    pub fn user(&self, archetype: u16) -> Option<UserConnections> {
        let own = |one: &Target| {
            let pool = || OwnPools {
                pool: one.client.user_as(one.identity(archetype)),
                grpc: OnceCell::new(),
            };
            one.is_per_user.then(pool)
        };
        let any = self.each.iter().any(|one| one.is_per_user);
        any.then(|| UserConnections(self.each.iter().map(own).collect()))
    }

    /// Send to the call's target as a user of this archetype, over its own connections where it has some, and read to the end.
    pub fn send_for<'a>(
        &'a self,
        archetype: u16,
        user: Option<&'a UserConnections>,
        call: &'a Call,
    ) -> impl Future<Output = Outcome> + 'a {
        let at = usize::from(call.target());
        let one = &self.each[at];
        let own = user.and_then(|user| user.0[at].as_ref());
        let identity = one.identity(archetype);
        let (client, own) = match one.grpc.client(&one.client, call) {
            Some(client) => {
                let pool = || client.user_as(identity);
                let own = own.map(|own| own.grpc.get_or_init(pool));
                (client, own)
            }
            None => (&one.client, own.map(|own| &own.pool)),
        };
        client.send_as(identity, own, call)
    }

    /// Open a channel to the call's target as a user of this archetype; see [`Client::open_as`].
    pub async fn open_for(
        &self,
        archetype: u16,
        call: &Call,
        kind: ChannelKind,
        observer: Observer,
    ) -> (Outcome, Option<Channel>) {
        let one = &self.each[usize::from(call.target())];
        let identity = one.identity(archetype);
        one.client.open_as(identity, call, kind, observer).await
    }

    /// What became of connections so far, to all of them.
    pub fn counts(&self) -> Counts {
        let of = self.each.iter();
        let each = of.flat_map(|one| [Some(&one.client), one.grpc.made.get()]);
        let each = each.flatten();
        let each = each.map(Client::counts);
        each.fold(Counts::default(), Counts::and)
    }
}

impl UserConnections {
    /// The user's session is over: close what it had open.
    pub fn hang_up(&self) {
        for own in self.0.iter().flatten() {
            own.pool.hang_up();
            own.grpc.get().into_iter().for_each(UserPool::hang_up);
        }
    }
}

impl Target {
    /// `is_main`: archetypes may have an identity of their own there.
    fn new(
        plan: &Plan,
        TargetOf {
            name,
            target,
            connections,
            ..
        }: TargetOf<'_>,
        is_main: bool,
        worker: usize,
        clock: Clock,
    ) -> Result<Self, ClientError> {
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
        let is_tls = target.base_url.scheme() == "https";
        let tls = |identity| {
            let tls = || tls(connections, target.insecure, identity);
            is_tls.then(tls).transpose()
        };
        let (identities, others) = match is_tls && is_main {
            true => identities(plan),
            false => (Vec::new(), Vec::new()),
        };
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
                Endpoint::of(&target.base_url),
                Names::new(&connections.resolve, connections.dns_ttl),
                clock,
            )
        };
        let others = others.unwrap_or_default();
        let grpc = Grpc {
            made: OnceCell::new(),
            setup: (dial.protocol != ProtocolWish::Http2).then(|| {
                let protocol = ProtocolWish::Http2;
                let dial = DialOptions {
                    protocol,
                    ..dial.clone()
                };
                Box::new((dial, others.clone(), options.clone()))
            }),
        };
        Ok(Self {
            client: Client::with_identities(dial, others, options)?,
            grpc,
            name: name.to_owned(),
            base: target.base_url.clone(),
            is_per_user: connections.sharing == Sharing::PerUser,
            identities,
        })
    }

    fn identity(&self, archetype: u16) -> usize {
        let known = self.identities.get(usize::from(archetype));
        known.copied().unwrap_or_default()
    }
}

/// What gRPC calls to a target go over where its other requests may speak HTTP/1.1: connections of their own, with the same
/// bounds. Made for the first of them.
#[derive(Debug)]
struct Grpc {
    made: OnceCell<Client>,
    setup: Option<Box<(DialOptions, Vec<Tls>, ClientOptions)>>,
}

impl Grpc {
    /// For this call, if it is not the target's client for all else.
    fn client(&self, other: &Client, call: &Call) -> Option<&Client> {
        let setup = self.setup.as_deref().filter(|_| call.is_grpc())?;
        Some(self.made.get_or_init(|| {
            let (dial, others, options) = setup.clone();
            // What it is set up with has been good for the other one, over which no gRPC call goes wrong unnoticed.
            Client::with_identities(dial, others, options).unwrap_or_else(|_| other.clone())
        }))
    }
}

/// What all requests to a target have in common.
fn head(plan: &Plan, one: TargetOf<'_>) -> HeadOptions {
    let (base, connections) = (&one.target.base_url, one.connections);
    let told = connections.host_header.clone();
    HeadOptions {
        https: base.scheme() == "https",
        host: told.unwrap_or_else(|| host(base)),
        prefix: prefix(base),
        user_agent: connections.user_agent.clone(),
        run_id: plan.run_id.clone(),
        codings: connections.compressed,
        headers: connections.headers.0.clone(),
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

/// What the plan says of TLS, with its files read; with this identity in place of the target's.
fn tls(
    connections: &Connections,
    insecure: bool,
    identity: Option<&Identity>,
) -> Result<Tls, DialSetupError> {
    let mut tls = connections.tls.clone();
    if let Some(Identity { cert, key }) = identity {
        (tls.client_cert, tls.client_key) = (Some(cert.clone()), Some(key.clone()));
    }
    Tls::new(&tls, insecure)
}
