//! The settings of the target: its address, how to speak to it, the account that privileged users log in with. Read by
//! `plan.rs`; `resilience.rs` says how the target is spared.

use std::fmt;
use std::time::Duration;

use url::Url;
use vespeiro_model::words;

use crate::addresses::{base_url, hosts};
use crate::layers::section;
use crate::units::DefaultUnit::Seconds;
use crate::units::{GIB, LONGEST_PAUSE, MILLISECOND};
use crate::value_types::{choice, count, duration, secret, size, switch, text};

section! {
    /// The service under test and how to speak to it.
    #[derive(Debug, Clone)]
    pub struct Target(r) {
        /// Scheme, host, port and an optional path prefix, without a trailing slash.
        base_url: Url = ("base_url", "http://localhost:9501", base_url(), "The service under test: a URL, or unix:/path of a Unix socket");
        /// Hosts that may be load-tested though they are neither this machine nor private.
        allow_host: Vec<String> = ("allow_host", "none", hosts(),
            "Hosts, separated by commas, that may be load-tested though they are neither this machine nor private");
        /// Accept any TLS certificate.
        insecure: bool = ("insecure", "false", switch(), "Accept any TLS certificate");
        http: HttpVersion = ("http", "auto", choice("VERSION"), "HTTP version: auto, 1, or 2 (prior knowledge)");
        connect_timeout: Duration = ("connect_timeout", "5s", duration(Seconds, MILLISECOND..=LONGEST_PAUSE),
            "Longest wait for a connection; bare numbers are seconds");
        request_timeout: Duration = ("request_timeout", "30s", duration(Seconds, MILLISECOND..=LONGEST_PAUSE),
            "Longest wait for a whole response; bare numbers are seconds");
        /// Ask for `/health` before the load begins: a target that does not answer at all ends the run.
        preflight: bool = ("preflight", "true", switch(), "Ask the target for /health before the run, and end the run if nothing answers");
        /// Send a W3C trace context with each request.
        trace_context: bool = ("trace_context", "false", switch(),
            "Send a W3C traceparent with each request, so that it can be found in the target's traces");
        /// Largest response body that is read, in bytes.
        max_body: usize = ("max_body", "1MiB", size(1..=4 * GIB), "Largest response body; bare numbers are bytes");
        cookies: CookiesFor = ("cookies", "per-session", choice("WHEN"),
            "Whether users keep the target's cookies: per-session, per-user (over all of its sessions) or off");
        /// Most redirects that one request is sent on by. 0: none is followed.
        redirects: u32 = ("redirects", "0", count(0..=100), "Most redirects that are followed for one request; 0 for none");
        /// Account that the privileged archetypes log in with, and that the cleanup uses.
        admin: Admin = { Admin::read(r) };
    }
}

section! {
    /// A privileged account of the target. Never printed.
    #[derive(Clone)]
    pub struct Admin(r) {
        email: String = ("admin_email", "admin@example.test", text("EMAIL"), "Account of the privileged archetypes");
        password: String = ("admin_password", "Admin123!", secret(),
            "Its password, never printed; VESPEIRO_ADMIN_PASSWORD keeps it out of the process list");
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

words! {
    /// How long the cookies of a user are kept.
    pub enum CookiesFor {
        /// For a session, as in a new private window.
        PerSession => "per-session",
        /// From one session to the next, as in one browser.
        PerUser => "per-user",
        /// None is kept or sent.
        Off => "off",
    }

    /// Protocol version towards the target.
    pub enum HttpVersion {
        /// HTTP/2 where TLS negotiates it, else HTTP/1.1.
        Auto => "auto",
        Http1 => "1",
        /// HTTP/2 without negotiation (prior knowledge on clear text).
        Http2 => "2",
    }
}
