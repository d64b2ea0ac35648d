//! Who may be played against: this machine, private networks, and hosts that the plan allows by name. Asked once,
//! before the first request, so that a slip in a URL does not put load on a stranger.

use std::net::{IpAddr, Ipv6Addr};

use url::{Host, Url};

/// The target is somebody else's, as far as anyone can tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the target {host} is neither this machine nor in a private network ({address}): if you may put load on it, say so with --allow-host {host}"
)]
pub struct OutOfReach {
    /// As in the URL.
    pub host: String,
    /// The address that is public.
    pub address: IpAddr,
}

/// Check the host of a target; `allowed` holds hosts as URLs have them. A name has to be private in all of its addresses; one that nobody knows is let through,
/// since it cannot be reached anyway.
pub async fn check_reach(url: &Url, allowed: &[String]) -> Result<(), OutOfReach> {
    let Some(host) = url.host() else {
        return Ok(());
    };
    if allowed.contains(&host.to_string()) {
        return Ok(());
    }
    let addresses: Vec<IpAddr> = match host {
        Host::Ipv4(address) => vec![address.into()],
        Host::Ipv6(address) => vec![address.into()],
        Host::Domain(name) => {
            let port = url.port_or_known_default().unwrap_or_default();
            match tokio::net::lookup_host((name, port)).await {
                Ok(found) => found.map(|address| address.ip()).collect(),
                Err(_) => Vec::new(),
            }
        }
    };
    match addresses.into_iter().find(|address| !is_near(*address)) {
        Some(address) => Err(OutOfReach {
            host: host.to_string(),
            address,
        }),
        None => Ok(()),
    }
}

/// Loopback, private or link-local; the unspecified address leads to this machine too.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified()
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_near(v4.into()),
            None => is_near_v6(v6),
        },
    }
}

fn is_near_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far_addresses() {
        for near in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.1.1",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_near(near.parse().unwrap()), "{near}");
        }
        for far in [
            "8.8.8.8",
            "172.32.0.1",
            "100.64.0.1",
            "192.0.2.1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_near(far.parse().unwrap()), "{far}");
        }
    }

    #[tokio::test]
    async fn a_stranger_is_refused_unless_allowed() {
        let check = async |url: &str, allowed: &[&str]| {
            let allowed: Vec<String> = allowed.iter().map(|host| (*host).to_owned()).collect();
            check_reach(&url.parse().unwrap(), &allowed).await
        };
        let refused = check("http://192.0.2.1:80/api", &["a.test"]).await;
        let message = refused.unwrap_err().to_string();
        assert!(message.ends_with("--allow-host 192.0.2.1"), "{message}");
        for (url, allowed) in [
            ("http://192.0.2.1", &["192.0.2.1"] as &[_]),
            ("http://[2001:db8::1]", &["[2001:db8::1]"]),
            ("http://Example.test", &["example.test"]),
            ("http://localhost:1", &[]),
            ("http://127.0.0.1:1", &[]),
            ("http://nobody.invalid", &[]),
        ] {
            assert_eq!(check(url, allowed).await, Ok(()), "{url}");
        }
    }
}
