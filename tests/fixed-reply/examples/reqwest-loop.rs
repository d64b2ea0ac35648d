//! What a bare loop around reqwest reaches on one core: the mark for `scripts/bench` of what the HTTP client alone
//! allows. Prints its figures as one line of JSON. The feature `tls` is for TLS and HTTP/2: without it, the client has no more
//! than it needs.

// A bench measures by the machine's clock.
#![allow(clippy::disallowed_methods)]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;
use hdrhistogram::Histogram;
use reqwest::{Client, Method, Request, Url};
use tokio::task::LocalSet;

/// As long as the bodies that the behavior `bench` builds.
const BODY: &str = r#"{"username":"sim_user_abcdefgh_12","email":"sim_user_abcdefgh_12@simulation.test","password":"SimPass123!","name":"Simulation User 12","city":"Lisbon","bio":"someone who is written and read in turn","sequence":1}"#;
const TOKEN: &str = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwYjVm";

/// Send requests in a bare loop around reqwest, on one thread
#[derive(Debug, Parser)]
struct Flags {
    #[arg(long)]
    url: Url,
    #[arg(long, default_value_t = 64)]
    tasks: usize,
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Send what the behavior `bench` sends: POST of a body and GET in turn, each with a token
    #[arg(long)]
    alike: bool,
    /// Ask for the end of the connection with each request
    #[arg(long)]
    no_reuse: bool,
    /// HTTP/2 in place of HTTP/1.1
    #[cfg(feature = "tls")]
    #[arg(long)]
    http2: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let flags = Rc::new(Flags::parse());
    let client = client(&flags)?;
    let latency = Rc::new(RefCell::new(Histogram::<u64>::new(3)?));
    let began = Instant::now();
    let until = began + Duration::from_secs(flags.seconds);
    LocalSet::new()
        .run_until(async {
            let tasks: Vec<_> = (0..flags.tasks)
                .map(|_| {
                    tokio::task::spawn_local(work(
                        client.clone(),
                        Rc::clone(&flags),
                        until,
                        Rc::clone(&latency),
                    ))
                })
                .collect();
            for task in tasks {
                task.await??;
            }
            anyhow::Ok(())
        })
        .await?;
    let seconds = began.elapsed().as_secs_f64();
    let latency = latency.borrow();
    let quantile = |q| latency.value_at_quantile(q) as f64 / 1e3;
    println!(
        r#"{{"requests":{},"seconds":{seconds},"p50_us":{},"p99_us":{}}}"#,
        latency.len(),
        quantile(0.5),
        quantile(0.99)
    );
    Ok(())
}

fn client(flags: &Flags) -> anyhow::Result<Client> {
    let builder = Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(if flags.no_reuse { 0 } else { usize::MAX });
    #[cfg(feature = "tls")]
    let builder = {
        // Refused only where there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The bench makes its certificate itself.
        builder.danger_accept_invalid_certs(true)
    };
    #[cfg(feature = "tls")]
    if flags.http2 {
        return Ok(builder.http2_prior_knowledge().build()?);
    }
    Ok(builder.http1_only().build()?)
}

async fn work(
    client: Client,
    flags: Rc<Flags>,
    until: Instant,
    latency: Rc<RefCell<Histogram<u64>>>,
) -> anyhow::Result<()> {
    let mut turn = 0;
    loop {
        let start = Instant::now();
        if start > until {
            return Ok(());
        }
        let mut request = if flags.alike {
            alike(&flags.url, turn)?
        } else {
            Request::new(Method::GET, flags.url.clone())
        };
        if flags.no_reuse {
            request.headers_mut().insert("connection", "close".parse()?);
        }
        turn += 1;
        let response = client.execute(request).await?;
        ensure!(
            response.status().is_success(),
            "the server answered {}",
            response.status()
        );
        std::hint::black_box(response.bytes().await?);
        latency
            .borrow_mut()
            .record(start.elapsed().as_nanos() as u64)?;
    }
}

fn alike(url: &Url, turn: u64) -> anyhow::Result<Request> {
    let post = turn.is_multiple_of(2);
    let mut request = Request::new(if post { Method::POST } else { Method::GET }, url.clone());
    request
        .headers_mut()
        .insert("authorization", TOKEN.parse()?);
    request
        .headers_mut()
        .insert("accept", "application/json".parse()?);
    if post {
        request
            .headers_mut()
            .insert("content-type", "application/json".parse()?);
        *request.body_mut() = Some(BODY.into());
    }
    Ok(request)
}
