//! A channel in the hands of the session that has opened it.
//!
//! What must stay true: whoever drops it closes it.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout_at;

use super::line::{ChannelEnd, ChannelEvent, Line};
use super::message::{Content, Message};
use super::websocket;
use super::{ChannelKind, MAX_WAITING};
use crate::pool::By;

/// An open channel. Dropped, it is closed at once.
#[derive(Debug)]
pub struct Channel {
    kind: ChannelKind,
    line: Rc<Line>,
    /// Messages leave one after the other.
    sending: Mutex<()>,
    reader: JoinHandle<()>,
}

/// What a channel has given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Oldest first.
    pub messages: Vec<Message>,
    /// So many that came before them were dropped since nobody took them in time.
    pub dropped: u64,
    /// Nothing more comes.
    pub end: Option<ChannelEnd>,
}

impl Channel {
    pub(super) fn new(kind: ChannelKind, line: Rc<Line>, reader: JoinHandle<()>) -> Self {
        Self {
            kind,
            line,
            sending: Mutex::new(()),
            reader,
        }
    }

    pub fn kind(&self) -> ChannelKind {
        self.kind
    }

    /// Send a message, and wait until the connection has taken it: for as long as the target does not read, if nobody ends
    /// that. `Err` says why it is not sent.
    pub async fn send(&self, content: Content) -> Result<(), Rc<str>> {
        let _turn = self.sending.lock().await;
        let bytes = content.len();
        self.line.write(websocket::frames(content)).await?;
        self.line.observe(ChannelEvent::Sent { bytes });
        Ok(())
    }

    /// Say that nothing more is sent. What the target still sends can be received.
    pub async fn end(&self) -> Result<(), Rc<str>> {
        let _turn = self.sending.lock().await;
        self.line.write(websocket::close()).await
    }

    /// Wait until `most` messages have come, at most [`MAX_WAITING`], the channel is over, or `within` is; and take what
    /// there is.
    pub async fn receive(&self, most: usize, within: Duration) -> Received {
        let line = &self.line;
        let most = most.min(MAX_WAITING);
        let deadline = line.clock().now() + within;
        loop {
            // Before the look, so that no news goes unnoticed.
            let mut news = pin!(line.news.notified());
            news.as_mut().enable();
            let enough = line.inbox.borrow().len() >= most || line.ended().is_some();
            if enough || timeout_at(deadline, news).await.is_err() {
                break;
            }
        }
        let (messages, dropped) = line.inbox.borrow_mut().take(most);
        let is_empty = line.inbox.borrow().len() == 0;
        Received {
            messages,
            dropped,
            end: line.ended().filter(|_| is_empty),
        }
    }

    /// Close it as the protocol has it, once what is being sent has left, and wait for the target to agree for at most so
    /// long.
    pub async fn close(&self, within: Duration) {
        let line = &self.line;
        let agreed = async {
            if self.kind == ChannelKind::WebSocket && self.end().await.is_ok() {
                loop {
                    let mut news = pin!(line.news.notified());
                    news.as_mut().enable();
                    if line.ended().is_some() {
                        break;
                    }
                    news.await;
                }
            }
        };
        let _ = timeout_at(line.clock().now() + within, agreed).await;
        line.finish(ChannelEnd::Closed, By::Us);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.line.finish(ChannelEnd::Closed, By::Us);
        self.reader.abort();
    }
}
