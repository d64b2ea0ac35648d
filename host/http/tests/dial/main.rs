//! Dials against real peers: sockets, OpenSSL, proxies of Debian. What each of them is said to do is what it is known for.

// Tests measure by the machine's clock.
#![allow(clippy::disallowed_methods)]

mod limits;
mod proxies;
mod sockets;
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
mod tls;

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use vespeiro_http::dial::{DialError, DialOptions, Dialed, Dialer, Endpoint, Names};
use vespeiro_model::Clock;

/// Run as a worker does: one thread, tasks of its own.
fn worker<T>(future: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), future)
}

fn names(resolve: &[&str]) -> Names {
    let resolve: Vec<_> = resolve
        .iter()
        .map(|one| one.parse().expect("one"))
        .collect();
    Names::new(&resolve, Duration::from_secs(60))
}

/// To `host:port`, in clear text.
fn to(host: &str, port: u16) -> DialOptions {
    let endpoint = Endpoint::Tcp {
        host: host.to_owned(),
        port,
    };
    DialOptions::new(endpoint, names(&[]), Clock::system())
}

async fn dial(options: DialOptions) -> Result<Dialed, DialError> {
    dialer(options).dial().await
}

fn dialer(options: DialOptions) -> Rc<Dialer> {
    Rc::new(Dialer::new(options).expect("a dialer"))
}

/// A port that refuses connections, as long as the socket is kept: somebody else would take one that is merely free.
fn closed() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let port = socket.local_addr().expect("its address").port();
    (socket, port)
}
