//! Headers of all sizes.

use std::time::Duration;

use crate::raw::{CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, OK, Raw, field};
use crate::{Client, beside, listener, worker};
use vespeiro_http::Failure;
use vespeiro_http::h2::{ConnectionOptions, Life};
use vespeiro_model::Clock;

/// What the library lets a frame be.
const FRAME: usize = 16 << 10;

/// Write a header block in as many frames as it takes.
async fn block(raw: &mut Raw, stream: u32, flags: u8, block: &[u8]) {
    let mut pieces = block.chunks(FRAME).peekable();
    let mut kind = HEADERS;
    while let Some(piece) = pieces.next() {
        let last = if pieces.peek().is_none() {
            END_HEADERS
        } else {
            0
        };
        let flags = if kind == HEADERS { flags } else { 0 };
        raw.write(kind, flags | last, stream, piece).await;
        kind = CONTINUATION;
    }
}

fn fields(count: usize, size: usize) -> Vec<u8> {
    let value = "a".repeat(size);
    let fields = (0..count).map(|index| field(&format!("x-{index}"), &value));
    fields.collect::<Vec<_>>().concat()
}

#[test]
fn headers_up_to_the_limit_are_taken_and_beyond_it_told() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            for (count, size) in [
                (18, 1000),
                (250, 1000),
                (1000, 200),
                (300, 1000),
                (20_000, 1),
                (2000, 1000),
            ] {
                let stream = raw.request().await;
                let head = [OK, &fields(count, size)].concat();
                block(&mut raw, stream, 0, &head).await;
                raw.write(DATA, END_STREAM, stream, b"ok").await;
            }
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        for count in [18, 250, 1000] {
            let kept = client.get("/").await.fine();
            assert_eq!(
                (kept.headers.len(), kept.body.as_slice()),
                (count, &b"ok"[..])
            );
        }
        for _ in 0..3 {
            client
                .get("/")
                .await
                .failed(Failure::Headers, "--max-headers");
        }
    });
}

#[test]
fn a_larger_limit_is_a_larger_limit() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            for count in [60, 90, 3000] {
                let stream = raw.request().await;
                let head = [OK, &fields(count, 1000)].concat();
                block(&mut raw, stream, 0, &head).await;
                raw.write(DATA, END_STREAM, stream, b"ok").await;
            }
            raw.finish().await;
        });
        let options = ConnectionOptions {
            max_headers: 80 << 10,
            ..ConnectionOptions::new(Clock::system())
        };
        let client = Client::with(address, options).await;
        client.get("/").await.fine();
        client
            .get("/")
            .await
            .failed(Failure::Headers, "--max-headers");
        client
            .get("/")
            .await
            .failed(Failure::Headers, "--max-headers");
    });
}

#[test]
fn trailers_have_the_same_limit() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            for count in [100, 300, 1100] {
                let stream = raw.request().await;
                raw.write(HEADERS, END_HEADERS, stream, OK).await;
                raw.write(DATA, 0, stream, b"ok").await;
                block(&mut raw, stream, END_STREAM, &fields(count, 1000)).await;
            }
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        assert_eq!(client.get("/").await.fine().trailers.len(), 100);
        client
            .get("/")
            .await
            .failed(Failure::Headers, "--max-headers");
        client
            .get("/")
            .await
            .failed(Failure::Headers, "--max-headers");
    });
}

#[test]
fn too_large_headers_cost_their_stream_and_no_other() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            let (first, second) = (raw.request().await, raw.request().await);
            let head = [OK, &fields(500, 1000)].concat();
            block(&mut raw, first, 0, &head).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            raw.answer(second, b"ok").await;
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        client.until(|connection| connection.is_settled()).await;
        let (first, second) = tokio::join!(client.get("/1"), client.get("/2"));
        first.failed(Failure::Headers, "--max-headers");
        assert_eq!(second.fine().body, b"ok");
        assert_eq!(client.connection.life(), Life::Open);
    });
}

/// A target that sends headers without end has its connection ended, and those beside it are told why.
#[test]
fn headers_without_end_end_the_connection() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            let (first, _) = (raw.request().await, raw.request().await);
            raw.write(HEADERS, 0, first, OK).await;
            let piece = fields(16, 1000);
            for _ in 0..10_000 {
                raw.write(CONTINUATION, 0, first, &piece[..FRAME.min(piece.len())])
                    .await;
            }
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        client.until(|connection| connection.is_settled()).await;
        let (first, second) = tokio::join!(client.get("/1"), client.get("/2"));
        first.failed(Failure::Headers, "--max-headers");
        second.failed(Failure::Reset, "another answer's headers");
        client
            .until(|connection| connection.life() == Life::Closed)
            .await;
    });
}
