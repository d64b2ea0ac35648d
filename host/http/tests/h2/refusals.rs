//! What the target says that it did not process, and what it leaves open.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use vespeiro_http::Failure;
use vespeiro_http::h2::{Connection, ConnectionOptions, Life};

use crate::raw::{DATA, END_HEADERS, HEADERS, OK, Raw};
use crate::{Client, beside, listener, worker};
use vespeiro_model::Clock;

const REFUSED_STREAM: u32 = 7;

#[test]
fn a_refused_stream_is_unprocessed() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            let stream = raw.request().await;
            raw.reset(stream, REFUSED_STREAM).await;
            let stream = raw.request().await;
            raw.answer(stream, b"ok").await;
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        client
            .get("/")
            .await
            .failed(Failure::Unprocessed, "REFUSED_STREAM");
        // The connection is as good as before.
        assert_eq!(client.get("/").await.fine().body, b"ok");
        assert_eq!(client.connection.life(), Life::Open);
        assert_eq!(client.connection.in_use(), 0);
    });
}

#[test]
fn a_reset_with_any_code_is_a_reset_before_and_within_the_answer() {
    worker(async {
        let (listener, address) = listener().await;
        let codes: Vec<u32> = (0..14).chain([99, u32::MAX]).collect();
        let all = codes.clone();
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            for code in all {
                if code != REFUSED_STREAM {
                    let stream = raw.request().await;
                    raw.reset(stream, code).await;
                }
                let stream = raw.request().await;
                raw.write(HEADERS, END_HEADERS, stream, OK).await;
                raw.write(DATA, 0, stream, b"some").await;
                raw.reset(stream, code).await;
            }
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        for code in codes {
            if code != REFUSED_STREAM {
                let exchanged = client.get("/").await;
                exchanged.failed(Failure::Reset, "RST_STREAM with");
                assert_eq!(exchanged.progress.answered, None);
            }
            let exchanged = client.get("/").await;
            exchanged.failed(Failure::Reset, "RST_STREAM with");
            assert!(exchanged.progress.answered.is_some());
        }
        assert_eq!(client.connection.life(), Life::Open);
    });
}

/// Three requests on streams 1, 3 and 5.
async fn three(raw: &mut Raw) {
    for stream in [1, 3, 5] {
        assert_eq!(raw.request().await, stream);
    }
}

fn spawn(client: &Client, path: &'static str) -> crate::Beside<crate::Exchanged> {
    let client = client.clone();
    beside(async move { client.get(path).await })
}

#[test]
fn streams_above_a_goaways_last_are_unprocessed_and_the_others_go_on() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            three(&mut raw).await;
            raw.goaway(1, 0).await;
            // The answer to the one that lives comes later.
            raw.next(crate::raw::PING).await;
            raw.answer(1, b"late").await;
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        client.until(|connection| connection.is_settled()).await;
        let all = ["/1", "/3", "/5"].map(|path| spawn(&client, path));
        let [first, second, third] = all;
        second
            .join()
            .await
            .failed(Failure::Unprocessed, "GOAWAY with NO_ERROR");
        third.join().await.failed(Failure::Unprocessed, "GOAWAY");
        client
            .until(|connection| connection.life() == Life::Leaving)
            .await;
        assert!(client.connection.try_place().is_none());
        assert_eq!(client.connection.in_use(), 1);
        client.connection.check(crate::PATIENCE);
        assert_eq!(first.join().await.fine().body, b"late");
        client
            .until(|connection| connection.life() == Life::Closed)
            .await;
        server.join().await;
    });
}

#[test]
fn a_goaway_with_an_error_is_no_less_a_word() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            three(&mut raw).await;
            raw.goaway(1, 11).await;
            // What is open on it, is cut.
        });
        let client = Client::connect(address).await;
        client.until(|connection| connection.is_settled()).await;
        let [first, second, third] = ["/1", "/3", "/5"].map(|path| spawn(&client, path));
        second
            .join()
            .await
            .failed(Failure::Unprocessed, "ENHANCE_YOUR_CALM");
        third
            .join()
            .await
            .failed(Failure::Unprocessed, "ENHANCE_YOUR_CALM");
        first.join().await.failed(Failure::Reset, "");
        client
            .until(|connection| connection.life() == Life::Closed)
            .await;
    });
}

#[test]
fn an_answer_that_had_begun_was_processed() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            three(&mut raw).await;
            raw.write(HEADERS, END_HEADERS, 5, OK).await;
            raw.write(DATA, 0, 5, b"some").await;
            raw.next(crate::raw::PING).await;
            raw.goaway(3, 0).await;
            raw.answer(1, b"ok").await;
            raw.answer(3, b"ok").await;
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        client.until(|connection| connection.is_settled()).await;
        let [first, second, third] = ["/1", "/3", "/5"].map(|path| spawn(&client, path));
        // The head is to be seen before the rest comes.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        client.connection.check(crate::PATIENCE);
        third
            .join()
            .await
            .failed(Failure::Reset, "within the answer");
        first.join().await.fine();
        second.join().await.fine();
    });
}

#[test]
fn a_graceful_goaway_lets_all_end() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            three(&mut raw).await;
            raw.goaway((1 << 31) - 1, 0).await;
            raw.next(crate::raw::PING).await;
            raw.goaway(5, 0).await;
            for stream in [5, 3, 1] {
                raw.answer(stream, b"ok").await;
            }
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        client.until(|connection| connection.is_settled()).await;
        let all = ["/1", "/3", "/5"].map(|path| spawn(&client, path));
        client
            .until(|connection| connection.life() == Life::Leaving)
            .await;
        client.connection.check(crate::PATIENCE);
        for one in all {
            assert_eq!(one.join().await.fine().body, b"ok");
        }
        client
            .until(|connection| connection.life() == Life::Closed)
            .await;
    });
}

#[test]
fn what_meets_a_goaway_on_its_way_out_never_leaves() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            raw.goaway(0, 0).await;
            let mut requests = 0;
            while let Some(frame) = raw.frame().await {
                requests += usize::from(frame.kind == HEADERS);
            }
            requests
        });
        let client = Client::connect(address).await;
        let place = client.connection.try_place().expect("a place");
        client
            .until(|connection| connection.life() != Life::Open)
            .await;
        let mut exchanged = crate::Exchanged::default();
        let request = crate::request("GET", "/");
        let (kept, progress) = (&mut exchanged.kept, &mut exchanged.progress);
        let sent = client
            .connection
            .send(place, request, bytes::Bytes::new(), progress, kept);
        exchanged.flaw = sent.await.err();
        exchanged.failed(Failure::Unprocessed, "took no more requests");
        drop(client);
        assert_eq!(server.join().await, 0);
    });
}

/// A stream whose other end takes nothing any more, after the first so many bytes, and whose last words are still to be
/// read.
struct LastWords {
    takes: usize,
    words: Vec<u8>,
}

impl AsyncRead for LastWords {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.takes > 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        // In small pieces, with time in between.
        let words = &mut self.words;
        let piece: Vec<u8> = words.drain(..words.len().min(5)).collect();
        buffer.put_slice(&piece);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LastWords {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = self.takes.min(bytes.len());
        self.takes -= taken;
        match taken {
            0 => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            taken => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A target that says goodbye and is gone: the next write fails before its goodbye is read.
#[test]
fn last_words_are_heard_when_writing_fails() {
    worker(async {
        let frame = |kind: u8, payload: &[u8]| {
            let length = u8::try_from(payload.len()).expect("a byte");
            [&[0, 0, length, kind, 0, 0, 0, 0, 0], payload].concat()
        };
        let goodbye = frame(crate::raw::GOAWAY, &[0; 8]);
        for (words, failure) in [
            (
                [frame(crate::raw::SETTINGS, &[]), goodbye].concat(),
                Failure::Unprocessed,
            ),
            (frame(crate::raw::SETTINGS, &[]), Failure::Reset),
            (Vec::new(), Failure::Reset),
        ] {
            let stream = LastWords { takes: 90, words };
            let started =
                Connection::start(stream, ConnectionOptions::new(Clock::system()), || {}).await;
            let connection = started.expect("a connection");
            let place = connection.try_place().expect("a place");
            let mut exchanged = crate::Exchanged::default();
            let (kept, progress) = (&mut exchanged.kept, &mut exchanged.progress);
            let body = bytes::Bytes::from(vec![0; 1000]);
            let sent = connection.send(place, crate::request("POST", "/"), body, progress, kept);
            exchanged.flaw = sent.await.err();
            exchanged.failed(failure, "");
        }
    });
}
