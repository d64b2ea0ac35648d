//! Requests with bodies.

use bytes::Bytes;
use http::Response;
use vespeiro_http::Failure;

use crate::raw::{DATA, END_HEADERS, END_STREAM, HEADERS, Raw};
use crate::{Client, beside, listener, request, serve, worker};

#[test]
fn a_body_of_any_size_arrives_as_its_target_reads_it() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(serve(
            listener,
            ::h2::server::Builder::new(),
            |request, mut respond| async move {
                let mut body = request.into_body();
                let mut sum = 0u64;
                let mut count = 0usize;
                while let Some(data) = body.data().await {
                    let data = data.expect("data");
                    sum += data.iter().map(|byte| u64::from(*byte)).sum::<u64>();
                    count += data.len();
                    tokio::task::yield_now().await;
                    body.flow_control()
                        .release_capacity(data.len())
                        .expect("released");
                }
                let mut answer = respond
                    .send_response(Response::new(()), false)
                    .expect("sent");
                answer
                    .send_data(Bytes::from(format!("{count} {sum}")), true)
                    .expect("sent");
            },
        ));
        let client = Client::connect(address).await;
        for size in [0usize, 1, 1000, 65_535, 65_536, 3 << 20] {
            let body: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
            let exchanged = client.send(request("POST", "/"), body.into()).await;
            assert_eq!(exchanged.progress.sent, size as u64);
            assert!(
                exchanged.progress.written.expect("written")
                    <= exchanged.progress.answered.expect("answered")
            );
            assert_eq!(exchanged.fine().body, format!("{size} {sum}").as_bytes());
        }
        drop(client);
        server.join().await;
    });
}

/// A whole answer, and then the word that no more of the body is wanted.
#[test]
fn an_early_answer_is_an_answer() {
    worker(async {
        let (listener, address) = listener().await;
        let server = beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            for code in [Some(0), None] {
                let stream = raw.request().await;
                raw.next(DATA).await;
                raw.write(HEADERS, END_HEADERS, stream, b"\x8d").await;
                raw.write(DATA, END_STREAM, stream, b"no").await;
                if let Some(code) = code {
                    raw.reset(stream, code).await;
                }
            }
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        for _ in 0..2 {
            let exchanged = client
                .send(request("POST", "/"), Bytes::from(vec![0; 1 << 20]))
                .await;
            assert_eq!(exchanged.progress.written, None);
            assert!(exchanged.progress.sent < 1 << 20);
            let kept = exchanged.fine();
            assert_eq!((kept.status, kept.body.as_slice()), (404, &b"no"[..]));
        }
        drop(client);
        server.join().await;
    });
}

#[test]
fn a_reset_within_an_upload_is_told() {
    worker(async {
        let (listener, address) = listener().await;
        beside(async move {
            let mut raw = Raw::begin(&listener, &[]).await;
            for code in [7, 2] {
                let stream = raw.request().await;
                raw.next(DATA).await;
                raw.reset(stream, code).await;
            }
            raw.finish().await;
        });
        let client = Client::connect(address).await;
        let body = || Bytes::from(vec![0; 1 << 20]);
        let refused = client.send(request("POST", "/"), body()).await;
        refused.failed(Failure::Unprocessed, "REFUSED_STREAM");
        let reset = client.send(request("POST", "/"), body()).await;
        reset.failed(Failure::Reset, "INTERNAL_ERROR");
    });
}
