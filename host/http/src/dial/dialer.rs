//! One dial from the name to the stream that HTTP is spoken on. The pool calls it, in as many tasks as it likes.
//!
//! What must stay true: a dial ends when its time is over; the guard judges every address before anything is sent to it;
//! of several addresses a dead one costs its share of the time and no more.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use rustls::HandshakeKind;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::cause::{Broken, exhausted, unreachable};
use super::connect::{self, Locals};
use super::names::Names;
use super::options::{DialOptions, Endpoint, Guard};
use super::phases::{DialPhases, DialWatch, Part};
use super::protocol::{Protocol, ProtocolWish};
use super::proxy::Lead;
use super::setup_error::DialSetupError;
use super::stream::Stream;
use super::tls::Session;
use super::verdict::{CertificateRequest, no_http, within, words};
use crate::Failure;
use vespeiro_model::Clock;
use vespeiro_plan::Proxy;

/// Addresses of a name whose failures are told one by one.
const SHOWN: usize = 4;

/// Makes connections to one target. Belongs to a worker, and is used within a `LocalSet`.
pub struct Dialer {
    endpoint: Endpoint,
    wish: ProtocolWish,
    connect_timeout: Duration,
    locals: Locals,
    turn: usize,
    names: Names,
    guard: Option<Guard>,
    tls: Option<Session>,
    proxy: Option<Proxy>,
    clock: Clock,
}

/// A connection that was made.
#[derive(Debug)]
pub struct Dialed {
    pub stream: Stream,
    pub phases: DialPhases,
    pub remote: Remote,
    pub protocol: Protocol,
    /// Whether the TLS session went on from an earlier one; `None` in clear text.
    pub resumed: Option<bool>,
}

/// What is at the other end of a connection: the target, or the proxy before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remote {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remote::Tcp(address) => address.fmt(f),
            Remote::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// No connection was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct DialError {
    pub failure: Failure,
    /// In words, with the mend where there is one.
    pub cause: String,
    /// How far it came.
    pub phases: DialPhases,
}

impl Dialer {
    /// A dialer that does what `options` say.
    pub fn new(options: DialOptions) -> Result<Self, DialSetupError> {
        let tls = match (&options.endpoint, &options.tls) {
            (_, None) => None,
            (Endpoint::Tcp { host, .. }, Some(tls)) => Some(tls.session(host, options.protocol)?),
            (Endpoint::Unix(_), Some(_)) => return Err(DialSetupError::TlsOverUnix),
        };
        if let (Endpoint::Unix(_), Some(_)) = (&options.endpoint, &options.proxy) {
            return Err(DialSetupError::ProxyToUnix);
        }
        for address in &options.local_addresses {
            connect::is_ours(*address).map_err(|error| DialSetupError::LocalAddress {
                address: *address,
                why: error.to_string(),
            })?;
        }
        Ok(Self {
            endpoint: options.endpoint,
            wish: options.protocol,
            connect_timeout: options.connect_timeout,
            locals: Locals::new(&options.local_addresses, options.turn),
            turn: options.turn,
            names: options.names,
            guard: options.guard,
            tls,
            proxy: options.proxy,
            clock: options.clock,
        })
    }

    /// Make one more connection, within the time for connecting.
    pub async fn dial(&self) -> Result<Dialed, DialError> {
        let start = self.clock.now();
        // A time that long never comes.
        let deadline = start.checked_add(self.connect_timeout);
        let deadline = deadline.unwrap_or(start + Duration::from_secs(86_400 * 365));
        let mut watch = DialWatch::start(start);
        let dialed = timeout_at(deadline, self.within(deadline, &mut watch)).await;
        let dialed = dialed.unwrap_or_else(|_| Err(self.too_slow(watch.part())));
        let phases = watch.stop(self.clock.now());
        match dialed {
            Ok((stream, remote)) => {
                let (protocol, resumed) = match &stream {
                    Stream::Tls(tls) => {
                        let session = tls.get_ref().1;
                        let resumed = session.handshake_kind() == Some(HandshakeKind::Resumed);
                        match session.alpn_protocol() {
                            Some(b"h2") => (Protocol::Http2, Some(resumed)),
                            _ => (Protocol::Http1, Some(resumed)),
                        }
                    }
                    _ if self.wish == ProtocolWish::Http2 => (Protocol::Http2, None),
                    _ => (Protocol::Http1, None),
                };
                if self.wish == ProtocolWish::Http2 && protocol == Protocol::Http1 {
                    return Err(DialError {
                        failure: Failure::Tls,
                        cause: no_http(),
                        phases,
                    });
                }
                Ok(Dialed {
                    stream,
                    phases,
                    remote,
                    protocol,
                    resumed,
                })
            }
            Err(Broken { failure, cause }) => Err(DialError {
                failure,
                cause,
                phases,
            }),
        }
    }

    async fn within(
        &self,
        deadline: Instant,
        watch: &mut DialWatch,
    ) -> Result<(Stream, Remote), Broken> {
        let (host, port) = match &self.endpoint {
            Endpoint::Unix(path) => {
                watch.enter(Part::Connect, self.clock.now());
                let stream = connect::unix(path).await?;
                return Ok((Stream::Unix(stream), Remote::Unix(path.clone())));
            }
            Endpoint::Tcp { host, port } => (host.as_str(), *port),
        };
        let (stream, address) = match &self.proxy {
            None => self.straight(host, port, deadline, watch).await?,
            Some(proxy) => {
                let destination = self.proxy_destination(proxy, host, port)?;
                let (stream, address) = self
                    .straight(&proxy.host, proxy.port, deadline, watch)
                    .await?;
                (Lead(proxy).to(stream, &destination, port).await?, address)
            }
        };
        let Some(session) = &self.tls else {
            return Ok((Stream::Tcp(stream), Remote::Tcp(address)));
        };
        watch.enter(Part::Tls, self.clock.now());
        let connector = TlsConnector::from(session.config.clone());
        match connector.connect(session.name.clone(), stream).await {
            Ok(tls) => Ok((Stream::Tls(Box::new(tls)), Remote::Tcp(address))),
            Err(error) => Err(self.no_handshake(session, &error)),
        }
    }

    /// A TCP connection to one of the addresses of a host.
    async fn straight(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
        watch: &mut DialWatch,
    ) -> Result<(TcpStream, SocketAddr), Broken> {
        let addresses = self
            .names
            .addresses(host, port, self.turn, self.clock)
            .await?;
        for address in &addresses {
            self.check_allowed(host, Some(*address))?;
        }
        watch.enter(Part::Connect, self.clock.now());
        let mut failed: Vec<Broken> = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            let remote = SocketAddr::new(*address, port);
            let now = self.clock.now();
            let left = deadline.saturating_duration_since(now);
            let others = addresses.len() - index;
            let share = now + left / u32::try_from(others).unwrap_or(u32::MAX);
            // The last has all that is left: the dial's own time ends it.
            let tried = if others == 1 {
                connect::tcp(remote, &self.locals).await
            } else {
                let tried = timeout_at(share, connect::tcp(remote, &self.locals)).await;
                tried.unwrap_or_else(|_| {
                    let cause = format!("{remote} does not answer");
                    Err(Broken::new(Failure::Timeout, cause))
                })
            };
            match tried {
                Ok(stream) => return Ok((stream, remote)),
                Err(broken) => failed.push(broken),
            }
        }
        Err(together(failed))
    }

    /// What a proxy is asked to connect to: the address where one is given, otherwise the name.
    fn proxy_destination(&self, proxy: &Proxy, host: &str, port: u16) -> Result<String, Broken> {
        let Some(given) = self.names.given(host, port) else {
            self.check_allowed(host, None)?;
            return Ok(host.to_owned());
        };
        for address in given.iter() {
            self.check_allowed(host, Some(*address))?;
        }
        match given.first() {
            Some(IpAddr::V4(address)) => Ok(address.to_string()),
            Some(IpAddr::V6(address)) => Ok(format!("[{address}]")),
            None => Err(Broken::connect(format!(
                "{host} has no address for the proxy {proxy}"
            ))),
        }
    }

    fn check_allowed(&self, host: &str, address: Option<IpAddr>) -> Result<(), Broken> {
        match &self.guard {
            Some(guard) => guard(host, address).map_err(Broken::generator),
            None => Ok(()),
        }
    }

    fn no_handshake(&self, session: &Session, error: &std::io::Error) -> Broken {
        if let Some(error) = within(error) {
            let asked = match (session.is_asked_who_we_are(), session.has_identity()) {
                (false, _) => CertificateRequest::None,
                (true, false) => CertificateRequest::Unanswered,
                (true, true) => CertificateRequest::Answered,
            };
            return Broken::new(Failure::Tls, words(error, asked));
        }
        exhausted(error).unwrap_or_else(|| match error.kind() {
            std::io::ErrorKind::UnexpectedEof
            | std::io::ErrorKind::ConnectionReset
            | std::io::ErrorKind::BrokenPipe => Broken::connect(format!(
                "{} closed the connection in the TLS handshake: does it speak TLS on this port?",
                self.to()
            )),
            _ => unreachable(error, &self.to()),
        })
    }

    fn too_slow(&self, part: Part) -> Broken {
        let time = self.connect_timeout;
        let to = self.to();
        let what = match (part, &self.proxy) {
            (Part::Lookup, _) => format!("the name in {to} was not looked up"),
            (Part::Connect, None) => format!("{to} took no connection"),
            (Part::Connect, Some(proxy)) => format!("the proxy {proxy} did not connect to {to}"),
            (Part::Tls, _) => format!("{to} did not end the TLS handshake"),
        };
        Broken::new(
            Failure::Timeout,
            format!("{what} within {time:?} (--connect-timeout)"),
        )
    }

    fn to(&self) -> String {
        match &self.endpoint {
            Endpoint::Tcp { host, port } => format!("{host}:{port}"),
            Endpoint::Unix(path) => format!("unix:{}", path.display()),
        }
    }
}

/// What is said where none of the addresses did. What this machine ran out of comes before what a target did.
fn together(failed: Vec<Broken>) -> Broken {
    let rank = |broken: &Broken| match broken.failure {
        Failure::Generator => 2,
        Failure::Timeout => 1,
        _ => 0,
    };
    let failure = failed.iter().max_by_key(|broken| rank(broken));
    let failure = failure.map_or(Failure::Connect, |broken| broken.failure);
    let more = failed.len().saturating_sub(SHOWN);
    let shown = failed.into_iter().take(SHOWN);
    let mut causes: Vec<_> = shown.map(|broken| broken.cause).collect();
    if more > 0 {
        causes.push(format!("and {more} more addresses"));
    }
    Broken::new(failure, causes.join("; "))
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer")
            .field("endpoint", &self.endpoint)
            .field("wish", &self.wish)
            .field("connect_timeout", &self.connect_timeout)
            .field("locals", &self.locals)
            .field("names", &self.names)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}
