//! Against nginx. Its log is the oracle.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use vespeiro_http::Failure;
use vespeiro_http::h2::Life;

use crate::support::program::nginx;
use crate::{Client, worker};

/// Play so many requests, so many at a time, over one connection after the other: what was not processed is sent again.
/// The connections that it took, and how often a request was sent again.
async fn play(address: std::net::SocketAddr, requests: usize, at_once: usize) -> (usize, usize) {
    let current = Rc::new(tokio::sync::Mutex::new(Client::connect(address).await));
    let (connections, again) = (Cell::new(1), Cell::new(0));
    let left = Cell::new(requests);
    join_all((0..at_once).map(|_| async {
        while left.get() > 0 {
            left.set(left.get() - 1);
            loop {
                let client = {
                    let mut current = current.lock().await;
                    if current.connection.life() != Life::Open {
                        *current = Client::connect(address).await;
                        connections.set(connections.get() + 1);
                    }
                    current.clone()
                };
                let place = loop {
                    let changed = client.changed.notified();
                    let place = client.connection.try_place();
                    if place.is_some() || client.connection.life() != Life::Open {
                        break place;
                    }
                    changed.await;
                };
                let Some(place) = place else { continue };
                let mut exchanged = crate::Exchanged::default();
                let (kept, progress) = (&mut exchanged.kept, &mut exchanged.progress);
                let request = crate::request("GET", "/");
                let sent =
                    client
                        .connection
                        .send(place, request, bytes::Bytes::new(), progress, kept);
                match sent.await {
                    Ok(()) => {
                        assert_eq!(kept.status, 200);
                        break;
                    }
                    Err(flaw) => {
                        assert_eq!(flaw.failure, Failure::Unprocessed, "{}", flaw.cause);
                        again.set(again.get() + 1);
                    }
                }
            }
        }
    }))
    .await;
    (connections.get(), again.get())
}

/// The requests in the log by their status, once it has so many lines.
fn log(folder: &Path, lines: usize) -> HashMap<String, usize> {
    let begun = Instant::now();
    loop {
        let log = std::fs::read_to_string(folder.join("access.log")).unwrap_or_default();
        if log.lines().count() >= lines || begun.elapsed() > Duration::from_secs(10) {
            let mut statuses = HashMap::new();
            for line in log.lines() {
                let status = line.split('"').nth(2).unwrap_or_default().trim();
                let status = status.split(' ').next().unwrap_or_default();
                *statuses.entry(status.to_owned()).or_default() += 1;
            }
            return statuses;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn connections_that_it_leaves_after_some_requests_lose_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = "server { listen 127.0.0.1:@PORT@ http2; keepalive_requests 100; location / { return 200 ok; } }";
    let Some(program) = nginx(folder.path(), server) else {
        return;
    };
    let (connections, again) = worker(play(program.address, 2500, 40));
    assert!(
        (25..60).contains(&connections),
        "{connections} connections, {again} again"
    );
    assert_eq!(
        log(folder.path(), 2500),
        HashMap::from([("200".to_owned(), 2500)])
    );
}

#[test]
fn its_limit_of_streams_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = "server { listen 127.0.0.1:@PORT@ http2; http2_max_concurrent_streams 5; location / { return 200 ok; } }";
    let Some(program) = nginx(folder.path(), server) else {
        return;
    };
    assert_eq!(worker(play(program.address, 1000, 50)), (1, 0));
    assert_eq!(
        log(folder.path(), 1000),
        HashMap::from([("200".to_owned(), 1000)])
    );
}

#[test]
fn eighteen_kilobytes_of_headers_are_an_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let headers: String = (0..18)
        .map(|index| format!("add_header X-{index} {};\n", "a".repeat(1000)))
        .collect();
    let server = format!(
        "server {{ listen 127.0.0.1:@PORT@ http2; location / {{ {headers} return 200 ok; }} }}"
    );
    let Some(program) = nginx(folder.path(), &server) else {
        return;
    };
    let kept = worker(async { Client::connect(program.address).await.get("/").await.fine() });
    assert_eq!((kept.status, kept.body.as_slice()), (200, &b"ok"[..]));
    assert!(
        kept.headers
            .iter()
            .map(|(_, value)| value.len())
            .sum::<usize>()
            > 18_000
    );
}
