//! Against nginx. Its log is the oracle.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use vespeiro_http::Failure;
use vespeiro_http::dial::{DialOptions, Dialer, Endpoint, Names, Protocol, Tls, TlsSettings};
use vespeiro_http::h2::{Connection, ConnectionOptions, Life};

use crate::support::certificates::{Authority, Issued};
use crate::support::program::nginx;
use crate::{Client, worker};
use vespeiro_model::Clock;

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

/// TLS, HTTP/2 by its handshake, a client's certificate, sessions that go on: as a pool does it.
#[test]
fn over_tls_with_a_certificate_of_the_clients() {
    let folder = tempfile::tempdir().expect("a folder");
    let ca = Authority::new();
    let server = ca.server(&["right.test"]);
    let server = format!(
        "server {{ listen 127.0.0.1:@PORT@ ssl http2; ssl_certificate {}; ssl_certificate_key {};\n\
         ssl_client_certificate {}; ssl_verify_client on; ssl_session_cache builtin;\n\
         location / {{ add_header X-Who $ssl_client_s_dn; return 200 ok; }} }}",
        server.cert.display(),
        server.key.display(),
        ca.pem.display()
    );
    let Some(program) = nginx(folder.path(), &server) else {
        return;
    };
    let port = program.address.port();
    let dialer = |identity: Option<&Issued>| {
        let resolve = format!("right.test:{port}:127.0.0.1").parse();
        let names = Names::new(&[resolve.expect("one")], Duration::MAX);
        let endpoint = Endpoint::Tcp {
            host: "right.test".into(),
            port,
        };
        let tls = TlsSettings {
            ca_certs: vec![ca.pem.clone()],
            client_cert: identity.map(|identity| identity.cert.clone()),
            client_key: identity.map(|identity| identity.key.clone()),
            ..TlsSettings::default()
        };
        let options = DialOptions {
            tls: Some(Tls::new(&tls, false).expect("TLS")),
            ..DialOptions::new(endpoint, names, Clock::system())
        };
        Dialer::new(options).expect("a dialer")
    };
    let get = async |dialer: &Dialer, resumed: bool| {
        let dialed = dialer.dial().await.expect("a connection");
        assert_eq!(dialed.protocol, Protocol::Http2);
        assert_eq!(dialed.resumed, Some(resumed));
        let options = ConnectionOptions::new(Clock::system());
        let started = Connection::start(dialed.stream, options, || {}).await;
        let connection = started.expect("HTTP/2");
        let place = connection.try_place().expect("a place");
        let mut exchanged = crate::Exchanged::default();
        let (kept, progress) = (&mut exchanged.kept, &mut exchanged.progress);
        let request = crate::request("GET", "/");
        let sent = connection.send(place, request, bytes::Bytes::new(), progress, kept);
        exchanged.flaw = sent.await.err();
        exchanged.fine()
    };
    worker(async {
        let me = ca.server(&["me"]);
        let known = dialer(Some(&me));
        for resumed in [false, true] {
            let kept = get(&known, resumed).await;
            assert_eq!(kept.status, 200);
            let who = kept.headers.iter().find(|(name, _)| name == "x-who");
            assert_eq!(who.expect("it says who").1, b"CN=me");
        }
        // Its own answer, and no failure of TLS.
        assert_eq!(get(&dialer(None), false).await.status, 400);
    });
}
