//! Channels: what opens one and what does not, messages both ways, what is bounded, and how they end.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::{Sink, SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message as Frames};
use vespeiro_http::{
    Channel, ChannelEnd, ChannelEvent, ChannelKind, Client, ClientOptions, Content, Failure,
    MAX_WAITING, Observer, Outcome,
};

use crate::encrypted::encrypted;
use crate::server::{OK, Peer, client, listen, run, until};
use crate::{answer, body, failure, get, with};

const SOON: Duration = Duration::from_secs(5);

/// What an observer has heard.
#[derive(Debug, Default)]
struct Heard {
    sent: u64,
    received: u64,
    dropped: u64,
    firsts: u64,
    ended: Vec<Option<String>>,
}

fn observer() -> (Observer, Rc<RefCell<Heard>>) {
    let heard = Rc::new(RefCell::new(Heard::default()));
    let hears = Rc::clone(&heard);
    let observer = move |event: ChannelEvent<'_>| {
        let mut heard = hears.borrow_mut();
        match event {
            ChannelEvent::Sent { .. } => heard.sent += 1,
            ChannelEvent::Received { first, .. } => {
                heard.received += 1;
                heard.firsts += u64::from(first.is_some());
            }
            ChannelEvent::Dropped(count) => heard.dropped += count,
            ChannelEvent::Ended { broken, .. } => heard.ended.push(broken.map(str::to_owned)),
        }
    };
    (Rc::new(observer), heard)
}

async fn open(
    client: &Client,
    kind: ChannelKind,
) -> (Outcome, Option<Channel>, Rc<RefCell<Heard>>) {
    let (observer, heard) = observer();
    let (outcome, channel) = client.open_as(0, &get("/ws"), kind, observer).await;
    (outcome, channel, heard)
}

async fn opened(client: &Client, kind: ChannelKind) -> (Channel, Rc<RefCell<Heard>>) {
    let (outcome, channel, heard) = open(client, kind).await;
    (channel.unwrap_or_else(|| panic!("{outcome:?}")), heard)
}

/// The target's side of a WebSocket, once it has agreed.
async fn accept<S>(mut peer: Peer<S>) -> WebSocketStream<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = peer.request().await.expect("a request");
    let key = request.header("sec-websocket-key").expect("a key");
    let accept = derive_accept_key(key.as_bytes());
    peer.say(format!("HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {accept}\r\nset-cookie: a=1\r\n\r\n")).await;
    WebSocketStream::from_raw_socket(peer.split().0, Role::Server, None).await
}

async fn echo<S>(peer: Peer<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut socket = accept(peer).await;
    let _ = socket.send(Frames::Ping("?".into())).await;
    while let Some(Ok(message)) = socket.next().await {
        if matches!(message, Frames::Text(_) | Frames::Binary(_)) {
            let _ = socket.send(message).await;
        }
    }
}

fn texts(received: &vespeiro_http::Received) -> Vec<String> {
    let text = |message: &vespeiro_http::Message| match &message.content {
        Content::Text(text) => text.clone(),
        Content::Binary(bytes) => format!("{bytes:?}"),
    };
    received.messages.iter().map(text).collect()
}

async fn converse(client: &Client) {
    let (outcome, channel, heard) = open(client, ChannelKind::WebSocket).await;
    assert_eq!(answer(&outcome).status, 101);
    assert!(
        answer(&outcome)
            .headers
            .contains(&("set-cookie".into(), "a=1".into()))
    );
    let channel = channel.expect("a channel");
    let long = "\u{e9}".repeat(100_000);
    for content in [
        Content::Text("a".into()),
        Content::Binary(vec![1, 2]),
        Content::Text(long.clone()),
    ] {
        channel.send(content).await.expect("it is sent");
    }
    let got = channel.receive(3, SOON).await;
    assert_eq!(texts(&got), ["a", "[1, 2]", &long]);
    assert!(got.messages.is_sorted_by_key(|message| message.at));
    assert_eq!((got.dropped, &got.end), (0, &None));
    // Nothing else comes.
    let none = channel.receive(1, Duration::from_millis(5)).await;
    assert_eq!((none.messages.len(), none.end), (0, None));
    channel.end().await.expect("it is sent");
    assert_eq!(
        channel
            .send(Content::Text("b".into()))
            .await
            .expect_err("it was ended"),
        "the channel was closed".into()
    );
    assert_eq!(channel.receive(1, SOON).await.end, Some(ChannelEnd::Closed));
    drop(channel);
    let heard = heard.borrow();
    assert_eq!((heard.sent, heard.received, heard.firsts), (3, 3, 1));
    assert_eq!(heard.ended, [None]);
    let counts = client.counts();
    assert_eq!(
        (counts.opened, counts.open, counts.closed_by_target),
        (1, 0, 1)
    );
}

#[test]
fn a_websocket_carries_messages_both_ways_in_clear_text_and_over_tls() {
    run(async {
        let (address, log) = listen(echo).await;
        converse(&client(address, ClientOptions::default())).await;
        let request = log.borrow().requests[0].clone();
        for (name, value) in [
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-version", "13"),
            ("host", "target.test"),
            ("user-agent", "vespeiro/test"),
            ("x-vespeiro-run", "r1"),
        ] {
            assert_eq!(request.header(name), Some(value), "{request:?}");
        }
        // Where HTTP/2 would be chosen, it is not offered.
        let (client, log) = encrypted(&["h2", "http/1.1"], echo).await;
        converse(&client).await;
        assert!(
            log.borrow().requests[0]
                .head
                .starts_with("GET /ws HTTP/1.1")
        );
    });
}

#[test]
fn an_answer_that_opens_nothing_is_an_answer_and_one_that_does_not_agree_is_none() {
    run(async {
        let (address, _) = listen(|mut peer: Peer| async move {
            let request = peer.request().await.expect("a request");
            let accept = derive_accept_key(request.header("sec-websocket-key").unwrap_or_default().as_bytes());
            let switch = |more: &str| format!("HTTP/1.1 101 x\r\nupgrade: websocket\r\n{more}\r\n\r\n");
            let said = match peer.index {
                0 => "HTTP/1.1 401 x\r\ncontent-length: 4\r\n\r\nwho?".into(),
                1 => OK.into(),
                2 => switch("sec-websocket-accept: AAAA"),
                3 => switch(&format!("sec-websocket-accept: {accept}\r\nsec-websocket-protocol: x")),
                4 => switch(&format!("sec-websocket-accept: {accept}\r\nsec-websocket-extensions: permessage-deflate")),
                5 => "HTTP/1.1 101 x\r\nupgrade: irc\r\n\r\n".into(),
                6 => return,
                7 => "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 7\r\n\r\ndata: 1".into(),
                _ => "HTTP/1.1 101 x\r\nupgrade: websocket\r\n\r\n".into(),
            };
            peer.say(said).await;
            let _ = peer.request().await;
        }).await;
        let client = client(address, ClientOptions::default());
        let asked = async |kind| {
            let (outcome, channel, heard) = open(&client, kind).await;
            assert!(channel.is_none() && heard.borrow().ended.is_empty());
            outcome
        };
        let refused = asked(ChannelKind::WebSocket).await;
        assert_eq!(
            (answer(&refused).status, body(&refused)),
            (401, "who?".into())
        );
        assert_eq!(answer(&asked(ChannelKind::WebSocket).await).status, 200);
        for cause in [
            "Sec-WebSocket-Accept",
            "subprotocol",
            "extension",
            "another protocol",
        ] {
            let outcome = asked(ChannelKind::WebSocket).await;
            let (kind, why) = failure(&outcome);
            assert_eq!(kind, Failure::Protocol);
            assert!(why.contains(cause), "{why}");
        }
        assert_eq!(
            failure(&asked(ChannelKind::WebSocket).await).0,
            Failure::Reset
        );
        let plain = asked(ChannelKind::EventStream).await;
        assert_eq!(
            (answer(&plain).status, body(&plain)),
            (200, "data: 1".into())
        );
        assert_eq!(
            failure(&asked(ChannelKind::EventStream).await).0,
            Failure::Protocol
        );
        let counts = client.counts();
        assert_eq!((counts.opened, counts.open), (9, 0));
    });
}

#[test]
fn a_message_over_max_body_ends_its_channel_and_says_so() {
    run(async {
        let told = Rc::new(RefCell::new(None));
        let tells = Rc::clone(&told);
        let (address, _) = listen(move |peer: Peer| {
            let told = Rc::clone(&tells);
            async move {
                let mut socket = accept(peer).await;
                let _ = socket.send(Frames::text("x".repeat(1000))).await;
                let _ = socket.send(Frames::text("x".repeat(1001))).await;
                while let Some(Ok(message)) = socket.next().await {
                    if let Frames::Close(Some(frame)) = message {
                        *told.borrow_mut() = Some(frame.code);
                    }
                }
            }
        })
        .await;
        let options = ClientOptions {
            max_body: 1000,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        let (channel, heard) = opened(&client, ChannelKind::WebSocket).await;
        let got = channel.receive(2, SOON).await;
        assert_eq!(got.messages.len(), 1);
        let cause = "a message is larger than --max-body allows";
        assert_eq!(got.end, Some(ChannelEnd::Broken(cause.into())));
        assert_eq!(
            channel.send(Content::Text("a".into())).await,
            Err(cause.into())
        );
        assert_eq!(heard.borrow().ended, [Some(cause.to_owned())]);
        until("told of it", || *told.borrow() == Some(CloseCode::Size)).await;
        assert_eq!(client.counts().open, 0);
    });
}

async fn flood<S: Sink<Frames, Error = tungstenite::Error> + Unpin>(socket: &mut S, count: usize) {
    for number in 0..count {
        let _ = socket.feed(Frames::text(number.to_string())).await;
    }
    let _ = socket.flush().await;
}

#[test]
fn what_nobody_takes_is_bounded_and_counted() {
    run(async {
        let (address, _) = listen(|peer: Peer| async move {
            let mut socket = accept(peer).await;
            flood(&mut socket, 5000).await;
            let _ = socket.close(None).await;
            while let Some(Ok(_)) = socket.next().await {}
        })
        .await;
        let client = client(address, ClientOptions::default());
        let (channel, heard) = opened(&client, ChannelKind::WebSocket).await;
        until("ended", || heard.borrow().ended.len() == 1).await;
        let got = channel.receive(1000, SOON).await;
        assert_eq!(
            (got.messages.len(), got.dropped),
            (MAX_WAITING, 5000 - MAX_WAITING as u64)
        );
        // Those that came last.
        assert_eq!(texts(&got).last().map(String::as_str), Some("4999"));
        assert_eq!(got.end, Some(ChannelEnd::Closed));
        let heard = heard.borrow();
        assert_eq!((heard.received, heard.dropped), (5000, got.dropped));
    });
}

#[test]
fn a_message_that_the_target_does_not_read_waits_until_the_channel_ends() {
    run(async {
        let (close, closed) = tokio::sync::oneshot::channel();
        let closed = Rc::new(RefCell::new(Some(closed)));
        let (address, _) = listen(move |peer: Peer| {
            let closed = closed.borrow_mut().take();
            async move {
                let socket = accept(peer).await;
                // It does not read until it is told to end.
                let _ = closed.expect("one connection").await;
                drop(socket);
            }
        })
        .await;
        let client = client(address, ClientOptions::default());
        let (channel, heard) = opened(&client, ChannelKind::WebSocket).await;
        let large = || Content::Binary(vec![0; 64 << 20]);
        let mut send = std::pin::pin!(channel.send(large()));
        assert!(futures_util::poll!(send.as_mut()).is_pending());
        // Whoever gives a message up does not harm the next.
        let late = tokio::time::timeout(
            Duration::from_millis(30),
            channel.send(Content::Text("a".into())),
        )
        .await;
        assert!(late.is_err());
        let _ = close.send(());
        let cause = send.await.expect_err("it was not sent");
        assert!(
            cause.contains("reset") || cause.contains("closed"),
            "{cause}"
        );
        assert_eq!(heard.borrow().sent, 0);
        assert_eq!(heard.borrow().ended.len(), 1);
    });
}

#[test]
fn whoever_drops_a_channel_closes_it() {
    run(async {
        let codes = Rc::new(RefCell::new(Vec::new()));
        let tells = Rc::clone(&codes);
        let (address, _) = listen(move |peer: Peer| {
            let codes = Rc::clone(&tells);
            async move {
                let mut socket = accept(peer).await;
                while let Some(Ok(message)) = socket.next().await {
                    if let Frames::Close(Some(frame)) = message {
                        codes.borrow_mut().push(frame.code);
                    }
                }
            }
        })
        .await;
        let client = client(address, ClientOptions::default());
        let (channel, heard) = opened(&client, ChannelKind::WebSocket).await;
        drop(channel);
        assert_eq!(heard.borrow().ended, [None]);
        let (channel, _) = opened(&client, ChannelKind::WebSocket).await;
        channel.close(SOON).await;
        until("closed", || codes.borrow().len() == 2).await;
        assert_eq!(*codes.borrow(), [CloseCode::Away, CloseCode::Normal]);
        let counts = client.counts();
        assert_eq!(
            (counts.open, counts.closed_by_us, counts.closed_by_target),
            (0, 1, 1)
        );
    });
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

#[test]
fn events_come_as_they_are_sent_and_the_streams_end_is_told() {
    run(async {
        let (address, log) = listen(|mut peer: Peer| async move {
            let _ = peer.request().await;
            let (head, chunks) = (
                "HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream; charset=utf-8\r\n",
                "transfer-encoding: chunked\r\n\r\n",
            );
            match peer.index {
                0 => {
                    // The first with the head, one in two chunks, and the end of a chunk within a line.
                    let [id, first, second] =
                        ["id: 1\ndata: ", "a\n\n", "event: user\ndata: b\nda"].map(chunk);
                    peer.say(format!("{head}{chunks}{id}{first}{second}")).await;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    peer.say(chunk("ta: c\n\n") + &chunk("")).await;
                }
                1 => {
                    peer.say(format!("{head}{chunks}{}7\r\nda", chunk("data: a\n\n")))
                        .await
                }
                2 => peer.say(format!("{head}\r\ndata: a\n\ndata: b")).await,
                _ => {
                    let event = format!("data: {}\n\n", "x".repeat(1001));
                    peer.say(format!("{head}\r\ndata: a\n\n{event}")).await;
                    let _ = peer.stream.read(&mut [0; 1]).await;
                }
            }
        })
        .await;
        let options = ClientOptions {
            max_body: 1000,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        let mut received = Vec::new();
        for _ in 0..4 {
            let (channel, heard) = opened(&client, ChannelKind::EventStream).await;
            assert_eq!(
                channel
                    .send(Content::Text("a".into()))
                    .await
                    .expect_err("it takes none"),
                "the channel takes no messages".into()
            );
            received.push(channel.receive(9, SOON).await);
            assert_eq!(heard.borrow().ended.len(), 1);
        }
        let [whole, cut, closed, large] = &received[..] else {
            panic!("four")
        };
        assert_eq!(texts(whole), ["a", "b\nc"]);
        let names: Vec<_> = whole
            .messages
            .iter()
            .map(|one| (&*one.event, &*one.id))
            .collect();
        assert_eq!(names, [("", "1"), ("user", "1")]);
        assert_eq!(whole.end, Some(ChannelEnd::Closed));
        let broken = |cause: &str| Some(ChannelEnd::Broken(cause.into()));
        for (one, end) in [
            (cut, broken("the connection was closed within a body")),
            (closed, Some(ChannelEnd::Closed)),
            (large, broken("a message is larger than --max-body allows")),
        ] {
            assert_eq!((texts(one), &one.end), (vec!["a".to_owned()], &end));
        }
        let request = log.borrow().requests[0].clone();
        for (name, value) in [
            ("accept", "text/event-stream"),
            ("accept-encoding", "identity"),
            ("cache-control", "no-cache"),
        ] {
            assert_eq!(request.header(name), Some(value), "{request:?}");
        }
        assert_eq!(request.head.matches("accept").count(), 2);
    });
}

#[test]
fn channels_leave_a_connection_for_requests() {
    run(async {
        let (address, _) = listen(|mut peer: Peer| async move {
            match peer.request().await {
                Some(request) if request.path() == "/ws" => {
                    peer.say("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
                        .await;
                    let _ = peer.request().await;
                }
                Some(_) => {
                    peer.say(OK).await;
                    peer.answer_all(OK).await;
                }
                None => {}
            }
        })
        .await;
        let options = ClientOptions {
            max_connections: 2,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        // One that is idle gives way.
        assert_eq!(body(&client.send(&get("/")).await), "ok");
        assert_eq!(
            body(
                &client
                    .send(&with(http::Method::POST, "/", &[], Some(vec![1])))
                    .await
            ),
            "ok"
        );
        let (first, _) = opened(&client, ChannelKind::EventStream).await;
        let (outcome, none, _) = open(&client, ChannelKind::EventStream).await;
        let (kind, why) = failure(&outcome);
        assert_eq!(kind, Failure::Generator);
        assert!(none.is_none() && why.contains("--max-connections"), "{why}");
        assert_eq!(body(&client.send(&get("/")).await), "ok");
        drop(first);
        let (_second, _) = opened(&client, ChannelKind::EventStream).await;
    });
}

#[test]
fn a_target_that_does_not_answer_is_given_up_in_time() {
    run(async {
        let (address, _) = listen(|mut peer: Peer| async move {
            let _ = peer.request().await;
            let _ = peer.request().await;
        })
        .await;
        let options = ClientOptions {
            request_timeout: Duration::from_millis(50),
            ..ClientOptions::default()
        };
        let client = client(address, options);
        let (outcome, channel, _) = open(&client, ChannelKind::WebSocket).await;
        assert!(channel.is_none());
        assert_eq!(
            failure(&outcome),
            (
                Failure::Timeout,
                "no complete answer in time, waiting for the first byte"
            )
        );
        assert_eq!(client.counts().open, 0);
    });
}
