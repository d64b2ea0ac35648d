//! What a dialer is told: where to, from where, through what, how long. The client fills it in from the plan.
//!
//! What must stay true: a dialer that could be made has nothing left to refuse but what the network says.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use super::names::Names;
use super::protocol::ProtocolWish;
use super::tls::Tls;
use url::{Host, Url};
use vespeiro_model::Clock;
use vespeiro_plan::{Proxy, socket_path};

/// The scheme of a base URL that is a Unix socket.
pub(crate) const UNIX: &str = "unix";

/// Where a target listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A name or a literal address (IPv6 with or without brackets), and its port.
    Tcp { host: String, port: u16 },
    /// A Unix socket.
    Unix(PathBuf),
}

impl Endpoint {
    /// Where a base URL leads: over TCP, or `unix:` and a path to a socket.
    pub(crate) fn of(base: &Url) -> Endpoint {
        if base.scheme() == UNIX {
            return Endpoint::Unix(socket_path(base).into());
        }
        Endpoint::Tcp {
            host: match base.host() {
                Some(Host::Domain(name)) => name.to_owned(),
                Some(Host::Ipv4(address)) => IpAddr::from(address).to_string(),
                Some(Host::Ipv6(address)) => IpAddr::from(address).to_string(),
                None => String::new(),
            },
            port: base.port_or_known_default().unwrap_or_default(),
        }
    }
}

/// Judges a host before anything is sent to it: as the target has it, and with each address that it has. Without an
/// address where a proxy is to look the name up, for then nobody here knows. The answer of one that refuses is a
/// sentence for the user.
pub type Guard = Rc<dyn Fn(&str, Option<IpAddr>) -> Result<(), String>>;

/// All that a [`Dialer`](super::Dialer) is told.
#[derive(Clone)]
pub struct DialOptions {
    pub endpoint: Endpoint,
    pub protocol: ProtocolWish,
    /// Longest wait for a connection, from the lookup to the end of the TLS handshake.
    pub connect_timeout: Duration,
    /// Addresses of this machine to send from, in turn; the system chooses where there is none.
    pub local_addresses: Vec<IpAddr>,
    /// Where among several addresses to begin, theirs and ours: a worker's index, so that not all begin with the first.
    pub turn: usize,
    /// Names and their addresses; share one among the dialers of a worker.
    pub names: Names,
    /// `None` lets all pass.
    pub guard: Option<Guard>,
    /// `None`: clear text.
    pub tls: Option<Tls>,
    pub proxy: Option<Proxy>,
    pub clock: Clock,
}

impl DialOptions {
    /// Clear text to `endpoint`, straight, from any address, within five seconds.
    pub fn new(endpoint: Endpoint, names: Names, clock: Clock) -> Self {
        Self {
            endpoint,
            protocol: ProtocolWish::Auto,
            connect_timeout: Duration::from_secs(5),
            local_addresses: Vec::new(),
            turn: 0,
            names,
            guard: None,
            tls: None,
            proxy: None,
            clock,
        }
    }
}

impl fmt::Debug for DialOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialOptions")
            .field("endpoint", &self.endpoint)
            .field("protocol", &self.protocol)
            .field("connect_timeout", &self.connect_timeout)
            .field("local_addresses", &self.local_addresses)
            .field("turn", &self.turn)
            .field("guard", &self.guard.is_some())
            .field("tls", &self.tls)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}
