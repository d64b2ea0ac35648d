//! A proxy between tool and target that counts: each request with its times, its connection, its token and what came of it.
//! What a test says of a run is what this has seen, and nothing that the tool says of itself.
//!
//! HTTP/1.1 with lengths, no chunks and no pipelining: what the tool and the reference service speak with each other.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// How often the machine is asked whether it is in time.
const TICK: Duration = Duration::from_millis(5);

/// A request and its answer, as the target's side sees them.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// When the last byte of the request had come.
    pub arrived: Duration,
    /// When the last byte of the answer had gone.
    pub answered: Duration,
    /// Number of the connection, from 0.
    pub connection: usize,
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Of the authorization header; empty without one.
    pub token: String,
    pub has_body: bool,
    /// Null where there is none, or no JSON.
    pub body: Value,
    /// 0 where the tool gave up and closed the connection: then that is when it was answered.
    pub status: u16,
    /// Null where there is none, or no JSON; of a list, its `meta` alone.
    pub reply: Value,
}

/// What was seen, in the order of arrival.
#[derive(Debug)]
pub struct Log {
    pub exchanges: Vec<Exchange>,
    /// When the machine was late, and by how much.
    late: Vec<(Duration, Duration)>,
}

impl Log {
    /// Whether the machine was no later than this around a moment.
    pub fn in_time(&self, moment: Duration, by: Duration) -> bool {
        let around = 2 * (by + TICK);
        let begin = moment.saturating_sub(around);
        let begin = self.late.partition_point(|(at, _)| *at < begin);
        let ticks = self.late[begin..].iter();
        let mut ticks = ticks.take_while(|(at, _)| *at <= moment + around);
        ticks.all(|(_, late)| *late <= by)
    }
}

/// The proxy, on a thread of its own until it is asked what it has seen.
pub struct Proxy {
    pub url: String,
    seen: Seen,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Seen {
    began: Instant,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    late: Arc<Mutex<Vec<(Duration, Duration)>>>,
    connections: Arc<AtomicUsize>,
}

impl Proxy {
    /// Between whoever comes and this target.
    pub fn before(target: SocketAddr) -> Proxy {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Seen {
            began: Instant::now(),
            exchanges: Arc::default(),
            late: Arc::default(),
            connections: Arc::default(),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let mine = seen.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = accept(listener, target, mine.clone()) => {}
                    () = watch(mine) => {}
                    _ = stopped => {}
                }
            });
        });
        Proxy {
            url,
            seen,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Stop, and tell what was seen.
    pub fn log(mut self) -> Log {
        self.end();
        let mut exchanges = std::mem::take(&mut *self.seen.exchanges.lock().unwrap());
        exchanges.sort_by_key(|exchange| exchange.arrived);
        let late = std::mem::take(&mut *self.seen.late.lock().unwrap());
        Log { exchanges, late }
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been printed.
            let _ = thread.join();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.end();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, seen: Seen) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        let seen = seen.clone();
        tokio::spawn(async move {
            // A connection that breaks is the test's to notice: its request is not in the log.
            let _ = pass(client, target, &seen).await;
        });
    }
}

/// Whether this thread, and so the machine, is in time.
async fn watch(seen: Seen) {
    loop {
        let due = tokio::time::Instant::now() + TICK;
        tokio::time::sleep_until(due).await;
        let late = due.elapsed();
        let now = seen.began.elapsed();
        seen.late.lock().unwrap().push((now, late));
    }
}

/// One connection, request by request.
async fn pass(mut client: TcpStream, target: SocketAddr, seen: &Seen) -> io::Result<()> {
    let mut server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let connection = seen.connections.fetch_add(1, Ordering::Relaxed);
    while let Some(request) = message(&mut client, false).await? {
        let arrived = seen.began.elapsed();
        server.write_all(&request.bytes).await?;
        let no_body = request.line(0).starts_with("HEAD ");
        let reply = tokio::select! {
            reply = message(&mut server, no_body) => match reply? {
                Some(reply) => Some(reply),
                None => return Ok(()),
            },
            // It sends nothing before it has its answer.
            _ = client.read_u8() => None,
        };
        if let Some(reply) = &reply {
            client.write_all(&reply.bytes).await?;
        }
        let answered = seen.began.elapsed();
        let line = request.line(0);
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let bearer = request.header("authorization").unwrap_or_default();
        let exchange = Exchange {
            arrived,
            answered,
            connection,
            method: word(),
            path: word(),
            token: bearer.trim_start_matches("Bearer ").to_owned(),
            has_body: request.bytes.len() > request.body,
            body: request.json(),
            status: reply.as_ref().map_or(0, Message::status),
            reply: reply.as_ref().map_or(Value::Null, Message::json),
        };
        seen.exchanges.lock().unwrap().push(exchange);
        if reply.is_none() {
            return Ok(());
        }
    }
    Ok(())
}

/// A request or a response as it came.
struct Message {
    bytes: Vec<u8>,
    /// Where the body begins.
    body: usize,
}

impl Message {
    fn line(&self, at: usize) -> String {
        let head = String::from_utf8_lossy(&self.bytes[..self.body]);
        head.split("\r\n").nth(at).unwrap_or_default().to_owned()
    }

    /// Of an answer.
    fn status(&self) -> u16 {
        let line = self.line(0);
        line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<String> {
        let head = String::from_utf8_lossy(&self.bytes[..self.body]);
        head.split("\r\n").skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            let found = key.eq_ignore_ascii_case(name);
            found.then(|| value.trim().to_owned())
        })
    }

    /// Of a list, no more than its place in the whole: a run sees many.
    fn json(&self) -> Value {
        let body = &self.bytes[self.body..];
        let mut json: Value = serde_json::from_slice(body).unwrap_or_default();
        if json["meta"].is_object() {
            json["data"].take();
        }
        json
    }
}

/// The next message; `None` at the end of the connection.
async fn message(from: &mut TcpStream, no_body: bool) -> io::Result<Option<Message>> {
    let mut bytes = Vec::with_capacity(1024);
    let body = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if from.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let mut message = Message { bytes, body };
    assert!(
        message.header("transfer-encoding").is_none(),
        "this proxy knows no chunks"
    );
    let length = message.header("content-length");
    let length: usize = match length {
        Some(length) if !no_body => length.parse().unwrap(),
        _ => 0,
    };
    while message.bytes.len() < body + length {
        if from.read_buf(&mut message.bytes).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(message))
}
