//! How a channel is opened: a connection of its own, a request over it, and an answer that agrees. Called by the client.
//!
//! What must stay true: what came of the request is told as for any other, whether a channel came of it or not.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use super::greeting::Greeting;
use super::handle::Channel;
use super::line::{Line, Observer};
use super::slot::ChannelSlot;
use super::stream::{self, EventBody};
use super::{ChannelKind, websocket};
use crate::Failure;
use crate::call::Call;
use crate::dial::{Protocol, Stream, broken};
use crate::outcome::{Answer, Flaw, Outcome, Phase};
use crate::sender::{Sender, late};
use crate::trip::Trip;

/// Read at a time of an answer.
const READ: usize = 4 << 10;

impl Sender {
    /// Open a channel; the outcome is that of the request which asks for it. Dropped in the middle, it closes its connection.
    pub(crate) async fn open(
        self: &Rc<Self>,
        identity: usize,
        call: &Call,
        kind: ChannelKind,
        observer: Observer,
    ) -> (Outcome, Option<Channel>) {
        let mut trip = Box::new(Trip::new(self.clock()));
        let turn = self.turn().await;
        let limit = call.limit().unwrap_or(self.options().request_timeout);
        let now = self.clock().now();
        let opened = {
            let opening = pin!(self.try_open(identity, call, kind, &mut trip));
            self.timers().within(now + limit, opening).await
        };
        drop(turn);
        let opened = opened.unwrap_or_else(|| Err(late(trip.watch.phase())));
        let (result, channel) = match opened {
            Ok((answer, made)) => {
                let channel = match made {
                    Some(made) => Some(self.channel(kind, made, observer).await),
                    None => None,
                };
                (Ok(answer), channel)
            }
            Err(flaw) => (Err(flaw), None),
        };
        let outcome = Outcome {
            result,
            phases: trip.watch.finish(self.clock().now()),
            reused: false,
            remote: trip.remote,
            protocol: trip.protocol,
            sent: trip.flow.sent,
            received: trip.flow.received,
        };
        (outcome, channel)
    }

    async fn try_open(
        self: &Rc<Self>,
        identity: usize,
        call: &Call,
        kind: ChannelKind,
        trip: &mut Trip,
    ) -> Result<(Answer, Option<Made>), Flaw> {
        let slot = ChannelSlot::take(self).ok_or_else(|| Flaw {
            failure: Failure::Generator,
            cause: "channels hold all connections that --max-connections allows, but for one that is left for requests".into(),
        })?;
        trip.watch.enter(Phase::Dialing, self.clock().now());
        let mut stream = Box::pin(self.dial_http1(identity, trip)).await?;
        slot.made();
        let key = generate_key();
        let call = call.opening(kind, &key);
        let options = self.options();
        let mut greeting = Greeting::new(
            kind,
            key,
            &call,
            options.max_headers,
            options.max_body,
            self.clock(),
        );
        let told = tell(&call, &mut stream, trip).await;
        if let Err(flaw) = &told
            && flaw.failure == Failure::File
        {
            // The target waits for the rest of it.
            return Err(flaw.clone());
        }
        trip.watch.enter(Phase::Waiting, self.clock().now());
        // It may have answered without reading on.
        let heard = hear(&mut greeting, &mut stream, trip, self.clock()).await;
        trip.flow.received.body += greeting.received();
        heard.map_err(|flaw| told.err().unwrap_or(flaw))?;
        let answer = greeting.answer()?;
        let made = greeting.opens().then_some(Made {
            stream,
            greeting,
            slot,
        });
        Ok((answer, made))
    }

    async fn channel(
        self: &Rc<Self>,
        kind: ChannelKind,
        made: Made,
        observer: Observer,
    ) -> Channel {
        let Made {
            stream,
            greeting,
            slot,
        } = made;
        let line = |socket| Rc::new(Line::new(socket, observer, self.clock(), slot));
        let (line, reader): (_, Pin<Box<dyn Future<Output = ()>>>) = match kind {
            ChannelKind::WebSocket => {
                let max_body = self.options().max_body;
                let socket = websocket::socket(stream, greeting.rest(), max_body).await;
                let line = line(Some(socket));
                (Rc::clone(&line), Box::pin(websocket::read(line)))
            }
            ChannelKind::EventStream => {
                let line = line(None);
                let body = EventBody { stream, greeting };
                let reader = stream::read(body, Rc::clone(&line), Rc::clone(self));
                (line, Box::pin(reader))
            }
        };
        Channel::new(kind, line, tokio::task::spawn_local(reader))
    }

    /// A connection that speaks HTTP/1.1, whatever requests go over.
    async fn dial_http1(&self, identity: usize, trip: &mut Trip) -> Result<Stream, Flaw> {
        let dialed = self.http1_dialer(identity)?.dial().await;
        let now = self.clock().now();
        let (next, phases) = match &dialed {
            Ok(dialed) => (Phase::Sending, dialed.phases),
            Err(error) => (Phase::Blocked, error.phases),
        };
        trip.watch.enter(next, now);
        trip.watch.dialed(phases.lookup, phases.tls);
        let dialed = dialed.map_err(|error| Flaw {
            failure: error.failure,
            cause: error.cause.into(),
        })?;
        self.count_tls(dialed.resumed);
        trip.set_connection(Protocol::Http1, dialed.remote, false);
        Ok(dialed.stream)
    }
}

/// What a channel is made of.
struct Made {
    stream: Stream,
    greeting: Greeting,
    slot: ChannelSlot,
}

/// Write the request.
async fn tell(call: &Call, stream: &mut Stream, trip: &mut Trip) -> Result<(), Flaw> {
    let mut head = Vec::new();
    call.head().write(call.added(), &mut head);
    let body = call.body().cloned().unwrap_or_default();
    let written = async {
        stream.write_all(&head).await?;
        stream.write_all(&body).await?;
        stream.flush().await
    };
    written.await.map_err(|error| flaw(&error))?;
    trip.flow.sent.wire += (head.len() + body.len()) as u64;
    trip.flow.sent.body += body.len() as u64;
    let Some(mut reader) = call.body_reader() else {
        return Ok(());
    };
    while let Some(next) = poll_fn(|context| reader.poll_next(context)).await {
        let next = next?;
        stream
            .write_all(&next)
            .await
            .map_err(|error| flaw(&error))?;
        trip.flow.sent.wire += next.len() as u64;
        trip.flow.sent.body += next.len() as u64;
    }
    stream.flush().await.map_err(|error| flaw(&error))
}

/// Read the answer: to its end, or until it has opened the channel.
async fn hear(
    greeting: &mut Greeting,
    stream: &mut Stream,
    trip: &mut Trip,
    clock: vespeiro_model::Clock,
) -> Result<(), Flaw> {
    let mut room = vec![0; READ];
    let mut is_first = true;
    while !greeting.opens() && !greeting.is_done() {
        let count = stream.read(&mut room).await.map_err(|error| flaw(&error))?;
        if count == 0 && greeting.is_early() && is_first {
            return Err(Flaw {
                failure: Failure::Reset,
                cause: "the target closed the connection without an answer".into(),
            });
        }
        if count == 0 {
            greeting.end()?;
            break;
        }
        if std::mem::take(&mut is_first) {
            trip.watch.enter(Phase::Receiving, clock.now());
        }
        trip.flow.received.wire += count as u64;
        greeting.feed(&room[..count])?;
    }
    Ok(())
}

fn flaw(error: &std::io::Error) -> Flaw {
    let (failure, cause) = broken(error);
    Flaw {
        failure,
        cause: cause.into(),
    }
}
