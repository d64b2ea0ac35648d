//! A listener: an address of this machine at which a run answers over HTTP. The metrics, the control endpoint and the live
//! page are routers on one each, with the same bounds. The address is taken before the run, so that a taken port ends the
//! command and not the run.
//!
//! What must stay true: a peer that is silent, does not read or never ends takes one of [`CONNECTIONS`] for a while, and
//! keeps nobody else waiting.

use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Sleep, sleep};

use vespeiro_plan::Plan;

/// Connections of one listener; more of them wait.
const CONNECTIONS: usize = 256;
/// A connection without a byte in either direction for this long is closed.
const IDLE: Duration = Duration::from_secs(120);
/// How long a request's head may take, and a connection may rest between two.
const HEAD: Duration = Duration::from_secs(10);
/// Characters of a token that others can try.
const SHORTEST_TOKEN: usize = 16;
/// How long open connections may keep the listener after the run.
const GRACE: Duration = Duration::from_millis(500);

/// The address cannot be listened on: the command line has to change.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error("{name} {address}: {cause}: choose another address with --{name} HOST:PORT")]
    Taken {
        name: &'static str,
        address: SocketAddr,
        cause: io::Error,
    },
    #[error(
        "{name} {address}: others could steer this run: listen on 127.0.0.1, or set control_token"
    )]
    Open {
        name: &'static str,
        address: SocketAddr,
    },
    #[error(
        "{name} {address}: a control_token of {length} characters can be guessed by whoever reaches this address: give it {SHORTEST_TOKEN} at least, for instance from `openssl rand -hex 16`"
    )]
    Weak {
        name: &'static str,
        address: SocketAddr,
        length: usize,
    },
}

/// A listening socket that nobody answers yet.
#[derive(Debug)]
pub struct Listener {
    inner: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Take the address; `name` is its setting. Needs a tokio runtime.
    pub fn bind(name: &'static str, address: SocketAddr) -> Result<Listener, BindError> {
        let taken = |cause| BindError::Taken {
            name,
            address,
            cause,
        };
        let inner = std::net::TcpListener::bind(address).map_err(taken)?;
        inner.set_nonblocking(true).map_err(taken)?;
        let inner = TcpListener::from_std(inner).map_err(taken)?;
        let address = inner.local_addr().map_err(taken)?;
        Ok(Listener { inner, address })
    }

    /// The same for an address that controls the run: without a token that nobody guesses it has to be a loopback address.
    pub fn bind_private(
        plan: &Plan,
        name: &'static str,
        address: SocketAddr,
    ) -> Result<Listener, BindError> {
        let token = plan.control.token.as_ref();
        match token.map(|token| token.chars().count()) {
            _ if address.ip().is_loopback() => {}
            None => return Err(BindError::Open { name, address }),
            Some(length) if length < SHORTEST_TOKEN => {
                return Err(BindError::Weak {
                    name,
                    address,
                    length,
                });
            }
            Some(_) => {}
        }
        Listener::bind(name, address)
    }

    /// The address with the port that the system chose for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begin to answer.
    pub fn serve(self, app: Router) -> Server {
        self.serve_many(app, CONNECTIONS)
    }

    /// The same over so many connections at a time.
    pub fn serve_many(self, app: Router, connections: usize) -> Server {
        let (stop, mut stopped) = oneshot::channel::<()>();
        let mut bounded = Bounded {
            inner: self.inner,
            permits: Arc::new(Semaphore::new(connections)),
        };
        let task = tokio::spawn(async move {
            let (graceful, mut open) = (GracefulShutdown::new(), JoinSet::new());
            loop {
                tokio::select! {
                    _ = &mut stopped => break,
                    connection = bounded.accept() => {
                        let service = TowerToHyperService::new(app.clone());
                        let served = http1::Builder::new()
                            .timer(TokioTimer::new())
                            .header_read_timeout(HEAD)
                            .serve_connection(TokioIo::new(connection), service);
                        open.spawn(graceful.watch(served));
                    }
                    Some(_) = open.join_next() => {}
                }
            }
            drop(bounded);
            // What is open after that ends with the set.
            let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
        });
        Server { stop, task }
    }
}

/// A listener at work.
#[derive(Debug)]
pub struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Stop answering.
    pub async fn close(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// Accepts so many connections at a time.
struct Bounded {
    inner: TcpListener,
    permits: Arc<Semaphore>,
}

impl Bounded {
    async fn accept(&mut self) -> Connection {
        // Nobody closes the semaphore: there always is a permit in the end.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        // It waits a moment where the system has no file left for a connection.
        let (stream, _) = axum::serve::Listener::accept(&mut self.inner).await;
        Connection {
            stream,
            idle: Box::pin(sleep(IDLE)),
            _permit: permit,
        }
    }
}

/// A connection that ends when nothing passes for a while.
struct Connection {
    stream: TcpStream,
    idle: Pin<Box<Sleep>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.idle.set(sleep(IDLE));
            return polled;
        }
        let idle = self.idle.as_mut().poll(context);
        idle.map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.watch(context, polled)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
