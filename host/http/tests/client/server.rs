//! Targets that do what a test says, one task for each connection, and what they saw.

use std::cell::RefCell;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;
use vespeiro_http::dial::{DialOptions, Endpoint, Names};
use vespeiro_http::{Client, ClientOptions, Outcome};
use vespeiro_model::Clock;

/// Run a test on a runtime of one thread, which has to end in time.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(Duration::from_secs(30), test)
            .await
            .expect("the test hangs");
    });
}

/// Wait for a state, which has to come in time.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    assert!(waited.is_ok(), "never {what}");
}

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Latin-1.
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    pub fn path(&self) -> &str {
        self.head
            .split(' ')
            .nth(1)
            .expect("a socket of this machine")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// What a target saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub requests: Vec<Request>,
    pub connections: usize,
    pub open: usize,
    pub most_open: usize,
}

pub type Log = Rc<RefCell<Seen>>;

/// One connection, from the target's side.
pub struct Peer<S = TcpStream> {
    pub stream: S,
    /// The first is 0.
    pub index: usize,
    pub log: Log,
    left: Vec<u8>,
    open: Open,
}

/// A connection that is open at the target.
pub struct Open(Log);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.borrow_mut().open -= 1;
    }
}

impl<S: AsyncRead + tokio::io::AsyncWrite + Unpin> Peer<S> {
    pub fn new(stream: S, log: &Log) -> Self {
        let mut seen = log.borrow_mut();
        let index = seen.connections;
        seen.connections += 1;
        seen.open += 1;
        seen.most_open = seen.most_open.max(seen.open);
        Self {
            stream,
            index,
            log: Rc::clone(log),
            left: Vec::new(),
            open: Open(Rc::clone(log)),
        }
    }

    /// The same connection, with another stream over it.
    pub fn again(stream: S, index: usize, log: &Log, open: Open) -> Self {
        Self {
            stream,
            index,
            log: Rc::clone(log),
            left: Vec::new(),
            open,
        }
    }

    /// For another protocol.
    pub fn split(self) -> (S, Open) {
        (self.stream, self.open)
    }

    /// The next request's head; `None` when the connection was closed.
    pub async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.left.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.left.drain(..end + 4).map(char::from).collect();
                return Some(head);
            }
            if self.stream.read_buf(&mut self.left).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next request, with its body.
    pub async fn request(&mut self) -> Option<Request> {
        let head = self.head().await?;
        let mut request = Request {
            head,
            body: Vec::new(),
        };
        let length: usize = request
            .header("content-length")
            .map_or(0, |length| length.parse().expect("a number"));
        while self.left.len() < length {
            if self.stream.read_buf(&mut self.left).await.unwrap_or(0) == 0 {
                return None;
            }
        }
        request.body = self.left.drain(..length).collect();
        self.log.borrow_mut().requests.push(request.clone());
        Some(request)
    }

    /// Say back what has come of a body, and how much of it has not.
    pub async fn rest(&mut self, length: usize) -> usize {
        let came = std::mem::take(&mut self.left);
        self.say(&came).await;
        length - came.len()
    }

    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        // The client may have gone.
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Answer every request like this.
    pub async fn answer_all(&mut self, answer: impl AsRef<[u8]>) {
        while self.request().await.is_some() {
            self.say(&answer).await;
        }
    }
}

pub const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Listen, and have each connection done by `script`.
pub async fn listen<F: Future<Output = ()> + 'static>(
    script: impl Fn(Peer) -> F + 'static,
) -> (SocketAddr, Log) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a socket of this machine");
    let address = listener.local_addr().expect("a socket of this machine");
    let log = Log::default();
    let seen = Rc::clone(&log);
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(script(Peer::new(stream, &log)));
        }
    });
    (address, seen)
}

pub fn dial(address: SocketAddr) -> DialOptions {
    let (host, port) = (address.ip().to_string(), address.port());
    DialOptions::new(
        Endpoint::Tcp { host, port },
        Names::new(&[], Duration::from_secs(60)),
        Clock::system(),
    )
}

pub fn client(address: SocketAddr, options: ClientOptions) -> Client {
    Client::new(dial(address), options).expect("a socket of this machine")
}

/// So many requests at the same time.
pub async fn together(client: &Client, count: usize) -> Vec<Outcome> {
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let client = client.clone();
            tokio::task::spawn_local(async move { client.send(&crate::get("/")).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("a task that ends"));
    }
    outcomes
}
