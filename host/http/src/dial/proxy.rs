//! A way through a proxy: HTTP CONNECT and SOCKS5. The dialer has the plan's proxy lead it.
//!
//! What must stay true: credentials are never shown, not even in an error; not a byte of what comes after the proxy's
//! answer is read, for it is the target's.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;
use vespeiro_plan::{Proxy, ProxyKind};

use super::cause::{Broken, exhausted};

/// The longest answer of an HTTP proxy that is read.
const LONGEST: usize = 16 << 10;

/// What leads through a proxy.
pub(super) struct Lead<'a>(pub(super) &'a Proxy);

impl Lead<'_> {
    /// Have the proxy connect a stream to it with `host` (a name, or an address, IPv6 in brackets) and `port`.
    pub(super) async fn to(
        &self,
        stream: TcpStream,
        host: &str,
        port: u16,
    ) -> Result<TcpStream, Broken> {
        match self.0.kind {
            ProxyKind::Http => self.connect(stream, host, port).await,
            ProxyKind::Socks5 => self.socks5(stream, host, port).await,
        }
    }

    async fn connect(
        &self,
        mut stream: TcpStream,
        host: &str,
        port: u16,
    ) -> Result<TcpStream, Broken> {
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some((user, password)) = &self.0.credentials {
            let basic = STANDARD.encode(format!("{user}:{password}"));
            request.push_str(&format!("Proxy-Authorization: Basic {basic}\r\n"));
        }
        request.push_str("\r\n");
        let sent = stream.write_all(request.as_bytes()).await;
        sent.map_err(|error| self.broke(&error))?;
        let head = self.answer(&mut stream).await?;
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut response = httparse::Response::new(&mut headers);
        let status = match response.parse(&head) {
            Ok(_) => response.code,
            Err(_) => None,
        };
        match status {
            Some(200..=299) => Ok(stream),
            Some(407) if self.0.credentials.is_none() => Err(Broken::connect(format!(
                "the proxy {self} demands a user and a password (407): put USER:PASSWORD@ before its host"
            ))),
            Some(407) => Err(Broken::connect(format!(
                "the proxy {self} does not take this user and password (407)"
            ))),
            Some(status) => Err(Broken::connect(format!(
                "the proxy {self} does not connect to {host}:{port}: it answers {status}"
            ))),
            None => Err(self.not_one("http")),
        }
    }

    /// The answer's head, and nothing of what comes after it.
    async fn answer(&self, stream: &mut TcpStream) -> Result<Vec<u8>, Broken> {
        let mut head = Vec::new();
        let mut seen = [0; 1024];
        loop {
            let peeked = stream.peek(&mut seen).await;
            let peeked = peeked.map_err(|error| self.broke(&error))?;
            if peeked == 0 {
                return Err(self.broke(&io::ErrorKind::UnexpectedEof.into()));
            }
            let before = head.len();
            head.extend_from_slice(&seen[..peeked]);
            // The end may have begun in what was read before.
            let from = before.saturating_sub(3);
            let end = head[from..].windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(at) = end {
                head.truncate(from + at + 4);
            }
            let taken = stream.read_exact(&mut head[before..]).await;
            taken.map_err(|error| self.broke(&error))?;
            if end.is_some() {
                return Ok(head);
            }
            if head.len() > LONGEST {
                return Err(self.not_one("http"));
            }
        }
    }

    async fn socks5(&self, stream: TcpStream, host: &str, port: u16) -> Result<TcpStream, Broken> {
        use tokio_socks::Error;
        let to = (host.trim_matches(['[', ']']), port);
        let led = match &self.0.credentials {
            None => Socks5Stream::connect_with_socket(stream, to).await,
            Some((user, password)) => {
                Socks5Stream::connect_with_password_and_socket(stream, to, user, password).await
            }
        };
        let error = match led {
            Ok(led) => return Ok(led.into_inner()),
            Err(error) => error,
        };
        let says = |what: &str| {
            Broken::connect(format!(
                "the proxy {self} does not connect to {host}:{port}: it says that {what}"
            ))
        };
        Err(match error {
            Error::Io(error) => self.broke(&error),
            Error::NoAcceptableAuthMethods if self.0.credentials.is_none() => {
                Broken::connect(format!(
                    "the proxy {self} demands a user and a password: put USER:PASSWORD@ before its host"
                ))
            }
            Error::NoAcceptableAuthMethods | Error::UnknownAuthMethod => Broken::connect(format!(
                "the proxy {self} takes neither no password nor one"
            )),
            Error::PasswordAuthFailure(_) | Error::AuthorizationRequired => Broken::connect(
                format!("the proxy {self} does not take this user and password"),
            ),
            Error::InvalidResponseVersion
            | Error::InvalidReservedByte
            | Error::UnknownAddressType => self.not_one("socks5"),
            Error::ConnectionNotAllowedByRuleset => says("its rules do not allow it"),
            Error::NetworkUnreachable => says("there is no route to it"),
            Error::HostUnreachable => says("it is not reachable, or its name not known"),
            Error::ConnectionRefused => says("it refused the connection"),
            Error::TtlExpired => says("it does not answer"),
            Error::CommandNotSupported | Error::AddressTypeNotSupported => says("it cannot do so"),
            _ => says("it failed"),
        })
    }

    /// The connection to the proxy broke while it was spoken to.
    fn broke(&self, error: &io::Error) -> Broken {
        exhausted(error).unwrap_or_else(|| match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => Broken::connect(format!(
                "the proxy {self} closed the connection when asked to connect: does it speak {}, and may this machine use it?",
                self.0.kind
            )),
            _ => Broken::connect(format!("the connection to the proxy {self} broke: {error}")),
        })
    }

    fn not_one(&self, kind: &str) -> Broken {
        Broken::connect(format!("{self} answers as no {kind} proxy does"))
    }
}

/// As the proxy is shown: without the credentials.
impl std::fmt::Display for Lead<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
