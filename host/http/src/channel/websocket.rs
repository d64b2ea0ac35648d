//! WebSockets: what a request to open one says, whether its answer agrees, and the task that reads what comes. Frames are
//! the library's.
//!
//! What must stay true: a message over `max_body` ends its channel before it is in memory.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use futures_util::{Sink as _, Stream as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{
    CloseFrame, Message as Frames, Role, WebSocketConfig,
};

use super::line::{ChannelEnd, Line};
use super::message::{Content, Message};
use crate::Failure;
use crate::codec::{Header, Refusal};
use crate::dial::{Stream, broken};
use crate::pool::By;

pub(super) type Socket = WebSocketStream<Stream>;

/// Read at a time, and held by each channel: most of them wait.
const READ: usize = 4 << 10;

/// What a message says that may not come.
pub(super) const TOO_LARGE: &str = "a message is larger than --max-body allows";

/// Headers that say what a behavior may not: they are the host's.
pub(crate) const RESERVED: [&str; 4] = [
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-accept",
];

/// What opens a WebSocket.
pub(crate) fn asks(key: &str) -> Vec<(String, String)> {
    [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", key),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// Whether an answer with 101 agrees to what was asked for (RFC 6455, section 4.1); `protocols` are those asked for.
pub(super) fn agrees(key: &str, protocols: &str, headers: &[Header<'_>]) -> Result<(), Refusal> {
    let values = |name: &'static str| {
        let named = headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value.trim_ascii())
    };
    let refuse = |cause| {
        Err(Refusal {
            failure: Failure::Protocol,
            cause,
        })
    };
    if !values("upgrade").any(|value| value.eq_ignore_ascii_case(b"websocket")) {
        return refuse("the target switches to another protocol than WebSocket");
    }
    if !values("sec-websocket-accept").eq([derive_accept_key(key.as_bytes()).as_bytes()]) {
        return refuse(
            "the target's Sec-WebSocket-Accept is not the one that belongs to the request",
        );
    }
    if values("sec-websocket-extensions").any(|value| !value.is_empty()) {
        return refuse("the target uses an extension of WebSocket that was not asked for");
    }
    let asked = |chosen: &[u8]| {
        protocols
            .split(',')
            .any(|one| one.trim().as_bytes() == chosen)
    };
    if !values("sec-websocket-protocol").all(asked) {
        return refuse("the target chooses a subprotocol of WebSocket that was not asked for");
    }
    Ok(())
}

/// A connection that has switched; `rest` has come with the answer.
pub(super) async fn socket(stream: Stream, rest: Vec<u8>, max_body: u64) -> Box<Socket> {
    let most = usize::try_from(max_body).unwrap_or(usize::MAX);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(0)
        .max_message_size(Some(most))
        .max_frame_size(Some(most));
    let socket = WebSocketStream::from_partially_read(stream, rest, Role::Client, Some(config));
    Box::new(socket.await)
}

/// Read what comes until the channel ends.
pub(super) async fn read(line: Rc<Line>) {
    let mut is_closed = false;
    loop {
        let next = poll_fn(|context| line.poll_socket(|socket| socket.poll_next(context)));
        let content = match next.await {
            None => return line.finish(ChannelEnd::Closed, By::Target),
            // How the connection goes once both have said that it is over does not matter.
            Some(Err(_)) if is_closed => return line.finish(ChannelEnd::Closed, By::Target),
            Some(Err(error)) => {
                return line.finish(ChannelEnd::Broken(why(&error).into()), By::Target);
            }
            // Copied: what the library hands out holds all that was read with it.
            Some(Ok(Frames::Text(text))) => Content::Text(text.as_str().to_owned()),
            Some(Ok(Frames::Binary(bytes))) => Content::Binary(bytes.to_vec()),
            // The library answers a ping, and a close, with the next look for a message.
            Some(Ok(other)) => {
                is_closed |= other.is_close();
                continue;
            }
        };
        line.take_in(Message::new(content, line.clock().now()));
    }
}

/// Why a channel broke, in words.
pub(super) fn why(error: &Error) -> String {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => TOO_LARGE.to_owned(),
        Error::Io(error) => broken(error).1,
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::SendAfterClosing) => "the channel was closed".to_owned(),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            "the target closed the connection without closing the channel".to_owned()
        }
        Error::Utf8(_) => "a text message of the target is not UTF-8".to_owned(),
        other => format!("the target does not keep to the WebSocket protocol: {other}"),
    }
}

/// Say why nothing more comes, where that can be said at once, and close the connection.
pub(super) fn farewell(mut socket: Box<Socket>, end: &ChannelEnd) {
    let code = match end {
        ChannelEnd::Closed => CloseCode::Away,
        ChannelEnd::Broken(cause) if &**cause == TOO_LARGE => CloseCode::Size,
        ChannelEnd::Broken(_) => CloseCode::Protocol,
    };
    let reason = "".into();
    let mut context = Context::from_waker(Waker::noop());
    let mut socket = Pin::new(&mut *socket);
    // One that has been closed says no, and needs no word.
    if socket.as_mut().poll_ready(&mut context).is_ready()
        && socket
            .as_mut()
            .start_send(Frames::Close(Some(CloseFrame { code, reason })))
            .is_ok()
    {
        let _ = socket.poll_flush(&mut context);
    }
}

/// A message of ours, as the library has it.
pub(super) fn frames(content: Content) -> Frames {
    match content {
        Content::Text(text) => Frames::text(text),
        Content::Binary(bytes) => Frames::binary(bytes),
    }
}

/// That nothing more is sent.
pub(super) fn close() -> Frames {
    Frames::Close(Some(CloseFrame {
        code: CloseCode::Normal,
        reason: "".into(),
    }))
}
