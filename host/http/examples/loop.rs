//! What the client alone reaches on one core: the requests of the bench (POST with a body and GET in turn, five headers)
//! over so many connections, without a behavior. The mark for `scripts/bench` of what the wire allows. Prints its figures
//! as one line of JSON.
//!
//! `loop ADDRESS [CONNECTIONS [SECONDS [http1|http2]]]`

// A bench measures by the machine's clock.
#![allow(clippy::disallowed_methods)]

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::Method;
use tokio::task::LocalSet;
use vespeiro_http::codec::{HeadOptions, RouteHead};
use vespeiro_http::dial::{DialOptions, Endpoint, Names, ProtocolWish};
use vespeiro_http::{Call, Capture, Client, ClientOptions};
use vespeiro_model::Clock;

/// As long as the bodies that the behavior `bench` builds.
const BODY: &str = r#"{"username":"sim_user_abcdefgh_12","email":"sim_user_abcdefgh_12@simulation.test","password":"SimPass123!","name":"Simulation User 12","city":"Lisbon","bio":"someone who is written and read in turn","sequence":1}"#;
const TOKEN: &str = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwYjVm";

/// The routes' heads, and what was done.
struct Work {
    client: Client,
    post: Rc<RouteHead>,
    get: Rc<RouteHead>,
    until: Instant,
    done: Cell<u64>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let address: SocketAddr = args.next().ok_or("name the target's address")?.parse()?;
    let connections: usize = args.next().unwrap_or("64".into()).parse()?;
    let seconds: u64 = args.next().unwrap_or("5".into()).parse()?;
    let wish = match args.next().as_deref() {
        Some("http2") => ProtocolWish::Http2,
        _ => ProtocolWish::Http1,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(
        &runtime,
        play(address, connections, Duration::from_secs(seconds), wish),
    )
}

async fn play(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    wish: ProtocolWish,
) -> Result<(), Box<dyn std::error::Error>> {
    let (host, port) = (address.ip().to_string(), address.port());
    let names = Names::new(&[], Duration::from_secs(60));
    let mut dial = DialOptions::new(Endpoint::Tcp { host, port }, names, Clock::system());
    dial.protocol = wish;
    let head = HeadOptions {
        host: address.to_string(),
        user_agent: "vespeiro/loop".into(),
        run_id: "0198c5e2".into(),
        ..HeadOptions::default()
    };
    let began = Instant::now();
    let work = Rc::new(Work {
        client: Client::new(dial, ClientOptions::default())?,
        post: Rc::new(RouteHead::new(&head, Method::POST)?),
        get: Rc::new(RouteHead::new(&head, Method::GET)?),
        until: began + time,
        done: Cell::new(0),
    });
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::task::spawn_local(one(Rc::clone(&work))))
        .collect();
    for task in tasks {
        task.await??;
    }
    println!(
        r#"{{"requests":{},"seconds":{},"connections":{}}}"#,
        work.done.get(),
        began.elapsed().as_secs_f64(),
        work.client.counts().opened,
    );
    Ok(())
}

async fn one(work: Rc<Work>) -> Result<(), String> {
    let capture = Capture {
        headers: false,
        body: true,
    };
    while Instant::now() < work.until {
        for post in [true, false] {
            let mut headers = vec![
                ("authorization".to_owned(), TOKEN.to_owned()),
                ("accept".to_owned(), "application/json".to_owned()),
            ];
            let (head, body) = match post {
                true => {
                    headers.push(("content-type".to_owned(), "application/json".to_owned()));
                    (&work.post, Some(BODY.into()))
                }
                false => (&work.get, None),
            };
            let call = Call::new(
                Rc::clone(head),
                "/api/v1/users/12".to_owned(),
                headers,
                body,
            );
            let call = call
                .map_err(|refused| refused.to_string())?
                .capture(capture);
            let outcome = work.client.send(&call).await;
            let answer = outcome.result.map_err(|flaw| flaw.cause)?;
            if answer.status != 200 {
                return Err(format!("the target answers {}", answer.status));
            }
            std::hint::black_box(answer.body);
            work.done.set(work.done.get() + 1);
        }
    }
    Ok(())
}
