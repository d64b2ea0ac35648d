//! The task that reads a stream of events: the body of an answer, as it comes.
//!
//! What must stay true: one that waits holds no buffer.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, ready};

use tokio::io::{AsyncRead as _, ReadBuf};

use super::greeting::Greeting;
use super::line::{ChannelEnd, Line};
use super::message::{Content, Message};
use super::websocket::TOO_LARGE;
use crate::codec::Refusal;
use crate::dial::{Stream, broken};
use crate::pool::By;
use crate::sender::Sender;

/// An answer whose body is a stream of events.
pub(super) struct EventBody {
    pub(super) stream: Stream,
    pub(super) greeting: Greeting,
}

/// Read what comes until the stream ends.
pub(super) async fn read(mut body: EventBody, line: Rc<Line>, sender: Rc<Sender>) {
    let cut = |refusal: Refusal| refusal.cause.to_owned();
    loop {
        deliver(&mut body.greeting, &line);
        if body.greeting.is_over() {
            return line.finish(ChannelEnd::Broken(TOO_LARGE.into()), By::Us);
        }
        if body.greeting.is_done() {
            return line.finish(ChannelEnd::Closed, By::Target);
        }
        let EventBody { stream, greeting } = &mut body;
        let came = poll_fn(|context| {
            sender.buffers().reading(|room| {
                let mut buffer = ReadBuf::new(room);
                let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer));
                Poll::Ready(match read {
                    Err(error) => Err(broken(&error).1),
                    Ok(()) if buffer.filled().is_empty() => greeting.end().map_err(cut),
                    Ok(()) => greeting.feed(buffer.filled()).map_err(cut),
                })
            })
        });
        if let Err(cause) = came.await {
            deliver(&mut body.greeting, &line);
            return line.finish(ChannelEnd::Broken(cause.into()), By::Target);
        }
    }
}

/// Hand on what is complete.
fn deliver(greeting: &mut Greeting, line: &Line) {
    let at = line.clock().now();
    for event in greeting.events() {
        let mut message = Message::new(Content::Text(event.data), at);
        (message.event, message.id) = (event.name, event.id);
        line.take_in(message);
    }
}
