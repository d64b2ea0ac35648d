//! The summary as data: what `--summary-json` writes and what every report is rendered from. Filled by [`Summary::new`] and
//! by merging, read back by `vespeiro report`. Everything is in seconds, bytes and plain numbers; every series has its
//! histogram, so that summaries of several runs merge without loss.
//!
//! What must stay true: a field is never renamed or given another meaning without a new [`SCHEMA`]; readers ignore fields
//! that they do not know.
//!
//! Merging (`merge.rs`): add up `series` (and `sessions`, `guest_calls`, `scheduling_lag`) histogram by histogram;
//! `total`, `routes` and `archetypes` are groupings of `series`.

mod distribution;
mod read;
mod timeline;
mod transaction;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::distribution::NoTiming;
pub use self::read::{ReadError, read};
pub use self::timeline::{Event, Latency, Point, StageFigures, Timeline};
pub use self::transaction::{Abandoned, Transaction};
pub use self::write::{write, write_compared};
use crate::thresholds::{Aborted, Degradation, ThresholdReport};
pub use vespeiro_metrics::LimitKind;
use vespeiro_model::{
    BreakerState, ChannelKind, Ending, Failure, FaultKind, GrpcCode, HoldReason, OutcomeKind,
    RequestPhase,
};

/// Version of the layout below.
pub const SCHEMA: u32 = 2;

/// One whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// Version of Vespeiro.
    pub version: String,
    pub run: Run,
    /// All requests.
    pub total: Requests,
    /// What became of connections; left out by writers that did not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<Connections>,
    /// Channels, by what is spoken over them; left out where none was opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channels>,
    /// What became of the arrivals of a rate; left out where users decide when to send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<Arrivals>,
    /// What stopped the run before its time; left out when nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aborted: Option<Aborted>,
    /// How the target did against the run's beginning; left out where the run was too short or too quiet to tell. Of a merged
    /// summary: of the run whose latency has risen most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degradation: Option<Degradation>,
    /// The plan's thresholds, in its order.
    #[serde(default)]
    pub thresholds: Vec<ThresholdReport>,
    /// Requests that never left, by reason; reasons that did not occur are left out.
    pub not_sent: Vec<NotSent>,
    /// By status class, and those without a response.
    pub classes: Vec<StatusClass>,
    /// By status code, code of gRPC, or kind of failure.
    pub results: Vec<Outcomes>,
    /// Why requests failed without a response, in words; the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// By method and path template, over all archetypes; ordered by path.
    pub routes: Vec<Route>,
    /// By target, the run's own first; left out where there is no other one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// In the plan's order.
    pub archetypes: Vec<Archetype>,
    /// By archetype, then from the oldest version of its behavior to the newest; one for each archetype when there was no
    /// swap.
    #[serde(default)]
    pub versions: Vec<Version>,
    /// Swaps; archetypes without any are left out.
    #[serde(default)]
    pub swaps: Vec<Swaps>,
    /// The finest grouping, with histograms: archetype and route.
    pub series: Vec<Series>,
    /// The request mix that was achieved, and the one that was asked for.
    pub mix: Vec<CategoryShare>,
    /// The same for successes and errors, expected or not.
    #[serde(default)]
    pub error_mix: Vec<ErrorShare>,
    /// Failures on purpose; kinds that were never asked for are left out.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What was held back to spare the target.
    #[serde(default, rename = "regard")]
    pub resilience: Resilience,
    /// All sessions.
    pub sessions: Sessions,
    pub checks: Vec<Check>,
    pub observed: Vec<Observed>,
    /// Why sessions were given up, the most frequent first; left out where none has said so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abandoned: Vec<Abandoned>,
    /// By archetype, then by name; left out where there was none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transactions: Vec<Transaction>,
    /// The slowest requests, slowest first.
    #[serde(default)]
    pub slowest: Vec<SlowRequest>,
    pub generator: Generator,
    /// The run over time; left out by writers that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Timeline>,
    /// The removal of what the run has created; left out by writers that did not clean up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleanup: Option<Cleanup>,
}

/// Which run it was, and how to repeat it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// 8 lower-case letters and digits.
    pub id: String,
    /// All decisions follow from it.
    pub seed: u64,
    /// Preset that the plan started from.
    pub scenario: String,
    /// Base URL, without credentials.
    pub target: String,
    /// The load profile's name.
    #[serde(default)]
    pub profile: String,
    /// Virtual users in the plan; of a shard, its own.
    pub users: u32,
    /// Which part of the plan it played, where several processes played one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Threads that played them.
    pub workers: usize,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Of a merged summary: the time in which at least one of its runs went on.
    pub elapsed_seconds: f64,
    /// The part of it in which requests could leave: without pauses, and without the end, in which the run waits for outcomes.
    pub sending_seconds: f64,
    /// The runs that were merged into this one; empty for a run as it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<MergedRun>,
}

/// One of the processes that played a plan together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// From 0.
    pub index: usize,
    pub shards: usize,
}

/// One run of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergedRun {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    pub seed: u64,
    pub started_at: String,
    pub elapsed_seconds: f64,
}

/// Counts and latency of a group of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    /// With an outcome, as all have in the end; each is either a success or a failure.
    pub requests: u64,
    /// Status below 400.
    pub successes: u64,
    /// Any other status, and no response: `injected` and `errors` together.
    pub failures: u64,
    /// Failures that the tool asked for.
    pub injected: u64,
    /// Failures that nobody asked for.
    pub errors: u64,
    /// `successes` by `requests`, 0 to 1; null when there were none.
    pub success_share: Option<f64>,
    /// `requests` per second of the time in which they could leave: what was sent, since each has its outcome in the end.
    pub per_second: f64,
    /// Outcomes per second of the whole run.
    pub throughput: f64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// From the send to the last byte of the response or to the failure; with `arrivals`, from when it should have
    /// left.
    pub latency: Distribution,
    /// The same of successes and of failures apart; an outcome without any is left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub latency_by_outcome: LatencyByOutcome,
    /// Where their time went, by phase, of the requests that spent time in it; a phase without any is left out, and all of
    /// them for a version of a behavior. The sums of all but `blocked` are the service time, exactly.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub phases: Phases,
}

/// A distribution for each phase.
pub type Phases = BTreeMap<RequestPhase, Distribution>;

/// A distribution for successes, and one for failures.
pub type LatencyByOutcome = BTreeMap<OutcomeKind, Distribution>;

/// What became of the connections to the target.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Connections {
    pub opened: u64,
    /// Requests that went over a connection that had carried one before.
    pub reused: u64,
    pub closed_by_us: u64,
    pub closed_by_target: u64,
    /// Not closed when the load ended.
    pub open: u64,
    pub tls_full: u64,
    /// Handshakes that went on from an earlier session.
    pub tls_resumed: u64,
    /// Requests sent again since their connection had just been closed.
    pub resent_stale: u64,
    /// Requests sent again since the target had said that it did not process them.
    pub resent_unprocessed: u64,
    /// Bytes of HTTP, heads and framing included, TLS not.
    pub wire_sent: u64,
    pub wire_received: u64,
    /// Where requests went, by address; over a Unix socket, none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
}

/// What became of the channels of one kind: connections that stay open for messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channels {
    pub protocol: ChannelKind,
    pub opened: u64,
    /// Not ended when the load ended.
    pub open: u64,
    /// Those that broke, and were not closed.
    pub broken: u64,
    /// Messages.
    pub sent: u64,
    pub received: u64,
    /// Of those received: dropped, since no session took them in time.
    pub dropped: u64,
    /// Bytes of messages.
    pub sent_bytes: u64,
    pub received_bytes: u64,
    /// How long they were open, of those that have ended.
    pub lasted: Distribution,
    /// From when one was open to its first message.
    pub first_message: Distribution,
}

/// What went to one address of the target, or of the proxy before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Address {
    /// As `127.0.0.1:80`, or `other` for all beyond the first 32.
    pub address: String,
    pub requests: u64,
    /// Failures that nobody asked for.
    pub errors: u64,
    /// Connections that carried a request.
    pub connections: u64,
    /// Time from the send to the outcome, of all requests together, in seconds.
    pub seconds: f64,
}

/// One of the slowest requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlowRequest {
    /// When its outcome came in: RFC 3339, UTC, to the millisecond.
    pub at: String,
    /// Index of the virtual user.
    pub user: u32,
    pub archetype: String,
    pub method: String,
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How a gRPC call has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc: Option<GrpcCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The tool asked for this failure.
    pub expected: bool,
    /// In seconds, as all latencies.
    pub latency: f64,
    /// 32 hexadecimal digits; left out when requests carried no trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The target's address that it went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What became of the arrivals of a rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrivals {
    /// Came due.
    pub due: u64,
    /// Found no user in time, and were never sent.
    pub dropped: u64,
    /// From the send to the outcome, of the requests that were due at a moment.
    pub service: Distribution,
}

/// A distribution of times, in seconds, to 3 significant digits. When `count` is 0, `mean`, `min`, the quantiles and `max` are
/// 0 here and null in the file: there is nothing that they could tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "distribution::Written", from = "distribution::Written")]
pub struct Distribution {
    pub count: u64,
    /// Exact.
    pub sum: f64,
    /// Exact.
    pub mean: f64,
    pub min: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
    /// Seconds of one unit of the histogram's values.
    pub tick: f64,
    /// HDR histogram, V2 deflate form, base64. Left out where it is the sum of others, and when empty.
    pub histogram: Option<String>,
}

/// Requests that never left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NotSent {
    pub failure: Failure,
    pub count: u64,
}

/// Requests with a status of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusClass {
    /// The first digit of the status, or of that which a gRPC code stands for; 0 for requests without a response.
    pub class: u16,
    pub count: u64,
    /// How many of them are failures that the tool asked for.
    pub injected: u64,
}

/// Requests that came out in one way: one of `status`, `grpc` and `failure` is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcomes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How gRPC calls have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc: Option<GrpcCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The tool asked for this failure.
    pub expected: bool,
    /// The behavior has said that this status, from 400 on, or this code is no error; left out where it has not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    pub count: u64,
}

/// Requests without a complete response for the same reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    pub failure: Failure,
    /// In English, or `other` for all of the kind beyond the first 32 of the run.
    pub cause: String,
    pub count: u64,
}

/// One method and path template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// `-` for routes that the behavior did not announce.
    pub method: String,
    /// `other` for routes that the behavior did not announce. Of another target than the run's own behind its name:
    /// `billing:/invoices`.
    pub path: String,
    #[serde(flatten)]
    pub requests: Requests,
}

/// One of the targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// As the plan calls it; `main` for the run's own.
    pub name: String,
    /// Base URL, without credentials.
    pub url: String,
    #[serde(flatten)]
    pub requests: Requests,
}

/// One archetype and its behavior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Archetype {
    pub name: String,
    /// Name that the behavior gives itself.
    pub behavior: String,
    /// Version that the behavior gives itself.
    pub version: String,
    /// Content hash of the module.
    pub hash: String,
    /// The load profile that it had of its own; left out where it shared the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Users that have started.
    pub users: u64,
    /// Requests that never left.
    #[serde(default)]
    pub not_sent: u64,
    #[serde(flatten)]
    pub figures: BehaviorFigures,
}

/// One version of an archetype's behavior: what it had of the archetype's requests and sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    pub archetype: String,
    /// Name that the behavior gives itself; `older` for all those together that were not told apart any more.
    pub behavior: String,
    /// Version that the behavior gives itself; `-` for the older ones.
    pub version: String,
    /// Content hash of the module; `-` for the older ones.
    pub hash: String,
    /// Part of the archetype's new sessions that it had at the end, 0 to 1.
    pub share: f64,
    #[serde(flatten)]
    pub figures: BehaviorFigures,
}

/// What a behavior did, for an archetype or as one version of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BehaviorFigures {
    #[serde(flatten)]
    pub requests: Requests,
    /// A session that has moved to another version began in one and ended in the other.
    pub sessions: Sessions,
    /// Calls into the behavior.
    pub guest_calls: Distribution,
    pub instances_built: u64,
    pub traps: u64,
}

/// Swaps of one archetype's behavior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Swaps {
    pub archetype: String,
    /// The new behavior was taken up.
    pub published: u64,
    /// It cannot play: nothing was changed.
    pub refused: u64,
    /// It crashed too often, and the one before it came back.
    pub rolled_back: u64,
}

/// The requests of one archetype to one route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub archetype: String,
    pub method: String,
    pub path: String,
    /// The key of the request mix that it counts for; empty where an older version wrote it.
    #[serde(default)]
    pub category: String,
    /// Left out where the run has one target alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    pub results: Vec<Outcomes>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub latency: Distribution,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub latency_by_outcome: LatencyByOutcome,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub phases: Phases,
}

/// One category of the request mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoryShare {
    pub category: String,
    pub requests: u64,
    /// Of all requests, 0 to 1.
    pub share: f64,
    /// What the plan asks for, 0 to 1; left out for what it leaves alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
}

/// One class of the error mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorShare {
    pub class: vespeiro_model::OutcomeClass,
    pub requests: u64,
    /// Of all requests, 0 to 1.
    pub share: f64,
    /// What the plan asks for, 0 to 1; left out when it makes no errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
}

/// One kind of failure on purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// How often a behavior was asked to commit it, or the host set out to make it.
    pub asked: u64,
    /// Requests that failed of it; several for one burst into a rate limit.
    pub committed: u64,
}

/// What was held back to spare the target.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Resilience {
    /// Changes of the workers' circuit breakers, by the new state; empty when there was no breaker.
    pub breaker: Vec<Transitions>,
    /// Waits of users beyond their behavior's own; reasons that did not occur are left out.
    pub holds: Vec<Hold>,
    /// Requests that were sent again after a failure.
    pub retries: u64,
    /// Logins that were refused without being asked to.
    pub refused_logins: u64,
    /// Times that this led to a pause of all logins on a worker.
    pub login_pauses: u64,
}

/// How often a breaker went into a state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transitions {
    pub to: BreakerState,
    pub count: u64,
}

/// Waits of one reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    pub reason: HoldReason,
    pub count: u64,
    /// Over all users.
    pub seconds: f64,
}

/// Sessions by the way they ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    pub started: u64,
    /// All five endings, also those that did not occur.
    pub endings: Vec<EndedSessions>,
}

impl Sessions {
    /// Sessions that ended in this way.
    pub fn ended(&self, ending: Ending) -> u64 {
        let endings = self.endings.iter().filter(|it| it.ending == ending);
        endings.map(|it| it.count).sum()
    }

    /// The share of those that failed or crashed among all that ended by themselves, where it is over 1 %: more than that
    /// is no accident any more.
    pub fn unwell(&self) -> Option<f64> {
        let all: u64 = self.endings.iter().map(|it| it.count).sum();
        let by_themselves = all.saturating_sub(self.ended(Ending::Cut));
        let unwell = self.ended(Ending::Failed) + self.ended(Ending::Crashed);
        let share = unwell as f64 / by_themselves.max(1) as f64;
        (share > 0.01).then_some(share)
    }
}

/// Sessions that ended in one way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndedSessions {
    pub ending: Ending,
    pub count: u64,
    /// How long they lasted.
    pub duration: Distribution,
}

/// Something that should hold, as a behavior checked it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub archetype: String,
    pub name: String,
    pub passed: u64,
    pub failed: u64,
}

/// A behavior's own metric; quantiles to about 2 %.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    pub archetype: String,
    pub metric: String,
    pub count: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    /// What summaries merge by: keys and counts of a logarithmic scale.
    #[serde(default)]
    pub cells: Vec<(i16, u64)>,
}

/// The cleanup after the run. Its requests are in no other figure of the summary.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Cleanup {
    /// Requests that it has sent.
    pub requests: u64,
    /// Things that are gone.
    pub removed: u64,
    /// Things that may still exist.
    pub left: u64,
    /// The journal that still holds them; nothing when none are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<String>,
    /// Its requests by route.
    pub series: Vec<Series>,
}

/// What the run cost the machine that made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Cores that the workers could keep busy at most.
    pub cores: usize,
    /// User and system time of the process during the run.
    pub cpu_seconds: f64,
    /// `cpu_seconds` by what `cores` could give, 0 to 1; above 1 when more than the workers were busy.
    pub cpu_share: f64,
    /// Resident memory at the end.
    pub rss_bytes: u64,
    pub open_files: u64,
    #[serde(default)]
    pub open_sockets: u64,
    pub threads: u64,
    /// How late the workers' timers fired.
    pub scheduling_lag: Distribution,
    /// Calls into all behaviors.
    pub guest_calls: Distribution,
    /// Share of the CPU time that went into those calls, 0 to 1.
    pub guest_share: f64,
    /// Where the generator, not the target, was the limit. Empty in a good run.
    pub limits: Vec<Limit>,
}

/// A bound of the generator that was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    pub kind: LimitKind,
    pub value: f64,
    pub bound: f64,
}
