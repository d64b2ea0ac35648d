//! Answers of all shapes.

use bytes::Bytes;
use http::{HeaderMap, Response};

use crate::raw::{DATA, END_HEADERS, END_STREAM, HEADERS, OK, RST_STREAM, Raw, field};
use crate::{Client, beside, listener, request, serve, worker};
use vespeiro_http::Failure;
use vespeiro_http::h2::Life;

#[test]
fn an_answer_has_status_headers_body_and_trailers() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(serve(
            listener,
            ::h2::server::Builder::new(),
            |request, mut respond| async move {
                assert_eq!(request.uri().to_string(), "http://target.test/a?b=..%2e");
                let response = Response::builder()
                    .status(201)
                    .header("x-one", "1")
                    .header(
                        "x-latin",
                        http::HeaderValue::from_bytes(b"caf\xe9").expect("a value"),
                    )
                    .header("x-one", "2")
                    .body(())
                    .expect("a response");
                let mut body = respond.send_response(response, false).expect("sent");
                body.send_data(Bytes::from_static(b"hello "), false)
                    .expect("sent");
                body.send_data(Bytes::from_static(b"world"), false)
                    .expect("sent");
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", "0".parse().expect("a value"));
                body.send_trailers(trailers).expect("sent");
            },
        ));
        let client = Client::connect(address).await;
        let before = tokio::time::Instant::now();
        let exchanged = client.get("/a?b=..%2e").await;
        let progress = exchanged.progress;
        let (written, answered) = (
            progress.written.expect("written"),
            progress.answered.expect("answered"),
        );
        assert!(before <= written && written <= answered);
        assert_eq!((progress.sent, progress.received), (0, 11));
        let kept = exchanged.fine();
        assert_eq!(
            (kept.status, kept.length, kept.bodiless),
            (201, None, false)
        );
        let mut headers = kept.headers;
        headers.sort();
        let expected = [
            ("x-latin", &b"caf\xe9"[..]),
            ("x-one", b"1"),
            ("x-one", b"2"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_vec()));
        assert_eq!(headers, expected);
        assert_eq!(kept.body, b"hello world");
        assert_eq!(kept.trailers, [("grpc-status".to_owned(), b"0".to_vec())]);
        drop(client);
        let (_, paths) = server.join().await;
        assert_eq!(paths, ["/a"]);
    });
}

#[test]
fn answers_without_a_body() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            let length = field("content-length", "12345");
            for head in [OK, &[0x89], &[0x8b]] {
                let stream = raw.request().await;
                let head = [head, &length].concat();
                raw.write(HEADERS, END_HEADERS | END_STREAM, stream, &head)
                    .await;
            }
            let stream = raw.request().await;
            raw.write(HEADERS, END_HEADERS | END_STREAM, stream, OK)
                .await;
            // One that says how much will come, and keeps to it in pieces and an empty end.
            let stream = raw.request().await;
            let head = [OK, &field("content-length", "4")].concat();
            raw.write(HEADERS, END_HEADERS, stream, &head).await;
            raw.write(DATA, 0, stream, b"ab").await;
            raw.write(DATA, 0, stream, b"cd").await;
            raw.write(DATA, END_STREAM, stream, b"").await;
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        let kept = client.send(request("HEAD", "/"), Bytes::new()).await.fine();
        assert_eq!(
            (kept.status, kept.bodiless, kept.length),
            (200, true, Some(0))
        );
        let kept = client.get("/204").await.fine();
        assert_eq!(
            (kept.status, kept.bodiless, kept.length),
            (204, true, Some(0))
        );
        let kept = client.get("/304").await.fine();
        assert_eq!(
            (kept.status, kept.bodiless, kept.length),
            (304, true, Some(0))
        );
        let kept = client.get("/empty").await.fine();
        assert_eq!(
            (kept.status, kept.bodiless, kept.length),
            (200, false, Some(0))
        );
        let kept = client.get("/pieces").await.fine();
        assert_eq!((kept.length, kept.body.as_slice()), (Some(4), &b"abcd"[..]));
    });
}

#[test]
fn interim_answers_are_skipped_and_count_as_the_first_byte() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            let stream = raw.request().await;
            let interim = [&field(":status", "103")[..], &field("link", "</a>")].concat();
            for _ in 0..200 {
                raw.write(HEADERS, END_HEADERS, stream, &interim).await;
            }
            // The answer comes after the client has had time to see them.
            raw.next(crate::raw::PING).await;
            raw.answer(stream, b"ok").await;
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        let mut get = Box::pin(client.get("/"));
        let wait = std::time::Duration::from_millis(100);
        assert!(tokio::time::timeout(wait, get.as_mut()).await.is_err());
        let pinged = tokio::time::Instant::now();
        client.connection.check(crate::PATIENCE);
        let exchanged = get.as_mut().await;
        drop(get);
        assert!(exchanged.progress.answered.expect("answered") < pinged);
        let kept = exchanged.fine();
        assert_eq!((kept.status, kept.body.as_slice()), (200, &b"ok"[..]));
        drop(client);
        server.join().await;
    });
}

#[test]
fn what_is_malformed_is_told_so_and_costs_its_stream_only() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            let heads = [
                field("x-no-status", "1"),
                [OK, &field("connection", "close")].concat(),
                [OK, &field("content-length", "many")].concat(),
            ];
            for head in heads {
                let stream = raw.request().await;
                raw.write(HEADERS, END_HEADERS, stream, &head).await;
                raw.next(RST_STREAM).await;
            }
            // More than was said, and less.
            for body in [b"abcde".as_slice(), b"abc"] {
                let stream = raw.request().await;
                let head = [OK, &field("content-length", "4")].concat();
                raw.write(HEADERS, END_HEADERS, stream, &head).await;
                raw.write(DATA, END_STREAM, stream, body).await;
            }
            let stream = raw.request().await;
            raw.answer(stream, b"ok").await;
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        for _ in 0..5 {
            client
                .get("/")
                .await
                .failed(Failure::Protocol, "PROTOCOL_ERROR");
        }
        assert_eq!(client.get("/").await.fine().body, b"ok");
        assert_eq!(client.connection.life(), Life::Open);
    });
}

#[test]
fn a_receiver_that_refuses_ends_its_stream_only() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            let stream = raw.request().await;
            raw.write(HEADERS, END_HEADERS, stream, OK).await;
            raw.write(DATA, 0, stream, b"refuse me").await;
            let reset = raw.next(RST_STREAM).await;
            assert_eq!(
                (reset.stream, reset.payload.as_slice()),
                (stream, &8u32.to_be_bytes()[..])
            );
            let stream = raw.request().await;
            raw.answer(stream, b"ok").await;
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        client
            .get("/")
            .await
            .failed(Failure::TooLarge, "as it was told");
        assert_eq!(client.get("/").await.fine().body, b"ok");
        drop(client);
        server.join().await;
    });
}

#[test]
fn bytes_are_counted_on_the_wire() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            loop {
                let Some(frame) = raw.frame().await else {
                    return;
                };
                if frame.kind == HEADERS {
                    raw.answer(frame.stream, &[b'x'; 1000]).await;
                }
            }
        });
        let client = Client::connect(address).await;
        client.get("/").await.fine();
        // Preface, settings and the request; settings, their acknowledgement, a head, a body.
        let (sent, received) = client.connection.take_traffic();
        assert!((60..300).contains(&sent), "{sent}");
        assert_eq!(received, 9 + 9 + 9 + 1 + 9 + 1000);
        client.get("/").await.fine();
        let (sent, received) = client.connection.take_traffic();
        assert!((10..100).contains(&sent), "{sent}");
        assert_eq!(received, 9 + 1 + 9 + 1000);
    });
}
