//! The channels of a session that is rehearsed: what scripted replies say comes over them, or an echo. Used by `play.rs`.

use std::collections::VecDeque;

use serde_json::Value;

use crate::vu::channels::{ChannelRefused, check};
use vespeiro_behavior::types::{Content, Message, Operation, Received};
use vespeiro_model::ChannelKind;

/// A session's channels, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Channels(Vec<Option<Channel>>);

#[derive(Debug)]
struct Channel {
    kind: ChannelKind,
    /// Nobody has said what comes: what is sent comes back.
    echoes: bool,
    waiting: VecDeque<Message>,
    has_ended: bool,
}

impl Channels {
    pub(super) fn check(&self, operations: &[Operation]) -> Result<(), ChannelRefused> {
        let open = self.0.iter().flatten().count();
        check(operations, open, |number| {
            self.0.get(number as usize)?.as_ref().map(|one| one.kind)
        })
    }

    /// The session has one more, over which these come; its number.
    pub(super) fn open(&mut self, kind: ChannelKind, messages: Option<Vec<Value>>) -> u32 {
        let echoes = messages.is_none() && kind == ChannelKind::WebSocket;
        self.0.push(Some(Channel {
            kind,
            echoes,
            waiting: messages.into_iter().flatten().map(given).collect(),
            has_ended: false,
        }));
        self.0.len() as u32 - 1
    }

    pub(super) fn send(&mut self, number: u32, content: &Content) {
        if let Some(Some(channel)) = self.0.get_mut(number as usize) {
            channel.has_ended |= *content == Content::End;
            if channel.echoes && *content != Content::End {
                channel.waiting.push_back(message(content.clone()));
            }
        }
    }

    /// What has come by `at`, in microseconds; whether that is all that was asked for, so that nothing is waited for.
    pub(super) fn receive(&mut self, number: u32, most: u32, at_us: u64) -> (Received, bool) {
        let Some(Some(channel)) = self.0.get_mut(number as usize) else {
            return (Received::default(), true);
        };
        let count = channel.waiting.len().min(most as usize);
        let mut messages: Vec<Message> = channel.waiting.drain(..count).collect();
        if channel.has_ended && channel.waiting.is_empty() {
            messages.push(message(Content::End));
        }
        let enough = count == most as usize || channel.has_ended;
        messages
            .iter_mut()
            .for_each(|message| message.at_us = at_us);
        let dropped = 0;
        (Received { messages, dropped }, enough)
    }

    pub(super) fn close(&mut self, number: u32) {
        if let Some(channel) = self.0.get_mut(number as usize) {
            *channel = None;
        }
    }
}

/// A message as a file has it: a text, an event with its `data`, or any JSON.
fn given(given: Value) -> Message {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let Some(data) = given.get("data") else {
        return message(Content::Text(text(&given)));
    };
    let field = |name| given.get(name).map(text).unwrap_or_default();
    Message {
        event: field("event"),
        id: field("id"),
        ..message(Content::Text(text(data)))
    }
}

fn message(content: Content) -> Message {
    Message {
        content,
        event: String::new(),
        id: String::new(),
        at_us: 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn contents(received: Received) -> Vec<(String, Content)> {
        let each = received.messages.into_iter();
        each.map(|one| (one.event, one.content)).collect()
    }

    #[test]
    fn what_a_file_says_comes_and_else_an_echo() {
        let text = |text: &str| Content::Text(text.to_owned());
        let mut channels = Channels::default();
        let script = vec![
            json!("a"),
            json!({"event": "x", "data": {"b": 1}}),
            json!([1]),
        ];
        let scripted = channels.open(ChannelKind::EventStream, Some(script));
        let (first, enough) = channels.receive(scripted, 2, 7);
        assert!(enough && first.messages.iter().all(|one| one.at_us == 7));
        let plain = String::new;
        assert_eq!(
            contents(first),
            [(plain(), text("a")), ("x".into(), text(r#"{"b":1}"#))]
        );
        let (last, enough) = channels.receive(scripted, 2, 7);
        assert_eq!(
            (contents(last), enough),
            (vec![(plain(), text("[1]"))], false)
        );
        let echo = channels.open(ChannelKind::WebSocket, None);
        channels.send(echo, &text("hi"));
        channels.send(echo, &Content::End);
        let (both, enough) = channels.receive(echo, 2, 0);
        assert!(enough);
        assert_eq!(
            contents(both),
            [(plain(), text("hi")), (plain(), Content::End)]
        );
        channels.close(echo);
        let gone = Operation::Close(echo);
        assert_eq!(channels.check(&[gone]), Err(ChannelRefused::Unknown(echo)));
        assert_eq!(channels.check(&[Operation::Close(scripted)]), Ok(()));
    }
}
