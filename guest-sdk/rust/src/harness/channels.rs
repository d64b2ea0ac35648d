//! The channels of a session that a harness plays: what a test says comes over them, or an echo. Used by the harness only; it
//! refuses what the host would.

use std::collections::VecDeque;

use super::Sent;
use crate::Route;
use crate::contract::{
    Content, Message, Method, Opened, Operation, Outcome, Protocol, Received, Receiving, Response,
    Sending,
};

#[derive(Debug, Default)]
pub(super) struct Channels {
    scripts: Vec<(Route, Vec<String>)>,
    /// By number; `None` once closed.
    open: Vec<Option<Channel>>,
}

#[derive(Debug)]
struct Channel {
    protocol: Protocol,
    echoes: bool,
    waiting: VecDeque<Content>,
    has_ended: bool,
}

impl Channels {
    pub(super) fn script(&mut self, route: Route, messages: Vec<String>) {
        self.scripts.push((route, messages));
    }

    /// What an answer makes of a request that is to open a channel.
    pub(super) fn open(
        &mut self,
        protocol: Protocol,
        request: &Sent,
        response: &Response,
    ) -> Result<Outcome, String> {
        let is_websocket = protocol == Protocol::Websocket;
        if is_websocket && (request.method != Method::Get || request.body.is_some()) {
            let route = &request.route;
            return Err(format!(
                "{route}: a WebSocket is opened by a GET without a body"
            ));
        }
        let is_this = |route: &Route| route.method == request.method && route.path == request.route;
        let script = self.scripts.iter().find(|(route, _)| is_this(route));
        let opens = script.is_some() || response.status == if is_websocket { 101 } else { 200 };
        if !opens {
            return Ok(Outcome::Response(response.clone()));
        }
        let messages = script.map(|(_, messages)| messages.clone());
        self.open.push(Some(Channel {
            protocol,
            echoes: messages.is_none() && is_websocket,
            waiting: messages.into_iter().flatten().map(Content::Text).collect(),
            has_ended: false,
        }));
        Ok(Outcome::Opened(Opened {
            channel: self.open.len() as u32 - 1,
            status: response.status,
            headers: response.headers.clone(),
            latency_us: response.latency_us,
        }))
    }

    /// What is done with one that is open. A wait for messages takes its time.
    pub(super) fn carry_out(
        &mut self,
        operation: Operation,
        elapsed_us: &mut u64,
    ) -> Result<Outcome, String> {
        match operation {
            Operation::Send(Sending { channel, content }) => {
                let channel = self.known(channel)?;
                if channel.protocol == Protocol::EventStream {
                    return Err("an event stream takes no messages".into());
                }
                match content {
                    Content::End => channel.has_ended = true,
                    content if channel.echoes => channel.waiting.push_back(content),
                    _ => {}
                }
                Ok(Outcome::Done)
            }
            Operation::Receive(receiving) => self.receive(receiving, elapsed_us),
            Operation::Close(number) => {
                self.known(number)?;
                self.open[number as usize] = None;
                Ok(Outcome::Done)
            }
            Operation::Request(_) | Operation::Open(_) => Err("a request is none of these".into()),
        }
    }

    fn receive(&mut self, asked: Receiving, elapsed_us: &mut u64) -> Result<Outcome, String> {
        let most = asked.at_most as usize;
        if most == 0 || most > 256 {
            return Err(format!(
                "a receive of {most} messages is not within 1 to 256"
            ));
        }
        let channel = self.known(asked.channel)?;
        let count = channel.waiting.len().min(most);
        if count < most && !channel.has_ended {
            *elapsed_us += u64::from(asked.within_ms) * 1000;
        }
        let mut contents: Vec<Content> = channel.waiting.drain(..count).collect();
        if channel.has_ended && channel.waiting.is_empty() {
            contents.push(Content::End);
        }
        let message = |content| Message {
            content,
            event: String::new(),
            id: String::new(),
            at_us: *elapsed_us,
        };
        Ok(Outcome::Received(Received {
            messages: contents.into_iter().map(message).collect(),
            dropped: 0,
        }))
    }

    fn known(&mut self, number: u32) -> Result<&mut Channel, String> {
        let open = self.open.get_mut(number as usize);
        let open = open.and_then(Option::as_mut);
        open.ok_or_else(|| format!("it has no channel {number}: it was closed, or never opened"))
    }
}
