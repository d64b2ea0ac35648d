//! How connections end: by the target, by its mistakes, by ours, by nobody's use.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use vespeiro_http::Failure;
use vespeiro_http::dial::{
    DialOptions, Dialer, Endpoint, Names, ProtocolWish, Tls, TlsSettings, TlsVersion,
};
use vespeiro_http::h2::{Connection, ConnectionOptions, Life};

use crate::raw::{DATA, END_HEADERS, HEADERS, OK, RST_STREAM, Raw, SETTINGS};
use crate::support::certificates::Authority;
use crate::support::program::openssl;
use crate::{Client, beside, listener, worker};
use vespeiro_model::Clock;

#[test]
fn a_target_that_hangs_up_or_resets() {
    worker(async {
        for (linger, answered) in [(true, false), (false, false), (true, true), (false, true)] {
            let (listener, address) = listener().await;
            beside(async move {
                let mut raw = Raw::begin(&listener, &[]).await;
                let stream = raw.request().await;
                if answered {
                    raw.write(HEADERS, END_HEADERS, stream, OK).await;
                    raw.write(DATA, 0, stream, b"some").await;
                }
                if !linger {
                    raw.stream.set_zero_linger().expect("set");
                }
            });
            let client = Client::connect(address).await;
            let exchanged = client.get("/").await;
            exchanged.failed(Failure::Reset, "");
            client
                .until(|connection| connection.life() == Life::Closed)
                .await;
            assert!(client.connection.try_place().is_none());
        }
    });
}

#[test]
fn what_is_no_http2_is_told_so() {
    worker(async {
        for bytes in [
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".as_slice(),
            b"\x00\x00\x00\x00\x00\x00\x00\x00\x00garbage of all kinds",
            // A frame on a stream that nobody opened.
            b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x01\x01\x05\x00\x00\x00\x63\x88",
            // Headers that cannot be decoded.
            b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x04\x01\x05\x00\x00\x00\x01\xff\xff\xff\xff",
            // A name with a capital, which the library takes for headers that cannot be decoded.
            b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x07\x01\x05\x00\x00\x00\x01\x88\x00\x02XY\x01z",
            // A window that is none.
            b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        ] {
            let (listener, address) = listener().await;
            beside(async move {
                let mut raw = Raw::accept(&listener).await;
                raw.request().await;
                raw.stream.write_all(bytes).await.expect("written");
                raw.finish().await;
            });
            let client = Client::connect(address).await;
            client.get("/").await.failed(Failure::Protocol, "does not keep to HTTP/2");
            client.until(|connection| connection.life() == Life::Closed).await;
        }
    });
}

/// The library keeps no more of a stream's error than its kind.
#[test]
fn a_certificate_that_is_demanded_late_is_tls() {
    let ca = Authority::new();
    let file = ca.pem.to_string_lossy().into_owned();
    let options = [
        "-tls1_3",
        "-alpn",
        "h2",
        "-Verify",
        "2",
        "-verify_return_error",
        "-CAfile",
        &file,
    ];
    let Some(program) = openssl(&ca.server(&["right.test"]), &options) else {
        return;
    };
    worker(async {
        let port = program.address.port();
        let resolve = format!("right.test:{port}:127.0.0.1").parse().expect("one");
        let endpoint = Endpoint::Tcp {
            host: "right.test".into(),
            port,
        };
        let tls = TlsSettings {
            ca_certs: vec![ca.pem.clone()],
            min: TlsVersion::V1_3,
            ..TlsSettings::default()
        };
        let dialer = Dialer::new(DialOptions {
            tls: Some(Tls::new(&tls, false).expect("TLS")),
            protocol: ProtocolWish::Http2,
            ..DialOptions::new(
                endpoint,
                Names::new(&[resolve], Duration::MAX),
                Clock::system(),
            )
        });
        let dialed = dialer.expect("a dialer").dial().await.expect("a handshake");
        let started = Connection::start(
            dialed.stream,
            ConnectionOptions::new(Clock::system()),
            || {},
        )
        .await;
        let connection = started.expect("a connection");
        let place = connection.try_place().expect("a place");
        let mut exchanged = crate::Exchanged::default();
        let (kept, progress) = (&mut exchanged.kept, &mut exchanged.progress);
        let request = crate::request("GET", "/");
        let sent = connection.send(place, request, Bytes::new(), progress, kept);
        exchanged.flaw = sent.await.err();
        exchanged.failed(Failure::Tls, "demands a client certificate");
    });
}

#[test]
fn a_request_that_is_dropped_is_reset_and_its_place_free() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            let first = raw.request().await;
            let reset = raw.next(RST_STREAM).await;
            assert_eq!(reset.payload, 8u32.to_be_bytes());
            assert_eq!(reset.stream, first);
            // Too late, and no fault.
            raw.answer(first, b"late").await;
            let second = raw.request().await;
            raw.answer(second, b"ok").await;
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        let short = tokio::time::timeout(Duration::from_millis(50), client.get("/"));
        assert!(short.await.is_err());
        assert_eq!(client.connection.in_use(), 0);
        assert_eq!(client.get("/").await.fine().body, b"ok");
        drop(client);
        server.join().await;
    });
}

/// More late answers than the library remembers streams, and than it lets a target make mistakes.
#[test]
fn late_answers_never_end_a_connection() {
    worker(async {
        let (listener, address) = listener().await;
        let count = 2500;
        let server = beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            let mut open = Vec::new();
            while open.len() < count {
                open.push(raw.request().await);
            }
            for stream in open {
                raw.answer(stream, b"late").await;
            }
            let last = raw.request().await;
            raw.answer(last, b"ok").await;
            raw.finish().await;
        });
        let options = ConnectionOptions {
            max_streams: 10_000,
            ..ConnectionOptions::new(Clock::system())
        };
        let client = Client::with(address, options).await;
        client.until(|connection| connection.is_settled()).await;
        for _ in 0..count {
            let get = client.get("/");
            let mut get = std::pin::pin!(get);
            assert!(futures_util::poll!(get.as_mut()).is_pending());
        }
        assert_eq!(client.get("/").await.fine().body, b"ok");
        assert_eq!(client.connection.life(), Life::Open);
        drop(client);
        server.join().await;
    });
}

#[test]
fn a_connection_ends_with_its_last_handle_and_its_last_exchange() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            let stream = raw.request().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            raw.answer(stream, b"ok").await;
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        let connection = client.connection.clone();
        client.until(|connection| connection.is_settled()).await;
        let get = beside(async move { client.get("/").await });
        tokio::task::yield_now().await;
        drop(connection);
        assert_eq!(get.join().await.fine().body, b"ok");
        server.join().await;
    });
}

#[test]
fn a_target_that_reads_nothing_cannot_hold_a_connection_open() {
    worker(async {
        let (listener, address) = listener().await;
        let client = Client::connect(address).await;
        let mut raw = Raw::begin(&listener, &[(4, (1 << 31) - 1)]).await;
        raw.write(8, 0, 0, &(1u32 << 30).to_be_bytes()).await;
        client.until(|connection| connection.is_settled()).await;
        // More than the kernel takes for one who does not read.
        let send = client.send(crate::request("POST", "/"), Bytes::from(vec![0; 64 << 20]));
        assert!(
            tokio::time::timeout(Duration::from_millis(300), send)
                .await
                .is_err()
        );
        let begun = Instant::now();
        drop(client);
        // What it had sent is read, and then its end.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let mut bytes = vec![0; 1 << 20];
        while let Ok(1..) = raw.stream.read(&mut bytes).await {}
        assert!(begun.elapsed() < Duration::from_secs(10));
    });
}

#[test]
fn a_body_that_nobody_reads_holds_no_other_up() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(crate::serve(
            listener,
            ::h2::server::Builder::new(),
            |request, mut respond| async move {
                let response = http::Response::new(());
                let mut body = respond.send_response(response, false).expect("sent");
                let mut left = match request.uri().path() {
                    "/big" => 8 << 20,
                    _ => 2,
                };
                while left > 0 {
                    body.reserve_capacity(left);
                    match std::future::poll_fn(|cx| body.poll_capacity(cx)).await {
                        Some(Ok(room)) => {
                            let piece = room.min(left);
                            left -= piece;
                            body.send_data(Bytes::from(vec![b'x'; piece]), left == 0)
                                .expect("sent");
                        }
                        _ => return,
                    }
                }
            },
        ));
        let client = Client::connect(address).await;
        client.until(|connection| connection.is_settled()).await;
        let mut unread = Vec::new();
        for _ in 0..20 {
            let client = client.clone();
            let mut get = Box::pin(async move { client.get("/big").await });
            assert!(futures_util::poll!(get.as_mut()).is_pending());
            unread.push(get);
        }
        for _ in 0..20 {
            assert_eq!(client.get("/small").await.fine().body, b"xx");
        }
        // And each goes on where it was.
        for get in unread {
            assert_eq!(get.await.fine().body.len(), 8 << 20);
        }
        drop(client);
        server.join().await;
    });
}

#[test]
fn settings_alone_are_no_answer() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            raw.next(SETTINGS).await;
            // Closed before the request is answered, in the moment of sending.
            raw.request().await;
        });
        let client = Client::connect(address).await;
        let exchanged = client.get("/").await;
        exchanged.failed(Failure::Reset, "");
        assert_eq!(exchanged.progress.answered, None);
    });
}
