//! Bodies in pieces, with files among them: whole over either protocol, and a failure of their own where a file is not as it was.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response};
use tempfile::TempDir;
use vespeiro_http::{Call, ClientOptions, Failure, Piece, Pieces};
use vespeiro_plan::BodyFile;

use crate::http2::{MANNER, client as http2, listens};
use crate::server::{OK, client, listen, run};
use crate::{answer, body, call, failure, get};

const SIZE: usize = 3 << 20;

struct Photo {
    _folder: TempDir,
    path: PathBuf,
    content: Vec<u8>,
}

fn photo() -> Photo {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("photo");
    let content: Vec<u8> = (0..SIZE).map(|at| (at % 251) as u8).collect();
    std::fs::write(&path, &content).expect("room");
    Photo {
        _folder: folder,
        path,
        content,
    }
}

/// `(`, the file twice, `)`.
fn upload(path: &Path) -> Call {
    let file = Piece::File(Arc::new(BodyFile {
        name: "photo".into(),
        path: path.to_owned(),
        size: SIZE as u64,
        held: None,
    }));
    let bytes = |text: &'static str| Piece::Bytes(Bytes::from_static(text.as_bytes()));
    let pieces = vec![bytes("("), file.clone(), file, bytes(")")];
    call(Method::POST, "/").with_pieces(Pieces::new(pieces))
}

impl Photo {
    fn sent(&self) -> Vec<u8> {
        [b"(", &self.content[..], &self.content, b")"].concat()
    }
}

const WHOLE: usize = 2 * SIZE + 2;

#[test]
fn pieces_arrive_as_one_body_over_http1() {
    run(async {
        let (address, log) = listen(|mut peer| async move { peer.answer_all(OK).await }).await;
        let (client, photo) = (client(address, ClientOptions::default()), photo());
        for _ in 0..2 {
            let outcome = client.send(&upload(&photo.path)).await;
            assert_eq!(body(&outcome), "ok");
            assert_eq!(outcome.sent.body, WHOLE as u64);
        }
        let seen = log.borrow();
        assert_eq!(seen.connections, 1);
        for request in &seen.requests {
            assert_eq!(request.header("content-length"), Some(&*WHOLE.to_string()));
            assert_eq!(request.header("transfer-encoding"), None);
            assert!(request.body == photo.sent());
        }
    });
}

#[test]
fn pieces_arrive_as_one_body_over_http2() {
    run(async {
        let photo = Rc::new(photo());
        let sent = Rc::clone(&photo);
        let (address, log) = listens(MANNER, move |request, mut reply, _| {
            let sent = Rc::clone(&sent);
            tokio::task::spawn_local(async move {
                let told = request.headers()["content-length"].clone();
                assert_eq!(told.to_str().unwrap(), WHOLE.to_string());
                let (mut all, mut stream) = (Vec::new(), request.into_body());
                while let Some(Ok(data)) = stream.data().await {
                    all.extend_from_slice(&data);
                    let _ = stream.flow_control().release_capacity(data.len());
                }
                let status = if all == sent.sent() { 200 } else { 400 };
                let answer = Response::builder().status(status).body(()).unwrap();
                let _ = reply.send_response(answer, true);
            });
        })
        .await;
        let client = http2(address, ClientOptions::default());
        for _ in 0..2 {
            let outcome = client.send(&upload(&photo.path)).await;
            assert_eq!(answer(&outcome).status, 200);
            assert_eq!(outcome.sent.body, WHOLE as u64);
        }
        assert_eq!(log.borrow().connections, 1);
    });
}

#[test]
fn a_file_that_has_changed_fails_its_request_and_no_other() {
    run(async {
        let (one, _) = listen(|mut peer| async move { peer.answer_all(OK).await }).await;
        let (two, log) = listens(MANNER, |_, mut reply, _| {
            let _ = reply.send_response(Response::new(()), true);
        })
        .await;
        let clients = [
            client(one, ClientOptions::default()),
            http2(two, ClientOptions::default()),
        ];
        for client in &clients {
            let photo = photo();
            let upload = upload(&photo.path);
            let file = std::fs::File::options().write(true).open(&photo.path);
            file.unwrap().set_len(100).unwrap();
            let outcome = client.send(&upload).await;
            let changed = "the file photo has another size than when the run began";
            assert_eq!(failure(&outcome), (Failure::File, changed));
            std::fs::remove_file(&photo.path).unwrap();
            let outcome = client.send(&upload).await;
            let absent = "the file photo cannot be read: No such file or directory (os error 2)";
            assert_eq!(failure(&outcome), (Failure::File, absent));
            assert_eq!(answer(&client.send(&get("/")).await).status, 200);
        }
        // The streams were reset, and nothing else.
        assert_eq!(log.borrow().connections, 1);
    });
}
