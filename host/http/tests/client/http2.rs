//! HTTP/2 from the same pools: how requests are spread, what is sent again, what is blocked.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, RecvStream, server};
use http::{Method, Request, Response};
use vespeiro_http::dial::{Protocol, ProtocolWish};
use vespeiro_http::{Client, ClientOptions, Failure, Outcome};

use crate::server::{Log, dial, listen, run, together, until};
use crate::{answer, body, failure, get, with};

pub type Reply = server::SendResponse<Bytes>;

/// What a target does with a connection.
#[derive(Clone, Copy)]
pub struct Manner {
    /// Streams that it says it takes.
    streams: u32,
    /// Time that an answer takes.
    delay: Duration,
    /// Requests after which it leaves a connection.
    leaves_after: usize,
}

pub const MANNER: Manner = Manner {
    streams: 100,
    delay: Duration::from_millis(20),
    leaves_after: usize::MAX,
};

pub async fn listens(
    manner: Manner,
    does: impl Fn(Request<RecvStream>, Reply, usize) + 'static,
) -> (std::net::SocketAddr, Log) {
    let does = Rc::new(does);
    listen(move |peer| {
        let does = Rc::clone(&does);
        async move {
            let log = Rc::clone(&peer.log);
            let index = peer.index;
            let mut builder = server::Builder::new();
            builder.max_concurrent_streams(manner.streams);
            // The peer is dropped with the connection, which counts it as closed.
            let (stream, _open) = peer.split();
            let Ok(mut connection) = builder.handshake(stream).await else {
                return;
            };
            let mut served = 0;
            while let Some(Ok((request, reply))) = connection.accept().await {
                served += 1;
                if served >= manner.leaves_after {
                    connection.graceful_shutdown();
                }
                let seen = crate::server::Request {
                    head: format!("{} {} HTTP/2", request.method(), request.uri().path()),
                    body: Vec::new(),
                };
                log.borrow_mut().requests.push(seen);
                let does = Rc::clone(&does);
                tokio::task::spawn_local(async move {
                    tokio::time::sleep(manner.delay).await;
                    does(request, reply, index);
                });
            }
        }
    })
    .await
}

fn ok(_: Request<RecvStream>, mut reply: Reply, _: usize) {
    let answer = Response::builder()
        .header("x-name", "a")
        .body(())
        .expect("what was just made");
    if let Ok(mut body) = reply.send_response(answer, false) {
        let _ = body.send_data(Bytes::from_static(b"ok"), true);
    }
}

pub fn client(address: std::net::SocketAddr, options: ClientOptions) -> Client {
    let mut dial = dial(address);
    dial.protocol = ProtocolWish::Http2;
    Client::new(dial, options).expect("what was just made")
}

#[test]
fn one_request_and_its_figures() {
    run(async {
        let (address, _) = listens(MANNER, ok).await;
        let client = client(address, ClientOptions::default());
        for reused in [false, true] {
            let outcome = client
                .send(&with(Method::POST, "/a/../b", &[], Some(vec![1; 5000])))
                .await;
            assert_eq!((body(&outcome).as_str(), outcome.reused), ("ok", reused));
            assert_eq!(
                answer(&outcome).headers,
                [("x-name".to_owned(), "a".to_owned())]
            );
            assert_eq!(outcome.protocol, Some(Protocol::Http2));
            assert_eq!((outcome.sent.body, outcome.received.body), (5000, 2));
            assert!(
                outcome.sent.wire > 5000 && outcome.received.wire > 2,
                "{outcome:?}"
            );
            let phases = outcome.phases;
            assert!(phases.waiting >= Duration::from_millis(15), "{phases:?}");
            assert_eq!(phases.connect.is_zero(), reused);
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

#[test]
fn streams_are_bounded_by_the_target_and_waiting_is_blocked() {
    run(async {
        let (address, log) = listens(
            Manner {
                streams: 5,
                ..MANNER
            },
            ok,
        )
        .await;
        let client = client(address, ClientOptions::default());
        let outcomes = together(&client, 20).await;
        assert!(outcomes.iter().all(|outcome| body(outcome) == "ok"));
        assert_eq!(
            (log.borrow().connections, client.counts().unprocessed),
            (1, 0)
        );
        let waited = |outcome: &&Outcome| outcome.phases.blocked >= Duration::from_millis(15);
        assert!(outcomes.iter().filter(waited).count() >= 15);
        for outcome in &outcomes {
            assert!(
                outcome.phases.waiting < Duration::from_millis(200),
                "{:?}",
                outcome.phases
            );
        }
    });
}

#[test]
fn requests_are_spread_over_connections() {
    run(async {
        let (address, log) = listens(MANNER, ok).await;
        let options = ClientOptions {
            http2_connections: 3,
            http2_streams: 4,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        let outcomes = together(&client, 24).await;
        assert!(outcomes.iter().all(|outcome| body(outcome) == "ok"));
        assert_eq!(log.borrow().connections, 3);
        let counts = client.counts();
        assert_eq!((counts.opened, counts.open, counts.reused), (3, 3, 21));
    });
}

#[test]
fn a_target_that_leaves_is_followed_without_a_word() {
    run(async {
        let (address, log) = listens(
            Manner {
                leaves_after: 7,
                ..MANNER
            },
            ok,
        )
        .await;
        let client = client(address, ClientOptions::default());
        for _ in 0..5 {
            let outcomes = together(&client, 10).await;
            assert!(
                outcomes.iter().all(|outcome| body(outcome) == "ok"),
                "{outcomes:?}"
            );
        }
        let (requests, connections) = (log.borrow().requests.len(), log.borrow().connections);
        assert!(
            requests >= 50 && connections >= 5,
            "{requests} over {connections}"
        );
        until("closed", || client.counts().open <= 1).await;
        assert_eq!(client.counts().closed_by_us, 0);
        until("gone", || log.borrow().open <= 1).await;
    });
}

#[test]
fn what_was_refused_goes_over_another_connection_and_three_times_at_most() {
    run(async {
        let refuses = |mut reply: Reply| reply.send_reset(Reason::REFUSED_STREAM);
        let manner = Manner {
            delay: Duration::ZERO,
            ..MANNER
        };
        let (address, log) = listens(manner, move |request, reply, index| {
            if index < 2 {
                refuses(reply)
            } else {
                ok(request, reply, index)
            }
        })
        .await;
        let client = client(address, ClientOptions::default());
        // Whatever the method: the target has said that it did nothing.
        let outcome = client
            .send(&with(Method::POST, "/", &[], Some(b"x".to_vec())))
            .await;
        assert_eq!((body(&outcome).as_str(), outcome.reused), ("ok", false));
        assert!(outcome.phases.blocked > Duration::ZERO);
        assert_eq!(
            (client.counts().unprocessed, log.borrow().requests.len()),
            (2, 3)
        );

        let (address, log) = listens(manner, move |_, reply, _| refuses(reply)).await;
        let client = self::client(address, ClientOptions::default());
        let outcome = client.send(&get("/")).await;
        assert_eq!(failure(&outcome).0, Failure::Unprocessed);
        assert!(failure(&outcome).1.contains("REFUSED_STREAM"));
        assert_eq!(
            (client.counts().unprocessed, log.borrow().requests.len()),
            (3, 4)
        );
    });
}

#[test]
fn a_stream_that_is_reset_is_a_reset() {
    run(async {
        let (address, log) = listens(MANNER, |request, mut reply, _| match request.uri().path() {
            "/mid" => {
                let mut body = reply.send_response(Response::new(()), false).unwrap();
                body.send_data(Bytes::from_static(b"half"), false).unwrap();
                body.send_reset(Reason::CANCEL);
            }
            _ => reply.send_reset(Reason::INTERNAL_ERROR),
        })
        .await;
        let client = client(address, ClientOptions::default());
        for path in ["/", "/mid"] {
            let outcome = client.send(&get(path)).await;
            assert_eq!(
                failure(&outcome).0,
                Failure::Reset,
                "{}",
                failure(&outcome).1
            );
        }
        // The connection is as good as before.
        assert_eq!(
            (log.borrow().connections, log.borrow().requests.len()),
            (1, 2)
        );
    });
}

#[test]
fn a_connection_that_falls_silent_is_not_used_again() {
    run(async {
        let silent = Rc::new(Cell::new(false));
        let falls = Rc::clone(&silent);
        let (address, log) = listen(move |peer| {
            let silent = Rc::clone(&falls);
            async move {
                let first = peer.index == 0;
                let log = Rc::clone(&peer.log);
                let (stream, _open) = peer.split();
                let mut connection = server::handshake(stream).await.unwrap();
                while let Some(Ok((request, reply))) = connection.accept().await {
                    log.borrow_mut()
                        .requests
                        .push(crate::server::Request::default());
                    if first && silent.get() {
                        // Nobody reads or answers, and nobody closes.
                        std::future::pending::<()>().await;
                    }
                    ok(request, reply, 0);
                }
            }
        })
        .await;
        let client = client(address, ClientOptions::default());
        assert_eq!(body(&client.send(&get("/")).await), "ok");
        silent.set(true);
        let call = get("/").timeout(Some(Duration::from_millis(50)));
        assert_eq!(failure(&client.send(&call).await).0, Failure::Timeout);
        until("retired", || client.counts().open == 0).await;
        assert_eq!(body(&client.send(&get("/")).await), "ok");
        assert_eq!(log.borrow().connections, 2);
    });
}

#[test]
fn a_connection_for_each_request() {
    run(async {
        let (address, log) = listens(MANNER, ok).await;
        let options = ClientOptions {
            reuse: false,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        let outcomes = together(&client, 4).await;
        assert!(
            outcomes
                .iter()
                .all(|outcome| body(outcome) == "ok" && !outcome.reused)
        );
        let counts = client.counts();
        assert_eq!((counts.opened, counts.closed_by_us, counts.open), (4, 4, 0));
        until("gone", || log.borrow().open == 0).await;
    });
}

#[test]
fn idle_connections_are_closed_in_time() {
    run(async {
        let (address, log) = listens(MANNER, ok).await;
        let options = ClientOptions {
            idle_timeout: Duration::from_millis(100),
            ..ClientOptions::default()
        };
        let client = client(address, options);
        together(&client, 4).await;
        until("closed", || client.counts().open == 0).await;
        until("gone", || log.borrow().open == 0).await;
        assert_eq!(client.counts().closed_by_us, 1);
    });
}

#[test]
fn users_have_their_own() {
    run(async {
        let (address, log) = listens(MANNER, ok).await;
        let client = client(address, ClientOptions::default());
        let users = [client.user(), client.user()];
        for user in &users {
            assert_eq!(body(&user.send(&get("/")).await), "ok");
            assert!(user.send(&get("/")).await.reused);
        }
        assert_eq!(log.borrow().connections, 2);
        drop(users);
        until("gone", || log.borrow().open == 0).await;
        assert_eq!((client.counts().open, client.counts().closed_by_us), (0, 2));
    });
}

#[test]
fn a_dial_that_fails_fails_for_all_who_waited_for_it() {
    run(async {
        // It takes no connection: whoever came first tries for all of its time.
        let listener = tokio::net::TcpSocket::new_v4().unwrap();
        listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let listener = listener.listen(1).unwrap();
        let mut fill = Vec::new();
        loop {
            let filling = tokio::net::TcpStream::connect(address);
            match tokio::time::timeout(Duration::from_millis(200), filling).await {
                Ok(Ok(stream)) => fill.push(stream),
                _ => break,
            }
        }
        let mut dial = dial(address);
        dial.protocol = ProtocolWish::Http2;
        dial.connect_timeout = Duration::from_millis(300);
        let client = Client::new(dial, ClientOptions::default()).unwrap();
        let start = std::time::Instant::now();
        let outcomes = together(&client, 20).await;
        assert!(
            outcomes
                .iter()
                .all(|outcome| failure(outcome).0 == Failure::Timeout)
        );
        assert!(start.elapsed() < Duration::from_secs(2));
        drop((listener, fill));
    });
}
