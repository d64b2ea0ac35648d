//! Answers of every form, as behaviors get them.

use std::io::Write as _;
use std::time::Duration;

use http::Method;
use vespeiro_http::{Capture, ClientOptions};

use crate::server::{OK, client, listen, run};
use crate::{answer, body, call, failure, get, with};
use vespeiro_http::Failure;

/// One request to a target that answers with these bytes and closes.
async fn asked(
    method: Method,
    bytes: impl AsRef<[u8]> + Clone + 'static,
) -> vespeiro_http::Outcome {
    let (address, _) = listen(move |mut peer| {
        let bytes = bytes.clone();
        async move {
            peer.request().await;
            peer.say(bytes).await;
        }
    })
    .await;
    client(address, ClientOptions::default())
        .send(&call(method, "/"))
        .await
}

#[test]
fn what_leaves_is_what_was_asked_for() {
    run(async {
        let (address, log) = listen(|mut peer| async move { peer.answer_all(OK).await }).await;
        let client = client(address, ClientOptions::default());
        let path = "/a/../b/%2e%2e/c\\d?q=%20&r=//";
        let call = with(
            Method::POST,
            path,
            &[("X-Name", "J\u{fc}rgen")],
            Some(b"{}".to_vec()),
        );
        let outcome = client.send(&call).await;
        assert_eq!(
            (answer(&outcome).status, body(&outcome).as_str()),
            (200, "ok")
        );
        let request = log.borrow().requests[0].clone();
        assert_eq!(
            request.head,
            format!(
                "POST {path} HTTP/1.1\r\nhost: target.test\r\nuser-agent: vespeiro/test\r\nx-vespeiro-run: r1\r\n\
                 accept: */*\r\naccept-encoding: gzip, br, zstd\r\nX-Name: J\u{fc}rgen\r\ncontent-length: 2\r\n\r\n"
            )
        );
        assert_eq!(request.body, b"{}");
        assert_eq!(outcome.sent.wire, request.head.chars().count() as u64 + 2);
        assert_eq!((outcome.sent.body, outcome.received.body), (2, 2));
        assert_eq!(outcome.received.wire, OK.len() as u64);
        assert_eq!(outcome.remote.unwrap().to_string(), address.to_string());
    });
}

#[test]
fn framings() {
    run(async {
        for (bytes, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloEXTRA",
                "hello",
            ),
            (
                "HTTP/1.1 200\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello",
                "hello",
            ),
            ("HTTP/1.1 200 OK\ncontent-length: 5\n\nhello", "hello"),
            ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"),
            ("HTTP/1.0 200 OK\r\n\r\nuntil the end", "until the end"),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n0\r\n\r\n",
                "hello",
            ),
            (
                "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfinal",
                "final",
            ),
        ] {
            let outcome = asked(Method::GET, bytes).await;
            assert_eq!(
                (answer(&outcome).status, body(&outcome).as_str()),
                (200, expected),
                "{bytes}"
            );
            assert_eq!(outcome.received.body, expected.len() as u64);
        }
        for (method, bytes) in [
            (
                Method::HEAD,
                "HTTP/1.1 200 OK\r\ncontent-length: 12345\r\ncontent-encoding: gzip\r\n\r\n",
            ),
            (
                Method::GET,
                "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\ncontent-encoding: gzip\r\n\r\n",
            ),
            (
                Method::GET,
                "HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n",
            ),
        ] {
            let outcome = asked(method, bytes).await;
            assert_eq!(body(&outcome), "", "{bytes}");
            // They say what a body would have been.
            assert!(!answer(&outcome).headers.is_empty());
        }
    });
}

#[test]
fn trailers_latin_1_and_more_headers_than_fit_a_table() {
    run(async {
        let outcome = asked(
            Method::GET,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
        )
        .await;
        assert_eq!(
            answer(&outcome).trailers,
            [("x-sum".to_owned(), "1".to_owned())]
        );

        let latin = b"HTTP/1.1 200 OK\r\nSet-Cookie: n=J\xfcrgen\r\nset-cookie: b=2\r\nX-Utf: \xe2\x82\xac\r\nContent-Length: 0\r\n\r\n";
        let outcome = asked(Method::GET, latin).await;
        let headers: Vec<_> = answer(&outcome)
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let expected = [
            ("set-cookie", "n=J\u{fc}rgen"),
            ("set-cookie", "b=2"),
            ("x-utf", "\u{20ac}"),
            ("content-length", "0"),
        ];
        assert_eq!(headers, expected);

        let cookies: String = (0..1000)
            .map(|n| format!("Set-Cookie: c{n}=v; Path=/\r\n"))
            .collect();
        let outcome = asked(
            Method::GET,
            format!("HTTP/1.1 200 OK\r\n{cookies}Content-Length: 2\r\n\r\nok"),
        )
        .await;
        assert_eq!(
            (answer(&outcome).headers.len(), body(&outcome).as_str()),
            (1001, "ok")
        );

        let wide = format!(
            "HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 2\r\n\r\nok",
            "x".repeat(200 << 10)
        );
        assert_eq!(body(&asked(Method::GET, wide).await), "ok");
        let wider = format!(
            "HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 2\r\n\r\nok",
            "x".repeat(300 << 10)
        );
        let outcome = asked(Method::GET, wider).await;
        assert_eq!(failure(&outcome).0, Failure::Headers);
        assert!(failure(&outcome).1.contains("--max-headers"));
    });
}

#[test]
fn coded_bodies_are_decoded_and_counted_twice() {
    run(async {
        let text = "a".repeat(10_000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
        let mut br = Vec::new();
        brotli::BrotliCompress(
            &mut text.as_bytes(),
            &mut br,
            &brotli::enc::BrotliEncoderParams::default(),
        )
        .unwrap();
        for (name, coded) in [("gzip", gzip), ("zstd", zstd), ("br", br)] {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-encoding: {name}\r\ncontent-length: {}\r\n\r\n",
                coded.len()
            );
            let bytes = [head.as_bytes(), &coded].concat();
            let wire = bytes.len() as u64;
            let outcome = asked(Method::GET, bytes).await;
            assert_eq!(body(&outcome), text, "{name}");
            assert_eq!(
                (outcome.received.wire, outcome.received.body),
                (wire, 10_000)
            );
            // What is handed back is not coded, nor as long as it was.
            assert_eq!(
                answer(&outcome).headers,
                [("content-type".to_owned(), "text/plain".to_owned())]
            );
        }
        let empty = asked(Method::GET, "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n").await;
        assert_eq!(body(&empty), "");
        let wrong = asked(
            Method::GET,
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope",
        )
        .await;
        assert_eq!(failure(&wrong).0, Failure::Protocol);
        // Not decoded: a part of something coded, and codings that nobody asked for.
        for bytes in [
            "HTTP/1.1 206 Partial Content\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope",
            "HTTP/1.1 200 OK\r\ncontent-encoding: deflate\r\ncontent-length: 4\r\n\r\nnope",
        ] {
            let outcome = asked(Method::GET, bytes).await;
            assert_eq!(
                (body(&outcome).as_str(), answer(&outcome).headers.len()),
                ("nope", 2)
            );
        }
    });
}

#[test]
fn a_body_that_nobody_captures_may_be_of_any_size() {
    run(async {
        let (address, log) = listen(|mut peer| async move {
            let large = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}",
                3 << 20,
                "z".repeat(3 << 20)
            );
            peer.answer_all(large).await;
        })
        .await;
        let options = ClientOptions {
            max_body: 1 << 20,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        for _ in 0..2 {
            let outcome = client.send(&get("/").capture(Capture::default())).await;
            assert_eq!(
                (body(&outcome).as_str(), outcome.received.body),
                ("", 3 << 20)
            );
        }
        assert_eq!(log.borrow().connections, 1);
        let outcome = client.send(&get("/")).await;
        assert_eq!(failure(&outcome).0, Failure::TooLarge);
        assert!(outcome.received.wire < 1 << 20);
    });
}

#[test]
fn a_large_body_goes_out_while_an_answer_comes_in() {
    run(async {
        // It echoes piece by piece: neither side may wait for the other to be done.
        let (address, _) = listen(|mut peer| async move {
            use tokio::io::AsyncReadExt;
            while let Some(head) = peer.head().await {
                let request = crate::server::Request {
                    head,
                    body: Vec::new(),
                };
                let length: usize = request.header("content-length").unwrap().parse().unwrap();
                peer.say(format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n"
                ))
                .await;
                let mut left = peer.rest(length).await;
                while left > 0 {
                    let mut piece = vec![0; left.min(8192)];
                    let count = peer.stream.read(&mut piece).await.unwrap();
                    peer.say(&piece[..count]).await;
                    left -= count;
                }
            }
        })
        .await;
        let options = ClientOptions {
            max_body: 64 << 20,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        let bytes: Vec<u8> = (0..16 << 20)
            .map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        for reused in [false, true] {
            let outcome = client
                .send(&with(Method::POST, "/", &[], Some(bytes.clone())))
                .await;
            assert!(answer(&outcome).body == bytes);
            assert_eq!(outcome.reused, reused);
            assert_eq!(
                (outcome.sent.body, outcome.received.body),
                (16 << 20, 16 << 20)
            );
        }
    });
}

#[test]
fn an_early_answer_is_taken_while_the_body_is_still_being_sent() {
    run(async {
        let (address, log) = listen(|mut peer| async move {
            peer.head().await;
            peer.say("HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nlarge")
                .await;
            // It reads nothing more, and stays.
            tokio::time::sleep(Duration::from_secs(60)).await;
        })
        .await;
        let client = client(address, ClientOptions::default());
        let outcome = client
            .send(&with(Method::POST, "/", &[], Some(vec![0; 32 << 20])))
            .await;
        assert_eq!(
            (answer(&outcome).status, body(&outcome).as_str()),
            (413, "large")
        );
        assert!(outcome.sent.body < 32 << 20);
        assert_eq!((client.counts().closed_by_us, client.counts().open), (1, 0));
        let _ = log;
    });
}

#[test]
fn phases_are_where_the_time_went() {
    run(async {
        let (address, _) = listen(|mut peer| async move {
            while peer.request().await.is_some() {
                tokio::time::sleep(Duration::from_millis(60)).await;
                peer.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no")
                    .await;
                tokio::time::sleep(Duration::from_millis(40)).await;
                peer.say("k").await;
            }
        })
        .await;
        let client = client(address, ClientOptions::default());
        for reused in [false, true] {
            let start = std::time::Instant::now();
            let outcome = client.send(&get("/")).await;
            let whole = start.elapsed();
            let phases = outcome.phases;
            assert_eq!(body(&outcome), "ok");
            assert!(phases.waiting >= Duration::from_millis(55), "{phases:?}");
            assert!(phases.receiving >= Duration::from_millis(35), "{phases:?}");
            assert_eq!(
                (outcome.reused, phases.connect.is_zero()),
                (reused, reused),
                "{phases:?}"
            );
            assert!(phases.total() <= whole && whole - phases.total() < Duration::from_millis(20));
            let all = [
                phases.lookup,
                phases.connect,
                phases.tls,
                phases.sending,
                phases.waiting,
                phases.receiving,
            ];
            assert_eq!(phases.service(), all.iter().sum::<Duration>());
        }
    });
}
