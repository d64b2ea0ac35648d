//! Every metric that a run exports: name, help, labels. Read by [`super::families`], by the encoders, and by the
//! dashboard, whose queries name these constants. `host/docs/metrics.md` shows the same table, and a test holds it
//! against this one. A name or label that is here once is a promise to dashboards.

/// Upper bounds of the buckets of requests and of the workers' lag, in seconds: 100 us to 30 s.
const LATENCY: &[f64] = &[
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0,
];
/// Upper bounds of the buckets for calls into behaviors, in seconds.
const GUEST_CALL: &[f64] = &[
    1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 1e-2, 1e-1, 1.0,
];
/// Upper bounds of the session buckets, in seconds.
const SESSION: &[f64] = &[
    0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0,
];

/// What a metric is, whatever its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricDesc {
    /// Without prefix, unit and `_total`.
    pub name: &'static str,
    pub help: &'static str,
    pub unit: Option<MetricUnit>,
    pub kind: MetricKind,
    pub labels: &'static [&'static str],
    /// What has to be so for the family to have samples; `None`: it always has.
    pub when: Option<&'static str>,
}

/// What its samples are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    Counter,
    Gauge,
    /// With the upper bounds of its buckets, ascending.
    Histogram(&'static [f64]),
    Summary,
}

/// What its values are counted in; always a base unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricUnit {
    Seconds,
    Bytes,
    Ratio,
}

impl MetricUnit {
    pub fn as_str(self) -> &'static str {
        match self {
            MetricUnit::Seconds => "seconds",
            MetricUnit::Bytes => "bytes",
            MetricUnit::Ratio => "ratio",
        }
    }
}

impl MetricKind {
    pub fn as_str(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram(_) => "histogram",
            MetricKind::Summary => "summary",
        }
    }
}

impl MetricDesc {
    /// The name of the family with prefix and unit: `vespeiro_request_duration_seconds`, `vespeiro_requests`.
    pub fn family(&self) -> String {
        match self.unit {
            Some(unit) => format!("vespeiro_{}_{}", self.name, unit.as_str()),
            None => format!("vespeiro_{}", self.name),
        }
    }

    /// The name that a query uses: a counter ends in `_total`.
    pub fn query(&self) -> String {
        match self.kind {
            MetricKind::Counter => format!("{}_total", self.family()),
            _ => self.family(),
        }
    }

    const fn new(
        kind: MetricKind,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self {
            name,
            help,
            unit: None,
            kind,
            labels,
            when: None,
        }
    }

    const fn of(self, unit: MetricUnit) -> Self {
        Self {
            unit: Some(unit),
            ..self
        }
    }

    const fn when(self, when: &'static str) -> Self {
        Self {
            when: Some(when),
            ..self
        }
    }
}

type Words = &'static [&'static str];

const fn counter(name: &'static str, labels: Words, help: &'static str) -> MetricDesc {
    MetricDesc::new(MetricKind::Counter, name, labels, help)
}

const fn gauge(name: &'static str, labels: Words, help: &'static str) -> MetricDesc {
    MetricDesc::new(MetricKind::Gauge, name, labels, help)
}

/// All histograms are of times.
const fn histogram(
    name: &'static str,
    bounds: &'static [f64],
    labels: Words,
    help: &'static str,
) -> MetricDesc {
    MetricDesc::new(MetricKind::Histogram(bounds), name, labels, help).of(MetricUnit::Seconds)
}

macro_rules! table {
    ($($constant:ident = $metric:expr;)*) => {
        $(pub static $constant: MetricDesc = $metric;)*
        /// All of them, in the order of the page.
        pub static ALL: &[&MetricDesc] = &[$(&$constant),*];
    };
}

const ROUTE: Words = &["archetype", "method", "route"];
const VERSION: Words = &["archetype", "version", "hash"];
const ARCHETYPE: Words = &["archetype"];

// One line per metric reads better than what rustfmt makes of it.
#[rustfmt::skip]
mod rows {
    use super::*;

    table! {
        // The run
        BUILD_INFO = gauge("build_info", &["version"], "The version of Vespeiro that runs");
        RUN_INFO = gauge("run_info", &["run", "scenario", "target"], "The run that goes on");
        START_TIME = gauge("start_time", &[], "When the run began, since 1970").of(MetricUnit::Seconds);
        ELAPSED = gauge("elapsed", &[], "Time since the start of the run").of(MetricUnit::Seconds);

        // Requests
        REQUESTS = counter("requests", &["archetype", "method", "route", "status", "failure", "expected"],
            "Requests sent, by what came of them; expected: the tool asked for the failure");
        ERRORS = counter("errors", &["archetype", "method", "route", "kind"],
            "Requests that failed though nobody asked for it, by kind: 4xx, 5xx, or why there is no response");
        REQUEST_DURATION = histogram("request_duration", LATENCY, ROUTE,
            "Time from the send to the last byte of the response or to the failure");
        SENT = counter("sent", ROUTE, "Bytes of requests").of(MetricUnit::Bytes);
        RECEIVED = counter("received", ROUTE, "Bytes of responses").of(MetricUnit::Bytes);
        REQUESTS_NOT_SENT = counter("requests_not_sent", &["archetype", "failure"], "Requests that never left, by reason");
        AUTHENTICATIONS = counter("authentications", &["archetype", "method", "route", "result", "expected"],
            "Requests of the category auth, by result: success, refused (4xx) or failed")
            .when("a behavior has announced a route of the category auth");

        // The mixes
        CATEGORY_REQUESTS = counter("category_requests", &["archetype", "category"], "Requests sent, by the category of the request mix");
        THRESHOLD_CROSSED = gauge("threshold_crossed", &["threshold"], "1 when a threshold does not hold as the run stands, else 0")
            .when("the run has thresholds");
        MIX_TARGET = gauge("mix_target", &["category"], "Share of the requests that the request mix wants a category to have")
            .of(MetricUnit::Ratio).when("the run has a request mix");
        CLASS_REQUESTS = counter("class_requests", &["archetype", "class"],
            "Requests sent, by what the error mix tells apart, whoever is to blame");
        ERROR_MIX_TARGET = gauge("error_mix_target", &["class"], "Share of the requests that the error mix wants a class to have")
            .of(MetricUnit::Ratio).when("the run has an error mix");
        FAULTS_ASKED = counter("faults_asked", &["kind"], "Failures that the tool asked for on purpose, by kind");
        FAULTS_COMMITTED = counter("faults_committed", &["kind"], "Requests that failed as the tool asked for, by kind");

        // Users and sessions
        USERS_PLANNED = gauge("users_planned", &[], "Virtual users that the plan asks for");
        USERS_ACTIVE = gauge("users_active", ARCHETYPE, "Virtual users that have started and not finished");
        SESSIONS_ACTIVE = gauge("sessions_active", ARCHETYPE, "Sessions that have started and not ended");
        SESSIONS_STARTED = counter("sessions_started", ARCHETYPE, "Sessions begun");
        SESSIONS_ENDED = counter("sessions_ended", &["archetype", "ending"], "Sessions ended, by how; a completed one is a whole journey");
        SESSION_DURATION = histogram("session_duration", SESSION, &["archetype", "ending"], "Time that sessions lasted, by how they ended");

        // The load profile
        USERS_TARGET = gauge("users_target", &[], "Virtual users that the load profile wants now");
        ARRIVAL_RATE_TARGET = gauge("arrival_rate_target", &[], "Arrivals per second that the load profile wants now").when("the profile is a rate");
        ARCHETYPE_USERS_TARGET = gauge("archetype_users_target", &["archetype"], "Virtual users that the archetype's own load profile wants now").when("an archetype has a load profile of its own");
        ARCHETYPE_RATE_TARGET = gauge("archetype_arrival_rate_target", &["archetype"], "Arrivals per second that the archetype's own load profile wants now").when("an archetype has a rate of its own");
        ARRIVALS = counter("arrivals", &[], "Arrivals that came due");
        ARRIVALS_DROPPED = counter("arrivals_dropped", &[], "Arrivals that found no user in time and were never sent");
        SERVICE_DURATION = histogram("service_duration", LATENCY, &[], "With a rate: time from the send to the outcome; request_duration counts from when a request should have left");
        PAUSED = gauge("paused", &[], "1 while somebody holds the run");

        // Regard for the target
        BREAKER_STATE = gauge("breaker_state", &["state"], "Workers whose circuit breaker is in this state; each worker has its own");
        BREAKER_TRANSITIONS = counter("breaker_transitions", &["to"], "Changes of the circuit breakers' state, by the new one");
        HOLDS = counter("holds", &["reason"], "Waits of users before a request, beyond what their behavior asked for, by reason");
        HOLD = counter("hold", &["reason"], "Time that users spent in these waits, by reason").of(MetricUnit::Seconds);
        USERS_HELD = gauge("users_held", &[], "Users in such a wait now");
        PACE_FACTOR = gauge("pace_factor", &[], "By how much the slowest worker slows its users down because of 429s; 1 is not at all");
        RETRIES = counter("retries", &[], "Requests sent again after a failure");
        LOGINS_REFUSED = counter("logins_refused", &[], "Logins that the target refused though nobody asked for it");
        LOGIN_PAUSES = counter("login_pauses", &[], "Times that refused logins led to a pause of all logins on a worker");
        LOGINS_PAUSED = gauge("logins_paused", &[], "Workers that let nobody log in now");

        // Behaviors
        BEHAVIOR_INFO = gauge("behavior_info", &["archetype", "behavior", "version", "hash"], "The behaviors that play an archetype or have played it");
        CHECKS = counter("checks", &["archetype", "check", "result"], "Checks of behaviors, by result").when("a behavior makes checks");
        OBSERVED = MetricDesc::new(MetricKind::Summary, "observed_value", &["archetype", "metric"],
            "Values that behaviors observed; quantiles are since the start of the run").when("a behavior observes values");
        GUEST_CALL_DURATION = histogram("guest_call_duration", GUEST_CALL, ARCHETYPE, "Time of each call into a behavior");
        INSTANCES_BUILT = counter("instances_built", ARCHETYPE, "Instances of a behavior made");
        TRAPS = counter("traps", ARCHETYPE, "Calls into a behavior that trapped");

        // Versions of a behavior
        VERSION_SHARE = gauge("version_share", VERSION, "Part of an archetype's new sessions that a version of its behavior gets").of(MetricUnit::Ratio);
        VERSION_REQUESTS = counter("version_requests", &["archetype", "version", "hash", "result"], "Requests sent, by version and result: good, injected or error");
        VERSION_REQUEST_DURATION = histogram("version_request_duration", LATENCY, VERSION,
            "Time from the send to the last byte of the response or to the failure, by version");
        VERSION_SESSIONS_ENDED = counter("version_sessions_ended", &["archetype", "version", "hash", "ending"], "Sessions ended, by version and by how");
        VERSION_TRAPS = counter("version_traps", VERSION, "Calls into a version of a behavior that trapped");
        SWAPS = counter("swaps", &["archetype", "result"], "Swaps of a behavior, by result: published, refused or rolled-back");

        // The generator
        SCHEDULING_LAG = histogram("scheduling_lag", LATENCY, &[], "How late the workers' timers fired");
        WORKERS = gauge("workers", &[], "Threads that play users");
        USABLE_CORES = gauge("usable_cores", &[], "Cores that the workers can keep busy at most");
        PROCESS_CPU = counter("process_cpu", &[], "CPU time of the generator, user and system").of(MetricUnit::Seconds);
        PROCESS_RESIDENT_MEMORY = gauge("process_resident_memory", &[], "Resident memory of the generator").of(MetricUnit::Bytes);
        PROCESS_OPEN_FDS = gauge("process_open_fds", &[], "Open files of the generator");
        PROCESS_THREADS = gauge("process_threads", &[], "Threads of the generator");
        PROCESS_OPEN_SOCKETS = gauge("process_open_sockets", &[], "Open sockets of the generator: connections to the target, and its own listeners");
        COROUTINES = gauge("coroutines", &[], "Virtual users' tasks that have not ended: they play, think, or wait to begin");
        REQUESTS_IN_FLIGHT = gauge("requests_in_flight", &[], "Requests that were sent and have no outcome yet");
        GENERATOR_LIMIT = gauge("generator_limit", &["kind"], "1 where the generator itself was the limit, so that the figures are not the target's alone");
    }
}

pub use rows::*;

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of the table in `host/docs/metrics.md`.
    fn row(metric: &MetricDesc) -> String {
        let labels = match metric.labels {
            [] => String::new(),
            labels => format!("`{}`", labels.join("`, `")),
        };
        let when = metric
            .when
            .map_or(String::new(), |when| format!(" *Only when {when}.*"));
        let (name, kind) = (metric.query(), metric.kind.as_str());
        format!(
            "| `{name}` | {kind} | {labels} | {}.{when} |\n",
            metric.help
        )
    }

    #[test]
    fn the_documentation_shows_this_table() {
        let page = include_str!("../../../docs/metrics.md");
        let shown: String = page
            .lines()
            .filter(|line| line.starts_with("| `vespeiro_"))
            .map(|line| format!("{line}\n"))
            .collect();
        let table: String = ALL.iter().map(|metric| row(metric)).collect();
        assert_eq!(
            shown, table,
            "host/docs/metrics.md has to have these rows:\n{table}"
        );
    }

    #[test]
    fn names_follow_the_conventions() {
        for metric in ALL {
            let name = metric.family();
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            for reserved in ["_total", "_sum", "_count", "_bucket"] {
                assert!(!name.ends_with(reserved), "{name}");
            }
            assert!(!metric.help.is_empty() && !metric.help.ends_with('.'));
            for label in metric.labels {
                assert!(!["le", "quantile", "job", "instance"].contains(label));
            }
            if let MetricKind::Histogram(bounds) = metric.kind {
                assert!(bounds.is_sorted() && metric.unit == Some(MetricUnit::Seconds));
            }
        }
        assert_eq!(SENT.query(), "vespeiro_sent_bytes_total");
        assert_eq!(
            REQUEST_DURATION.query(),
            "vespeiro_request_duration_seconds"
        );
    }
}
