//! The settings of shards that play as one run: where they meet, and how long they wait for each other. Read by `plan.rs`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use url::Host;

use crate::errors::ValueError;
use crate::layers::section;
use crate::units::DefaultUnit::Seconds;
use crate::value_types::{ValueType, duration};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

section! {
    /// Where the shards of a run meet.
    #[derive(Debug, Clone)]
    pub struct MeetSettings(r) {
        /// Where shard 0 listens, and the others find it.
        place: Option<MeetingPlace> = ("meet", "none", meeting_place().or_none(),
            "Play with the other shards as one run: shard 0 listens on this HOST:PORT, the others join it there and all begin together; off this machine it needs control_token");
        timeout: Duration = ("meet_timeout", "5m", duration(Seconds, SECOND..=DAY),
            "How long shards wait for each other before the run; bare numbers are seconds");
    }
}

/// A host as a name or an address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingPlace {
    host: Host,
    port: u16,
}

impl MeetingPlace {
    /// Where shard 0 listens: at an address that is given. A name may mean another address here than it does elsewhere, so
    /// that with one it listens on all of them; `localhost` is this machine everywhere.
    pub fn listens(&self) -> SocketAddr {
        let address = match &self.host {
            Host::Ipv4(address) => IpAddr::from(*address),
            Host::Ipv6(address) => IpAddr::from(*address),
            Host::Domain(name) if name == "localhost" => IpAddr::from([127, 0, 0, 1]),
            Host::Domain(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        };
        SocketAddr::new(address, self.port)
    }
}

impl fmt::Display for MeetingPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn meeting_place() -> ValueType<MeetingPlace> {
    let read = |text: &str| {
        let place = text.rsplit_once(':').and_then(|(host, port)| {
            let host = Host::parse(host).ok()?;
            let port = port.parse().ok().filter(|port| *port != 0)?;
            Some(MeetingPlace { host, port })
        });
        place.ok_or_else(|| {
            ValueError::new(
                format!("{text:?} is no host with a port"),
                "write it as node1:7072, 10.0.0.5:7072 or [::1]:7072",
            )
        })
    };
    ValueType::new("HOST:PORT", read, MeetingPlace::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_and_a_port_and_a_name_is_listened_to_everywhere() {
        let form = meeting_place();
        for (text, listens) in [
            ("127.0.0.1:7072", "127.0.0.1:7072"),
            ("localhost:7072", "127.0.0.1:7072"),
            ("[::1]:7072", "[::1]:7072"),
            ("load-0.load.tests.svc:7072", "[::]:7072"),
        ] {
            let place = (form.parse)(text).unwrap();
            assert_eq!((form.show)(&place), text);
            assert_eq!(place.listens().to_string(), listens);
        }
        for text in [
            "",
            "node1",
            "node1:",
            ":7072",
            "node1:0",
            "node1:70720",
            "::1:7072",
            "a b:1",
        ] {
            assert!((form.parse)(text).is_err(), "{text}");
        }
    }
}
