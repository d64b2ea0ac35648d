//! What happens to a call: it gets its turn and a connection, is sent, is sent again where nobody can have acted on it,
//! and its outcome is told.
//!
//! What must stay true: every call has one outcome, each of its attempts within its limit; and what this machine did to
//! it (waiting for a place, a connection that had gone stale) is told apart from what the target did.

use std::cell::{Cell, OnceCell};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use crate::Failure;
use crate::call::Call;
use crate::carriers::{Shared, Wire};
use crate::dial::{DialOptions, DialSetupError, Dialer, Protocol, ProtocolWish, Tls};
use crate::grpc::{self, GrpcStatus};
use crate::h1::{Buffers, ExchangeInput};
use crate::h2::{Connection, ConnectionOptions, Life, OutgoingBody};
use crate::options::ClientOptions;
use crate::outcome::{Answer, Flaw, Outcome, Phase, Taking};
use crate::pool::{By, Counts, Grant, Kept, LOOK, Limits, Pool, Pools, Queue, Slot, Stream, Tally};
use crate::timer_pool::TimerPool;
use crate::trip::Trip;
use vespeiro_model::{Clock, GrpcCode};

/// How often a request that the target did not process is sent again.
const MOST_UNPROCESSED: u32 = 3;
/// Longest wait for a sign of life of an HTTP/2 connection on which a request timed out.
const PING: Duration = Duration::from_secs(2);

pub(crate) type OwnPool = Pool<Wire, Shared>;

/// Sends all calls of one worker to one target.
#[derive(Debug)]
pub(crate) struct Sender {
    me: Weak<Sender>,
    clock: Clock,
    /// By who opens connections: the run itself, and users with an identity of their own.
    dialers: Box<[Dialer]>,
    /// The same for HTTP/1.1, where `dialers` may come to HTTP/2; made when they are first needed.
    http1: Box<[(DialOptions, OnceCell<Dialer>)]>,
    options: ClientOptions,
    /// Of all but the first of them.
    shared: Box<[Rc<OwnPool>]>,
    pools: Pools<Wire, Shared>,
    /// Calls that wait because `max_in_flight` is reached.
    turns: Queue,
    in_flight: Cell<usize>,
    timers: TimerPool,
    buffers: Buffers,
    tally: Rc<Tally>,
    /// The task that closes idle connections runs.
    reaps: Cell<bool>,
}

/// One of the `max_in_flight` places; free again when dropped.
pub(crate) struct Turn<'a>(&'a Sender);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get() - 1);
        self.0.turns.wake_first();
    }
}

/// The result of one attempt to send a call.
enum Attempt {
    Done(Result<Answer, Flaw>),
    /// The kept-alive connection was already closed; the call is safe to send again.
    Stale(Flaw),
    /// The target said that it did not process the request.
    Unprocessed(Flaw),
}

/// A new connection, by the protocol that was agreed on.
enum Made<'a> {
    Kept(Kept<'a, Wire, Shared>),
    Stream(Stream<'a, Wire, Shared>),
}

impl Sender {
    /// `others`: what TLS is told for identities beside the first, which `dial` has.
    pub(crate) fn new(
        dial: DialOptions,
        others: Vec<Tls>,
        options: ClientOptions,
    ) -> Result<Rc<Self>, DialSetupError> {
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
        let clock = dial.clock;
        let with = |tls| DialOptions {
            tls: Some(tls),
            ..dial.clone()
        };
        let others: Vec<_> = others.into_iter().map(with).collect();
        let all: Vec<_> = std::iter::once(dial).chain(others).collect();
        let http1 = all.iter().filter(|_| speaks != Some(Protocol::Http1));
        let http1 = http1.map(|dial| {
            let protocol = ProtocolWish::Http1;
            let dial = DialOptions {
                protocol,
                ..dial.clone()
            };
            (dial, OnceCell::new())
        });
        let http1 = http1.collect();
        let all = all.into_iter();
        let dialers = all.map(Dialer::new).collect::<Result<Box<[_]>, _>>()?;
        let tally = Rc::new(Tally::default());
        let pools = Pools::new(limits, speaks, Rc::clone(&tally), clock);
        let shared = (1..dialers.len()).map(|identity| pools.shared(identity));
        let shared = shared.collect();
        Ok(Rc::new_cyclic(|me| Self {
            me: me.clone(),
            clock,
            dialers,
            http1,
            options,
            shared,
            pools,
            turns: Queue::default(),
            in_flight: Cell::new(0),
            timers: TimerPool::default(),
            buffers: Buffers::default(),
            tally,
            reaps: Cell::new(false),
        }))
    }

    /// What all users with this identity share.
    pub(crate) fn pool_of(&self, identity: usize) -> &Rc<OwnPool> {
        match identity.checked_sub(1) {
            Some(at) => &self.shared[at],
            None => self.pools.home(),
        }
    }

    pub(crate) fn pools(&self) -> &Pools<Wire, Shared> {
        &self.pools
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = self.tally.get();
        counts.in_flight = self.in_flight.get() as u64;
        counts
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    pub(crate) fn options(&self) -> &ClientOptions {
        &self.options
    }

    pub(crate) fn buffers(&self) -> &Buffers {
        &self.buffers
    }

    pub(crate) fn timers(&self) -> &TimerPool {
        &self.timers
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Who dials a connection that speaks HTTP/1.1.
    pub(crate) fn http1_dialer(&self, identity: usize) -> Result<&Dialer, Flaw> {
        let Some((options, dialer)) = self.http1.get(identity) else {
            return Ok(&self.dialers[identity]);
        };
        if dialer.get().is_none() {
            let made = Dialer::new(options.clone()).map_err(|error| Flaw {
                failure: Failure::Generator,
                cause: error.to_string().into(),
            })?;
            let _ = dialer.set(made);
        }
        Ok(dialer.get().unwrap_or(&self.dialers[identity]))
    }

    /// A TLS handshake of this kind was made, if any.
    pub(crate) fn count_tls(&self, resumed: Option<bool>) {
        self.tally.count(|counts| match resumed {
            Some(true) => counts.tls_resumed += 1,
            Some(false) => counts.tls_full += 1,
            None => {}
        });
    }

    /// A place among the requests in flight.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        self.turns.take_in_turn(|_| self.take_place(), || ()).await
    }

    pub(crate) async fn send(&self, pool: &Rc<OwnPool>, call: &Call) -> Outcome {
        let mut trip = Box::new(Trip::new(self.clock));
        let turn = self.turn().await;
        let result = self.run(pool, call, &mut trip).await;
        drop(turn);
        Outcome {
            result,
            phases: trip.watch.finish(self.clock.now()),
            reused: trip.reused,
            remote: trip.remote,
            protocol: trip.protocol,
            sent: trip.flow.sent,
            received: trip.flow.received,
        }
    }

    fn take_place(&self) -> Option<Turn<'_>> {
        let most = self.options.max_in_flight;
        let free = most == 0 || self.in_flight.get() < most;
        free.then(|| {
            self.in_flight.set(self.in_flight.get() + 1);
            Turn(self)
        })
    }

    async fn run(&self, pool: &Rc<OwnPool>, call: &Call, trip: &mut Trip) -> Result<Answer, Flaw> {
        let limit = call.limit().unwrap_or(self.options.request_timeout);
        let (mut stale, mut unprocessed) = (false, 0);
        loop {
            // A connection that was idle as well may be as stale; of HTTP/2 the dead one is known.
            let fresh = stale && trip.protocol == Some(Protocol::Http1);
            let grant = self.pools.grant(pool, fresh).await;
            // Waiting for a connection is not the target's fault, so the time limit begins here.
            let now = self.clock.now();
            trip.deadline = Some(now + limit);
            let attempt = {
                let attempt = pin!(self.attempt(grant, pool, call, trip, now));
                self.timers.within(now + limit, attempt).await
            };
            let shared = trip.settle();
            match attempt {
                // A target that was told the time resets the stream when that is over.
                Some(Attempt::Done(Err(flaw)))
                    if call.is_grpc()
                        && flaw.failure == Failure::Reset
                        && self.clock.now() >= now + limit =>
                {
                    return exceeded(late(trip.watch.phase()));
                }
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
                    // Perhaps the connection is dead, and not the target slow.
                    if let Some(connection) = shared {
                        connection.check(PING);
                    }
                    let (phase, late) = (trip.watch.phase(), late(trip.watch.phase()));
                    return match call.is_grpc() && !matches!(phase, Phase::Blocked | Phase::Dialing)
                    {
                        true => exceeded(late),
                        false => Err(late),
                    };
                }
            }
            trip.watch.again(self.clock.now());
        }
    }

    /// Send a call once. Dialing and HTTP/2 are boxed: they are large, and rare or shared by many calls.
    async fn attempt(
        &self,
        grant: Grant<'_, Wire, Shared>,
        pool: &Rc<OwnPool>,
        call: &Call,
        trip: &mut Trip,
        now: Instant,
    ) -> Attempt {
        let mut kept = match grant {
            Grant::Kept(kept) => {
                trip.watch.enter(Phase::Sending, now);
                kept
            }
            Grant::Stream(stream) => {
                trip.watch.enter(Phase::Sending, now);
                return Box::pin(self.stream(stream, call, trip)).await;
            }
            Grant::Dial(slot) => {
                trip.watch.enter(Phase::Dialing, now);
                match Box::pin(self.dial(slot, pool, trip)).await {
                    Ok(Made::Kept(kept)) => kept,
                    Ok(Made::Stream(stream)) => {
                        return Box::pin(self.stream(stream, call, trip)).await;
                    }
                    Err(flaw) => return Attempt::Done(Err(flaw)),
                }
            }
            Grant::Failed(flaw) => return Attempt::Done(Err(flaw)),
        };
        if call.is_grpc() {
            kept.keep();
            return Attempt::Done(Err(unsayable("the target speaks HTTP/1.1")));
        }
        let remote = kept.single().remote.clone();
        trip.set_connection(Protocol::Http1, remote, kept.is_reused());
        let Trip {
            watch,
            flow,
            exchange,
            ..
        } = trip;
        let stream = &mut kept.single().stream;
        let played = exchange
            .play(self.exchange_input(call), stream, watch, flow)
            .await;
        self.played(played, kept, call, trip)
    }

    fn exchange_input<'a>(&'a self, call: &'a Call) -> ExchangeInput<'a> {
        ExchangeInput {
            call,
            buffers: &self.buffers,
            max_headers: self.options.max_headers,
            max_body: self.options.max_body,
            last: !self.options.reuse,
        }
    }

    /// Judge a finished HTTP/1.1 exchange, and keep or close its connection.
    fn played(
        &self,
        played: Result<(), Flaw>,
        kept: Kept<'_, Wire, Shared>,
        call: &Call,
        trip: &mut Trip,
    ) -> Attempt {
        let exchange = &mut trip.exchange;
        let answer = played.and_then(|()| exchange.answer(&mut trip.flow));
        let mut flaw = match answer {
            // What some targets say to a connection that they are tired of, and not to a request: that none has come.
            Ok(answer)
                if answer.status == 408
                    && kept.is_reused()
                    && exchange.is_unkept()
                    && call.is_idempotent() =>
            {
                kept.close(By::Target);
                return Attempt::Stale(Flaw {
                    failure: Failure::Reset,
                    cause: "the target closed a kept-alive connection with 408".into(),
                });
            }
            Ok(answer) => {
                match () {
                    () if exchange.has_ended() => kept.close(By::Target),
                    // There may be more of it: it is not waited for.
                    () if !exchange.is_clean() => kept.close(By::Us),
                    () if !self.options.reuse => kept.leave(By::Us),
                    () if !exchange.leaves_open() => kept.leave(By::Target),
                    () => kept.keep(),
                }
                self.start_reaper();
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

    async fn dial<'a>(
        &self,
        slot: Slot<'a, Wire, Shared>,
        pool: &Rc<OwnPool>,
        trip: &mut Trip,
    ) -> Result<Made<'a>, Flaw> {
        let dialed = self.dialers[pool.identity].dial().await;
        let (phases, next) = match &dialed {
            Ok(dialed) => (dialed.phases, Phase::Sending),
            Err(error) => (error.phases, Phase::Blocked),
        };
        trip.watch.enter(next, self.clock.now());
        trip.watch.dialed(phases.lookup, phases.tls);
        let dialed = match dialed {
            Ok(dialed) => dialed,
            Err(error) => {
                let (failure, cause) = (error.failure, error.cause.into());
                return Err(failed(slot, Flaw { failure, cause }));
            }
        };
        self.count_tls(dialed.resumed);
        let (stream, remote) = (dialed.stream, dialed.remote);
        trip.remote = Some(remote.clone());
        if dialed.protocol == Protocol::Http1 {
            return Ok(Made::Kept(slot.single(Wire { stream, remote })));
        }
        let options = ConnectionOptions {
            max_headers: u32::try_from(self.options.max_headers).unwrap_or(u32::MAX),
            max_streams: match self.options.http2_streams {
                0 => ConnectionOptions::new(self.clock).max_streams,
                most => most,
            },
            clock: self.clock,
        };
        let connection = match Connection::start(stream, options, self.on_change(pool)).await {
            Ok(connection) => connection,
            Err(flaw) => return Err(failed(slot, flaw)),
        };
        self.start_reaper();
        let stream = slot.multiple(Shared { connection, remote });
        stream.map(Made::Stream).ok_or_else(|| Flaw {
            failure: Failure::Reset,
            cause: "the target left the connection at once".into(),
        })
    }

    /// The callback of a shared connection: it has room again, or takes no new requests.
    fn on_change(&self, pool: &Rc<OwnPool>) -> impl Fn() + 'static {
        let (me, pool) = (self.me.clone(), Rc::downgrade(pool));
        move || {
            if let (Some(sender), Some(pool)) = (me.upgrade(), pool.upgrade()) {
                sender.pools.freed(&pool);
            }
        }
    }

    async fn stream(
        &self,
        mut stream: Stream<'_, Wire, Shared>,
        call: &Call,
        trip: &mut Trip,
    ) -> Attempt {
        let Shared { connection, remote } = stream.multiple().clone();
        trip.set_connection(Protocol::Http2, remote, stream.is_reused());
        let (head, body) = (call.head(), OutgoingBody::of(call));
        let (place, request) = match (stream.place(), head.http2(call.added())) {
            (Some(place), Ok(mut request)) => {
                if call.is_grpc() {
                    let deadline = trip.deadline.unwrap_or_else(|| self.clock.now());
                    let left = deadline.saturating_duration_since(self.clock.now());
                    match HeaderValue::try_from(grpc::timeout(left)) {
                        Ok(left) => drop(request.headers_mut().insert(grpc::TIMEOUT, left)),
                        Err(error) => return Attempt::Done(Err(unsayable(&error.to_string()))),
                    }
                }
                (place, request)
            }
            (_, Err(error)) => return Attempt::Done(Err(unsayable(&error.to_string()))),
            (None, _) => return Attempt::Done(Err(unsayable("its place was taken"))),
        };
        trip.shared = Some(connection.clone());
        let mut taking = Taking::new(call, self.options.max_body, self.clock);
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
        let lost = flaw.failure == Failure::Reset && connection.life() == Life::Closed;
        let stale = stream.is_reused() && stream.was_alone() && trip.progress.answered.is_none();
        if lost && stale && call.is_idempotent() {
            return Attempt::Stale(flaw);
        }
        Attempt::Done(Err(flaw))
    }

    /// Start the task that closes idle connections, unless it runs; it ends when none is left.
    fn start_reaper(&self) {
        if self.reaps.replace(true) {
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
                let Some(sender) = me.upgrade() else { return };
                if !sender.pools.close_idle(sender.clock.now()) {
                    sender.reaps.set(false);
                    return;
                }
            }
        });
    }
}

fn failed(slot: Slot<'_, Wire, Shared>, flaw: Flaw) -> Flaw {
    slot.failed(&flaw);
    flaw
}

fn unsayable(why: &str) -> Flaw {
    Flaw {
        failure: Failure::Protocol,
        cause: format!("the request cannot be sent over HTTP/2: {why}").into(),
    }
}

/// A gRPC call whose time is over has the status that says so, whoever has noticed first.
fn exceeded(late: Flaw) -> Result<Answer, Flaw> {
    Ok(Answer {
        grpc: Some(Box::new(GrpcStatus {
            code: GrpcCode::DeadlineExceeded,
            message: late.cause.into(),
        })),
        ..Answer::default()
    })
}

/// The limit is not told: each request may have its own, and each would be a cause of its own.
pub(crate) fn late(phase: Phase) -> Flaw {
    let when = match phase {
        Phase::Blocked | Phase::Dialing => "connecting",
        Phase::Sending => "sending the request",
        Phase::Waiting => "waiting for the first byte",
        Phase::Receiving => "in the middle of the answer",
    };
    Flaw {
        failure: Failure::Timeout,
        cause: format!("no complete answer in time, {when}").into(),
    }
}
