//! Targets that do at random whatever a target can do, against clients with limits of all kinds, users that are given up in
//! the middle included: every request has an outcome, none is carried out twice that may not be, and all is counted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use http::Method;
use proptest::prelude::*;
use vespeiro_http::{Capture, ClientOptions, Failure, Outcome};

use crate::server::{Peer, client, listen, run, until};
use crate::with;

/// What a target does with a request.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Answers,
    InChunks,
    InPieces,
    AnswersAndCloses,
    SaysClose,
    UntilTheEnd,
    CloseAtOnce,
    Half,
    Garbage,
    Slowly,
    Interim,
    Extra,
}

const DEEDS: [Deed; 12] = [
    Deed::Answers,
    Deed::InChunks,
    Deed::InPieces,
    Deed::AnswersAndCloses,
    Deed::SaysClose,
    Deed::UntilTheEnd,
    Deed::CloseAtOnce,
    Deed::Half,
    Deed::Garbage,
    Deed::Slowly,
    Deed::Interim,
    Deed::Extra,
];

const PLAIN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

/// `false`: the connection is over.
async fn does(peer: &mut Peer, deed: Deed) -> bool {
    match deed {
        Deed::Answers => peer.say(PLAIN).await,
        Deed::InChunks => {
            peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nx: y\r\n\r\n").await;
        }
        Deed::InPieces => {
            for piece in PLAIN.as_bytes().chunks(7) {
                peer.say(piece).await;
                tokio::task::yield_now().await;
            }
        }
        Deed::AnswersAndCloses => peer.say(PLAIN).await,
        Deed::SaysClose => {
            peer.say("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello")
                .await
        }
        Deed::UntilTheEnd => peer.say("HTTP/1.1 200 OK\r\n\r\nhello").await,
        Deed::CloseAtOnce => {}
        Deed::Half => {
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe")
                .await
        }
        Deed::Garbage => peer.say("hello").await,
        Deed::Slowly => {
            tokio::time::sleep(Duration::from_millis(3)).await;
            peer.say(PLAIN).await;
        }
        Deed::Interim => {
            peer.say(format!("HTTP/1.1 103 Early Hints\r\n\r\n{PLAIN}"))
                .await
        }
        Deed::Extra => peer.say(format!("{PLAIN}HTTP/1.1 500 Ghost\r\n\r\n")).await,
    }
    matches!(
        deed,
        Deed::Answers
            | Deed::InChunks
            | Deed::InPieces
            | Deed::Slowly
            | Deed::Interim
            | Deed::Extra
    )
}

#[derive(Debug, Clone)]
struct Asks {
    post: bool,
    deed: Deed,
    /// Given up after so long.
    given_up: Option<u64>,
}

fn users() -> impl Strategy<Value = Vec<Vec<Asks>>> {
    let given_up = prop_oneof![6 => Just(None), 1 => (0..3000u64).prop_map(Some)];
    // Mostly well, so that connections are used again.
    let deed = prop_oneof![3 => Just(Deed::Answers), 2 => prop::sample::select(&DEEDS[..])];
    let asks = (any::<bool>(), deed, given_up).prop_map(|(post, deed, given_up)| Asks {
        post,
        deed,
        given_up,
    });
    prop::collection::vec(prop::collection::vec(asks, 1..12), 1..10)
}

fn options() -> impl Strategy<Value = (ClientOptions, bool)> {
    (
        any::<bool>(),
        0..4usize,
        0..4usize,
        0..3usize,
        any::<bool>(),
    )
        .prop_map(
            |(reuse, max_connections, max_in_flight, connections_per_user, own)| {
                let options = ClientOptions {
                    reuse,
                    max_connections,
                    max_in_flight,
                    connections_per_user,
                    idle_timeout: Duration::from_millis(50),
                    ..ClientOptions::default()
                };
                (options, own)
            },
        )
}

/// How often the target got each request.
type Got = Rc<RefCell<HashMap<String, usize>>>;

fn judge(asks: &Asks, outcome: &Outcome, times: usize) -> Result<(), String> {
    let told = || format!("{asks:?} came {times} times: {:?}", outcome.result);
    // A stale connection lets a request come twice, but none that may not.
    let most = if asks.post { 1 } else { 2 };
    if times > most || (times == 0 && outcome.result.is_ok()) {
        return Err(told());
    }
    let right = match (&outcome.result, asks.deed) {
        (Ok(answer), Deed::CloseAtOnce | Deed::Half | Deed::Garbage) => {
            return Err(format!("{}: {answer:?}", told()));
        }
        (Ok(answer), _) => answer.status == 200 && answer.body == b"hello",
        (Err(flaw), Deed::Garbage) => matches!(flaw.failure, Failure::Protocol | Failure::Reset),
        (Err(flaw), Deed::CloseAtOnce | Deed::Half) => flaw.failure == Failure::Reset,
        // Its connection had been closed, and it may not be repeated.
        (Err(flaw), _) => flaw.failure == Failure::Reset && asks.post && outcome.reused,
    };
    if right && outcome.phases.total() == outcome.phases.blocked + outcome.phases.service() {
        Ok(())
    } else {
        Err(told())
    }
}

async fn play(options: ClientOptions, own: bool, users: Vec<Vec<Asks>>) -> Result<(), String> {
    let got = Got::default();
    let of_target = Rc::clone(&got);
    let (address, log) = listen(move |mut peer| {
        let got = Rc::clone(&of_target);
        async move {
            while let Some(request) = peer.request().await {
                *got.borrow_mut()
                    .entry(request.path().to_owned())
                    .or_default() += 1;
                let deed: usize = request
                    .path()
                    .rsplit('/')
                    .next()
                    .and_then(|number| number.parse().ok())
                    .expect("a number");
                if !does(&mut peer, DEEDS[deed]).await {
                    return;
                }
            }
        }
    })
    .await;
    let limits = options.clone();
    let client = client(address, options);
    // One that was given up while it was made may have come to the target all the same.
    let given_up = users
        .iter()
        .flatten()
        .filter(|asks| asks.given_up.is_some())
        .count() as u64;
    let tasks: Vec<_> = users
        .into_iter()
        .enumerate()
        .map(|(user, all)| {
            let (client, got) = (client.clone(), Rc::clone(&got));
            tokio::task::spawn_local(async move {
                let pool = client.user();
                for (turn, asks) in all.iter().enumerate() {
                    let path = format!("/{user}/{turn}/{}", asks.deed as usize);
                    let (method, body) = if asks.post {
                        (Method::POST, Some(vec![b'x'; 10]))
                    } else {
                        (Method::GET, None)
                    };
                    let call = with(method, &path, &[], body).capture(Capture {
                        headers: true,
                        body: true,
                    });
                    let sent = async {
                        if own {
                            pool.send(&call).await
                        } else {
                            client.send(&call).await
                        }
                    };
                    let outcome = match asks.given_up {
                        None => Ok(sent.await),
                        Some(micros) => {
                            tokio::time::timeout(Duration::from_micros(micros), sent).await
                        }
                    };
                    if let Ok(outcome) = outcome {
                        let times = got.borrow().get(&path).copied().unwrap_or_default();
                        judge(asks, &outcome, times)?;
                    }
                }
                Ok::<_, String>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.map_err(|error| error.to_string())??;
    }
    let most = limits.max_connections;
    if most > 0 && client.counts().open > most as u64 {
        return Err(format!("{:?}", client.counts()));
    }
    until("all are closed", || client.counts().open == 0).await;
    until("all are gone", || log.borrow().open == 0).await;
    let counts = client.counts();
    let closed = counts.closed_by_us + counts.closed_by_target;
    if counts.opened != closed
        || counts.in_flight != 0
        || counts.opened + given_up < log.borrow().connections as u64
    {
        return Err(format!("{counts:?}, {:?}", log.borrow().connections));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_target_does((options, own) in options(), users in users()) {
        let came = Rc::new(RefCell::new(Ok(())));
        let told = Rc::clone(&came);
        run(async move {
            *told.borrow_mut() = play(options, own, users).await;
        });
        let came = came.borrow().clone();
        came.map_err(TestCaseError::fail)?;
    }
}
