//! The resolved configuration of one run. Built once by [`resolve`], validated, then read-only: every other room
//! takes what it needs from here and never asks the command line, the environment or a file.

pub mod preset;
pub mod units;

mod addresses;
mod archetypes;
mod condition;
mod connection_types;
mod connections;
mod curve;
mod environment;
mod errors;
mod feeds;
mod file;
mod guard;
mod layers;
mod mix;
mod overrides;
mod pin;
mod profile;
mod proxy;
mod resolve;
mod settings;
mod start_at;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod value_types;
mod workloads;

pub use addresses::socket_path;
pub use condition::{Bound, Comparison, Condition, Dimension, Metric, Selector, Threshold, Unit};
pub use connections::{Codings, Connections, Sharing, TlsSettings, TlsVersion, USER_AGENT};
pub use curve::{Curve, Stage};
pub use errors::{Bad, Origin, PlanError, PlanErrors, nearest, one_line};
pub use feeds::{Feed, Format, Order};
pub use guard::{Degradation, Guard};
pub use layers::{Heading, Kind, Line, Setting, Settings};
pub use mix::{ErrorMix, RequestMix};
pub use overrides::{LoadOverrides, may_be_own};
pub use pin::{Resolve, ResolveError, literal};
pub use preset::Preset;
pub use profile::{Arrivals, Pool, Profile};
pub use proxy::{Proxy, ProxyError, ProxyKind};
pub use resolve::{Cast, Fed, Origins, Resolved, Sources, resolve};
pub use settings::{LANGUAGES, settings};
pub use start_at::StartAt;
pub use workloads::Workload;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

/// Everything that one run needs to know.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Name of the preset the plan started from.
    pub scenario: String,
    /// Identifier of the run: 8 lower-case letters and digits.
    pub run_id: String,
    /// The seed that all randomness comes from.
    pub seed: u64,
    /// OS threads that play users.
    pub workers: usize,
    pub target: Target,
    pub connections: Connections,
    pub resilience: Resilience,
    pub load: Load,
    /// Held by feedback: with either of them on, what a user decides depends on all the others too. With both off
    /// the seed alone decides.
    pub mix: Option<RequestMix>,
    /// What share of the requests the tool makes fail on purpose.
    pub error_mix: Option<ErrorMix>,
    /// At least one; weights are relative and positive.
    pub archetypes: Vec<Archetype>,
    /// By name, in their order.
    pub feeds: Vec<Feed>,
    pub guest: Guest,
    pub guard: Guard,
    pub cleanup: Cleanup,
    pub control: Control,
    pub output: Output,
}

/// How a run is steered while it goes on.
#[derive(Debug, Clone)]
pub struct Control {
    /// Where it can be told to.
    pub address: Option<SocketAddr>,
    /// Who knows it may tell it; without one, only this machine. Never print it.
    pub token: Option<String>,
    /// Swap a behavior when its file changes.
    pub watch: bool,
    /// Where people watch and steer it in a browser.
    pub page: Option<SocketAddr>,
}

/// The service under test and how to speak to it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Scheme, host, port and an optional path prefix, without a trailing slash; or `unix:` and the path of a socket.
    pub base_url: Url,
    /// Hosts that may be played against though they are neither this machine nor private.
    pub allow_host: Vec<String>,
    /// Accept any TLS certificate.
    pub insecure: bool,
    pub http: HttpVersion,
    pub connect_timeout: Duration,
    pub request_timeout: Duration,
    /// Send a W3C trace context with each request.
    pub trace_context: bool,
    /// Largest response body that is read, in bytes.
    pub max_body: usize,
    /// Account that the privileged archetypes log in with, and that cleanup uses.
    pub admin: Admin,
}

/// How the run treats a target that is in trouble, or asks to be left alone.
#[derive(Debug, Clone)]
pub struct Resilience {
    /// `None`: requests go out whatever comes back.
    pub breaker: Option<BreakerRules>,
    /// Wait after 429, `Retry-After` and connections that fail.
    pub backoff: bool,
    /// Times that a request without effect on the second try is sent again.
    pub retries: u32,
    /// Refused logins per minute over all workers, beyond which nobody logs in. `None`: no bound.
    pub max_auth_failures: Option<u32>,
}

/// When a circuit breaker opens and closes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerRules {
    /// Share of failures that opens it, 0 to 1.
    pub threshold: f64,
    /// Fewest outcomes in the window that a share is made of.
    pub volume: u32,
    /// How far back it looks.
    pub window: Duration,
    /// How long it stays open at least.
    pub cool_down: Duration,
    /// Requests that have to succeed before it closes.
    pub probes: u32,
}

/// Protocol version towards the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/2 where TLS negotiates it, else HTTP/1.1.
    Auto,
    Http1,
    /// HTTP/2 without asking (prior knowledge on clear text).
    Http2,
}

/// A privileged account of the target. Never printed.
#[derive(Clone)]
pub struct Admin {
    pub email: String,
    pub password: String,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// How much traffic, and how it is spread.
#[derive(Debug, Clone)]
pub struct Load {
    /// How many users, or how much arrives, over time: played by all archetypes that have no profile of their own.
    pub profile: Profile,
    /// Who takes the arrivals of a rate that says nothing else of it.
    pub pool: Pool,
    /// When to begin; at once where nothing is said.
    pub start_at: Option<StartAt>,
    /// The plan's plain number of users; whoever wants to know who plays when asks the profile.
    pub users: u32,
    /// Each user's request budget is drawn from `min_request_count..=max_request_count`.
    pub min_request_count: u32,
    pub max_request_count: u32,
    /// End the run after this long even if budgets are left. Where all that is played ends by stages, that is the end
    /// of the last one, or earlier.
    pub duration: Option<Duration>,
    /// What `duration` was given as, whatever the profiles end by themselves: goes on while the run is paused.
    pub limit: Option<Duration>,
    /// Spread the users' starts evenly over this long.
    pub ramp_up: Duration,
    /// How long requests under way may take to finish once the run is stopping.
    pub grace: Duration,
    /// Bounds of a human pause, both included.
    pub delay_min: Duration,
    pub delay_max: Duration,
}

/// A kind of user.
#[derive(Clone)]
pub struct Archetype {
    pub name: String,
    pub weight: u32,
    pub module: Module,
    /// A JSON object, handed to each session. Holds the admin account under `admin`: never print it.
    pub config: serde_json::Value,
    pub own: LoadOverrides,
}

// A config carries the admin account, so it is left out.
impl std::fmt::Debug for Archetype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archetype")
            .field("name", &self.name)
            .field("weight", &self.weight)
            .field("module", &self.module)
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}

/// Where a behavior comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    /// Embedded in the binary under this name: `newcomer`, `active`, `admin`, `power`.
    BuiltIn(String),
    /// A file, resolved against the plan file's folder.
    File(PathBuf),
}

/// What a behavior module may cost.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Linear memory of one instance, in bytes.
    pub memory: usize,
    /// Longest time of one call into the module.
    pub call_timeout: Duration,
    /// Keep compiled code on disk.
    pub cache: bool,
}

/// How the run removes what it has created.
#[derive(Debug, Clone)]
pub struct Cleanup {
    pub when: CleanUp,
    /// Most requests per second.
    pub rate: u32,
    /// Who does it: one of the plan's archetypes or, when none has its name, a built-in one.
    pub archetype: Archetype,
    /// Where the run keeps account of what it creates.
    pub journal: PathBuf,
}

/// After which runs to clean up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanUp {
    Always,
    /// Unless the run could not do its job.
    OnSuccess,
    Never,
}

/// What the run tells, and where.
#[derive(Debug, Clone)]
pub struct Output {
    /// Serve Prometheus metrics here.
    pub metrics: Option<SocketAddr>,
    /// Push metrics to this address, by Prometheus remote write.
    pub remote_write: Option<Url>,
    /// Push metrics to this address, by OTLP over HTTP.
    pub otlp: Option<Url>,
    pub push_interval: Duration,
    /// Go with every push.
    pub push_headers: Headers,
    /// Push exponential histograms instead of such with fixed bounds.
    pub native_histograms: bool,
    /// Draw the live panel when standard error is a terminal.
    pub panel: bool,
    pub language: Language,
    pub summary_json: Option<PathBuf>,
    /// Record one user's replies here, for `vespeiro trace`.
    pub trace_record: Option<PathBuf>,
    /// Which user's.
    pub trace_user: u32,
    /// Thresholds and checks as test cases.
    pub junit: Option<PathBuf>,
    /// The summary as a page with charts.
    pub html: Option<PathBuf>,
    /// One row a second: CSV, or JSON lines.
    pub timeseries: Option<PathBuf>,
    /// How many of the slowest requests the summary names.
    pub slowest: usize,
    /// Least severe lines of the log on standard error.
    pub log: LogLevel,
}

/// Names and values of headers, which may hold a secret: never print them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// Language of the panel and the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    Portuguese,
}
