//! The channels that a session has open, and what it may do with them. Used by `operations.rs`.
//!
//! What must stay true: a session names only channels that it has, and all of them are closed with it.

use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::worker::state::WorkerState;
use vespeiro_behavior::types::{Content, Message, Method, Operation, Outcome, Received};
use vespeiro_behavior::{MAX_CHANNELS, MAX_DELAY_MS};
use vespeiro_http::{
    Channel, ChannelEnd, ChannelEvent, Content as Body, MAX_WAITING, Observer, Received as Came,
};
use vespeiro_model::{ChannelKind, Failure};

/// How long the target has to agree that a channel is closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a session may not do this with a channel.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ChannelRefused {
    #[error("it has no channel {0}: it was closed, or never opened")]
    Unknown(u32),
    #[error("it would have more than {MAX_CHANNELS} channels open: close what is not needed")]
    TooMany,
    #[error("a receive of {0} messages is not within 1 to {MAX_WAITING}")]
    AtMost(u32),
    #[error("a receive within {0} ms is over {MAX_DELAY_MS}")]
    Within(u32),
    #[error("an event stream takes no messages: channel {0} is one")]
    OneWay(u32),
    #[error("a WebSocket is opened by a GET without a body, and not by {0}")]
    NoGet(&'static str),
}

/// A session's channels.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    open: Vec<(u32, Rc<Channel>)>,
    next: u32,
}

impl Channels {
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether a step may carry these out.
    pub(super) fn check(&self, operations: &[Operation]) -> Result<(), ChannelRefused> {
        check(operations, self.open.len(), |number| {
            self.known(number).map(|channel| channel.kind())
        })
    }

    fn known(&self, number: u32) -> Option<&Rc<Channel>> {
        let known = self.open.iter().find(|(known, _)| *known == number);
        known.map(|(_, channel)| channel)
    }

    /// The channel with this number, for as long as an operation takes.
    pub(super) fn get(&self, number: u32) -> Option<Rc<Channel>> {
        self.known(number).map(Rc::clone)
    }

    /// The session has one more; its number.
    pub(super) fn add(&mut self, channel: Channel) -> u32 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.open.push((number, Rc::new(channel)));
        number
    }

    /// The session names it no more.
    pub(super) fn remove(&mut self, number: u32) {
        self.open.retain(|(known, _)| *known != number);
    }
}

/// Whether a step of a session that has so many channels open, of the kinds that their numbers have, may carry these out.
pub(crate) fn check(
    operations: &[Operation],
    open: usize,
    kind_of: impl Fn(u32) -> Option<ChannelKind>,
) -> Result<(), ChannelRefused> {
    let mut all = open;
    let known = |number| kind_of(number).ok_or(ChannelRefused::Unknown(number));
    for operation in operations {
        match operation {
            Operation::Request(_) => {}
            Operation::Open(kind, request) => {
                let is_get = request.method == Method::Get && request.body.is_none();
                if *kind == ChannelKind::WebSocket && !is_get {
                    return Err(ChannelRefused::NoGet(request.method.as_str()));
                }
                all += 1;
                if all > MAX_CHANNELS {
                    return Err(ChannelRefused::TooMany);
                }
            }
            Operation::Send { channel, .. } => {
                if known(*channel)? == ChannelKind::EventStream {
                    return Err(ChannelRefused::OneWay(*channel));
                }
            }
            Operation::Receive {
                channel,
                at_most,
                within_ms,
            } => {
                known(*channel)?;
                if *at_most == 0 || *at_most as usize > MAX_WAITING {
                    return Err(ChannelRefused::AtMost(*at_most));
                }
                if *within_ms > MAX_DELAY_MS {
                    return Err(ChannelRefused::Within(*within_ms));
                }
            }
            Operation::Close(channel) => {
                known(*channel)?;
            }
        }
    }
    Ok(())
}

/// Counts what happens on a channel of this worker.
pub(super) fn observer(worker: &Rc<WorkerState>, kind: ChannelKind) -> Observer {
    let worker: Weak<WorkerState> = Rc::downgrade(worker);
    Rc::new(move |event: ChannelEvent<'_>| {
        if let Some(worker) = worker.upgrade() {
            let mut recorder = worker.recorder.borrow_mut();
            recorder.roll(worker.now());
            match event {
                ChannelEvent::Sent { bytes } => recorder.message_sent(kind, bytes as u64),
                ChannelEvent::Received { bytes, first } => {
                    recorder.message_received(kind, bytes as u64, first);
                }
                ChannelEvent::Dropped(count) => recorder.messages_dropped(kind, count),
                ChannelEvent::Ended { lasted, broken } => {
                    recorder.channel_ended(kind, lasted, broken);
                }
            }
        }
    })
}

/// Send a message; at most `limit` later it has failed.
pub(super) async fn send(channel: &Channel, content: Content, limit: Duration) -> Outcome {
    let sent = async {
        match content {
            Content::Text(text) => channel.send(Body::Text(text)).await,
            Content::Binary(bytes) => channel.send(Body::Binary(bytes)).await,
            Content::End => channel.end().await,
        }
    };
    match tokio::time::timeout(limit, sent).await {
        Ok(Ok(())) => Outcome::Done,
        Ok(Err(_)) => Outcome::Failed(Failure::Channel),
        Err(_) => Outcome::Failed(Failure::Timeout),
    }
}

/// What a channel has given, of a session that began then.
pub(super) fn received(came: Came, began: Instant) -> Outcome {
    let Came {
        messages,
        dropped,
        end,
    } = came;
    if messages.is_empty() && matches!(end, Some(ChannelEnd::Broken(_))) {
        return Outcome::Failed(Failure::Channel);
    }
    let at = |instant: Instant| instant.saturating_duration_since(began).as_micros() as u64;
    let last = messages.last().map_or(0, |message| at(message.at));
    let mut messages: Vec<_> = messages
        .into_iter()
        .map(|message| Message {
            content: match message.content {
                Body::Text(text) => Content::Text(text),
                Body::Binary(bytes) => Content::Binary(bytes),
            },
            event: message.event,
            id: message.id,
            at_us: at(message.at),
        })
        .collect();
    if end == Some(ChannelEnd::Closed) {
        messages.push(Message {
            content: Content::End,
            event: String::new(),
            id: String::new(),
            at_us: last,
        });
    }
    Outcome::Received(Received {
        messages,
        dropped: u32::try_from(dropped).unwrap_or(u32::MAX),
    })
}

/// Close a channel, once what is being sent has left.
pub(super) async fn close(channel: &Channel) {
    channel.close(FAREWELL).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::testing::request;

    fn asked(operation: Operation) -> Result<(), ChannelRefused> {
        let kinds = [ChannelKind::WebSocket, ChannelKind::EventStream];
        check(&[operation], 2, |number| {
            kinds.get(number as usize).copied()
        })
    }

    fn receive(channel: u32, at_most: u32, within_ms: u32) -> Operation {
        Operation::Receive {
            channel,
            at_most,
            within_ms,
        }
    }

    #[test]
    fn a_session_may_use_what_it_has_and_within_bounds() {
        let send = |channel| Operation::Send {
            channel,
            content: Content::End,
        };
        for fine in [
            send(0),
            receive(0, 1, 0),
            receive(1, 256, MAX_DELAY_MS),
            Operation::Close(1),
            Operation::Open(ChannelKind::WebSocket, request()),
        ] {
            assert_eq!(asked(fine.clone()), Ok(()), "{fine:?}");
        }
        for (wrong, why) in [
            (send(2), ChannelRefused::Unknown(2)),
            (send(1), ChannelRefused::OneWay(1)),
            (receive(7, 1, 0), ChannelRefused::Unknown(7)),
            (receive(0, 0, 0), ChannelRefused::AtMost(0)),
            (receive(0, 257, 0), ChannelRefused::AtMost(257)),
            (
                receive(0, 1, MAX_DELAY_MS + 1),
                ChannelRefused::Within(MAX_DELAY_MS + 1),
            ),
            (Operation::Close(2), ChannelRefused::Unknown(2)),
        ] {
            assert_eq!(asked(wrong), Err(why));
        }
        let mut post = request();
        post.method = Method::Post;
        let refused = asked(Operation::Open(ChannelKind::WebSocket, post.clone()));
        assert_eq!(refused, Err(ChannelRefused::NoGet("POST")));
        assert_eq!(
            asked(Operation::Open(ChannelKind::EventStream, post)),
            Ok(())
        );
        let many = vec![Operation::Open(ChannelKind::EventStream, request()); MAX_CHANNELS + 1];
        assert_eq!(check(&many, 0, |_| None), Err(ChannelRefused::TooMany));
        assert_eq!(check(&many[1..], 0, |_| None), Ok(()));
    }

    #[test]
    fn the_end_of_a_channel_comes_behind_its_messages_and_a_break_by_itself() {
        #[allow(clippy::disallowed_methods)]
        let began = Instant::now();
        let came = |messages: &[&str], end| Came {
            messages: messages
                .iter()
                .map(|text| vespeiro_http::Message {
                    content: Body::Text((*text).to_owned()),
                    event: String::new(),
                    id: String::new(),
                    at: began + Duration::from_millis(3),
                })
                .collect(),
            dropped: 0,
            end,
        };
        let contents = |came| match received(came, began) {
            Outcome::Received(received) => {
                assert!(received.messages.iter().all(|one| one.at_us % 3000 == 0));
                let each = received.messages.into_iter();
                each.map(|one| one.content).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        let text = |text: &str| Content::Text(text.to_owned());
        let broken = || Some(ChannelEnd::Broken("why".into()));
        assert_eq!(contents(came(&["a"], None)), [text("a")]);
        let closed = Some(ChannelEnd::Closed);
        assert_eq!(
            contents(came(&["a"], closed.clone())),
            [text("a"), Content::End]
        );
        assert_eq!(contents(came(&[], closed)), [Content::End]);
        assert_eq!(contents(came(&["a"], broken())), [text("a")]);
        let failed = Outcome::Failed(Failure::Channel);
        assert_eq!(received(came(&[], broken()), began), failed);
    }
}
