//! A connection as the pool holds it: a handle that says what it has room for, and sends.
//!
//! What must stay true: a handle costs a reference count to clone and nothing to ask.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use ::h2::client::{Builder, SendRequest};
use bytes::Bytes;
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};

use super::driver::Driver;
use super::exchange::{self, OutgoingBody, Progress};
use super::flaw;
use super::state::{Life, Place, State};
use super::tap::{Heard, Tap};
use crate::codec::Receive;
use crate::outcome::Flaw;
use vespeiro_model::Clock;

/// What one stream may send before it is read: at 10 ms to the target, 200 MB a second. All streams together may send as
/// much as each of them, so that bodies which nobody reads hold no other up. What is read makes room at once, so that
/// little of it is ever held.
const STREAM_WINDOW: u32 = 2 << 20;
/// The most that the specification lets a window be.
const WIDEST_WINDOW: usize = (1 << 31) - 1;
/// Streams that we gave up and whose late frames are known as such. More are answered, which costs a frame and no more.
const GIVEN_UP: usize = 1000;
/// How much larger than they may be headers are read, so that they can be told from those that are malformed.
const OVERSIZE: u32 = 4;
/// The library takes no more than this.
const MOST_HEADERS: u32 = 16 << 20;

/// How a connection is used.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionOptions {
    /// Largest head of an answer, in bytes as HTTP/2 counts them: names, values and 32 for each.
    pub max_headers: u32,
    /// Most streams at a time; the target may allow fewer.
    pub max_streams: usize,
    pub clock: Clock,
}

impl ConnectionOptions {
    /// With the default of every bound.
    pub fn new(clock: Clock) -> Self {
        Self {
            max_headers: 256 << 10,
            max_streams: 100,
            clock,
        }
    }
}

/// A handle of a connection. The last one that is dropped ends it, once its exchanges are over.
#[derive(Clone)]
pub struct Connection {
    inner: Rc<Inner>,
}

struct Inner {
    sender: RefCell<SendRequest<Bytes>>,
    state: Rc<State>,
    max_headers: u32,
    clock: Clock,
    /// Bytes that were told by [`Connection::take_traffic`].
    taken: Cell<(u64, u64)>,
}

impl Connection {
    /// Begin HTTP/2 on a stream, within a `LocalSet`. Does not wait for the target: what it is not, the first request
    /// will say. `changed` is called whenever what the handle says may have changed: a place was given back, the limit
    /// moved, it takes no more streams, it ended. It may take places itself, and drop handles.
    pub async fn start<S>(
        stream: S,
        options: ConnectionOptions,
        changed: impl Fn() + 'static,
    ) -> Result<Self, Flaw>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let heard = Rc::new(Heard::default());
        let tap = Tap::new(stream, options.max_headers, Rc::clone(&heard));
        let window = options.max_streams.saturating_mul(STREAM_WINDOW as usize);
        let window = window.clamp(STREAM_WINDOW as usize, WIDEST_WINDOW);
        let handshake = Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(u32::try_from(window).unwrap_or(STREAM_WINDOW))
            .max_header_list_size(
                options
                    .max_headers
                    .saturating_mul(OVERSIZE)
                    .min(MOST_HEADERS),
            )
            // One, until the target has said how many it takes.
            .initial_max_send_streams(1)
            .max_concurrent_reset_streams(GIVEN_UP)
            // Late frames of streams that we gave up are none of the target's faults.
            .max_local_error_reset_streams(None)
            .enable_push(false)
            .handshake(tap)
            .await;
        let (sender, connection) =
            handshake.map_err(|error| flaw::of_connection(&error, &heard))?;
        let state = State::new(heard, options.max_streams, Box::new(changed));
        let state = Rc::new(state);
        tokio::task::spawn_local(Driver::new(connection, Rc::clone(&state)));
        Ok(Self {
            inner: Rc::new(Inner {
                sender: RefCell::new(sender),
                state,
                max_headers: options.max_headers,
                clock: options.clock,
                taken: Cell::default(),
            }),
        })
    }

    /// Whether it takes more streams.
    pub fn life(&self) -> Life {
        self.inner.state.life()
    }

    /// Streams that have a place.
    pub fn in_use(&self) -> usize {
        self.inner.state.in_use()
    }

    /// Most streams at a time, by the target and by the options; one until the target's settings came.
    pub fn limit(&self) -> usize {
        self.inner.state.limit()
    }

    /// Places that are free.
    pub fn room(&self) -> usize {
        self.inner.state.room()
    }

    /// The target has said how many streams it takes. Before that, a full connection is no reason to open another.
    pub fn is_settled(&self) -> bool {
        self.inner.state.heard.settings.get()
    }

    /// A place for one stream, if there is room.
    pub fn try_place(&self) -> Option<Place> {
        Place::take(&self.inner.state)
    }

    /// Bytes that went over the connection, sent and received, since this was last asked.
    pub fn take_traffic(&self) -> (u64, u64) {
        let heard = &self.inner.state.heard;
        let now = (heard.sent.get(), heard.received.get());
        let before = self.inner.taken.replace(now);
        (now.0 - before.0, now.1 - before.1)
    }

    /// Take no more streams, and end when those that are open have ended and the handles are gone.
    pub fn retire(&self) {
        self.inner.state.enter(Life::Leaving);
    }

    /// After a request has timed out: ping, and retire the connection if not a byte comes within this time. Goes on by
    /// itself, once at a time. Requests that are under way are not touched: they have time-outs of their own.
    pub fn check(&self, within: Duration) {
        let state = &self.inner.state;
        if state.life() == Life::Closed || state.checking.replace(true) {
            return;
        }
        let state = Rc::clone(state);
        tokio::task::spawn_local(async move {
            let received = || state.heard.received.get();
            let before = received();
            let pong = state.pong.notified();
            state.ping.set(true);
            state.wake();
            let answered = tokio::time::timeout(within, pong).await.is_ok();
            state.checking.set(false);
            if !answered && received() == before {
                state.fall_silent();
            }
        });
    }

    /// Send a request and read its answer to the end. Dropped early, the stream is reset, and nothing else.
    ///
    /// A failure that is [`Failure::Unprocessed`](crate::Failure::Unprocessed) may be sent again elsewhere at once: it never
    /// left, or the target has said that it did not process it.
    pub async fn send(
        &self,
        place: Place,
        request: Request<()>,
        body: impl Into<OutgoingBody>,
        progress: &mut Progress,
        to: &mut impl Receive,
    ) -> Result<(), Flaw> {
        debug_assert!(
            place.is_of(&self.inner.state),
            "a place of another connection"
        );
        let heard = &self.inner.state.heard;
        let max_headers = self.inner.max_headers;
        let body = body.into();
        let opened = exchange::open(&self.inner.sender, request, body.is_empty(), heard)?;
        let played = exchange::play(
            opened,
            body,
            max_headers,
            heard,
            progress,
            to,
            self.inner.clock,
        )
        .await;
        drop(place);
        played
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.state.abandon();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("state", &self.inner.state)
            .finish_non_exhaustive()
    }
}
