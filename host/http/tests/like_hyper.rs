//! The decoder beside hyper's client connection: the same bytes, in any split, give the same status, headers, body and
//! trailers, the same kind of refusal, and the same word on whether the connection can be used again. Differences are
//! meant, and stand in [`difference`] with their reasons.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper::rt::ReadBufCursor;
use proptest::prelude::*;
use tokio::task::LocalSet;
use vespeiro_http::Failure;
use vespeiro_http::codec::{Decoder, Head, Header, Receive, Refusal};

const MAX_HEADERS: usize = 256 << 10;

type Fields = Vec<(String, Vec<u8>)>;

/// What came of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Came {
    Answer {
        status: u16,
        /// In the order of their names: hyper's map does not keep another.
        headers: Fields,
        body: Vec<u8>,
        trailers: Fields,
        /// The connection can carry another request. Only told where the target left it open.
        again: bool,
    },
    Refused(Failure),
}

/// How the two may differ, and why.
fn difference(
    ours: &Option<Came>,
    theirs: &Option<Came>,
    bytes: &[u8],
    theirs_whole: impl Fn() -> Option<Came>,
) -> Option<&'static str> {
    let (ours, theirs) = match (ours, theirs) {
        (Some(Came::Refused(Failure::Protocol)), None | Some(Came::Refused(Failure::Reset)))
            if theirs_whole() == *ours =>
        {
            return Some(
                "of a head in pieces, hyper looks at none between the first and the last, and says nothing if that does not come",
            );
        }
        (Some(ours), Some(theirs)) => (ours, theirs),
        _ => return None,
    };
    match (ours, theirs) {
        (Came::Refused(Failure::Protocol), Came::Answer { status: 101, .. }) => Some(
            "hyper hands out the connection of a 101; nobody here has asked for another protocol",
        ),
        (
            Came::Answer { again: false, .. },
            Came::Answer {
                again: true,
                headers,
                ..
            },
        ) if has(headers, "transfer-encoding") && has(headers, "content-length") => {
            let mut same = ours.clone();
            if let Came::Answer { again, .. } = &mut same {
                *again = true;
            }
            (same == *theirs)
                .then_some("two framings: the connection is not trusted with another request")
        }
        (Came::Refused(Failure::Headers), Came::Refused(Failure::Protocol))
            if bytes.len() > MAX_HEADERS =>
        {
            Some("hyper has no word of its own for a head over its limit")
        }
        _ => None,
    }
}

fn has(headers: &Fields, name: &str) -> bool {
    headers.iter().any(|(known, _)| known == name)
}

#[derive(Debug, Default)]
struct Taken {
    status: u16,
    headers: Fields,
    body: Vec<u8>,
    trailers: Fields,
}

impl Receive for Taken {
    fn head(&mut self, head: Head<'_>) -> Result<(), Refusal> {
        assert_eq!(self.status, 0, "one head");
        self.status = head.status;
        self.headers = fields(head.headers);
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        assert!(!bytes.is_empty());
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn trailers(&mut self, fields_: &[Header<'_>]) -> Result<(), Refusal> {
        self.trailers = fields(fields_);
        Ok(())
    }
}

fn fields(headers: &[Header<'_>]) -> Fields {
    let lower = |header: &Header<'_>| (header.name.to_ascii_lowercase(), header.value.to_vec());
    sorted(headers.iter().map(lower).collect())
}

fn sorted(mut fields: Fields) -> Fields {
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields
}

/// Ours, as a connection drives it: what was not used is handed in again.
fn ours(pieces: &[Vec<u8>], to_head: bool, closes: bool) -> Option<Came> {
    let mut decoder = Decoder::new(to_head, MAX_HEADERS);
    let mut taken = Taken::default();
    let mut kept: Vec<u8> = Vec::new();
    let mut behind = 0;
    for piece in pieces {
        if decoder.is_done() {
            behind += piece.len();
            continue;
        }
        kept.extend_from_slice(piece);
        match decoder.feed(&kept, &mut taken) {
            Ok(used) => kept.drain(..used),
            Err(refusal) => return Some(Came::Refused(refusal.failure)),
        };
        assert!(decoder.is_done() || kept.len() <= MAX_HEADERS);
    }
    if !decoder.is_done() {
        if !closes {
            return None;
        }
        if let Err(refusal) = decoder.end(&kept) {
            return Some(Came::Refused(refusal.failure));
        }
        kept.clear();
    }
    Some(Came::Answer {
        status: taken.status,
        headers: taken.headers,
        body: taken.body,
        trailers: taken.trailers,
        again: !closes && decoder.keeps_alive() && kept.is_empty() && behind == 0,
    })
}

/// A target that answers as soon as something was written, one piece for each read.
#[derive(Debug, Clone, Default)]
struct Script(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    pieces: VecDeque<Vec<u8>>,
    closes: bool,
    written: bool,
    waker: Option<Waker>,
}

impl hyper::rt::Read for Script {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        let mut inner = self.0.borrow_mut();
        if inner.written
            && let Some(piece) = inner.pieces.front_mut()
        {
            let here = piece.len().min(into.remaining());
            into.put_slice(&piece[..here]);
            piece.drain(..here);
            if piece.is_empty() {
                inner.pieces.pop_front();
            }
            return Poll::Ready(Ok(()));
        }
        if inner.written && inner.closes {
            return Poll::Ready(Ok(()));
        }
        inner.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl hyper::rt::Write for Script {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let mut inner = self.0.borrow_mut();
        inner.written = true;
        if let Some(waker) = inner.waker.take() {
            waker.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn theirs(pieces: &[Vec<u8>], to_head: bool, closes: bool) -> Option<Came> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let script = Script::default();
    script.0.borrow_mut().pieces = pieces
        .iter()
        .filter(|piece| !piece.is_empty())
        .cloned()
        .collect();
    script.0.borrow_mut().closes = closes;
    LocalSet::new().block_on(&runtime, async {
        let mut builder = http1::Builder::new();
        // By default it refuses more than 100 headers.
        builder.max_headers(4096);
        let (mut sender, connection) = builder
            .handshake(script.clone())
            .await
            .expect("a handshake that takes nothing");
        tokio::task::spawn_local(connection);
        let asked = async {
            let method = if to_head { "HEAD" } else { "GET" };
            let request = hyper::Request::builder()
                .method(method)
                .uri("/")
                .body(Empty::<Bytes>::new())
                .expect("a valid request");
            let response = match sender.send_request(request).await {
                Ok(response) => response,
                Err(error) => return Came::Refused(kind(&error)),
            };
            let (head, mut incoming) = response.into_parts();
            let (mut body, mut trailers) = (Vec::new(), Vec::new());
            while let Some(frame) = incoming.frame().await {
                match frame {
                    Ok(frame) => match frame.into_data() {
                        Ok(data) => body.extend_from_slice(&data),
                        Err(frame) => {
                            trailers = map_fields(frame.trailers_ref().expect("trailers"))
                        }
                    },
                    Err(error) => return Came::Refused(kind(&error)),
                }
            }
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            Came::Answer {
                status: head.status.as_u16(),
                headers: map_fields(&head.headers),
                body,
                trailers,
                again: !closes && sender.is_ready(),
            }
        };
        // Without a close it may wait for ever; nothing here takes time, so that a few turns are enough to know.
        let turns = async {
            for _ in 0..pieces.len() + 100 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            came = asked => Some(came),
            () = turns, if !closes => None,
        }
    })
}

fn map_fields(map: &hyper::HeaderMap) -> Fields {
    sorted(
        map.iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
    )
}

fn kind(error: &hyper::Error) -> Failure {
    if error.is_parse() {
        return Failure::Protocol;
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return Failure::Reset;
    }
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return match error.kind() {
                std::io::ErrorKind::UnexpectedEof => Failure::Reset,
                std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => {
                    Failure::Protocol
                }
                other => panic!("{other}: {error}"),
            };
        }
        source = error.source();
    }
    panic!("no kind for {error:?}");
}

fn split(bytes: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2)
        .map(|two| bytes[two[0]..two[1]].to_vec())
        .collect()
}

fn compare(bytes: &[u8], pieces: &[Vec<u8>], to_head: bool, closes: bool) -> Result<(), String> {
    let whole = ours(&[bytes.to_vec()], to_head, closes);
    let ours = ours(pieces, to_head, closes);
    let shown = || {
        format!(
            "{:?} in {:?}",
            String::from_utf8_lossy(bytes),
            pieces.iter().map(Vec::len).collect::<Vec<_>>()
        )
    };
    if whole != ours {
        return Err(format!("whole {whole:?}, in pieces {ours:?}: {}", shown()));
    }
    let theirs = theirs(pieces, to_head, closes);
    let whole = || self::theirs(&[bytes.to_vec()], to_head, closes);
    let alike = ours == theirs || difference(&ours, &theirs, bytes, whole).is_some();
    if alike {
        Ok(())
    } else {
        Err(format!("ours {ours:?}, hyper's {theirs:?}: {}", shown()))
    }
}

fn line(lines: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(lines).prop_map(|line| line.as_bytes().to_vec())
}

const STATUS: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 200 OK\r\n",
    "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.1 304 Not Modified\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n",
    "HTTP/1.1 404\r\n",
    "HTTP/1.1 503 \r\n",
    "HTTP/1.1 999 Odd\n",
    "HTTP/1.1 099 Low\r\n",
    "HTTP/2.0 200 OK\r\n",
    "HTTP/1.1  200 OK\r\n",
    "hello",
    "\r\nHTTP/1.1 200 OK\r\n",
];

const HEADERS: &[&str] = &[
    "Content-Length: 5\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 5, 5\r\n",
    "Content-Length: 0\r\n",
    "content-length: 7\n",
    "Content-Length: +5\r\n",
    "Content-Length: \r\n",
    "Content-Length: 18446744073709551615\r\n",
    "Content-Length: 18446744073709551613\r\n",
    "Content-Length: 5 \t\r\n",
    "Content-Length: \u{e9}\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: chunked, gzip\r\n",
    "Transfer-Encoding: identity\r\n",
    "TRANSFER-ENCODING: Chunked\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Connection: Keep-Alive, x\r\n",
    "Connection: x, CLOSE\r\n",
    "X: caf\u{e9}\r\n",
    "Set-Cookie: a=b\r\n",
    "Set-Cookie: c=d\r\n",
    "X-Fold: a\r\n b\r\n",
    "X-Space : a\r\n",
    "X[1]: a\r\n",
    "X:\r\n",
    ": a\r\n",
    "X: a\0b\r\n",
    "X: a\rb\r\n",
    "nothing\r\n",
];

const BODY: &[&str] = &[
    "",
    "hello",
    "hello, more than that",
    "5\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n",
    "5;x=y\r\nhello\r\n3 \t;\r\nabc\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: \r\n\r\n",
    "A\r\n0123456789\r\n00\r\n\r\n",
    "5\r\nhelloX\r\n0\r\n\r\n",
    "5\nhello\r\n0\r\n\r\n",
    "\r\n",
    "g\r\n",
    "0\r\nX: a\nY: b\r\n\r\n",
    "0\r\nX: a\n\r\n\r\n",
    "0\r\n: \r\n\r\n",
    "0\r\n\rX",
    "5;\n\r\nhello\r\n0\r\n\r\n",
    "10000000000000000\r\n",
    "HTTP/1.1 200 OK\r\n\r\n",
];

const INTERIM: &[&str] = &[
    "",
    "",
    "",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "HTTP/1.1 102 Processing\r\nConnection: close\r\nContent-Length: 9\r\n\r\n\r\n",
    "HTTP/1.0 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n",
];

fn response() -> impl Strategy<Value = Vec<u8>> {
    let headers = prop::collection::vec(line(HEADERS), 0..5);
    let end = line(&["\r\n", "\r\n", "\r\n", "\r\n", "\n", ""]);
    (
        line(INTERIM),
        line(STATUS),
        headers,
        end,
        line(BODY),
        line(&["", "", "", "\r\n", "HTTP"]),
    )
        .prop_map(|(interim, status, headers, end, body, behind)| {
            [interim, status, headers.concat(), end, body, behind].concat()
        })
}

/// Some bytes of it are others.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let hits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (response(), hits).prop_map(|(mut bytes, hits)| {
        for (index, byte) in hits {
            if !bytes.is_empty() {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn well_formed_or_not(
        bytes in response(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        to_head in prop::bool::weighted(0.1),
        closes: bool,
    ) {
        compare(&bytes, &split(&bytes, &cuts), to_head, closes).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn damaged_on_the_way(
        bytes in damaged(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        closes: bool,
    ) {
        compare(&bytes, &split(&bytes, &cuts), false, closes).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn byte_by_byte() {
    for status in STATUS {
        for body in BODY {
            for header in HEADERS {
                let bytes = format!("{status}{header}\r\n{body}").into_bytes();
                let pieces: Vec<Vec<u8>> = bytes.iter().map(|byte| vec![*byte]).collect();
                for closes in [false, true] {
                    compare(&bytes, &pieces, false, closes).unwrap();
                }
            }
        }
    }
}

#[test]
fn many_headers() {
    for count in [63, 64, 65, 101, 1000] {
        let headers: String = (0..count).map(|n| format!("X-{n}: {n}\r\n")).collect();
        let bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{headers}\r\nok").into_bytes();
        compare(&bytes, &split(&bytes, &[]), false, false).unwrap();
        let halves = [
            bytes[..bytes.len() / 2].to_vec(),
            bytes[bytes.len() / 2..].to_vec(),
        ];
        compare(&bytes, &halves, false, false).unwrap();
        assert!(matches!(
            ours(&halves, false, false),
            Some(Came::Answer { again: true, .. })
        ));
    }
}
