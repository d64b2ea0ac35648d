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
use crate::outcome::{Answer, Flaw, Outcome, Phase, Watch};
use crate::pool::{
    By, Counts, Grant, Kept, LOOK, Limits, Multiple, Pool, Pools, Queue, Single, Slot, Tally,
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
    pool: Rc<Pool<Wire, Nothing>>,
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

#[derive(Debug)]
enum Nothing {}

impl Multiple for Nothing {
    fn streams(&self) -> usize {
        match *self {}
    }

    fn is_usable(&self) -> bool {
        match *self {}
    }
}

#[derive(Debug)]
struct Inner {
    me: Weak<Inner>,
    dialer: Dialer,
    options: ClientOptions,
    pools: Pools<Wire, Nothing>,
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
}

/// What an attempt came to.
enum Attempt {
    Done(Result<Answer, Flaw>),
    /// Its kept-alive connection had been closed, and sending it again does no harm.
    Stale(Flaw),
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
            http2_streams: options.http2_streams,
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
struct Place<'a>(&'a Inner);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get() - 1);
        self.0.places.wake_first();
    }
}

impl Inner {
    async fn send(&self, pool: &Rc<Pool<Wire, Nothing>>, call: &Call) -> Outcome {
        let mut trip = Trip {
            watch: Watch::new(Instant::now()),
            flow: Flow::default(),
            reused: false,
            remote: None,
            protocol: None,
        };
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

    fn place(&self) -> Option<Place<'_>> {
        let most = self.options.max_in_flight;
        let free = most == 0 || self.in_flight.get() < most;
        free.then(|| {
            self.in_flight.set(self.in_flight.get() + 1);
            Place(self)
        })
    }

    async fn run(
        &self,
        pool: &Rc<Pool<Wire, Nothing>>,
        call: &Call,
        trip: &mut Trip,
    ) -> Result<Answer, Flaw> {
        let limit = call.limit().unwrap_or(self.options.request_timeout);
        let mut stale = false;
        loop {
            let grant = self.pools.grant(pool, stale).await;
            // What it waited for until now was no fault of the target's, and does not count against its limit.
            let now = Instant::now();
            let attempt = self.attempt(grant, call, trip, now);
            match self.alarms.within(now + limit, attempt).await {
                Some(Attempt::Done(result)) => return result,
                Some(Attempt::Stale(flaw)) if stale => return Err(flaw),
                Some(Attempt::Stale(_)) => {
                    stale = true;
                    self.tally.count(|counts| counts.stale += 1);
                    trip.watch.again(Instant::now());
                }
                None => {
                    return Err(Flaw {
                        failure: Failure::Timeout,
                        cause: format!(
                            "no complete answer within {limit:?}, {}",
                            where_it_was(trip.watch.phase())
                        )
                        .into(),
                    });
                }
            }
        }
    }

    async fn attempt(
        &self,
        grant: Grant<'_, Wire, Nothing>,
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
                self.dial(slot, call, trip).await
            }
            Grant::Stream(stream) => match *stream.multiple() {},
            Grant::Failed(flaw) => Attempt::Done(Err(flaw)),
        }
    }

    async fn dial(&self, slot: Slot<'_, Wire, Nothing>, call: &Call, trip: &mut Trip) -> Attempt {
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
            Protocol::Http2 => todo!(),
        }
    }

    async fn exchange(
        &self,
        mut kept: Kept<'_, Wire, Nothing>,
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

fn where_it_was(phase: Phase) -> &'static str {
    match phase {
        Phase::Blocked | Phase::Dialing => "connecting",
        Phase::Sending => "sending the request",
        Phase::Waiting => "waiting for the first byte",
        Phase::Receiving => "in the middle of the answer",
    }
}
