//! A channel that is open, as its user and its reader share it: both belong to one worker.
//!
//! What must stay true: a channel ends once, its observer hears of that once, and whoever waits for it then goes on.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use futures_util::Sink as _;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite;

use super::inbox::Inbox;
use super::message::Message;
use super::slot::ChannelSlot;
use super::websocket::{Socket, farewell, why};
use crate::pool::By;
use vespeiro_model::Clock;

/// How a channel came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelEnd {
    /// One side closed it, as the protocol has it.
    Closed,
    /// It broke, or something came that it may not carry; in words.
    Broken(Rc<str>),
}

/// What happens on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelEvent<'a> {
    /// A message was handed to the connection; `bytes` of its body.
    Sent { bytes: usize },
    /// A message has come; `first`: the first one, so long after the channel was open.
    Received {
        bytes: usize,
        first: Option<Duration>,
    },
    /// So many of those that had come were dropped, since nobody took them.
    Dropped(u64),
    /// It was open for so long; `broken` says why, where it was not closed.
    Ended {
        lasted: Duration,
        broken: Option<&'a str>,
    },
}

/// Hears of what happens on a channel, as it happens.
pub type Observer = Rc<dyn Fn(ChannelEvent<'_>)>;

pub(super) struct Line {
    /// The connection, where messages go both ways.
    socket: RefCell<Option<Box<Socket>>>,
    pub(super) inbox: RefCell<Inbox>,
    end: RefCell<Option<ChannelEnd>>,
    /// Told of each message and of the end.
    pub(super) news: Notify,
    /// Whoever waits until the target takes a message.
    writer: Cell<Option<Waker>>,
    observer: Observer,
    clock: Clock,
    opened: Instant,
    has_received: Cell<bool>,
    slot: Cell<Option<ChannelSlot>>,
}

impl Line {
    pub(super) fn new(
        socket: Option<Box<Socket>>,
        observer: Observer,
        clock: Clock,
        slot: ChannelSlot,
    ) -> Self {
        Self {
            socket: RefCell::new(socket),
            inbox: RefCell::default(),
            end: RefCell::new(None),
            news: Notify::new(),
            writer: Cell::new(None),
            observer,
            clock,
            opened: clock.now(),
            has_received: Cell::new(false),
            slot: Cell::new(Some(slot)),
        }
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) fn ended(&self) -> Option<ChannelEnd> {
        self.end.borrow().clone()
    }

    /// A message has come.
    pub(super) fn take_in(&self, message: Message) {
        let first = !self.has_received.replace(true);
        let first = first.then(|| message.at.saturating_duration_since(self.opened));
        let bytes = message.content.len();
        let dropped = self.inbox.borrow_mut().push(message);
        (self.observer)(ChannelEvent::Received { bytes, first });
        if dropped > 0 {
            (self.observer)(ChannelEvent::Dropped(dropped));
        }
        self.news.notify_waiters();
    }

    /// It is over; what `by` closed is closed here too. Only the first end counts.
    pub(super) fn finish(&self, end: ChannelEnd, by: By) {
        if self.end.borrow().is_some() {
            return;
        }
        if let Some(socket) = self.socket.borrow_mut().take() {
            farewell(socket, &end);
        }
        (self.observer)(ChannelEvent::Ended {
            lasted: self.clock.since(self.opened),
            broken: match &end {
                ChannelEnd::Closed => None,
                ChannelEnd::Broken(cause) => Some(cause),
            },
        });
        *self.end.borrow_mut() = Some(end);
        if let Some(slot) = self.slot.take() {
            slot.free(by);
        }
        self.news.notify_waiters();
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }

    /// Hand a message to the connection, and wait until that has taken it. `Err`: why it never will.
    pub(super) async fn write(&self, message: tungstenite::Message) -> Result<(), Rc<str>> {
        let mut message = Some(message);
        let written = poll_fn(|context| {
            let mut socket = self.socket.borrow_mut();
            let Some(socket) = socket.as_deref_mut() else {
                return Poll::Ready(Err(None));
            };
            let written = write(Pin::new(socket), &mut message, context);
            if written.is_pending() {
                self.writer.set(Some(context.waker().clone()));
            }
            written.map_err(Some)
        });
        let error = match written.await {
            Ok(()) => return Ok(()),
            Err(None) => return Err(self.why_not()),
            Err(Some(error)) => error,
        };
        let cause: Rc<str> = why(&error).into();
        if matches!(error, tungstenite::Error::Io(_)) {
            self.finish(ChannelEnd::Broken(Rc::clone(&cause)), By::Target);
        }
        Err(cause)
    }

    pub(super) fn observe(&self, event: ChannelEvent<'_>) {
        (self.observer)(event);
    }

    /// The next message that the library reads; `None` once the channel is closed, by its handle too.
    pub(super) fn poll_socket<T>(
        &self,
        with: impl FnOnce(Pin<&mut Socket>) -> Poll<Option<T>>,
    ) -> Poll<Option<T>> {
        match self.socket.borrow_mut().as_deref_mut() {
            Some(socket) => with(Pin::new(socket)),
            None => Poll::Ready(None),
        }
    }

    fn why_not(&self) -> Rc<str> {
        match &*self.end.borrow() {
            Some(ChannelEnd::Broken(cause)) => Rc::clone(cause),
            Some(ChannelEnd::Closed) => "the channel was closed".into(),
            None => "the channel takes no messages".into(),
        }
    }
}

fn write(
    mut socket: Pin<&mut Socket>,
    message: &mut Option<tungstenite::Message>,
    context: &mut Context<'_>,
) -> Poll<Result<(), tungstenite::Error>> {
    if message.is_some() {
        ready!(socket.as_mut().poll_ready(context))?;
    }
    if let Some(message) = message.take() {
        socket.as_mut().start_send(message)?;
    }
    socket.poll_flush(context)
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
