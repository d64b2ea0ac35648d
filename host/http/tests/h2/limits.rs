//! How many streams at a time: by the target, by the plan, before either is known.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::Response;

use crate::raw::{DATA, END_HEADERS, END_STREAM, HEADERS, MAX_CONCURRENT_STREAMS, OK, Raw};
use crate::{Client, beside, listener, serve, worker};
use vespeiro_http::h2::{ConnectionOptions, Life};
use vespeiro_model::Clock;

/// Answers each request after a moment, with the library's own server, which refuses what is over `allowed`.
async fn most_at_once(allowed: Option<u32>, wanted: usize, requests: usize) -> usize {
    let (listener, address) = listener().await;
    let mut builder = ::h2::server::Builder::new();
    if let Some(allowed) = allowed {
        builder.max_concurrent_streams(allowed);
    }
    let server = beside(serve(listener, builder, |_, mut respond| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let mut body = respond
            .send_response(Response::new(()), false)
            .expect("sent");
        body.send_data(Bytes::from_static(b"ok"), true)
            .expect("sent");
    }));
    let options = ConnectionOptions {
        max_streams: wanted,
        ..ConnectionOptions::new(Clock::system())
    };
    let client = Client::with(address, options).await;
    for one in join_all((0..requests).map(|_| client.get("/"))).await {
        assert_eq!(one.fine().body, b"ok");
    }
    assert_eq!(client.connection.in_use(), 0);
    drop(client);
    let (most, paths) = server.join().await;
    assert_eq!(paths.len(), requests);
    most
}

#[test]
fn never_more_streams_than_either_side_wants() {
    worker(async {
        assert_eq!(most_at_once(Some(5), 100, 100).await, 5);
        assert_eq!(most_at_once(Some(1), 100, 20).await, 1);
        assert_eq!(most_at_once(Some(200), 7, 100).await, 7);
        assert_eq!(most_at_once(None, 100, 300).await, 100);
    });
}

#[test]
fn one_stream_until_the_settings_are_known() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut raw = Raw::accept(&listener).await;
            assert_eq!(raw.request().await, 1);
            // Nothing else may come before the settings are sent.
            let wait = Duration::from_millis(100);
            assert!(tokio::time::timeout(wait, raw.request()).await.is_err());
            raw.settings(&[(MAX_CONCURRENT_STREAMS, 3)]).await;
            assert_eq!([raw.request().await, raw.request().await], [3, 5]);
            for stream in [1, 3, 5] {
                raw.answer(stream, b"ok").await;
            }
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        assert_eq!(
            (client.connection.limit(), client.connection.is_settled()),
            (1, false)
        );
        for one in join_all((0..3).map(|_| client.get("/"))).await {
            one.fine();
        }
        assert_eq!(
            (client.connection.limit(), client.connection.is_settled()),
            (3, true)
        );
        drop(client);
        server.join().await;
    });
}

#[test]
fn a_limit_that_moves_is_followed() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut raw = Raw::begin(&listener, &[(MAX_CONCURRENT_STREAMS, 4)]).await;
            let streams = [
                raw.request().await,
                raw.request().await,
                raw.request().await,
                raw.request().await,
            ];
            raw.settings(&[(MAX_CONCURRENT_STREAMS, 1)]).await;
            raw.next(crate::raw::PING).await;
            for stream in streams {
                raw.answer(stream, b"ok").await;
            }
            // One at a time now.
            for _ in 0..3 {
                let stream = raw.request().await;
                let wait = Duration::from_millis(20);
                assert!(tokio::time::timeout(wait, raw.request()).await.is_err());
                raw.answer(stream, b"ok").await;
            }
            raw.settings(&[(MAX_CONCURRENT_STREAMS, 0)]).await;
            raw.next(crate::raw::PING).await;
            raw.settings(&[(MAX_CONCURRENT_STREAMS, 2)]).await;
            for _ in 0..2 {
                let stream = raw.request().await;
                raw.answer(stream, b"ok").await;
            }
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        let first = join_all((0..4).map(|_| client.get("/")));
        let lowered = async {
            client.until(|connection| connection.limit() == 1).await;
            client.connection.check(crate::PATIENCE);
        };
        let (first, ()) = tokio::join!(first, lowered);
        first.into_iter().for_each(|one| drop(one.fine()));
        for one in join_all((0..3).map(|_| client.get("/"))).await {
            one.fine();
        }
        client.until(|connection| connection.limit() == 0).await;
        assert_eq!(client.connection.room(), 0);
        client.connection.check(crate::PATIENCE);
        for one in join_all((0..2).map(|_| client.get("/"))).await {
            one.fine();
        }
        drop(client);
        server.join().await;
    });
}

/// The library ends a connection at its hundred and first frame of data that holds none and ends nothing.
#[test]
fn empty_frames_of_data_are_no_failure() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut connections = 0;
            let mut answered = 0;
            while answered < 250 {
                let mut raw = Raw::begin(&listener, &[]).await;
                connections += 1;
                while let Some(frame) = raw.frame().await {
                    if frame.kind == HEADERS {
                        answered += 1;
                        raw.write(HEADERS, END_HEADERS, frame.stream, OK).await;
                        raw.write(DATA, 0, frame.stream, b"").await;
                        raw.write(DATA, END_STREAM, frame.stream, b"ok").await;
                    }
                }
            }
            (connections, answered)
        });
        let mut client = Client::connect(address).await;
        for _ in 0..250 {
            if client.connection.life() != Life::Open {
                client = Client::connect(address).await;
            }
            assert_eq!(client.get("/").await.fine().body, b"ok");
        }
        drop(client);
        assert_eq!(server.join().await, (3, 250));
    });
}
