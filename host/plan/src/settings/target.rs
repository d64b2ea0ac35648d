//! The settings of the target: its address, how to speak to it, the account that privileged users log in with. Read by
//! `settings.rs`; `resilience.rs` says how the target is spared.

use super::{A_MOMENT, ALL_PAGES, LONGEST_PAUSE};
use crate::addresses::{base_url, hosts};
use crate::layers::Reader;
use crate::units::Bare::Seconds;
use crate::value_types::{choice, duration, secret, size, switch, text};
use crate::{Admin, HttpVersion, Target};

const HTTP_VERSIONS: &[(&str, HttpVersion)] = &[
    ("auto", HttpVersion::Auto),
    ("1", HttpVersion::Http1),
    ("2", HttpVersion::Http2),
];

pub(super) fn read(r: &mut Reader<'_>) -> Target {
    Target {
        base_url: r.read("base_url", "http://localhost:9501", base_url(), "The service under test: a URL, or unix:/path of a Unix socket"),
        allow_host: r.read(
            "allow_host",
            "none",
            hosts(),
            "Hosts, with commas, that may be played against though they are neither this machine nor private",
        ),
        insecure: r.read("insecure", "false", switch(), "Accept any TLS certificate"),
        http: r.read("http", "auto", choice("VERSION", HTTP_VERSIONS), "HTTP version: auto, 1, or 2 without asking"),
        connect_timeout: r.read(
            "connect_timeout",
            "5s",
            duration(Seconds, A_MOMENT..=LONGEST_PAUSE),
            "Longest wait for a connection; bare numbers are seconds",
        ),
        request_timeout: r.read(
            "request_timeout",
            "30s",
            duration(Seconds, A_MOMENT..=LONGEST_PAUSE),
            "Longest wait for a whole response; bare numbers are seconds",
        ),
        trace_context: r.read(
            "trace_context",
            "false",
            switch(),
            "Send a W3C traceparent with each request, so that it can be found in the target's traces",
        ),
        max_body: r.read("max_body", "1MiB", size(1..=ALL_PAGES), "Largest response body; bare numbers are bytes"),
        admin: Admin {
            email: r.read("admin_email", "admin@example.test", text("EMAIL"), "Account of the privileged archetypes"),
            password: r.read(
                "admin_password",
                "Admin123!",
                secret(),
                "Its password, never printed; VESPEIRO_ADMIN_PASSWORD keeps it out of the process list",
            ),
        },
    }
}
