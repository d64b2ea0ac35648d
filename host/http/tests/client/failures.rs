//! Whose failure it is, of every kind, and what is sent again.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use http::Method;
use vespeiro_http::{ClientOptions, Failure};

use crate::server::{OK, client, dial, listen, run, until};
use crate::{answer, body, call, failure, get, with};

#[test]
fn broken_answers() {
    run(async {
        for (bytes, kind) in [
            ("", Failure::Reset),
            ("HTTP/1.1 200 OK\r\ncontent-le", Failure::Reset),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello",
                Failure::Reset,
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
                Failure::Reset,
            ),
            ("hello world", Failure::Protocol),
            ("\0\u{1}\u{2} garbage\r\n\r\n", Failure::Protocol),
            (
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
                Failure::Protocol,
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
                Failure::Protocol,
            ),
            ("HTTP/1.1 200 OK\r\nx[1]: a\r\n\r\n", Failure::Protocol),
            ("HTTP/1.1 200 OK\r\nx : a\r\n\r\n", Failure::Protocol),
            ("HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n", Failure::Protocol),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
                Failure::Protocol,
            ),
        ] {
            let (address, log) = listen(move |mut peer| async move {
                peer.request().await;
                peer.say(bytes).await;
            })
            .await;
            let client = client(address, ClientOptions::default());
            let outcome = client.send(&get("/")).await;
            assert_eq!(
                failure(&outcome).0,
                kind,
                "{bytes:?}: {}",
                failure(&outcome).1
            );
            assert!(!failure(&outcome).1.contains('\n'));
            // Nothing of it is sent again: the connection was new.
            assert_eq!(log.borrow().requests.len(), 1);
            let counts = client.counts();
            assert_eq!((counts.opened, counts.open), (1, 0));
            assert_eq!(
                counts.closed_by_target,
                u64::from(kind == Failure::Reset),
                "{bytes:?}"
            );
        }
    });
}

#[test]
fn what_is_no_http_is_told_without_waiting_for_the_end() {
    run(async {
        let (address, _) = listen(|mut peer| async move {
            peer.request().await;
            peer.say("SSH-2.0-OpenSSH").await;
            tokio::time::sleep(Duration::from_secs(60)).await;
        })
        .await;
        let outcome = client(address, ClientOptions::default())
            .send(&get("/"))
            .await;
        assert_eq!(failure(&outcome).0, Failure::Protocol);
        assert!(outcome.phases.total() < Duration::from_secs(5));
    });
}

/// The second request of a connection is read, and not answered.
async fn forgetful(mut peer: crate::server::Peer) {
    peer.request().await;
    peer.say(OK).await;
    peer.request().await;
}

#[test]
fn a_stale_connection_is_not_the_targets_fault() {
    run(async {
        let (address, log) = listen(forgetful).await;
        let client = client(address, ClientOptions::default());
        for turn in 0..5 {
            let outcome = client.send(&get("/")).await;
            assert_eq!(body(&outcome), "ok");
            // Sent again over a new connection.
            assert!(!outcome.reused);
            let lost = outcome.phases.blocked;
            assert_eq!(
                lost > Duration::ZERO,
                turn > 0 || lost > Duration::ZERO,
                "{turn}"
            );
        }
        let counts = client.counts();
        assert_eq!((counts.stale, counts.opened, counts.reused), (4, 5, 4));
        assert_eq!(log.borrow().requests.len(), 9);
    });
}

#[test]
fn a_408_to_a_connection_is_none_to_a_request() {
    run(async {
        let (address, log) = listen(|mut peer| async move {
            peer.request().await;
            peer.say(if peer.index == 2 { LATE } else { OK }).await;
            peer.request().await;
            peer.say(LATE).await;
        })
        .await;
        const LATE: &str =
            "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let client = client(address, ClientOptions::default());
        answer(&client.send(&get("/")).await);
        assert_eq!(body(&client.send(&get("/")).await), "ok");
        assert_eq!((client.counts().stale, log.borrow().connections), (1, 2));
        // To what may have been carried out it is an answer, and to the first request of a connection.
        let call = with(Method::POST, "/", &[], Some(b"x".to_vec()));
        for connections in [2, 3] {
            assert_eq!(answer(&client.send(&call).await).status, 408);
            assert_eq!(
                (client.counts().stale, log.borrow().connections),
                (1, connections)
            );
        }
    });
}

#[test]
fn what_may_have_been_carried_out_is_not_sent_again() {
    run(async {
        let (address, log) = listen(forgetful).await;
        let client = client(address, ClientOptions::default());
        answer(&client.send(&get("/")).await);
        let outcome = client
            .send(&with(Method::POST, "/", &[], Some(b"x".to_vec())))
            .await;
        let (kind, cause) = failure(&outcome);
        assert_eq!(kind, Failure::Reset);
        assert!(
            cause.contains("kept-alive") && cause.contains("POST"),
            "{cause}"
        );
        assert!(outcome.reused);
        assert_eq!((log.borrow().requests.len(), client.counts().stale), (2, 0));
    });
}

#[test]
fn a_connection_that_was_closed_while_idle_is_left_alone() {
    run(async {
        let read = Rc::new(Cell::new(false));
        let answered = Rc::clone(&read);
        let (address, log) = listen(move |mut peer| {
            let answered = Rc::clone(&answered);
            async move {
                peer.request().await;
                peer.say(OK).await;
                if peer.index == 1 {
                    // Some say so before they close. It is to come behind the answer, not with it.
                    until("the answer is read", || answered.get()).await;
                    peer.say("HTTP/1.0 408 Request Time-out\r\nconnection: close\r\n\r\n")
                        .await;
                }
            }
        })
        .await;
        let client = client(address, ClientOptions::default());
        for sent in 1..4 {
            let outcome = client.send(&with(Method::POST, "/", &[], None)).await;
            assert_eq!((body(&outcome).as_str(), outcome.reused), ("ok", false));
            read.set(sent == 2);
            until("seen as closed", || log.borrow().open == 0).await;
            // The runtime has to hear of it.
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert_eq!(log.borrow().requests.len(), sent);
        }
        let counts = client.counts();
        assert_eq!((counts.stale, counts.opened, counts.reused), (0, 3, 0));
        until("counted", || client.counts().closed_by_target == 3).await;
    });
}

#[test]
fn a_reset_in_mid_answer_is_a_reset_on_a_kept_connection_too() {
    run(async {
        let (address, log) = listen(|mut peer| async move {
            peer.request().await;
            peer.say(OK).await;
            peer.request().await;
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
                .await;
            peer.stream.set_zero_linger().unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        })
        .await;
        let client = client(address, ClientOptions::default());
        answer(&client.send(&get("/")).await);
        let outcome = client.send(&get("/")).await;
        assert_eq!(failure(&outcome).0, Failure::Reset);
        assert!(
            failure(&outcome).1.contains("within the answer"),
            "{}",
            failure(&outcome).1
        );
        assert_eq!((log.borrow().requests.len(), client.counts().stale), (2, 0));
    });
}

#[test]
fn time_runs_out_in_every_phase() {
    run(async {
        let (address, log) = listen(|mut peer| async move {
            let path = peer
                .request()
                .await
                .map(|request| request.path().to_owned());
            if path.as_deref() == Some("/half") {
                peer.say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
                    .await;
            }
            // Until the client closes.
            peer.request().await;
        })
        .await;
        let client = client(address, ClientOptions::default());
        let limit = Duration::from_millis(50);
        for (call, words) in [
            (get("/"), "waiting for the first byte"),
            (get("/half"), "in the middle of the answer"),
            (
                with(Method::POST, "/", &[], Some(vec![0; 64 << 20])),
                "waiting for the first byte",
            ),
        ] {
            let outcome = client.send(&call.timeout(Some(limit))).await;
            let (kind, cause) = failure(&outcome);
            assert!(
                kind == Failure::Timeout && (cause.contains(words) || cause.contains("sending")),
                "{cause}"
            );
            assert!(outcome.phases.service() >= limit, "{:?}", outcome.phases);
            until("closed", || log.borrow().open == 0).await;
        }
        let counts = client.counts();
        assert_eq!((counts.closed_by_us, counts.open), (3, 0));
    });
}

#[test]
fn nobody_listens() {
    run(async {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let client = client(free, ClientOptions::default());
        let outcome = client.send(&get("/")).await;
        assert_eq!(failure(&outcome).0, Failure::Connect);
        assert!(outcome.remote.is_none() && outcome.phases.connect > Duration::ZERO);
        let counts = client.counts();
        assert_eq!((counts.opened, counts.open, counts.closed_by_us), (0, 0, 0));
        let _ = (dial(free), call(Method::GET, "/"));
    });
}
