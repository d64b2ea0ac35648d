//! A connection's own task: reads and writes, pings when asked to, and tells the state what it learns. Begun by the
//! connection, ends with it or when nobody holds it any more.
//!
//! What must stay true: a connection that nobody holds is gone within a second, whatever its target does.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::h2::{Ping, PingPong, client};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;

use super::state::{Life, State};
use super::tap::Tap;

/// Longest wait for a farewell to be written.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) struct Driver<S: AsyncRead + AsyncWrite + Unpin> {
    connection: client::Connection<Tap<S>, Bytes>,
    pings: Option<PingPong>,
    pinging: bool,
    state: Rc<State>,
    farewell: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    pub(super) fn new(mut connection: client::Connection<Tap<S>, Bytes>, state: Rc<State>) -> Self {
        Self {
            pings: connection.ping_pong(),
            connection,
            pinging: false,
            state,
            farewell: None,
        }
    }

    fn ping(&mut self) {
        // One that is under way serves as well.
        if !self.state.ping.replace(false) || self.pinging {
            return;
        }
        if let Some(pings) = &mut self.pings {
            self.pinging = pings.send_ping(Ping::opaque()).is_ok();
        }
    }

    fn pong(&mut self, cx: &mut Context<'_>) {
        if !self.pinging {
            return;
        }
        if let Some(pings) = &mut self.pings
            && let Poll::Ready(answer) = pings.poll_pong(cx)
        {
            self.pinging = false;
            if answer.is_ok() {
                self.state.pong.notify_waiters();
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Driver<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.state.keep_waker(cx.waker());
        this.ping();
        let ended = Pin::new(&mut this.connection).poll(cx).is_ready();
        this.pong(cx);
        let heard = &this.state.heard;
        if heard.settings.get() {
            let limit = this.connection.max_concurrent_send_streams();
            this.state.set_peer_limit(limit);
        }
        if heard.last_stream.get().is_some() {
            this.state.enter(Life::Leaving);
        }
        this.state.note_empty();
        if ended {
            return Poll::Ready(());
        }
        if !this.state.is_done_with() {
            return Poll::Pending;
        }
        if this.state.is_silent() {
            return Poll::Ready(());
        }
        let farewell = this
            .farewell
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(FAREWELL)));
        farewell.as_mut().poll(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drop for Driver<S> {
    /// Also where the worker ends before the connection does.
    fn drop(&mut self) {
        self.state.enter(Life::Closed);
        self.state.pong.notify_waiters();
    }
}
