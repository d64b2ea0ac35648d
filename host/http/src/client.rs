//! A worker's way to a target: takes calls, finds each a connection, sends it, sends it again where nobody can have
//! acted on it, and tells what came of it.
//!
//! What must stay true: every call has one outcome, within its limit; and what this machine did to it (waiting for a
//! place, a connection that had gone stale) is told apart from what the target did.

use std::cell::Cell;
use std::future::Future;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::alarms::Alarms;
use crate::call::Call;
use crate::dial::{
    DialOptions, DialSetupError, Dialed, Dialer, Protocol, ProtocolWish, Remote, Stream,
};
use crate::h1::{Buffers, Exchange, Flow, is_quiet};
use crate::h2::{Connection, ConnectionOptions, Life, Place, Progress};
use crate::outcome::{Answer, Flaw, Outcome, Phase, Taking, Watch};
use crate::pool::{
    self, By, Counts, Grant, Kept, LOOK, Limits, Multiple, Pool, Pools, Queue, Single, Slot, Tally,
};

/// How a worker uses its connections. A zero sets no bound.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Longest service time of an attempt.
    pub request_timeout: Duration,
    /// Largest body of an answer that is kept, decoded.
    pub max_body: u64,
    /// Largest head of an answer, in bytes.
    pub max_headers: usize,
    /// A connection carries more than one request.
    pub reuse: bool,
    /// Open connections, those that are being made included.
    pub max_connections: usize,
    /// Requests at the same time.
    pub max_in_flight: usize,
    /// Open connections of a [`UserPool`].
    pub connections_per_user: usize,
    /// A connection that was unused for so long is closed.
    pub idle_timeout: Duration,
    /// HTTP/2 connections that requests are spread over, at least one, and streams on each.
    pub http2_connections: usize,
    pub http2_streams: usize,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            max_body: 10 << 20,
            max_headers: 256 << 10,
            reuse: true,
            max_connections: 0,
            max_in_flight: 0,
            connections_per_user: 6,
            idle_timeout: Duration::from_secs(30),
            http2_connections: 1,
            http2_streams: 0,
        }
    }
}

/// A worker's connections to one target. Cheap to clone within the worker; used within a `LocalSet`.
#[derive(Debug, Clone)]
pub struct Client(Rc<Inner>);

/// One user's own connections, as a browser has them. Dropped, they are closed.
#[derive(Debug)]
pub struct UserPool {
    inner: Rc<Inner>,
    pool: Rc<Pool<Wire, Shared>>,
}

/// What carries one request at a time.
#[derive(Debug)]
struct Wire {
    stream: Stream,
    remote: Remote,
}

impl Single for Wire {
    fn is_quiet(&mut self) -> bool {
        is_quiet(&mut self.stream)
    }
}

/// What carries several.
#[derive(Debug, Clone)]
struct Shared {
    connection: Connection,
    remote: Remote,
}

impl Multiple for Shared {
    type Place = Place;

    fn try_place(&self) -> Option<Place> {
        self.connection.try_place()
    }

    fn has_room(&self) -> bool {
        self.connection.room() > 0
    }

    fn is_usable(&self) -> bool {
        self.connection.life() == Life::Open
    }
}

#[derive(Debug)]
struct Inner {
    me: Weak<Inner>,
    dialer: Dialer,
    options: ClientOptions,
    pools: Pools<Wire, Shared>,
    /// Those who wait for a place in flight.
    places: Queue,
    in_flight: Cell<usize>,
    alarms: Alarms,
    buffers: Buffers,
    tally: Rc<Tally>,
    /// Somebody looks after idle connections.
    tended: Cell<bool>,
}

/// What is known of a call on its way.
#[derive(Debug)]
struct Trip {
    watch: Watch,
    flow: Flow,
    reused: bool,
    remote: Option<Remote>,
    protocol: Option<Protocol>,
    /// The HTTP/2 connection that it is on.
    shared: Option<Connection>,
    /// How far it came there.
    progress: Progress,
}

/// What an attempt came to.
enum Attempt {
    Done(Result<Answer, Flaw>),
    /// Its kept-alive connection had been closed, and sending it again does no harm.
    Stale(Flaw),
    /// The target has said that it did not process it.
    Unprocessed(Flaw),
}

/// How often a request is sent again that was not processed.
const MOST_UNPROCESSED: u32 = 3;
/// Longest wait for a sign of life of an HTTP/2 connection on which a request timed out.
const PING: Duration = Duration::from_secs(2);

impl Trip {
    fn new(now: Instant) -> Self {
        Self {
            watch: Watch::new(now),
            flow: Flow::default(),
            reused: false,
            remote: None,
            protocol: None,
            shared: None,
            progress: Progress::default(),
        }
    }

    /// An attempt over HTTP/2 is over, by itself or not: take over how far it came.
    fn settle(&mut self) {
        let Some(connection) = self.shared.take() else {
            return;
        };
        let Progress {
            written,
            answered,
            sent,
            received,
        } = std::mem::take(&mut self.progress);
        // Whoever ends takes over what the connection has moved meanwhile, so that the sum is right.
        let (out, back) = connection.take_traffic();
        self.flow.sent.wire += out;
        self.flow.received.wire += back;
        self.flow.sent.body += sent;
        // Of an attempt that was dropped: as it came, for nobody has the rest of a decoder.
        self.flow.received.body += received;
        if let Some(written) =
            written.filter(|written| answered.is_none_or(|answered| *written <= answered))
        {
            self.watch.enter(Phase::Waiting, written);
        }
        if let Some(answered) = answered {
            self.watch.enter(Phase::Receiving, answered);
        }
    }
}

impl Client {
    /// What `dial` asks for is checked here; no connection is made before the first call.
    pub fn new(dial: DialOptions, options: ClientOptions) -> Result<Self, DialSetupError> {
        let speaks = match (dial.protocol, &dial.tls) {
            (ProtocolWish::Http2, _) => Some(Protocol::Http2),
            (ProtocolWish::Http1, _) | (ProtocolWish::Auto, None) => Some(Protocol::Http1),
            (ProtocolWish::Auto, Some(_)) => None,
        };
        let limits = Limits {
            reuse: options.reuse,
            connections: options.max_connections,
            per_user: options.connections_per_user,
            idle: options.idle_timeout,
            http2_connections: options.http2_connections,
            patience: dial.connect_timeout.min(options.request_timeout),
        };
        let dialer = Dialer::new(dial)?;
        let tally = Rc::new(Tally::default());
        let pools = Pools::new(limits, speaks, Rc::clone(&tally));
        Ok(Self(Rc::new_cyclic(|me| Inner {
            me: me.clone(),
            dialer,
            options,
            pools,
            places: Queue::default(),
            in_flight: Cell::new(0),
            alarms: Alarms::default(),
            buffers: Buffers::default(),
            tally,
            tended: Cell::new(false),
        })))
    }

    /// Connections for one user.
    pub fn user(&self) -> UserPool {
        UserPool {
            inner: Rc::clone(&self.0),
            pool: self.0.pools.user(),
        }
    }

    /// Send over a connection that all of the worker's users share, and read to the end. Dropped in the middle, it
    /// closes its connection.
    pub fn send<'a>(&'a self, call: &'a Call) -> impl Future<Output = Outcome> + 'a {
        self.0.send(self.0.pools.home(), call)
    }

    /// What became of connections so far.
    pub fn counts(&self) -> Counts {
        let mut counts = self.0.tally.get();
        counts.in_flight = self.0.in_flight.get() as u64;
        counts
    }
}

impl UserPool {
    /// Send over one of the user's connections, and read to the end. Dropped in the middle, it closes its connection.
    pub fn send<'a>(&'a self, call: &'a Call) -> impl Future<Output = Outcome> + 'a {
        self.inner.send(&self.pool, call)
    }

    /// The user's session is over: close what it had open.
    pub fn hang_up(&self) {
        self.inner.pools.hang_up(&self.pool);
    }
}

impl Drop for UserPool {
    fn drop(&mut self) {
        self.hang_up();
    }
}

/// A place among the requests that may be in flight.
struct Turn<'a>(&'a Inner);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get() - 1);
        self.0.places.wake_first();
    }
}

impl Inner {
    async fn send(&self, pool: &Rc<Pool<Wire, Shared>>, call: &Call) -> Outcome {
        let mut trip = Trip::new(Instant::now());
        let _place = self.places.turn(|_| self.place(), || ()).await;
        let result = self.run(pool, call, &mut trip).await;
        Outcome {
            result,
            phases: trip.watch.finish(Instant::now()),
            reused: trip.reused,
            remote: trip.remote,
            protocol: trip.protocol,
            sent: trip.flow.sent,
            received: trip.flow.received,
        }
    }

    fn place(&self) -> Option<Turn<'_>> {
        let most = self.options.max_in_flight;
        let free = most == 0 || self.in_flight.get() < most;
        free.then(|| {
            self.in_flight.set(self.in_flight.get() + 1);
            Turn(self)
        })
    }

    async fn run(
        &self,
        pool: &Rc<Pool<Wire, Shared>>,
        call: &Call,
        trip: &mut Trip,
    ) -> Result<Answer, Flaw> {
        let limit = call.limit().unwrap_or(self.options.request_timeout);
        let (mut stale, mut unprocessed) = (false, 0);
        loop {
            let grant = self.pools.grant(pool, stale).await;
            // What it waited for until now was no fault of the target's, and does not count against its limit.
            let now = Instant::now();
            let attempt = self.attempt(grant, pool, call, trip, now);
            let attempt = self.alarms.within(now + limit, attempt).await;
            let shared = trip.shared.clone();
            trip.settle();
            match attempt {
                Some(Attempt::Done(result)) => return result,
                Some(Attempt::Stale(flaw)) if stale => return Err(flaw),
                Some(Attempt::Stale(_)) => {
                    stale = true;
                    self.tally.count(|counts| counts.stale += 1);
                }
                Some(Attempt::Unprocessed(flaw)) if unprocessed == MOST_UNPROCESSED => {
                    return Err(flaw);
                }
                Some(Attempt::Unprocessed(_)) => {
                    unprocessed += 1;
                    self.tally.count(|counts| counts.unprocessed += 1);
                }
                None => {
                    // It may be the connection that fell silent, and not the target.
                    if let Some(connection) = shared {
                        connection.check(PING);
                    }
                    let where_ = where_it_was(trip.watch.phase());
                    return Err(Flaw {
                        failure: Failure::Timeout,
                        cause: format!("no complete answer within {limit:?}, {where_}").into(),
                    });
                }
            }
            trip.watch.again(Instant::now());
        }
    }

    async fn attempt(
        &self,
        grant: Grant<'_, Wire, Shared>,
        pool: &Rc<Pool<Wire, Shared>>,
        call: &Call,
        trip: &mut Trip,
        now: Instant,
    ) -> Attempt {
        match grant {
            Grant::Kept(kept) => {
                trip.watch.enter(Phase::Sending, now);
                self.exchange(kept, call, trip).await
            }
            Grant::Dial(slot) => {
                trip.watch.enter(Phase::Dialing, now);
                self.dial(slot, pool, call, trip).await
            }
            Grant::Stream(stream) => {
                trip.watch.enter(Phase::Sending, now);
                self.stream(stream, call, trip).await
            }
            Grant::Failed(flaw) => Attempt::Done(Err(flaw)),
        }
    }

    async fn dial(
        &self,
        slot: Slot<'_, Wire, Shared>,
        pool: &Rc<Pool<Wire, Shared>>,
        call: &Call,
        trip: &mut Trip,
    ) -> Attempt {
        let dialed = self.dialer.dial().await;
        let (phases, next) = match &dialed {
            Ok(dialed) => (dialed.phases, Phase::Sending),
            Err(error) => (error.phases, Phase::Blocked),
        };
        trip.watch.enter(next, Instant::now());
        trip.watch.dialed(phases.lookup, phases.tls);
        let Dialed {
            stream,
            remote,
            protocol,
            resumed,
            ..
        } = match dialed {
            Ok(dialed) => dialed,
            Err(error) => {
                let flaw = Flaw {
                    failure: error.failure,
                    cause: error.cause.into(),
                };
                slot.failed(&flaw);
                return Attempt::Done(Err(flaw));
            }
        };
        if let Some(resumed) = resumed {
            self.tally.count(|counts| match resumed {
                true => counts.tls_resumed += 1,
                false => counts.tls_full += 1,
            });
        }
        match protocol {
            Protocol::Http1 => {
                let kept = slot.single(Wire { stream, remote });
                self.exchange(kept, call, trip).await
            }
            Protocol::Http2 => {
                let options = ConnectionOptions {
                    max_headers: u32::try_from(self.options.max_headers).unwrap_or(u32::MAX),
                    max_streams: match self.options.http2_streams {
                        0 => ConnectionOptions::default().max_streams,
                        most => most,
                    },
                };
                let connection = match Connection::start(stream, options, self.tells(pool)).await {
                    Ok(connection) => connection,
                    Err(flaw) => {
                        slot.failed(&flaw);
                        return Attempt::Done(Err(flaw));
                    }
                };
                match slot.multiple(Shared { connection, remote }) {
                    Some(stream) => {
                        self.tend();
                        self.stream(stream, call, trip).await
                    }
                    None => Attempt::Done(Err(Flaw {
                        failure: Failure::Reset,
                        cause: "the target left the connection at once".into(),
                    })),
                }
            }
        }
    }

    async fn exchange(
        &self,
        mut kept: Kept<'_, Wire, Shared>,
        call: &Call,
        trip: &mut Trip,
    ) -> Attempt {
        trip.reused = kept.is_reused();
        trip.protocol = Some(Protocol::Http1);
        trip.remote = Some(kept.single().remote.clone());
        let mut exchange = Exchange::new(
            call,
            &self.buffers,
            self.options.max_headers,
            self.options.max_body,
        );
        let stream = &mut kept.single().stream;
        let result = exchange.play(stream, &mut trip.watch, &mut trip.flow).await;
        let mut flaw = match result {
            Ok(answer) => {
                if exchange.leaves_open() {
                    kept.keep();
                    self.tend();
                } else {
                    kept.close(if exchange.is_unkept() {
                        By::Target
                    } else {
                        By::Us
                    });
                }
                return Attempt::Done(Ok(answer));
            }
            Err(flaw) => flaw,
        };
        let stale = kept.is_reused() && exchange.is_unanswered() && flaw.failure == Failure::Reset;
        kept.close(match flaw.failure {
            Failure::Reset | Failure::Tls => By::Target,
            _ => By::Us,
        });
        if stale && (call.is_idempotent() || exchange.is_unwritten()) {
            return Attempt::Stale(flaw);
        }
        if stale {
            let method = call.head().method();
            flaw.cause = format!(
                "the target closed a kept-alive connection without an answer, and may have carried the {method} out: it is not sent again"
            )
            .into();
        }
        Attempt::Done(Err(flaw))
    }

    /// What a shared connection calls when it has room, or leaves.
    fn tells(&self, pool: &Rc<Pool<Wire, Shared>>) -> impl Fn() + 'static {
        let (me, pool) = (self.me.clone(), Rc::downgrade(pool));
        move || {
            if let (Some(inner), Some(pool)) = (me.upgrade(), pool.upgrade()) {
                inner.pools.freed(&pool);
            }
        }
    }

    async fn stream(
        &self,
        mut stream: pool::Stream<'_, Wire, Shared>,
        call: &Call,
        trip: &mut Trip,
    ) -> Attempt {
        let Shared { connection, remote } = stream.multiple().clone();
        trip.reused = stream.is_reused();
        trip.protocol = Some(Protocol::Http2);
        trip.remote = Some(remote);
        let Some(place) = stream.place() else {
            return Attempt::Done(Err(refused("a stream was asked for twice")));
        };
        let request = match call.head().http2(call.added()) {
            Ok(request) => request,
            Err(error) => return Attempt::Done(Err(refused(&error.to_string()))),
        };
        trip.shared = Some(connection.clone());
        let mut taking = Taking::new(
            call.captures(),
            call.head().codings(),
            self.options.max_body,
        );
        let body = call.body().cloned().unwrap_or_default();
        let sent = connection
            .send(place, request, body, &mut trip.progress, &mut taking)
            .await;
        let answer = sent.and_then(|()| Ok(taking.finish()?));
        trip.flow.received.body += taking.received();
        trip.progress.received = 0;
        let flaw = match answer {
            Ok(answer) => return Attempt::Done(Ok(answer)),
            Err(flaw) => flaw,
        };
        if flaw.failure == Failure::Unprocessed {
            // It goes over another.
            stream.leave();
            return Attempt::Unprocessed(flaw);
        }
        let stale = stream.is_reused() && stream.was_alone() && trip.progress.answered.is_none();
        if stale
            && flaw.failure == Failure::Reset
            && call.is_idempotent()
            && connection.life() == Life::Closed
        {
            return Attempt::Stale(flaw);
        }
        Attempt::Done(Err(flaw))
    }

    /// See to it that idle connections are looked after, as long as there are some.
    fn tend(&self) {
        if self.tended.replace(true) {
            return;
        }
        let me = self.me.clone();
        let look = self
            .options
            .idle_timeout
            .clamp(Duration::from_millis(10), LOOK);
        tokio::task::spawn_local(async move {
            loop {
                tokio::time::sleep(look).await;
                let Some(inner) = me.upgrade() else { return };
                if !inner.pools.tend(Instant::now()) {
                    inner.tended.set(false);
                    return;
                }
            }
        });
    }
}

fn refused(why: &str) -> Flaw {
    Flaw {
        failure: Failure::Protocol,
        cause: format!("the request cannot be sent over HTTP/2: {why}").into(),
    }
}

fn where_it_was(phase: Phase) -> &'static str {
    match phase {
        Phase::Blocked | Phase::Dialing => "connecting",
        Phase::Sending => "sending the request",
        Phase::Waiting => "waiting for the first byte",
        Phase::Receiving => "in the middle of the answer",
    }
}
