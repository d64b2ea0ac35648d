//! Every metric that a run exports: name, labels, help, and how its samples are taken from a snapshot. Read by
//! [`super::families`] for every exporter, and by the dashboard, whose queries name these constants.
//!
//! **To add a metric**: count it (one field of [`crate::RunCounts`], [`crate::ArchetypeCounts`] or another struct of
//! `counts!`, which are merged by themselves, and one line of the [`crate::Recorder`]); add one row here, and the same row to
//! `host/docs/metrics.md`, which a test compares. Where people should see it in a run's result, add one field to the summary.
//!
//! What must stay true: a name or a label that was here once is a promise to dashboards.

use std::borrow::Cow;

use vespeiro_model::{
    Ending, Failure, FaultKind, OutcomeClass, OutcomeKind, SwapResult, ThresholdState,
};

use super::collect::{
    authentications, by_address, by_archetype, by_ending, by_outcome, by_phase, by_protocol,
    by_route, by_target, by_transaction, by_version, by_word, errors, observed, requests,
    since_1970, thresholds,
};
use super::desc::MetricUnit::{Bytes, Ratio, Seconds};
use super::desc::{Collect, MetricDesc, MetricKind, Value};

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

type Labels = &'static [&'static str];

const fn counter(
    name: &'static str,
    labels: Labels,
    help: &'static str,
    collect: Collect,
) -> MetricDesc {
    MetricDesc::new(MetricKind::Counter, name, labels, help, collect)
}

const fn gauge(
    name: &'static str,
    labels: Labels,
    help: &'static str,
    collect: Collect,
) -> MetricDesc {
    MetricDesc::new(MetricKind::Gauge, name, labels, help, collect)
}

/// All histograms are of times.
const fn histogram(
    name: &'static str,
    bounds: &'static [f64],
    labels: Labels,
    help: &'static str,
    collect: Collect,
) -> MetricDesc {
    MetricDesc::new(MetricKind::Histogram(bounds), name, labels, help, collect).of(Seconds)
}

macro_rules! table {
    ($($constant:ident = $metric:expr;)*) => {
        $(pub static $constant: MetricDesc = $metric;)*
        /// All of them, in the order in which they are exported.
        pub static ALL: &[&MetricDesc] = &[$(&$constant),*];
    };
}

const ROUTE: Labels = &["archetype", "method", "route"];
const VERSION: Labels = &["archetype", "version", "hash"];
const ARCHETYPE: Labels = &["archetype"];
const PROTOCOL: Labels = &["protocol"];
const MESSAGE: Labels = &["protocol", "direction"];
const TARGET: Labels = &["target"];

// Rows read better than what rustfmt makes of them.
#[rustfmt::skip]
mod rows {
    use super::*;

    table! {
        // The run
        BUILD_INFO = gauge("build_info", &["version"],
            "The version of Vespeiro that runs",
            |_, _, f| f.number(&[env!("CARGO_PKG_VERSION")], 1.0));
        RUN_INFO = gauge("run_info", &["run", "scenario", "target"],
            "The run that is under way",
            |_, info, f| f.number(&[&info.run, &info.scenario, &info.target], 1.0));
        START_TIME = gauge("start_time", &[],
            "When the run began, since 1970",
            |s, _, f| f.number(&[], since_1970(s))).of(Seconds);
        ELAPSED = gauge("elapsed", &[],
            "Time since the start of the run",
            |s, _, f| f.number(&[], s.elapsed.as_secs_f64())).of(Seconds);

        // Requests
        REQUESTS = counter("requests", &["archetype", "method", "route", "status", "failure", "expected"],
            "Requests sent, by outcome; expected: the tool asked for the failure, or the behavior has said that the status is no error",
            |s, _, f| requests(s, f));
        ERRORS = counter("errors", &["archetype", "method", "route", "kind"],
            "Requests that failed without being asked to, by kind: 4xx, 5xx, the code of a gRPC call, or why there is no response",
            |s, _, f| errors(s, f));
        REQUEST_DURATION = histogram("request_duration", LATENCY, &["archetype", "method", "route", "outcome"],
            "Time from the send to the last byte of the response or to the failure, of successes and of failures; with a rate, from when the request should have left",
            |s, _, f| by_outcome(s, f));
        SENT = counter("sent", ROUTE,
            "Bytes of requests",
            |s, _, f| by_route(s, |labels, series| f.count(labels, series.bytes_sent()))).of(Bytes);
        RECEIVED = counter("received", ROUTE,
            "Bytes of responses",
            |s, _, f| by_route(s, |labels, series| f.count(labels, series.bytes_received()))).of(Bytes);
        REQUEST_PHASE_DURATION = histogram("request_phase_duration", LATENCY, &["archetype", "method", "route", "phase"],
            "Time that requests spent in a phase, of those that spent any: blocked, lookup, connect, tls, sending, waiting or receiving",
            |s, _, f| by_phase(s, f));
        TARGET_REQUESTS = counter("target_requests", TARGET,
            "Requests sent, by the target that they went to",
            |s, _, f| by_target(s, |name, group| f.count(&[name], group.requests()))).when("the plan has several targets");
        TARGET_ERRORS = counter("target_errors", TARGET,
            "Requests that failed without being asked to, by target",
            |s, _, f| by_target(s, |name, group| f.count(&[name], group.errors()))).when("the plan has several targets");
        TARGET_REQUEST_DURATION = histogram("target_request_duration", LATENCY, TARGET,
            "Time of a request as in request_duration, by target",
            |s, _, f| by_target(s, |name, group| {
                f.sample(&[name], Value::Histogram(Cow::Owned(group.latency().into_owned())));
            })).when("the plan has several targets");
        REQUESTS_NOT_SENT = counter("requests_not_sent", &["archetype", "failure"],
            "Requests that were never sent, by reason",
            |s, _, f| by_archetype(s, |name, counts| {
                for (failure, count) in Failure::NOT_SENT.iter().zip(counts.not_sent) {
                    f.count(&[name, failure.as_str()], count);
                }
            }));
        AUTHENTICATIONS = counter("authentications", &["archetype", "method", "route", "result", "expected"],
            "Requests of the category auth, by result: success, refused (4xx) or failed",
            |s, _, f| authentications(s, f)).when("a behavior has announced a route of the category auth");

        // Connections
        CONNECTIONS_OPENED = counter("connections_opened", &[],
            "Connections to the target that were opened",
            |s, _, f| f.count(&[], s.run.connections.opened));
        CONNECTIONS_REUSED = counter("connections_reused", &[],
            "Requests that went over a connection that had carried one before",
            |s, _, f| f.count(&[], s.run.connections.reused));
        CONNECTIONS_CLOSED = counter("connections_closed", &["by"],
            "Connections that were closed, by whom: us or target",
            |s, _, f| {
                f.count(&["us"], s.run.connections.closed_by_us);
                f.count(&["target"], s.run.connections.closed_by_target);
            });
        CONNECTIONS_OPEN = gauge("connections_open", &[],
            "Connections to the target that are open now",
            |s, _, f| f.count(&[], s.run.connections.open()));
        TLS_HANDSHAKES = counter("tls_handshakes", &["kind"],
            "TLS handshakes, by kind: full, or resumed from an earlier session",
            |s, _, f| {
                f.count(&["full"], s.run.connections.tls_full);
                f.count(&["resumed"], s.run.connections.tls_resumed);
            });
        REQUESTS_RESENT = counter("requests_resent", &["why"],
            "Requests sent again over another connection, by why: stale, the connection had just been closed; unprocessed, the target said that it did not process them",
            |s, _, f| {
                f.count(&["stale"], s.run.connections.resent_stale);
                f.count(&["unprocessed"], s.run.connections.resent_unprocessed);
            });
        WIRE = counter("wire", &["direction"],
            "Bytes of HTTP over connections, by direction: sent or received; heads and framing included, TLS not",
            |s, _, f| {
                f.count(&["sent"], s.run.wire.sent);
                f.count(&["received"], s.run.wire.received);
            }).of(Bytes);

        // Channels
        CHANNELS_OPENED = counter("channels_opened", PROTOCOL,
            "Channels that were opened, by what is spoken: websocket or event-stream",
            |s, _, f| by_protocol(s, |word, counts| f.count(word, counts.opened))).when("channels were opened");
        CHANNELS_OPEN = gauge("channels_open", PROTOCOL,
            "Channels that are open now",
            |s, _, f| by_protocol(s, |word, counts| f.count(word, counts.open()))).when("channels were opened");
        CHANNELS_BROKEN = counter("channels_broken", PROTOCOL,
            "Channels that broke, and were not closed",
            |s, _, f| by_protocol(s, |word, counts| f.count(word, counts.broken))).when("channels were opened");
        CHANNEL_DURATION = histogram("channel_duration", SESSION, PROTOCOL,
            "Time that channels were open, of those that have ended",
            |s, _, f| by_protocol(s, |word, counts| f.histogram(word, &counts.lasted))).when("channels were opened");
        FIRST_MESSAGE_DURATION = histogram("first_message_duration", LATENCY, PROTOCOL,
            "Time from when a channel was open to its first message",
            |s, _, f| by_protocol(s, |word, counts| f.histogram(word, &counts.first_message))).when("channels were opened");
        MESSAGES = counter("messages", MESSAGE,
            "Messages over channels, by direction: sent or received; dropped: those received that no session took in time",
            |s, _, f| by_protocol(s, |word, counts| {
                f.count(&[word[0], "sent"], counts.sent);
                f.count(&[word[0], "received"], counts.received);
                f.count(&[word[0], "dropped"], counts.dropped);
            })).when("channels were opened");
        MESSAGE_BYTES = counter("message", MESSAGE,
            "Bytes of messages over channels, by direction: sent or received",
            |s, _, f| by_protocol(s, |word, counts| {
                f.count(&[word[0], "sent"], counts.sent_bytes);
                f.count(&[word[0], "received"], counts.received_bytes);
            })).of(Bytes).when("channels were opened");

        ADDRESS_REQUESTS = counter("address_requests", &["address", "result"],
            "Requests by the address that they went to and by result: success or error; other: all beyond the first 32 addresses",
            |s, _, f| by_address(s, f)).when("requests go over TCP");

        // The mixes
        CATEGORY_REQUESTS = counter("category_requests", &["archetype", "category"],
            "Requests sent, by the category of the request mix",
            |s, _, f| by_archetype(s, |name, counts| {
                for (at, count) in counts.categories.iter().enumerate().filter(|(_, count)| **count > 0) {
                    f.count(&[name, s.catalog.category(at)], *count);
                }
            }));
        THRESHOLD_CROSSED = gauge("threshold_crossed", &["threshold"],
            "1 when a threshold does not hold as the run stands, else 0",
            |s, _, f| thresholds(s, |threshold, of| {
                f.count(&[threshold], u64::from(of.state == ThresholdState::Crossed));
            })).when("the run has thresholds");
        THRESHOLD_VALUE = gauge("threshold_value", &["threshold"],
            "What a threshold is about, as the run stands; with a window, the worst of all: seconds, shares of 1, per second or a number",
            |s, _, f| thresholds(s, |threshold, of| {
                if let Some(value) = of.achieved {
                    f.number(&[threshold], value);
                }
            })).when("the run has thresholds with data");
        THRESHOLD_BOUND = gauge("threshold_bound", &["threshold"],
            "What it is compared with, in the same unit",
            |s, _, f| thresholds(s, |threshold, of| {
                f.number(&[threshold], of.threshold.condition.bound.value());
            })).when("the run has thresholds");
        MIX_TARGET = gauge("mix_target", &["category"],
            "Share of the requests that the request mix wants a category to have",
            |_, info, f| for (category, percent) in info.mix.iter().flat_map(|mix| &mix.0) {
                f.number(&[category], percent / 100.0);
            }).of(Ratio).when("the run has a request mix");
        CLASS_REQUESTS = counter("class_requests", &["archetype", "class"],
            "Requests sent, by the classes of the error mix, whoever caused them",
            |s, _, f| for (labels, group) in s.catalog.archetypes.iter().zip(s.by_archetype()) {
                for (class, count) in OutcomeClass::ALL.iter().zip(group.classes()) {
                    f.count(&[&labels.name, class.as_str()], count);
                }
            });
        ERROR_MIX_TARGET = gauge("error_mix_target", &["class"],
            "Share of the requests that the error mix wants a class to have",
            |_, info, f| if let Some(mix) = info.error_mix {
                for (class, percent) in OutcomeClass::ALL.iter().zip(mix.shares()) {
                    f.number(&[class.as_str()], percent / 100.0);
                }
            }).of(Ratio).when("the run has an error mix");
        FAULTS_ASKED = counter("faults_asked", &["kind"],
            "Failures that the tool asked for on purpose, by kind",
            |s, _, f| by_word(|kind: FaultKind, word| f.count(word, s.run.faults[kind as usize].asked)));
        FAULTS_COMMITTED = counter("faults_committed", &["kind"],
            "Requests that failed as the tool asked for, by kind",
            |s, _, f| by_word(|kind: FaultKind, word| f.count(word, s.run.faults[kind as usize].committed)));

        // Users and sessions
        USERS_PLANNED = gauge("users_planned", &[],
            "Virtual users that the plan asks for",
            |_, info, f| f.count(&[], u64::from(info.users)));
        USERS_ACTIVE = gauge("users_active", ARCHETYPE,
            "Virtual users that have started and not finished",
            |s, _, f| by_archetype(s, |name, counts| f.count(&[name], counts.users_active())));
        SESSIONS_ACTIVE = gauge("sessions_active", ARCHETYPE,
            "Sessions that have started and not ended",
            |s, _, f| by_archetype(s, |name, counts| f.count(&[name], counts.behavior.sessions.active())));
        SESSIONS_STARTED = counter("sessions_started", ARCHETYPE,
            "Sessions begun",
            |s, _, f| by_archetype(s, |name, counts| f.count(&[name], counts.behavior.sessions.started)));
        SESSIONS_ENDED = counter("sessions_ended", &["archetype", "ending"],
            "Sessions ended, by how; a completed one is a whole journey",
            |s, _, f| by_ending(s, |labels, ended| f.count(labels, ended.count())));
        SESSION_DURATION = histogram("session_duration", SESSION, &["archetype", "ending"],
            "Time that sessions lasted, by how they ended",
            |s, _, f| by_ending(s, |labels, ended| f.histogram(labels, ended)));

        // The load profile
        USERS_TARGET = gauge("users_target", &[],
            "Virtual users that the load profile wants now",
            |s, _, f| f.count(&[], u64::from(s.desired.users)));
        ARRIVAL_RATE_TARGET = gauge("arrival_rate_target", &[],
            "Arrivals per second that the load profile wants now",
            |s, _, f| if let Some(rate) = s.desired.rate {
                f.number(&[], rate);
            }).when("the profile is a rate");
        ARCHETYPE_USERS_TARGET = gauge("archetype_users_target", &["archetype"],
            "Virtual users that the archetype's own load profile wants now",
            |s, _, f| for own in &s.desired.archetypes {
                f.count(&[s.catalog.archetype(own.archetype)], u64::from(own.users));
            }).when("an archetype has a load profile of its own");
        ARCHETYPE_RATE_TARGET = gauge("archetype_arrival_rate_target", &["archetype"],
            "Arrivals per second that the archetype's own load profile wants now",
            |s, _, f| for own in &s.desired.archetypes {
                own.rate.iter().for_each(|rate| f.number(&[s.catalog.archetype(own.archetype)], *rate));
            }).when("an archetype has a rate of its own");
        ARRIVALS = counter("arrivals", &[],
            "Arrivals that were due",
            |s, _, f| f.count(&[], s.run.arrivals.due));
        ARRIVALS_DROPPED = counter("arrivals_dropped", &[],
            "Arrivals that found no user in time and were never sent",
            |s, _, f| f.count(&[], s.run.arrivals.dropped));
        SERVICE_DURATION = histogram("service_duration", LATENCY, &[],
            "With a rate: time from the send to the outcome; request_duration counts from when a request should have left",
            |s, _, f| f.histogram(&[], &s.run.arrivals.service));
        PAUSED = gauge("paused", &[],
            "1 while the run is paused",
            |s, _, f| f.count(&[], u64::from(s.desired.paused)));

        // Resilience
        BREAKER_STATE = gauge("breaker_state", &["state"],
            "Workers whose circuit breaker is in this state; each worker has its own",
            |s, _, f| by_word(|state, word| f.count(word, s.worker_statuses.breakers(state) as u64)));
        BREAKER_TRANSITIONS = counter("breaker_transitions", &["to"],
            "Changes of the circuit breakers' state, by the new one",
            |s, _, f| by_word(|state, word| f.count(word, s.run.resilience.transitions_to(state))));
        HOLDS = counter("holds", &["reason"],
            "Waits of users before a request, beyond what their behavior asked for, by reason",
            |s, _, f| by_word(|reason, word| f.count(word, s.run.resilience.wait(reason).count)));
        HOLD = counter("hold", &["reason"],
            "Time that users spent in these waits, by reason",
            |s, _, f| by_word(|reason, word| f.number(word, s.run.resilience.wait(reason).time.as_secs_f64()))).of(Seconds);
        USERS_HELD = gauge("users_held", &[],
            "Users in such a wait now",
            |s, _, f| f.count(&[], s.worker_statuses.held()));
        PACE_FACTOR = gauge("pace_factor", &[],
            "How many times slower the slowest worker makes its users because of 429s; 1 is not at all",
            |s, _, f| f.number(&[], s.worker_statuses.pace()));
        RETRIES = counter("retries", &[],
            "Requests sent again after a failure",
            |s, _, f| f.count(&[], s.run.resilience.retries));
        LOGINS_REFUSED = counter("logins_refused", &[],
            "Logins that the target refused without being asked to",
            |s, _, f| f.count(&[], s.run.resilience.refused_logins));
        LOGIN_PAUSES = counter("login_pauses", &[],
            "Times that refused logins paused all logins on a worker",
            |s, _, f| f.count(&[], s.run.resilience.login_pauses));
        LOGINS_PAUSED = gauge("logins_paused", &[],
            "Workers on which logins are paused now",
            |s, _, f| f.count(&[], s.worker_statuses.logins_paused() as u64));
        LOGINS_REFUSED_LATELY = gauge("logins_refused_lately", &["expected"],
            "Logins that the target refused in the last minute; expected: with a wrong password on purpose",
            |s, _, f| if let Some(logins) = s.worker_statuses.logins() {
                f.count(&["false"], logins.unplanned);
                f.count(&["true"], logins.planned);
            }).when("`--max-auth-failures` has a bound");
        LOGINS_REFUSED_BOUND = gauge("logins_refused_bound", &[],
            "Most logins in a minute that the target may refuse without being asked to, before logins pause",
            |s, _, f| if let Some(logins) = s.worker_statuses.logins() {
                f.count(&[], logins.bound);
            }).when("`--max-auth-failures` has a bound");

        // Degradation
        LATENCY_DEGRADATION = gauge("latency_degradation", &[],
            "95th percentile of the latest requests by that of the run's beginning; 1: as then",
            |s, _, f| if let Some(found) = &s.guard.degradation {
                f.number(&[], found.latency());
            }).when("it is known how the run began");
        ERROR_DEGRADATION = gauge("error_degradation", &[],
            "Share of the latest requests that failed without being asked to, less that of the run's beginning, -1 to 1",
            |s, _, f| if let Some(found) = &s.guard.degradation {
                f.number(&[], found.errors());
            }).when("it is known how the run began");

        // Behaviors
        BEHAVIOR_INFO = gauge("behavior_info", &["archetype", "behavior", "version", "hash"],
            "The behaviors that play or have played an archetype",
            |s, _, f| for v in &s.catalog.versions {
                f.number(&[s.catalog.archetype(v.archetype), &v.behavior, &v.version, &v.hash], 1.0);
            });
        CHECKS = counter("checks", &["archetype", "check", "result"],
            "Checks of behaviors, by result",
            |s, _, f| by_archetype(s, |name, counts| {
                for (check, count) in counts.checks.sorted() {
                    f.count(&[name, check, "passed"], count.passed);
                    f.count(&[name, check, "failed"], count.failed);
                }
            })).when("a behavior makes checks");
        OBSERVED = MetricDesc::new(MetricKind::Summary, "observed_value", &["archetype", "metric"],
            "Values that behaviors observed; quantiles are since the start of the run",
            |s, _, f| observed(s, f)).when("a behavior observes values");
        SESSIONS_ABANDONED = counter("sessions_abandoned", &["archetype", "reason"],
            "Sessions that were given up, by the reason that their behavior has said",
            |s, _, f| by_archetype(s, |name, counts| {
                for (reason, places) in counts.given_up.sorted() {
                    f.count(&[name, reason], places.sorted().iter().map(|(_, count)| **count).sum());
                }
            })).when("behaviors say why");
        TRANSACTIONS = counter("transactions", &["archetype", "transaction", "result"],
            "Transactions that have ended, by result: passed, failed, or cut where the host has ended their session",
            |s, _, f| by_transaction(s, |labels, counts| {
                for (result, count) in [("passed", counts.passed()), ("failed", counts.failed()), ("cut", counts.cut)] {
                    f.count(&[labels, &[result]].concat(), count);
                }
            })).when("there are transactions");
        TRANSACTION_ACTIVE = histogram("transaction_active", SESSION, &["archetype", "transaction", "outcome"],
            "Time of transactions without the pauses before their requests; outcome: success of those that passed, or failure",
            |s, _, f| by_transaction(s, |labels, counts| for kind in OutcomeKind::ALL {
                f.used(&[labels, &[kind.as_str()]].concat(), counts.active_of(kind));
            })).when("there are transactions");
        TRANSACTION_DURATION = histogram("transaction_duration", SESSION, &["archetype", "transaction", "outcome"],
            "Time of transactions from begin to end",
            |s, _, f| by_transaction(s, |labels, counts| for kind in OutcomeKind::ALL {
                f.used(&[labels, &[kind.as_str()]].concat(), counts.duration_of(kind));
            })).when("there are transactions");
        GUEST_CALL_DURATION = histogram("guest_call_duration", GUEST_CALL, ARCHETYPE,
            "Time of each call into a behavior",
            |s, _, f| by_archetype(s, |name, counts| f.histogram(&[name], &counts.behavior.guest_calls)));
        INSTANCES_BUILT = counter("instances_built", ARCHETYPE,
            "Instances of a behavior made",
            |s, _, f| by_archetype(s, |name, counts| f.count(&[name], counts.behavior.instances_built)));
        TRAPS = counter("traps", ARCHETYPE,
            "Calls into a behavior that trapped",
            |s, _, f| by_archetype(s, |name, counts| f.count(&[name], counts.behavior.traps)));

        // Versions of a behavior
        VERSION_SHARE = gauge("version_share", VERSION,
            "Share of an archetype's new sessions that a version of its behavior gets",
            |s, _, f| for v in &s.catalog.versions {
                f.number(&[s.catalog.archetype(v.archetype), &v.version, &v.hash], v.share);
            }).of(Ratio);
        VERSION_REQUESTS = counter("version_requests", &["archetype", "version", "hash", "result"],
            "Requests sent, by version and result: good, injected or error",
            |s, _, f| by_version(s, |[archetype, version, hash], counts| {
                let requests = &counts.requests;
                for (result, count) in [("good", requests.successes()), ("injected", requests.injected()), ("error", requests.errors())] {
                    f.count(&[archetype, version, hash, result], count);
                }
            }));
        VERSION_REQUEST_DURATION = histogram("version_request_duration", LATENCY, VERSION,
            "Time from the send to the last byte of the response or to the failure, by version; with a rate, from when the request should have left",
            |s, _, f| by_version(s, |labels, counts| f.sample(&labels, Value::Histogram(counts.requests.latency()))));
        VERSION_SESSIONS_ENDED = counter("version_sessions_ended", &["archetype", "version", "hash", "ending"],
            "Sessions ended, by version and by how",
            |s, _, f| by_version(s, |[archetype, version, hash], counts| {
                for ending in Ending::ALL {
                    let ended = counts.behavior.sessions.ended(ending).count();
                    f.count(&[archetype, version, hash, ending.as_str()], ended);
                }
            }));
        VERSION_TRAPS = counter("version_traps", VERSION,
            "Calls into a version of a behavior that trapped",
            |s, _, f| by_version(s, |labels, counts| f.count(&labels, counts.behavior.traps)));
        SWAPS = counter("swaps", &["archetype", "result"],
            "Swaps of a behavior, by result: published, refused or rolled-back",
            |s, _, f| for (labels, counts) in s.catalog.archetypes.iter().zip(&s.swaps) {
                by_word(|result: SwapResult, word| f.count(&[&labels.name, word[0]], counts[result as usize]));
            });

        // The generator
        SCHEDULING_LAG = histogram("scheduling_lag", LATENCY, &[],
            "How late the workers' timers fired",
            |s, _, f| f.histogram(&[], &s.run.lag));
        WORKERS = gauge("workers", &[],
            "Threads that play users",
            |s, _, f| f.count(&[], s.workers as u64));
        USABLE_CORES = gauge("usable_cores", &[],
            "Cores that the workers can keep busy at most",
            |s, _, f| f.count(&[], s.cpu.cores as u64));
        PROCESS_CPU = counter("process_cpu", &[],
            "CPU time of the generator, user and system",
            |s, _, f| f.number(&[], s.process.cpu.as_secs_f64())).of(Seconds);
        PROCESS_RESIDENT_MEMORY = gauge("process_resident_memory", &[],
            "Resident memory of the generator",
            |s, _, f| f.count(&[], s.process.rss)).of(Bytes);
        PROCESS_OPEN_FDS = gauge("process_open_fds", &[],
            "Open files of the generator",
            |s, _, f| f.count(&[], s.process.open_files));
        PROCESS_THREADS = gauge("process_threads", &[],
            "Threads of the generator",
            |s, _, f| f.count(&[], s.process.threads));
        PROCESS_OPEN_SOCKETS = gauge("process_open_sockets", &[],
            "Open sockets of the generator: connections to the target, and its own listeners",
            |s, _, f| f.count(&[], s.process.open_sockets));
        COROUTINES = gauge("coroutines", &[],
            "Virtual users' tasks that have not ended: they play, think, or wait to begin",
            |s, _, f| f.count(&[], s.worker_statuses.coroutines()));
        REQUESTS_IN_FLIGHT = gauge("requests_in_flight", &[],
            "Requests that were sent and have no outcome yet",
            |s, _, f| f.count(&[], s.in_flight()));
        GENERATOR_LIMIT = gauge("generator_limit", &["kind"],
            "1 where the generator itself was the limit, so that the figures are not the target's alone",
            |s, _, f| for limit in s.generator_limits() {
                f.count(&[limit.kind.as_str()], u64::from(limit.is_over()));
            });
    }
}

pub use rows::*;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::MetricKind;

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
                assert!(bounds.is_sorted() && metric.unit == Some(Seconds));
            }
        }
        assert_eq!(SENT.query(), "vespeiro_sent_bytes_total");
        assert_eq!(
            REQUEST_DURATION.query(),
            "vespeiro_request_duration_seconds"
        );
    }
}
