//! A channel that a journey has open: a WebSocket, or a stream of events. [`Call::websocket`](crate::Call::websocket) and
//! [`Call::events`](crate::Call::events) open one; it is closed with its session.

use std::cell::Cell;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::contract::{Content, Failure, Message, Opened, Operation, Outcome, Receiving, Sending};
use crate::session::Exchange;
use crate::{Error, Me, Result};

/// An open channel.
///
/// ```
/// # use vespeiro_guest::prelude::*;
/// const CHAT: Route = Route::get("/chat", "chat");
///
/// async fn journey(me: &mut Me) -> Result<()> {
///     let chat = me.call(CHAT).websocket().await?;
///     chat.send("hello").await?;
///     let answer = chat.next(5000).await?; // within five seconds
///     me.check("the other side answers", answer.is_some());
///     chat.close().await
/// }
/// ```
pub struct Channel<'a> {
    me: &'a Me,
    route: &'static str,
    number: u32,
    /// Of the request that has opened it.
    opened: Opened,
    has_ended: Cell<bool>,
    dropped: Cell<u32>,
}

impl std::fmt::Debug for Channel<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("route", &self.route)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl<'a> Channel<'a> {
    pub(crate) fn new(me: &'a Me, route: &'static str, opened: Opened) -> Self {
        Channel {
            me,
            route,
            number: opened.channel,
            opened,
            has_ended: Cell::new(false),
            dropped: Cell::new(0),
        }
    }

    /// Status, headers and latency of the answer that has opened it.
    #[must_use]
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Send a text.
    ///
    /// # Errors
    /// [`Error::Failed`] of the kind `channel` when it is closed or broken, `timeout` when the target does not take it.
    pub async fn send(&self, text: impl Into<String>) -> Result<()> {
        self.send_content(Content::Text(text.into())).await
    }

    /// Send bytes.
    ///
    /// # Errors
    /// Those of [`Channel::send`].
    pub async fn send_bytes(&self, bytes: impl Into<Vec<u8>>) -> Result<()> {
        self.send_content(Content::Binary(bytes.into())).await
    }

    /// Send JSON as a text.
    ///
    /// # Errors
    /// Those of [`Channel::send`], and [`Error::Usage`] when it cannot be written as JSON.
    pub async fn send_json<T: Serialize + ?Sized>(&self, value: &T) -> Result<()> {
        let text = serde_json::to_string(value);
        let text = text.map_err(|error| Error::usage(format!("{}: {error}", self.route)))?;
        self.send(text).await
    }

    /// Say that nothing more is sent; what the target still sends can be received.
    ///
    /// # Errors
    /// Those of [`Channel::send`].
    pub async fn end(&self) -> Result<()> {
        self.send_content(Content::End).await
    }

    async fn send_content(&self, content: Content) -> Result<()> {
        let channel = self.number;
        let send = Operation::Send(Sending { channel, content });
        self.operate(send).await.map(drop)
    }

    /// The next message, waited for at most so long. `None`: none came in time, or the channel [has ended](Self::has_ended).
    ///
    /// # Errors
    /// [`Error::Failed`] of the kind `channel` when it broke.
    pub async fn next(&self, within_ms: u32) -> Result<Option<Message>> {
        Ok(self.receive(1, within_ms).await?.pop())
    }

    /// So many messages, from 1 to 256, or what has come of them within this time, oldest first.
    ///
    /// # Errors
    /// Those of [`Channel::next`].
    pub async fn receive(&self, at_most: u32, within_ms: u32) -> Result<Vec<Message>> {
        if self.has_ended.get() {
            return Ok(Vec::new());
        }
        let receive = Operation::Receive(Receiving {
            channel: self.number,
            at_most,
            within_ms,
        });
        let Outcome::Received(mut received) = self.operate(receive).await? else {
            return Err(self.failed(Failure::Protocol));
        };
        self.dropped
            .set(self.dropped.get().saturating_add(received.dropped));
        if received
            .messages
            .last()
            .is_some_and(|last| last.content == Content::End)
        {
            received.messages.pop();
            self.has_ended.set(true);
        }
        Ok(received.messages)
    }

    /// The target has closed it, and all that it had sent was received.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    /// Messages that were dropped, since they were not received in time.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.dropped.get()
    }

    /// Close it, and wait a moment for the target to agree. Nothing may be done with it afterwards: the session would end as
    /// failed.
    ///
    /// # Errors
    /// None, if the session goes on.
    pub async fn close(&self) -> Result<()> {
        self.operate(Operation::Close(self.number)).await.map(drop)
    }

    async fn operate(&self, operation: Operation) -> Result<Outcome> {
        let operating = Exchange::operate(self.me.core(), operation);
        let outcome = operating.outcome().await;
        outcome.map_err(|kind| self.failed(kind))
    }

    fn failed(&self, kind: Failure) -> Error {
        Error::Failed {
            route: self.route,
            kind,
        }
    }
}

impl Message {
    /// Its text; `None` where it carries bytes.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Binary(_) | Content::End => None,
        }
    }

    /// The bytes that it carries, of a text too.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Text(text) => text.as_bytes(),
            Content::Binary(bytes) => bytes,
            Content::End => &[],
        }
    }

    /// What it carries as JSON; `None` where it is something else.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        match &self.content {
            Content::Text(text) => serde_json::from_str(text).ok(),
            Content::Binary(bytes) => serde_json::from_slice(bytes).ok(),
            Content::End => None,
        }
    }
}
