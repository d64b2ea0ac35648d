//! Connections as policy: which one a request takes, how many there are, who closes them.

use std::rc::Rc;
use std::time::Duration;

use vespeiro_http::dial::{DialOptions, Endpoint, Names};
use vespeiro_http::{Client, ClientOptions, Outcome};

use crate::server::{Log, OK, Peer, client, listen, run, together, until};
use crate::{body, get};
use vespeiro_model::Clock;

/// A target that answers after a while.
async fn slow(mut peer: Peer) {
    while peer.request().await.is_some() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        peer.say(OK).await;
    }
}

async fn quick(mut peer: Peer) {
    peer.answer_all(OK).await;
}

fn seen(log: &Log) -> (usize, usize, usize) {
    let seen = log.borrow();
    (seen.requests.len(), seen.connections, seen.most_open)
}

#[test]
fn the_last_used_is_the_next_used() {
    run(async {
        let (address, log) = listen(slow).await;
        let client = client(address, ClientOptions::default());
        together(&client, 3).await;
        assert_eq!(seen(&log), (3, 3, 3));
        for _ in 0..4 {
            let outcome = client.send(&get("/")).await;
            assert!(outcome.reused);
        }
        assert_eq!(seen(&log), (7, 3, 3));
        let counts = client.counts();
        assert_eq!(
            (counts.opened, counts.reused, counts.open, counts.in_flight),
            (3, 4, 3, 0)
        );
    });
}

#[test]
fn open_connections_are_bounded_and_waiting_is_blocked() {
    run(async {
        let (address, log) = listen(slow).await;
        let options = ClientOptions {
            max_connections: 2,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        let outcomes = together(&client, 10).await;
        assert_eq!(seen(&log), (10, 2, 2));
        let waited = |outcome: &&Outcome| outcome.phases.blocked >= Duration::from_millis(15);
        assert_eq!(outcomes.iter().filter(waited).count(), 8);
        for outcome in &outcomes {
            assert!(
                outcome.phases.waiting < Duration::from_millis(200),
                "{:?}",
                outcome.phases
            );
        }
        // In turn.
        let blocked: Vec<_> = outcomes
            .iter()
            .map(|outcome| outcome.phases.blocked)
            .collect();
        assert!(
            blocked
                .windows(2)
                .all(|two| two[0] <= two[1] + Duration::from_millis(10)),
            "{blocked:?}"
        );
    });
}

#[test]
fn requests_in_flight_are_bounded() {
    run(async {
        let (address, log) = listen(slow).await;
        let options = ClientOptions {
            max_in_flight: 3,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        let outcomes = together(&client, 9).await;
        assert_eq!(seen(&log), (9, 3, 3));
        let waited = |outcome: &&Outcome| outcome.phases.blocked >= Duration::from_millis(15);
        assert_eq!(outcomes.iter().filter(waited).count(), 6);
        assert_eq!(client.counts().in_flight, 0);
    });
}

#[test]
fn a_connection_for_each_request() {
    run(async {
        // Whether the target closes it, as it is asked to, or not.
        for closes in [true, false] {
            let (address, log) = listen(move |mut peer| async move {
                while let Some(request) = peer.request().await {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    assert_eq!(request.header("connection"), Some("close"));
                    peer.say(OK).await;
                    if closes {
                        return;
                    }
                }
            })
            .await;
            let options = ClientOptions {
                reuse: false,
                max_connections: 2,
                ..ClientOptions::default()
            };
            let client = client(address, options);
            let outcomes = together(&client, 6).await;
            assert!(
                outcomes
                    .iter()
                    .all(|outcome| body(outcome) == "ok" && !outcome.reused)
            );
            assert!(
                outcomes
                    .iter()
                    .all(|outcome| outcome.phases.connect > Duration::ZERO)
            );
            assert_eq!((seen(&log).0, seen(&log).1), (6, 6));
            assert!(log.borrow().most_open <= 3, "{closes}");
            until("counted", || client.counts().closed_by_us == 6).await;
            let counts = client.counts();
            assert_eq!((counts.opened, counts.reused, counts.open), (6, 0, 0));
            until("closed", || log.borrow().open == 0).await;
        }
    });
}

#[test]
fn what_is_to_be_closed_is_closed_by_the_target_first() {
    run(async {
        let (address, log) = listen(|mut peer| async move {
            peer.request().await;
            peer.say(OK).await;
            // Nobody else has closed it meanwhile.
            tokio::time::sleep(Duration::from_millis(10)).await;
            let mut byte = [0];
            let waits = tokio::time::timeout(
                Duration::from_millis(1),
                tokio::io::AsyncReadExt::read(&mut peer.stream, &mut byte),
            );
            assert!(waits.await.is_err());
            peer.log
                .borrow_mut()
                .requests
                .push(crate::server::Request::default());
        })
        .await;
        let options = ClientOptions {
            reuse: false,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        assert_eq!(body(&client.send(&get("/")).await), "ok");
        until("closed", || log.borrow().open == 0).await;
        assert_eq!(log.borrow().requests.len(), 2);
        until("counted", || client.counts().open == 0).await;
    });
}

#[test]
fn whoever_closes_is_counted() {
    run(async {
        let (address, log) = listen(|mut peer| async move {
            while let Some(request) = peer.request().await {
                match request.path() {
                    "/close" => {
                        peer.say("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").await;
                        // It leaves that to us.
                    }
                    "/extra" => peer.say(format!("{OK}HTTP/1.1 500 Ghost\r\ncontent-length: 0\r\n\r\n")).await,
                    "/old" => peer.say("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok").await,
                    "/old-keeps" => peer.say("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok").await,
                    _ => peer.say(OK).await,
                }
            }
        })
        .await;
        let client = client(address, ClientOptions::default());
        for (path, opened, by_us, by_target) in [
            ("/close", 1, 0, 1),
            ("/extra", 2, 1, 1),
            ("/old", 3, 1, 2),
            ("/old-keeps", 4, 1, 2),
            ("/", 4, 1, 2),
        ] {
            assert_eq!(body(&client.send(&get(path)).await), "ok");
            let expected = (opened, by_us, by_target);
            until(path, || {
                let counts = client.counts();
                expected == (counts.opened, counts.closed_by_us, counts.closed_by_target)
            })
            .await;
            assert_eq!(client.counts().open, opened - by_us - by_target);
        }
        until("one is open", || log.borrow().open == 1).await;
    });
}

#[test]
fn idle_connections_are_closed_in_time() {
    run(async {
        let (address, log) = listen(slow).await;
        let options = ClientOptions {
            idle_timeout: Duration::from_millis(100),
            ..ClientOptions::default()
        };
        let client = client(address, options);
        together(&client, 5).await;
        assert_eq!(log.borrow().open, 5);
        until("closed", || log.borrow().open == 0).await;
        assert_eq!((client.counts().closed_by_us, client.counts().open), (5, 0));
        // And looked after again.
        together(&client, 2).await;
        until("closed again", || log.borrow().open == 0).await;
    });
}

#[test]
fn a_target_that_closes_idle_connections_is_noticed() {
    run(async {
        let (address, log) = listen(|mut peer| async move {
            peer.request().await;
            peer.say(OK).await;
        })
        .await;
        let client = client(address, ClientOptions::default());
        // More than a task may look at in one turn.
        together(&client, 400).await;
        until("counted", || client.counts().closed_by_target == 400).await;
        assert_eq!((client.counts().open, log.borrow().open), (0, 0));
    });
}

#[test]
fn what_is_dropped_in_the_middle_is_closed_and_makes_room() {
    run(async {
        let (address, log) = listen(|mut peer| async move {
            if peer.index == 0 {
                peer.request().await;
                peer.request().await;
            } else {
                peer.answer_all(OK).await;
            }
        })
        .await;
        let options = ClientOptions {
            max_connections: 1,
            max_in_flight: 2,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        let stuck = tokio::task::spawn_local({
            let client = client.clone();
            async move { client.send(&get("/")).await }
        });
        until("sent", || log.borrow().requests.len() == 1).await;
        let waiting = tokio::task::spawn_local({
            let client = client.clone();
            async move { client.send(&get("/")).await }
        });
        tokio::task::yield_now().await;
        stuck.abort();
        assert_eq!(body(&waiting.await.unwrap()), "ok");
        assert_eq!((seen(&log).1, client.counts().closed_by_us), (2, 1));
    });
}

#[test]
fn each_user_its_own() {
    run(async {
        let (address, log) = listen(slow).await;
        let options = ClientOptions {
            connections_per_user: 2,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        let users = [Rc::new(client.user()), Rc::new(client.user())];
        let mut tasks = Vec::new();
        for user in &users {
            for _ in 0..6 {
                let user = Rc::clone(user);
                tasks.push(tokio::task::spawn_local(async move {
                    user.send(&get("/")).await
                }));
            }
        }
        for task in tasks {
            assert_eq!(body(&task.await.unwrap()), "ok");
        }
        assert_eq!(seen(&log), (12, 4, 4));
        users[0].hang_up();
        until("one user's are closed", || log.borrow().open == 2).await;
        assert!(!users[0].send(&get("/")).await.reused);
        assert!(users[1].send(&get("/")).await.reused);
        drop(users);
        until("all are closed", || log.borrow().open == 0).await;
        assert_eq!((client.counts().open, client.counts().closed_by_us), (0, 5));
    });
}

#[test]
fn users_who_think_make_room_for_those_who_send() {
    run(async {
        let (address, log) = listen(quick).await;
        let options = ClientOptions {
            max_connections: 3,
            ..ClientOptions::default()
        };
        let client = client(address, options);
        let users: Vec<_> = (0..10).map(|_| Rc::new(client.user())).collect();
        for _ in 0..3 {
            let tasks: Vec<_> = users
                .iter()
                .map(|user| {
                    let user = Rc::clone(user);
                    tokio::task::spawn_local(async move { user.send(&get("/")).await })
                })
                .collect();
            for task in tasks {
                assert_eq!(body(&task.await.unwrap()), "ok");
            }
        }
        assert_eq!(seen(&log).0, 30);
        assert!(client.counts().open <= 3);
        until("no more than three are open", || log.borrow().open <= 3).await;
    });
}

#[test]
fn over_a_unix_socket() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("target");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let log = Log::default();
        let of_target = Rc::clone(&log);
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut peer = Peer::new(stream, &of_target);
                tokio::task::spawn_local(async move { peer.answer_all(OK).await });
            }
        });
        let names = Names::new(&[], Duration::from_secs(60));
        let client = Client::new(
            DialOptions::new(Endpoint::Unix(path.clone()), names, Clock::system()),
            ClientOptions::default(),
        )
        .unwrap();
        for reused in [false, true] {
            let outcome = client.send(&get("/")).await;
            assert_eq!((body(&outcome).as_str(), outcome.reused), ("ok", reused));
            assert_eq!(
                outcome.remote.unwrap().to_string(),
                format!("unix:{}", path.display())
            );
        }
    });
}

/// It is part of each user's coroutine, for as long as the user lives.
#[test]
fn what_sends_is_small() {
    run(async {
        let (address, _) = listen(quick).await;
        let client = client(address, ClientOptions::default());
        let call = get("/");
        let size = std::mem::size_of_val(&client.send(&call));
        assert!(size <= 1024, "{size}");
    });
}
