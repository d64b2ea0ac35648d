//! `--proxy URL`. Read by `settings/connections.rs`, spoken to by the room `http`.
//!
//! What must stay true: credentials are never shown, not even in an error or by `Debug`.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;
use vespeiro_model::words;

/// A proxy and how to speak to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub kind: ProxyKind,
    /// As in its URL: a name or a literal address, IPv6 in brackets.
    pub host: String,
    pub port: u16,
    /// User and password. Never print them.
    pub credentials: Option<(String, String)>,
}

words! {
    /// How a proxy is spoken to, as in its URL.
    pub enum ProxyKind {
        /// HTTP CONNECT.
        Http => "http",
        Socks5 => "socks5",
    }
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
            "http" => (ProxyKind::Http, 8080),
            "socks5" | "socks5h" => (ProxyKind::Socks5, 1080),
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
            None if kind == ProxyKind::Http && ends_with_port_80(text) => 80,
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
                if kind == ProxyKind::Socks5 && !(fits(&user) && fits(&password)) {
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
}

fn ends_with_port_80(text: &str) -> bool {
    text.trim_end_matches('/').ends_with(":80")
}

/// Without the credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.kind, self.host, self.port)
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
