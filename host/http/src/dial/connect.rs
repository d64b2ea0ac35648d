//! One socket to one address. The dialer tries one after the other.
//!
//! What must stay true: a socket that is bound takes no port of its own before the kernel knows where it goes, so that
//! each local address gives all its ports to each target.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use tokio::net::{TcpSocket, TcpStream, UnixStream};

use super::cause::{Broken, exhausted, no_port, unreachable};

/// How long a full Unix socket is left alone: the kernel tells nobody when there is room again.
const FULL: Duration = Duration::from_millis(5);

/// Addresses of this machine to send from, taken in turn.
#[derive(Debug)]
pub(super) struct Locals {
    v4: Turn<Ipv4Addr>,
    v6: Turn<Ipv6Addr>,
}

#[derive(Debug)]
struct Turn<T> {
    all: Vec<T>,
    next: Cell<usize>,
}

impl<T: Copy> Turn<T> {
    fn next(&self) -> Option<T> {
        let turn = self.next.get();
        self.next.set(turn.wrapping_add(1));
        self.all.get(turn.checked_rem(self.all.len())?).copied()
    }
}

impl Locals {
    pub(super) fn new(addresses: &[IpAddr], turn: usize) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for address in addresses {
            match address {
                IpAddr::V4(address) => v4.push(*address),
                IpAddr::V6(address) => v6.push(*address),
            }
        }
        let next = || Cell::new(turn);
        Self {
            v4: Turn {
                all: v4,
                next: next(),
            },
            v6: Turn {
                all: v6,
                next: next(),
            },
        }
    }

    /// The next for a connection to `remote`; `None` where the system chooses.
    fn next(&self, remote: IpAddr) -> Result<Option<IpAddr>, Broken> {
        let (next, kind) = match remote {
            IpAddr::V4(_) => (self.v4.next().map(IpAddr::V4), "IPv4"),
            IpAddr::V6(_) => (self.v6.next().map(IpAddr::V6), "IPv6"),
        };
        if next.is_none() && !(self.v4.all.is_empty() && self.v6.all.is_empty()) {
            return Err(Broken::generator(format!(
                "--local-address names no {kind} address to reach {remote} from: add one"
            )));
        }
        Ok(next)
    }
}

/// A TCP connection to `remote`.
pub(super) async fn tcp(remote: SocketAddr, locals: &Locals) -> Result<TcpStream, Broken> {
    let local = locals.next(remote.ip())?;
    let socket = match remote {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let because = |error: &io::Error| {
        exhausted(error).unwrap_or_else(|| unreachable(error, &remote.to_string()))
    };
    let socket = socket.map_err(|error| because(&error))?;
    if let Some(local) = local {
        bind(&socket, local).map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::ADDRNOTAVAIL) => Broken::generator(format!(
                "--local-address {local} is no address of this machine: leave it out, or add it to an interface"
            )),
            Some(Errno::ADDRINUSE) => no_port(remote, Some(local)),
            _ => because(&error),
        })?;
    }
    let connected = socket.connect(remote).await;
    let stream = connected.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::ADDRNOTAVAIL) if !is_routed(remote, local) => Broken::connect(format!(
            "this machine has no address from which {remote} could be reached"
        )),
        Some(Errno::ADDRNOTAVAIL | Errno::ADDRINUSE) => no_port(remote, local),
        _ => because(&error),
    })?;
    // A peer may have closed it already: then the first write says so, in better words.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Whether this machine can send from an address, as far as can be told without a target.
pub(super) fn is_ours(address: IpAddr) -> io::Result<()> {
    std::net::UdpSocket::bind((address, 0)).map(drop)
}

fn bind(socket: &TcpSocket, local: IpAddr) -> io::Result<()> {
    // Where the kernel cannot do without, a local address has its ports for all targets together.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::socket::setsockopt(
        socket,
        nix::sys::socket::sockopt::IpBindAddressNoPort,
        &true,
    );
    socket.bind(SocketAddr::new(local, 0))
}

/// Whether this machine has an address to send to `remote` from. EADDRNOTAVAIL says that it has none, or no port: UDP has
/// ports of its own, so that it tells which, and connecting it sends nothing.
fn is_routed(remote: SocketAddr, local: Option<IpAddr>) -> bool {
    let any: IpAddr = match remote {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let probe = std::net::UdpSocket::bind((local.unwrap_or(any), 0));
    probe.is_ok_and(|probe| probe.connect(remote).is_ok())
}

/// A connection to a Unix socket.
pub(super) async fn unix(path: &Path) -> Result<UnixStream, Broken> {
    loop {
        let error = match UnixStream::connect(path).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        let shown = path.display();
        let because = match Errno::from_io_error(&error) {
            // Its queue is full. The dial's time ends this.
            Some(Errno::AGAIN) => {
                tokio::time::sleep(FULL).await;
                continue;
            }
            Some(Errno::NOENT) => Broken::connect(format!("there is no socket at {shown}")),
            _ => exhausted(&error).unwrap_or_else(|| unreachable(&error, &shown.to_string())),
        };
        return Err(because);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Failure;

    fn ips(all: &[&str]) -> Vec<IpAddr> {
        all.iter().map(|one| one.parse().unwrap()).collect()
    }

    #[test]
    fn local_addresses_are_taken_in_turn_by_family() {
        let locals = Locals::new(&ips(&["127.0.0.2", "::1", "127.0.0.3"]), 1);
        let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
        let three: Vec<_> = (0..3).map(|_| locals.next(v4).unwrap()).collect();
        let three: Vec<_> = three
            .into_iter()
            .map(|ip| ip.unwrap().to_string())
            .collect();
        assert_eq!(three, ["127.0.0.3", "127.0.0.2", "127.0.0.3"]);
        assert_eq!(locals.next(v6), Ok(Some(v6)));
        let none = Locals::new(&[], 0);
        assert_eq!(none.next(v4), Ok(None));
        let only = Locals::new(&ips(&["127.0.0.2"]), 0);
        assert_eq!(only.next(v6).unwrap_err().failure, Failure::Generator);
    }

    #[tokio::test]
    async fn an_address_that_is_not_ours_is_named() {
        let locals = Locals::new(&ips(&["192.0.2.1"]), 0);
        let remote = "127.0.0.1:9".parse().unwrap();
        let broken = tcp(remote, &locals).await.unwrap_err();
        assert_eq!(broken.failure, Failure::Generator);
        assert!(
            broken.cause.contains("--local-address 192.0.2.1"),
            "{broken:?}"
        );
    }

    #[test]
    fn loopback_is_routed() {
        assert!(is_routed("127.0.0.1:9".parse().unwrap(), None));
        assert!(!is_routed(
            "127.0.0.1:9".parse().unwrap(),
            Some("192.0.2.1".parse().unwrap())
        ));
        assert!(is_ours("127.0.0.3".parse().unwrap()).is_ok());
        assert!(is_ours("192.0.2.1".parse().unwrap()).is_err());
    }
}
