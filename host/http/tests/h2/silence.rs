//! A connection that falls silent is found out and left.

use std::time::{Duration, Instant};

use crate::raw::{DATA, HEADERS, PING, Raw};
use crate::{Client, beside, listener, worker};
use vespeiro_http::h2::Life;

const WAIT: Duration = Duration::from_millis(100);

#[test]
fn one_that_does_not_answer_a_ping_is_retired_and_its_requests_go_on() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            raw.ignores_pings = true;
            let stream = raw.request().await;
            raw.next(PING).await;
            tokio::time::sleep(3 * WAIT).await;
            raw.answer(stream, b"late").await;
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        client.until(|connection| connection.is_settled()).await;
        let waiting = client.clone();
        let waiting = beside(async move { waiting.get("/").await });
        tokio::task::yield_now().await;
        let begun = Instant::now();
        for _ in 0..50 {
            client.connection.check(WAIT);
        }
        assert_eq!(client.connection.life(), Life::Open);
        client
            .until(|connection| connection.life() == Life::Leaving)
            .await;
        assert!(begun.elapsed() >= WAIT);
        assert!(client.connection.try_place().is_none());
        assert_eq!(waiting.join().await.fine().body, b"late");
        drop(client);
        server.join().await;
    });
}

#[test]
fn one_that_answers_stays() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            let mut pings = 0;
            while let Some(frame) = raw.frame().await {
                match (frame.kind, frame.flags) {
                    (PING, 0) => pings += 1,
                    (HEADERS, _) => raw.answer(frame.stream, b"ok").await,
                    _ => {}
                }
            }
            pings
        });
        let client = Client::connect(address).await;
        client.get("/").await.fine();
        for _ in 0..2 {
            for _ in 0..10 {
                client.connection.check(WAIT);
            }
            tokio::time::sleep(2 * WAIT).await;
            assert_eq!(client.connection.life(), Life::Open);
            client.get("/").await.fine();
        }
        drop(client);
        assert_eq!(server.join().await, 2, "one ping for many questions");
    });
}

#[test]
fn one_that_sends_anything_lives_also_while_its_bytes_are_counted() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            raw.ignores_pings = true;
            let stream = raw.request().await;
            raw.next(PING).await;
            raw.write(HEADERS, 4, stream, crate::raw::OK).await;
            raw.write(DATA, 0, stream, b"some").await;
            // And then nothing.
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        client.until(|connection| connection.is_settled()).await;
        let waiting = client.clone();
        let waiting = beside(async move { waiting.get("/").await });
        tokio::task::yield_now().await;
        client.connection.check(WAIT);
        tokio::time::sleep(2 * WAIT).await;
        assert_eq!(client.connection.life(), Life::Open);
        // The next question is answered by nothing at all.
        client.connection.check(WAIT);
        client.connection.take_traffic();
        client
            .until(|connection| connection.life() == Life::Leaving)
            .await;
        drop(waiting);
    });
}

#[test]
fn one_that_ended_needs_no_question() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move { drop(Raw::begin(&listener, &[]).await) });
        let client = Client::connect(address).await;
        client
            .until(|connection| connection.life() == Life::Closed)
            .await;
        client.connection.check(WAIT);
        tokio::time::sleep(2 * WAIT).await;
        assert_eq!(client.connection.life(), Life::Closed);
    });
}
