//! What a dialer is told: where to, from where, through what, how long. The client fills it in from the plan.
//!
//! What must stay true: a dialer that could be made has nothing left to refuse but what the network says.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use super::names::Names;
use super::tls::Tls;
use vespeiro_plan::Proxy;

/// Where a target listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A name or a literal address (IPv6 with or without brackets), and its port.
    Tcp { host: String, port: u16 },
    /// A Unix socket.
    Unix(PathBuf),
}

/// The HTTP version that is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProtocolWish {
    /// HTTP/2 where a TLS target chooses it, HTTP/1.1 otherwise.
    #[default]
    Auto,
    Http1,
    /// HTTP/2 and nothing else; in clear text without asking.
    Http2,
}

/// The HTTP version that a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
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
}

impl DialOptions {
    /// Clear text to `endpoint`, straight, from any address, within five seconds.
    pub fn new(endpoint: Endpoint, names: Names) -> Self {
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

/// What a dialer is told does not work out. Each names the setting and the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialSetupError {
    #[error("{setting}: {path} cannot be read: {why}")]
    Unreadable {
        setting: &'static str,
        path: String,
        why: String,
    },
    #[error(
        "{setting}: {path} holds no certificate: it has to be PEM, with a BEGIN CERTIFICATE line"
    )]
    NoCertificate { setting: &'static str, path: String },
    #[error("{setting}: {path} holds a certificate that is not one: {why}")]
    BadCertificate {
        setting: &'static str,
        path: String,
        why: String,
    },
    #[error(
        "--client-key: {path} holds no private key: it has to be PEM, without a password (PKCS #8, PKCS #1 or SEC1)"
    )]
    NoKey { path: String },
    #[error("--client-cert and --client-key do not work: {0}")]
    Identity(String),
    #[error("--client-cert goes with --client-key: give both or neither")]
    HalfIdentity,
    #[error("--tls-min {min} is above --tls-max {max}")]
    Versions {
        min: &'static str,
        max: &'static str,
    },
    #[error("{0:?} is no name that a TLS certificate can have: give one with --sni")]
    ServerName(String),
    #[error(
        "this machine has no certificates to trust: install them (Debian's ca-certificates), name a file with --ca-cert, or do not verify with --insecure"
    )]
    NoRoots,
    #[error("--local-address {address} is none that this machine can send from: {why}")]
    LocalAddress { address: IpAddr, why: String },
    #[error("a Unix socket is spoken to in clear text: write http, not https")]
    TlsOverUnix,
    #[error("a Unix socket cannot be reached through a proxy: leave out --proxy")]
    ProxyToUnix,
    #[error("{0}")]
    Tls(String),
}
