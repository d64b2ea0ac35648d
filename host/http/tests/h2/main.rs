//! HTTP/2 connections against servers that are scripted frame by frame, against the library's own server, and against
//! nginx. What the server saw is the oracle.

// Tests measure by the machine's clock.
#![allow(clippy::disallowed_methods)]

mod answers;
mod endings;
mod headers;
mod limits;
mod nginx;
mod raw;
mod refusals;
mod silence;
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
mod uploads;

use std::cell::RefCell;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::LocalSet;
use tokio::time::timeout;
use vespeiro_http::codec::{Head, Header, Receive, Refusal};
use vespeiro_http::h2::{Connection, ConnectionOptions, Life, Progress};
use vespeiro_http::{Failure, Flaw};
use vespeiro_model::Clock;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Run as a worker does: one thread, tasks of its own. Nothing may take for ever.
fn worker<T>(future: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build();
    let within = async { timeout(4 * PATIENCE, future).await.expect("it ends") };
    LocalSet::new().block_on(&runtime.expect("a runtime"), within)
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

/// A connection, and what is told whenever it changes.
#[derive(Clone)]
struct Client {
    connection: Connection,
    changed: Rc<Notify>,
}

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        Self::with(address, ConnectionOptions::new(Clock::system())).await
    }

    async fn with(address: SocketAddr, options: ConnectionOptions) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("set");
        let changed = Rc::new(Notify::new());
        let tell = Rc::clone(&changed);
        let connection = Connection::start(stream, options, move || tell.notify_waiters()).await;
        Self {
            connection: connection.expect("HTTP/2"),
            changed,
        }
    }

    /// Wait until the connection is as it should be.
    async fn until(&self, is: impl Fn(&Connection) -> bool) {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if is(&self.connection) {
                    return;
                }
                changed.await;
            }
        };
        let waited = timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| panic!("it stays {:?}", self.connection));
    }

    async fn get(&self, path: &str) -> Exchanged {
        self.send(request("GET", path), Bytes::new()).await
    }

    /// Send as soon as there is a place.
    async fn send(&self, request: Request<()>, body: Bytes) -> Exchanged {
        let place = loop {
            let changed = self.changed.notified();
            if let Some(place) = self.connection.try_place() {
                break place;
            }
            assert_eq!(self.connection.life(), Life::Open, "it takes no more");
            changed.await;
        };
        let mut exchanged = Exchanged::default();
        let (kept, progress) = (&mut exchanged.kept, &mut exchanged.progress);
        let sent = self.connection.send(place, request, body, progress, kept);
        exchanged.flaw = timeout(PATIENCE, sent).await.expect("it ends").err();
        exchanged
    }
}

fn request(method: &str, path: &str) -> Request<()> {
    let request = Request::builder().method(method);
    let request = request.uri(format!("http://target.test{path}"));
    request.body(()).expect("a request")
}

/// What became of a request.
#[derive(Debug, Default)]
struct Exchanged {
    kept: Kept,
    progress: Progress,
    flaw: Option<Flaw>,
}

impl Exchanged {
    #[track_caller]
    fn fine(self) -> Kept {
        assert_eq!(self.flaw, None);
        self.kept
    }

    #[track_caller]
    fn failed(&self, failure: Failure, word: &str) {
        let flaw = self.flaw.as_ref().expect("a failure");
        assert_eq!(flaw.failure, failure, "{}", flaw.cause);
        assert!(flaw.cause.contains(word), "{}", flaw.cause);
    }
}

/// An answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Kept {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    length: Option<u64>,
    bodiless: bool,
    body: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
}

impl Receive for Kept {
    fn head(&mut self, head: Head<'_>) -> Result<(), Refusal> {
        assert_eq!(self.status, 0, "it has one head");
        self.status = head.status;
        self.headers = owned(head.headers);
        (self.length, self.bodiless) = (head.length, head.bodiless);
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        assert!(!bytes.is_empty());
        self.body.extend_from_slice(bytes);
        if self.body.starts_with(b"refuse me") {
            return Err(Refusal {
                failure: Failure::TooLarge,
                cause: "as it was told",
            });
        }
        Ok(())
    }

    fn trailers(&mut self, fields: &[Header<'_>]) -> Result<(), Refusal> {
        assert!(self.trailers.is_empty());
        self.trailers = owned(fields);
        Ok(())
    }
}

fn owned(fields: &[Header<'_>]) -> Vec<(String, Vec<u8>)> {
    let fields = fields.iter();
    fields
        .map(|field| (field.name.to_owned(), field.value.to_vec()))
        .collect()
}

/// Run on the worker's thread beside the test; what it panics with is the test's.
fn beside<T: 'static>(future: impl Future<Output = T> + 'static) -> Beside<T> {
    Beside(tokio::task::spawn_local(future))
}

struct Beside<T>(tokio::task::JoinHandle<T>);

impl<T> Beside<T> {
    async fn join(self) -> T {
        let joined = timeout(PATIENCE, self.0).await.expect("it ends");
        match joined {
            Ok(value) => value,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// What the library's own server does for each request of one connection: `handle` gets it and how to answer. Ends with
/// the connection, with the most streams that were open at a time and the paths in their order.
async fn serve<F>(
    listener: TcpListener,
    builder: ::h2::server::Builder,
    handle: impl Fn(Request<::h2::RecvStream>, ::h2::server::SendResponse<Bytes>) -> F + 'static,
) -> (usize, Vec<String>)
where
    F: Future<Output = ()> + 'static,
{
    let (stream, _) = listener.accept().await.expect("a connection");
    let mut connection = builder.handshake(stream).await.expect("HTTP/2");
    let (now, most) = (Rc::new(RefCell::new(0)), Rc::new(RefCell::new(0)));
    let mut paths = Vec::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        paths.push(request.uri().path().to_owned());
        *now.borrow_mut() += 1;
        let open = *now.borrow();
        most.replace_with(|most| open.max(*most));
        let handled = handle(request, respond);
        let now = Rc::clone(&now);
        tokio::task::spawn_local(async move {
            handled.await;
            *now.borrow_mut() -= 1;
        });
    }
    let most = *most.borrow();
    (most, paths)
}
