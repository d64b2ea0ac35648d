//! How a plan uses connections: the values of `settings/connections.rs`, as the room `http` takes them.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Headers, Proxy, Resolve};
use vespeiro_model::words;

/// How this tool names itself to targets, unless told otherwise.
pub const USER_AGENT: &str = concat!("vespeiro/", env!("CARGO_PKG_VERSION"));

/// The connections to the target, and what goes over all of them.
#[derive(Debug, Clone)]
pub struct Connections {
    /// Who shares them.
    pub sharing: Sharing,
    /// Open connections of one user, where each has its own. 0: no cap.
    pub per_user: usize,
    /// A user's own are closed at the end of each session.
    pub close_between_sessions: bool,
    /// A connection carries more than one request.
    pub reuse: bool,
    /// Open connections over all workers of all shards; at least one for each. 0: no cap.
    pub max_connections: usize,
    /// Requests in flight over all workers of all shards; at least one for each. 0: no cap.
    pub max_in_flight: usize,
    /// Connections without a request for this long are closed.
    pub idle_timeout: Duration,
    /// HTTP/2 connections of each worker, at least one.
    pub http2_connections: usize,
    /// Streams on each of them; 0: as many as the target allows.
    pub http2_streams: usize,
    /// Addresses in place of lookups.
    pub resolve: Vec<Resolve>,
    /// How long the addresses of a name are kept before it is looked up again.
    pub dns_ttl: Duration,
    /// Where to send from, in turn; empty: the system chooses.
    pub local_addresses: Vec<IpAddr>,
    /// For every request; a behavior's own value wins.
    pub headers: Headers,
    /// `Host`, where it is not the base URL's.
    pub host_header: Option<String>,
    pub user_agent: String,
    /// Largest head of a response, in bytes.
    pub max_headers: usize,
    pub compressed: Codings,
    pub tls: TlsSettings,
    pub proxy: Option<Proxy>,
}

words! {
    /// Who shares connections.
    pub enum Sharing {
        /// All users of a worker.
        Shared => "shared",
        /// Nobody: each user has its own, as a browser has.
        PerUser => "per-user",
    }

    /// A version of TLS.
    pub enum TlsVersion {
        V1_2 => "1.2",
        V1_3 => "1.3",
    }
}

/// What TLS is told, whether or not the target speaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// PEM files with certificates of issuers to trust, in addition to the system's.
    pub ca_certs: Vec<PathBuf>,
    /// Our certificate and its key: both or neither.
    pub client_cert: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    pub min: TlsVersion,
    /// At least `min`.
    pub max: TlsVersion,
    /// The name to ask for and to verify, in place of the target's host.
    pub sni: Option<String>,
    /// Go on with earlier sessions.
    pub resumption: bool,
}

/// Who we are to targets that demand a certificate: PEM files with it and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Default for Connections {
    /// As the settings' defaults have it.
    fn default() -> Self {
        Self {
            sharing: Sharing::Shared,
            per_user: 6,
            close_between_sessions: false,
            reuse: true,
            max_connections: 1024,
            max_in_flight: 0,
            idle_timeout: Duration::from_secs(30),
            http2_connections: 1,
            http2_streams: 0,
            resolve: Vec::new(),
            dns_ttl: Duration::from_secs(60),
            local_addresses: Vec::new(),
            headers: Headers::default(),
            host_header: None,
            user_agent: USER_AGENT.to_owned(),
            max_headers: 256 << 10,
            compressed: Codings::default(),
            tls: TlsSettings::default(),
            proxy: None,
        }
    }
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            ca_certs: Vec::new(),
            client_cert: None,
            client_key: None,
            min: TlsVersion::V1_2,
            max: TlsVersion::V1_3,
            sni: None,
            resumption: true,
        }
    }
}

/// Codings of bodies that are asked for and decoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Codings {
    pub gzip: bool,
    pub br: bool,
    pub zstd: bool,
}

impl Codings {
    /// As `Accept-Encoding` has them; `None` without any.
    pub fn names(self) -> Option<String> {
        let all = [(self.gzip, "gzip"), (self.br, "br"), (self.zstd, "zstd")];
        let names: Vec<&str> = all
            .into_iter()
            .filter_map(|(on, name)| on.then_some(name))
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}
