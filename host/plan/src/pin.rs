//! `--resolve HOST:PORT:ADDR[,ADDR]`, as curl has it. Read by `settings/connections.rs`, answered from by the
//! room `http`.
//!
//! What must stay true: what is shown is what was read, so that a plan can be printed and read again.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses for a host and port, in place of what a lookup would say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// Lower case, without brackets; `*` stands for any host.
    pub host: String,
    pub port: u16,
    /// At least one.
    pub addresses: Vec<IpAddr>,
}

/// What was read is no `HOST:PORT:ADDR`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not HOST:PORT:ADDR[,ADDR]: {why}, as in example.test:443:127.0.0.1,[::1]")]
pub struct ResolveError {
    given: String,
    why: &'static str,
}

impl FromStr for Resolve {
    type Err = ResolveError;

    fn from_str(text: &str) -> Result<Self, ResolveError> {
        let wrong = |why| ResolveError {
            given: text.to_owned(),
            why,
        };
        let (host, rest) = match text.strip_prefix('[') {
            Some(inner) => inner
                .split_once("]:")
                .ok_or(wrong("the bracket is not closed"))?,
            None => text
                .split_once(':')
                .ok_or(wrong("a host, a port and addresses are needed"))?,
        };
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(wrong("the host is missing"));
        }
        let (port, addresses) = rest
            .split_once(':')
            .ok_or(wrong("a host, a port and addresses are needed"))?;
        let port = port
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or(wrong("the port is a number from 1 to 65535"))?;
        let addresses = addresses
            .split(',')
            .map(|one| literal(one.trim()).ok_or(wrong("an address is IPv4 or IPv6, no name")))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port,
            addresses,
        })
    }
}

impl fmt::Display for Resolve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}:", self.host, self.port)?;
        } else {
            write!(f, "{}:{}:", self.host, self.port)?;
        }
        for (index, address) in self.addresses.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match address {
                IpAddr::V4(v4) => write!(f, "{comma}{v4}")?,
                IpAddr::V6(v6) => write!(f, "{comma}[{v6}]")?,
            }
        }
        Ok(())
    }
}

/// The address that a host is, with or without brackets; `None` for a name.
pub fn literal(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_ports_and_addresses() {
        let read: Resolve = "Example.test:443:127.0.0.1,[::1],fe80::2".parse().unwrap();
        assert_eq!((read.host.as_str(), read.port), ("example.test", 443));
        assert_eq!(read.addresses.len(), 3);
        assert_eq!(
            read.to_string(),
            "example.test:443:127.0.0.1,[::1],[fe80::2]"
        );
        let v6: Resolve = "[2001:db8::1]:80:10.0.0.1".parse().unwrap();
        assert_eq!(v6.to_string(), "[2001:db8::1]:80:10.0.0.1");
        assert_eq!("*:1:::1".parse::<Resolve>().unwrap().host, "*");
    }

    #[test]
    fn what_is_none_is_refused_with_its_reason() {
        for (text, why) in [
            ("", "a host, a port and addresses"),
            ("a", "a host, a port and addresses"),
            ("a:1", "a host, a port and addresses"),
            (":1:127.0.0.1", "the host is missing"),
            ("a:0:127.0.0.1", "the port is a number"),
            ("a:70000:127.0.0.1", "the port is a number"),
            ("a:1:", "an address is"),
            ("a:1:localhost", "an address is"),
            ("a:1:127.0.0.1,", "an address is"),
            ("[::1", "the bracket"),
        ] {
            let message = text.parse::<Resolve>().unwrap_err().to_string();
            assert!(message.contains(why), "{message}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(host in "[a-z0-9.-]{1,20}", port in 1u16.., addresses in prop::collection::vec(any::<IpAddr>(), 1..4)) {
            let resolve = Resolve { host, port, addresses };
            prop_assert_eq!(resolve.to_string().parse::<Resolve>().unwrap(), resolve);
        }

        #[test]
        fn anything_is_answered(text in ".{0,40}") {
            let _ = text.parse::<Resolve>();
        }
    }
}
