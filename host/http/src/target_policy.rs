//! Who may be played against: this machine, private networks, and hosts that the plan allows by name, so that a slip in a
//! URL does not put load on a stranger. Asked before the first request, and by the dialer for every address that it is
//! about to connect to.
//!
//! What must stay true: an address that was looked up, pinned or is a proxy's is judged as one in a URL is; what nobody
//! here can look up is let through by its name alone.

use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

use url::Url;
use vespeiro_plan::{Connections, Plan, literal};

use crate::dial::{Endpoint, Guard};

/// The target, or the proxy before it, is somebody else's, as far as anyone can tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutOfReach {
    #[error(
        "the target {host} is neither this machine nor in a private network ({address}): if you may put load on it, say so with --allow-host {host}"
    )]
    Public {
        /// As in the URL.
        host: String,
        address: IpAddr,
    },
    #[error(
        "the name {host} is looked up by the proxy, so that nobody here knows whose it is: if you may put load on it, say so with --allow-host {host}, or give its address with --resolve"
    )]
    Unknown {
        /// As in the URL.
        host: String,
    },
}

/// Check the plan's targets and proxy. A name has to be private in all of its addresses; one that nobody knows is let
/// through, since it cannot be reached anyway.
pub async fn check_reach(plan: &Plan) -> Result<(), OutOfReach> {
    for one in plan.all_targets() {
        check_one(
            &one.target.base_url,
            &one.target.allow_host,
            one.connections,
        )
        .await?;
    }
    Ok(())
}

async fn check_one(
    base: &Url,
    allowed: &[String],
    connections: &Connections,
) -> Result<(), OutOfReach> {
    let Endpoint::Tcp { host, port } = Endpoint::of(base) else {
        return Ok(());
    };
    let Some(proxy) = &connections.proxy else {
        return check(&host, port, allowed, connections).await;
    };
    check(&proxy.host, proxy.port, allowed, connections).await?;
    match given(&host, port, connections) {
        Some(addresses) => addresses
            .iter()
            .try_for_each(|address| judge(&host, Some(*address), allowed)),
        None => judge(&host, None, allowed),
    }
}

async fn check(
    host: &str,
    port: u16,
    allowed: &[String],
    connections: &Connections,
) -> Result<(), OutOfReach> {
    let addresses = match given(host, port, connections) {
        Some(given) => given,
        None => match tokio::net::lookup_host((host, port)).await {
            Ok(found) => found.map(|address| address.ip()).collect(),
            Err(_) => Vec::new(),
        },
    };
    addresses
        .into_iter()
        .try_for_each(|address| judge(host, Some(address), allowed))
}

/// The addresses that are known without a lookup.
fn given(host: &str, port: u16, connections: &Connections) -> Option<Vec<IpAddr>> {
    let bare = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let pins = |host: &str| {
        let mut pins = connections.resolve.iter().rev();
        pins.find(|pin| pin.host == host && pin.port == port)
            .map(|pin| pin.addresses.clone())
    };
    pins(&bare)
        .or_else(|| pins("*"))
        .or_else(|| literal(host).map(|address| vec![address]))
}

/// The same for the dialer.
pub(crate) fn guard(allowed: &[String]) -> Guard {
    let allowed: Vec<String> = allowed.to_vec();
    Rc::new(move |host, address| judge(host, address, &allowed).map_err(|far| far.to_string()))
}

/// `allowed` holds hosts as URLs have them, IPv6 in brackets.
fn judge(host: &str, address: Option<IpAddr>, allowed: &[String]) -> Result<(), OutOfReach> {
    let written = match literal(host) {
        Some(IpAddr::V6(v6)) => format!("[{v6}]"),
        _ => host.to_ascii_lowercase(),
    };
    if allowed.contains(&written) {
        return Ok(());
    }
    match address.or_else(|| literal(host)) {
        Some(address) if is_near(address) => Ok(()),
        Some(address) => Err(OutOfReach::Public {
            host: written,
            address,
        }),
        None => Err(OutOfReach::Unknown { host: written }),
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

    fn plan(url: &str, allowed: &[&str]) -> Plan {
        let mut plan = vespeiro_plan::testing::plan(vespeiro_plan::Language::English);
        plan.target.base_url = url.parse().unwrap();
        plan.target.allow_host = allowed.iter().map(|host| (*host).to_owned()).collect();
        plan
    }

    #[tokio::test]
    async fn a_stranger_is_refused_unless_allowed() {
        let refused = check_reach(&plan("http://192.0.2.1:80/api", &["a.test"])).await;
        let message = refused.unwrap_err().to_string();
        assert!(message.ends_with("--allow-host 192.0.2.1"), "{message}");
        for (url, allowed) in [
            ("http://192.0.2.1", &["192.0.2.1"] as &[_]),
            ("http://[2001:db8::1]", &["[2001:db8::1]"]),
            ("http://Example.test", &["example.test"]),
            ("http://localhost:1", &[]),
            ("http://127.0.0.1:1", &[]),
            ("http://nobody.invalid", &[]),
            ("unix:/run/x.sock", &[]),
        ] {
            assert_eq!(check_reach(&plan(url, allowed)).await, Ok(()), "{url}");
        }
    }

    #[tokio::test]
    async fn pinned_and_proxied_addresses_are_judged_too() {
        let pinned = |address: &str| {
            let mut plan = plan("http://example.test", &[]);
            plan.connections.resolve = vec![format!("*:80:{address}").parse().unwrap()];
            plan
        };
        assert_eq!(check_reach(&pinned("127.0.0.1")).await, Ok(()));
        let far = check_reach(&pinned("127.0.0.1,192.0.2.1")).await;
        assert!(matches!(far, Err(OutOfReach::Public { .. })), "{far:?}");

        let proxied = |plan: &Plan, proxy: &str| {
            let mut plan = plan.clone();
            plan.connections.proxy = Some(vespeiro_plan::Proxy::parse(proxy).unwrap());
            plan
        };
        let near = "socks5://127.0.0.1:1";
        let named = plan("http://localhost", &[]);
        let unknown = check_reach(&proxied(&named, near)).await.unwrap_err();
        assert!(
            unknown.to_string().contains("--allow-host localhost"),
            "{unknown}"
        );
        for (known, is_near) in [
            (plan("http://localhost", &["localhost"]), true),
            (plan("http://127.0.0.1", &[]), true),
            (plan("http://192.0.2.1", &[]), false),
            (pinned("10.0.0.1"), true),
            (pinned("192.0.2.1"), false),
        ] {
            let judged = check_reach(&proxied(&known, near)).await;
            assert_eq!(judged.is_ok(), is_near, "{judged:?}");
        }
        let far = check_reach(&proxied(
            &plan("http://127.0.0.1", &[]),
            "http://192.0.2.1:1",
        ))
        .await;
        assert!(matches!(far, Err(OutOfReach::Public { .. })), "{far:?}");
    }

    #[test]
    fn the_dialer_judges_as_the_check_before_it_does() {
        let guard = guard(&["a.test".into(), "[2001:db8::1]".into()]);
        let (near, far) = (literal("127.0.0.1"), literal("192.0.2.1"));
        assert_eq!(guard("b.test", near), Ok(()));
        assert_eq!(guard("A.test", far), Ok(()));
        assert_eq!(guard("a.test", None), Ok(()));
        assert_eq!(guard("2001:db8::1", literal("2001:db8::1")), Ok(()));
        assert!(
            guard("b.test", far)
                .unwrap_err()
                .contains("--allow-host b.test")
        );
        assert!(
            guard("b.test", None)
                .unwrap_err()
                .contains("--allow-host b.test")
        );
    }
}
