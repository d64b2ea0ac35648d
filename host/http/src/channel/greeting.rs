//! The answer to a request that opens a channel: whether it does, and what of the channel has come with it.
//!
//! What must stay true: an answer that opens none is one like any other, with its status and its body.

use super::ChannelKind;
use super::events::{Event, EventReader};
use super::websocket::agrees;
use crate::call::Call;
use crate::codec::{Decoder, Head, Header, Receive, Refusal};
use crate::outcome::{Answer, Taking};
use vespeiro_model::Clock;

/// Takes such an answer.
#[derive(Debug)]
pub(super) struct Greeting {
    decoder: Decoder,
    parts: Parts,
    /// Bytes that were read and not decoded yet: an incomplete head, or what follows one that switches.
    carried: Vec<u8>,
}

#[derive(Debug)]
struct Parts {
    kind: ChannelKind,
    key: String,
    protocols: String,
    taking: Taking,
    opens: bool,
    has_head: bool,
    reader: EventReader,
    /// Complete, and not handed on yet.
    events: Vec<Event>,
    /// An event was too large: the channel is over once those before it are handed on.
    is_over: bool,
}

impl Greeting {
    pub(super) fn new(
        kind: ChannelKind,
        key: String,
        call: &Call,
        max_headers: usize,
        max_body: u64,
        clock: Clock,
    ) -> Self {
        let to_head = call.method() == http::Method::HEAD;
        let decoder = Decoder::new(to_head, max_headers);
        Self {
            decoder: match kind {
                ChannelKind::WebSocket => decoder.switching(),
                ChannelKind::EventStream => decoder,
            },
            parts: Parts {
                kind,
                key,
                protocols: call.said("sec-websocket-protocol"),
                taking: Taking::new(call, max_body, clock),
                opens: false,
                has_head: false,
                reader: EventReader::new(usize::try_from(max_body).unwrap_or(usize::MAX)),
                events: Vec::new(),
                is_over: false,
            },
            carried: Vec::new(),
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let Self {
            decoder,
            parts,
            carried,
        } = self;
        if carried.is_empty() && parts.opens {
            decoder.feed(bytes, parts)?;
            return Ok(());
        }
        carried.extend_from_slice(bytes);
        let used = decoder.feed(carried, parts)?;
        carried.drain(..used);
        if carried.is_empty() {
            *carried = Vec::new();
        }
        Ok(())
    }

    /// The target has closed the connection.
    pub(super) fn end(&mut self) -> Result<(), Refusal> {
        self.decoder.end(&self.carried)
    }

    /// The answer is complete.
    pub(super) fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// The head has come, and it opens the channel.
    pub(super) fn opens(&self) -> bool {
        self.parts.opens
    }

    /// What has come is not the head yet.
    pub(super) fn is_early(&self) -> bool {
        !self.parts.has_head
    }

    pub(super) fn answer(&mut self) -> Result<Answer, Refusal> {
        self.parts.taking.finish()
    }

    /// Bytes of a body, decoded.
    pub(super) fn received(&self) -> u64 {
        self.parts.taking.received()
    }

    /// What came behind the head of an answer that switches.
    pub(super) fn rest(self) -> Vec<u8> {
        self.carried
    }

    /// An event was too large, behind those that are complete.
    pub(super) fn is_over(&self) -> bool {
        self.parts.is_over
    }

    /// Those that are complete.
    pub(super) fn events(&mut self) -> std::vec::Drain<'_, Event> {
        self.parts.events.drain(..)
    }
}

impl Receive for Parts {
    fn head(&mut self, head: Head<'_>) -> Result<(), Refusal> {
        self.has_head = true;
        self.opens = match self.kind {
            ChannelKind::WebSocket if head.status == 101 => {
                agrees(&self.key, &self.protocols, head.headers)?;
                true
            }
            ChannelKind::WebSocket => false,
            ChannelKind::EventStream => head.status == 200 && is_event_stream(head.headers),
        };
        self.taking.head(match self.opens {
            // Nothing of it is a body.
            true => Head {
                length: Some(0),
                ..head
            },
            false => head,
        })
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if !self.opens {
            return self.taking.data(bytes);
        }
        let events = &mut self.events;
        let mut read = || self.reader.feed(bytes, &mut |event| events.push(event));
        self.is_over = self.is_over || read().is_err();
        Ok(())
    }

    fn trailers(&mut self, fields: &[Header<'_>]) -> Result<(), Refusal> {
        self.taking.trailers(fields)
    }
}

fn is_event_stream(headers: &[Header<'_>]) -> bool {
    let mut types = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("content-type"));
    types.next().is_some_and(|header| {
        let essence = header
            .value
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        essence
            .trim_ascii()
            .eq_ignore_ascii_case(b"text/event-stream")
    })
}
