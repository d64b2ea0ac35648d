//! A way through a proxy: HTTP CONNECT and SOCKS5. The plan reads the URL, the dialer talks to the proxy.
//!
//! What must stay true: credentials are never shown, not even in an error or by `Debug`; not a byte of what comes after
//! the proxy's answer is read, for it is the target's.

use std::fmt;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;
use url::Url;

use super::cause::{Broken, exhausted};

/// The longest answer of an HTTP proxy that is read.
const LONGEST: usize = 16 << 10;

/// A proxy and how to speak to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    /// As in its URL: a name or a literal address, IPv6 in brackets.
    pub host: String,
    pub port: u16,
    credentials: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Socks5,
}

/// What was read is no proxy. The text itself is not quoted: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    #[error(
        "a proxy is http://HOST:PORT or socks5://HOST:PORT, with USER:PASSWORD@ before the host where it needs them"
    )]
    NotAUrl,
    #[error("a proxy is spoken to by http (CONNECT) or socks5, not by {0}")]
    Scheme(&'static str),
    #[error("a proxy's URL has no path, query or fragment: end it with the port")]
    Path,
    #[error(
        "a proxy's user and password are UTF-8 and, for SOCKS5, both there and at most 255 bytes long"
    )]
    Credentials,
}

impl Proxy {
    /// Read `http://[USER:PASSWORD@]HOST[:PORT]` or `socks5://…` (also `socks5h`); ports are 8080 and 1080 where there
    /// is none.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let url = Url::parse(text).map_err(|_| ProxyError::NotAUrl)?;
        let (kind, standard) = match url.scheme() {
            "http" => (Kind::Http, 8080),
            "socks5" | "socks5h" => (Kind::Socks5, 1080),
            "https" => return Err(ProxyError::Scheme("https")),
            "socks4" | "socks4a" => return Err(ProxyError::Scheme("socks4")),
            // Of `user:secret@host:1` the scheme would be the user.
            _ => return Err(ProxyError::NotAUrl),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(ProxyError::NotAUrl)?.to_owned();
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(ProxyError::Path);
        }
        // `url` leaves out the scheme's own port, and 80 is none that a proxy has by itself.
        let port = match url.port() {
            Some(port) => port,
            None if kind == Kind::Http && ends_with_port_80(text) => 80,
            None => standard,
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => {
                let decoded = |text: &str| {
                    let text = percent_decode_str(text).decode_utf8();
                    text.map(|text| text.into_owned())
                };
                let user = decoded(user).map_err(|_| ProxyError::Credentials)?;
                let password = decoded(password.unwrap_or_default());
                let password = password.map_err(|_| ProxyError::Credentials)?;
                let fits = |text: &str| (1..=255).contains(&text.len());
                if kind == Kind::Socks5 && !(fits(&user) && fits(&password)) {
                    return Err(ProxyError::Credentials);
                }
                Some((user, password))
            }
        };
        Ok(Self {
            kind,
            host,
            port,
            credentials,
        })
    }

    /// Have the proxy connect a stream to it with `host` (a name, or an address, IPv6 in brackets) and `port`.
    pub(super) async fn lead(
        &self,
        stream: TcpStream,
        host: &str,
        port: u16,
    ) -> Result<TcpStream, Broken> {
        match self.kind {
            Kind::Http => self.connect(stream, host, port).await,
            Kind::Socks5 => self.socks5(stream, host, port).await,
        }
    }

    async fn connect(
        &self,
        mut stream: TcpStream,
        host: &str,
        port: u16,
    ) -> Result<TcpStream, Broken> {
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some((user, password)) = &self.credentials {
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
            Some(407) if self.credentials.is_none() => Err(Broken::connect(format!(
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
        let led = match &self.credentials {
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
            Error::NoAcceptableAuthMethods if self.credentials.is_none() => {
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
                self.kind.word()
            )),
            _ => Broken::connect(format!("the connection to the proxy {self} broke: {error}")),
        })
    }

    fn not_one(&self, kind: &str) -> Broken {
        Broken::connect(format!("{self} answers as no {kind} proxy does"))
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Http => "http",
            Kind::Socks5 => "socks5",
        }
    }
}

fn ends_with_port_80(text: &str) -> bool {
    text.trim_end_matches('/').ends_with(":80")
}

/// Without the credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.kind.word(), self.host, self.port)
    }
}

/// Without the credentials.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = if self.credentials.is_some() {
            " with credentials"
        } else {
            ""
        };
        write!(f, "Proxy({self}{with})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (text, shown) in [
            ("http://proxy.test:3128", "http://proxy.test:3128"),
            ("http://proxy.test", "http://proxy.test:8080"),
            ("http://proxy.test:80/", "http://proxy.test:80"),
            ("socks5://127.0.0.1", "socks5://127.0.0.1:1080"),
            ("socks5h://[::1]:9", "socks5://[::1]:9"),
        ] {
            assert_eq!(Proxy::parse(text).unwrap().to_string(), shown);
        }
        for (text, error) in [
            ("", ProxyError::NotAUrl),
            ("localhost:3128", ProxyError::NotAUrl),
            ("127.0.0.1:3128", ProxyError::NotAUrl),
            ("https://a.test", ProxyError::Scheme("https")),
            ("ftp://a.test", ProxyError::NotAUrl),
            ("http://a.test/path", ProxyError::Path),
            ("http://a.test?x", ProxyError::Path),
            ("socks5://user@a.test", ProxyError::Credentials),
        ] {
            assert_eq!(Proxy::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn credentials_are_decoded_and_never_shown() {
        let proxy = Proxy::parse("http://us%40er:se%3Acret@a.test").unwrap();
        let credentials = proxy.credentials.clone().unwrap();
        assert_eq!(credentials, ("us@er".into(), "se:cret".into()));
        let shown = format!("{proxy} {proxy:?} {:?}", Some(&proxy));
        assert!(!shown.contains("cret") && !shown.contains("us@"), "{shown}");
        for text in [
            "ftp://user:secret@a.test",
            "http://user:secret@",
            "user:secret@a.test:1",
        ] {
            let error = Proxy::parse(text).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }
}
