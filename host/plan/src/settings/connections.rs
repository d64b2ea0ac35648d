//! The settings of the connections to the target: how many, from where and through what, how long they stay open, what
//! TLS is told, and which headers go with every request. Read by `settings.rs`.

use std::path::PathBuf;
use std::time::Duration;

use crate::connection_types::{
    base_name, codings, header_lines, host_header, local_addresses, pins, proxy, trusted,
};
use crate::layers::Reader;
use crate::units::DefaultUnit::Seconds;
use crate::units::{LONGEST_RUN as LONGEST, MILLISECOND};
use crate::value_types::{choice, count, duration, on_off, path, size, switch, text};
use crate::{Connections, Plan, TlsSettings, USER_AGENT, ValueError};
const MOST: usize = 1_000_000;

pub(crate) fn read(r: &mut Reader<'_>) -> Connections {
    let connections = Connections {
        sharing: r.read(
            "connections",
            "shared",
            choice("WHO"),
            "Whether all users of a worker share connections (shared), or each has its own, as browsers do (per-user)",
        ),
        per_user: r.read(
            "connections_per_user",
            "6",
            count(0..=MOST),
            "With per-user: most open connections of one user; 0 for no cap",
        ),
        close_between_sessions: r.read(
            "close_between_sessions",
            "false",
            switch(),
            "With per-user: close a user's connections at the end of each session",
        ),
        reuse: r.read("reuse", "true", switch(), "Use a connection for more than one request"),
        max_connections: r.read(
            "max_connections",
            "1024",
            count(0..=MOST),
            "Most open connections to the target over all workers; 0 for no cap",
        ),
        max_in_flight: r.read(
            "max_in_flight",
            "0",
            count(0..=MOST),
            "Most requests in flight over all workers; 0 for no cap",
        ),
        idle_timeout: r.read(
            "idle_timeout",
            "30s",
            duration(Seconds, MILLISECOND..=LONGEST),
            "Close a connection after this long without a request; bare numbers are seconds",
        ),
        http2_connections: r.read(
            "http2_connections",
            "1",
            count(1..=10_000),
            "Most HTTP/2 connections of each worker; another one is opened when the others have no free stream",
        ),
        http2_streams: r.read(
            "http2_streams",
            "0",
            count(0..=MOST),
            "Most concurrent streams on an HTTP/2 connection; 0 for as many as the target allows",
        ),
        resolve: r.read(
            "resolve",
            "none",
            pins(),
            "Use these addresses for a host and port instead of looking the host up, as with curl's --resolve; repeatable",
        ),
        dns_ttl: r.read(
            "dns_ttl",
            "60s",
            duration(Seconds, Duration::ZERO..=LONGEST),
            "How long the addresses of a name are kept before it is looked up again; bare numbers are seconds",
        ),
        local_addresses: r.read(
            "local_address",
            "none",
            local_addresses(),
            "Addresses of this machine to send from, used in turn; separate them with commas",
        ),
        headers: r.read(
            "header",
            "none",
            header_lines(),
            "Header for every request, where a behavior does not set it; repeatable, its value is never printed",
        ),
        host_header: r.read(
            "host_header",
            "none",
            host_header().or_none(),
            "Value of the Host header, instead of the base URL's host",
        ),
        user_agent: r.read("user_agent", USER_AGENT, text("TEXT"), "Value of the User-Agent header"),
        max_headers: r.read(
            "max_headers",
            "256KiB",
            size(1 << 10..=64 << 20),
            "Most bytes of all headers of a response together; bare numbers are bytes",
        ),
        compressed: r.read(
            "compressed",
            "false",
            codings(),
            "Ask for compressed responses and decode them: true for gzip, or a list of gzip, br and zstd",
        ),
        tls: {
            let ca_certs = r.read(
                "ca_cert",
                "none",
                trusted(),
                "PEM file with certificates of issuers to trust, in addition to the system's; repeatable",
            );
            let (client_cert, client_key) = identity(r);
            TlsSettings {
            ca_certs,
            client_cert,
            client_key,
            min: r.read("tls_min", "1.2", choice("VERSION"), "Lowest TLS version: 1.2 or 1.3"),
            max: r.read("tls_max", "1.3", choice("VERSION"), "Highest TLS version: 1.2 or 1.3"),
            sni: r.read(
                "sni",
                "none",
                base_name().or_none(),
                "Server name that TLS sends and verifies, instead of the base URL's host",
            ),
            resumption: r.read(
                "tls_resumption",
                "on",
                on_off(),
                "Resume earlier TLS sessions: on or off",
            ),
            }
        },
        proxy: r.read(
            "proxy",
            "none",
            proxy().or_none(),
            "Go through this proxy: http://HOST:PORT or socks5://HOST:PORT, with USER:PASSWORD@ before the host; never taken from http_proxy",
        ),
    };
    check(r, &connections);
    connections
}

/// What is right by itself and wrong together.
fn check(r: &mut Reader<'_>, connections: &Connections) {
    let tls = &connections.tls;
    r.in_order("tls_min", "tls_max", tls.min <= tls.max);
    if let Some((given, bad)) = half(tls.client_cert.is_some(), tls.client_key.is_some()) {
        r.refuse(given, bad);
    }
}

/// Our certificate and its key: the run's, or an archetype's.
pub(crate) fn identity(r: &mut Reader<'_>) -> (Option<PathBuf>, Option<PathBuf>) {
    let mut file = |key, help| r.read(key, "none", path().or_none(), help);
    (
        file(
            "client_cert",
            "PEM file with a client certificate, for targets that ask for one",
        ),
        file(
            "client_key",
            "PEM file with its private key, without a password",
        ),
    )
}

/// One of them without the other.
pub(crate) fn half(cert: bool, key: bool) -> Option<(&'static str, ValueError)> {
    let (given, missing) = match (cert, key) {
        (true, false) => ("client_cert", "client_key"),
        (false, true) => ("client_key", "client_cert"),
        _ => return None,
    };
    let bad = ValueError::new(
        format!("it goes with {missing}"),
        format!("give --{}, or neither", missing.replace('_', "-")),
    );
    Some((given, bad))
}

/// What of a target's connections does not go with the rest of the plan.
pub(crate) fn fit(r: &mut Reader<'_>, plan: &Plan, connections: &Connections, is_unix: bool) {
    let (workers, shards) = (plan.workers, plan.shard.shards);
    for (key, bound) in [
        ("max_connections", connections.max_connections),
        ("max_in_flight", connections.max_in_flight),
    ] {
        // Of the shard that has least: all of them say the same.
        if bound == 0 || bound / shards >= workers {
            continue;
        }
        let bad = match plan.shard.is_alone() {
            true => ValueError::new(
                format!("{workers} workers need one each, and {bound} are fewer"),
                format!("give {workers} or more, or --workers {bound}"),
            ),
            false => ValueError::new(
                format!(
                    "{workers} workers of each of {shards} shards need one each, and {bound} are fewer"
                ),
                format!("give {} or more, or fewer workers", workers * shards),
            ),
        };
        r.refuse(key, bad);
    }
    if is_unix && connections.proxy.is_some() {
        let bad = ValueError::new(
            "a Unix socket is not reached through a proxy",
            "leave it out",
        );
        r.refuse("proxy", bad);
    }
}
