//! A run at one instant as JSON: what `GET /status` answers and what the live page is sent twice a second. Numbers are
//! raw; a field is never renamed.
//!
//! What must stay true: it is bounded by its [`RowLimits`], whatever the plan or the behaviors do.

use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;

use crate::language::harmless;
use crate::output::{End, Phase, SwapEvent};
use crate::{Locale, RunShape, warnings};
use vespeiro_metrics::{RecordedRequest, Series, Snapshot, ThresholdState};
use vespeiro_model::{Ending, OutcomeClass, RequestPhase, SwapResult};
use vespeiro_plan::Plan;

/// Categories, requests and swaps that are named at most.
const CATEGORIES: usize = 30;
const RECENT: usize = 14;
const SWAPS: usize = 12;

/// How much of a large plan is shown.
#[derive(Debug, Clone, Copy)]
pub struct RowLimits {
    pub archetypes: usize,
    /// The newest versions of each archetype, beside those that get sessions.
    pub versions: usize,
    /// The order of versions.
    pub newest_first: bool,
}

impl RowLimits {
    /// Everything.
    pub const NONE: RowLimits = RowLimits {
        archetypes: usize::MAX,
        versions: usize::MAX,
        newest_first: false,
    };
}

/// The state of a run.
#[derive(Debug, Serialize)]
pub struct RunStatus {
    run: String,
    #[serde(rename = "scenario")]
    preset: String,
    phase: &'static str,
    /// Of a run that is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<End>,
    elapsed_seconds: f64,
    remaining_seconds: Option<f64>,
    progress: Option<f64>,
    pub paused: bool,
    users: u64,
    /// What the load profile asks for, or whoever has asked last.
    pub users_wanted: u32,
    /// Those of them whose number can be changed; none where every archetype has a profile of its own.
    users_shared: Option<u32>,
    in_flight: u64,
    #[serde(flatten)]
    requests: Requests,
    /// Over the last second or so.
    requests_per_second: f64,
    rate_wanted: Option<f64>,
    success_share: Option<f64>,
    injected: u64,
    cpu_share: f64,
    memory_bytes: u64,
    breaker: Option<Breaker>,
    /// Users who wait for the target.
    held: u64,
    pace: f64,
    logins_paused: bool,
    /// Why the run's own guard has stopped it.
    alarm: Option<String>,
    warnings: Vec<String>,
    mix: Vec<Share>,
    error_mix: Vec<Share>,
    /// Where the time of all requests went; phases that took none are left out.
    phases: Vec<PhaseFigures>,
    archetypes: Vec<Archetype>,
    archetypes_left_out: usize,
    thresholds: Vec<Threshold>,
    recent: Vec<Recent>,
    /// The latest swaps, oldest first.
    news: Vec<SwapEvent>,
}

/// Latencies are 0 without requests.
#[derive(Debug, Serialize)]
struct Requests {
    requests: u64,
    successes: u64,
    failures: u64,
    /// Failures that nobody asked for.
    errors: u64,
    p50_seconds: f64,
    p95_seconds: f64,
    p99_seconds: f64,
    max_seconds: f64,
}

#[derive(Debug, Serialize)]
struct Breaker {
    state: &'static str,
    word: &'static str,
}

#[derive(Debug, Serialize)]
struct Share {
    name: String,
    share: f64,
    wanted: Option<f64>,
}

/// Of the requests that spent time in it.
#[derive(Debug, Serialize)]
struct PhaseFigures {
    phase: RequestPhase,
    word: &'static str,
    /// Of the service time; nothing for what lies before it.
    share: Option<f64>,
    requests: u64,
    mean_seconds: f64,
    p95_seconds: f64,
}

#[derive(Debug, Serialize)]
struct Archetype {
    name: String,
    users: u64,
    /// What its own load profile wants now; left out where it shares the run's.
    #[serde(skip_serializing_if = "Option::is_none")]
    users_wanted: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_wanted: Option<f64>,
    sessions: u64,
    #[serde(flatten)]
    requests: Requests,
    swaps_published: u64,
    swaps_refused: u64,
    swaps_rolled_back: u64,
    versions: Vec<Version>,
}

#[derive(Debug, Serialize)]
struct Version {
    behavior: String,
    version: String,
    hash: String,
    /// Part of the new sessions.
    share: f64,
    #[serde(flatten)]
    requests: Requests,
    sessions: u64,
    sessions_crashed: u64,
}

#[derive(Debug, Serialize)]
struct Threshold {
    text: String,
    state: ThresholdState,
}

#[derive(Debug, Serialize)]
struct Recent {
    /// Milliseconds since 1970.
    at: u64,
    user: u32,
    archetype: String,
    request: String,
    outcome: String,
    /// `good`, `expected` or `bad`.
    kind: &'static str,
    seconds: f64,
}

impl RunStatus {
    pub fn new(
        plan: &Plan,
        shape: RunShape,
        snapshot: &Snapshot,
        phase: Phase,
        mut swaps: Vec<SwapEvent>,
        limits: RowLimits,
    ) -> RunStatus {
        let locale = Locale::new(plan.output.language);
        swaps.drain(..swaps.len().saturating_sub(SWAPS));
        for swap in &mut swaps {
            swap.text = harmless(&swap.text);
        }
        let (total, stands) = (snapshot.total(), &snapshot.worker_statuses);
        let remaining = shape.remaining(snapshot);
        let cores = snapshot.cpu.cores.max(1) as f64;
        let verdicts = snapshot.guard.thresholds.iter().take(limits.archetypes);
        let latest = snapshot.activity.iter().rev().take(RECENT);
        RunStatus {
            run: plan.run_id.clone(),
            preset: harmless(&plan.preset),
            phase: phase.as_str(),
            why: match phase {
                Phase::Done(why) => Some(why),
                _ => None,
            },
            elapsed_seconds: rounded(snapshot.now.as_secs_f64()),
            remaining_seconds: remaining.map(|left| left.as_secs_f64().round()),
            progress: shape.progress(snapshot).map(rounded),
            paused: snapshot.desired.paused,
            users: snapshot.users_active(),
            users_wanted: snapshot.desired.users,
            users_shared: shared_users(snapshot),
            in_flight: snapshot.in_flight(),
            requests: Requests::of(&total),
            requests_per_second: rounded(snapshot.rates.second.sent),
            rate_wanted: snapshot.desired.rate.map(rounded),
            success_share: total.success_share(),
            injected: total.injected(),
            cpu_share: rounded(snapshot.rates.second.cores / cores),
            memory_bytes: snapshot.process.rss,
            breaker: stands.breaker().map(|state| Breaker {
                state: state.as_str(),
                word: locale.breaker(state),
            }),
            held: stands.held(),
            pace: rounded(stands.pace()),
            logins_paused: stands.logins_paused() > 0,
            alarm: (snapshot.guard.abort.as_ref()).map(|alarm| harmless(&alarm.to_string())),
            warnings: warnings(snapshot, locale),
            mix: mix(plan, snapshot, total.requests()),
            error_mix: error_mix(plan, &total),
            phases: phases(snapshot, locale),
            archetypes: archetypes(snapshot, limits),
            archetypes_left_out: snapshot.archetypes.len().saturating_sub(limits.archetypes),
            thresholds: verdicts
                .map(|verdict| Threshold {
                    text: harmless(&verdict.threshold.to_string()),
                    state: verdict.state,
                })
                .collect(),
            recent: latest.map(|one| recent(one, snapshot, locale)).collect(),
            news: swaps,
        }
    }
}

impl Requests {
    fn of(group: &Series) -> Requests {
        let quantile = |q| rounded(group.latency().quantile(q).as_secs_f64());
        Requests {
            requests: group.requests(),
            successes: group.successes(),
            failures: group.failures(),
            errors: group.errors(),
            p50_seconds: quantile(0.5),
            p95_seconds: quantile(0.95),
            p99_seconds: quantile(0.99),
            max_seconds: rounded(group.latency().max().as_secs_f64()),
        }
    }
}

fn archetypes(snapshot: &Snapshot, limits: RowLimits) -> Vec<Archetype> {
    let groups = snapshot.by_archetype();
    let labels = snapshot.catalog.archetypes.iter();
    let counted = labels
        .zip(&snapshot.archetypes)
        .zip(&snapshot.swaps)
        .zip(&groups);
    let numbered = (0..).zip(counted).take(limits.archetypes);
    let archetypes = numbered.map(|(number, (((labels, counts), swaps), group))| Archetype {
        name: harmless(&labels.name),
        users: counts.users_active(),
        users_wanted: snapshot.desired.of(number).map(|own| own.users),
        rate_wanted: snapshot.desired.of(number).and_then(|own| own.rate),
        sessions: counts.behavior.sessions.started,
        requests: Requests::of(group),
        swaps_published: swaps[SwapResult::Published as usize],
        swaps_refused: swaps[SwapResult::Refused as usize],
        swaps_rolled_back: swaps[SwapResult::RolledBack as usize],
        versions: versions(snapshot, number, limits),
    });
    archetypes.collect()
}

fn versions(snapshot: &Snapshot, archetype: u16, limits: RowLimits) -> Vec<Version> {
    let all = snapshot.versions_of(archetype).rev().enumerate();
    let named = all.filter_map(|(at, total)| {
        let labels = snapshot.catalog.version(total.role.version)?;
        (at < limits.versions || labels.share > 0.0).then_some((labels, &total.counts))
    });
    let version = named.map(|(labels, counts)| Version {
        behavior: harmless(&labels.behavior),
        version: harmless(&labels.version),
        hash: labels.hash.clone(),
        share: labels.share,
        requests: Requests::of(&counts.requests),
        sessions: counts.behavior.sessions.started,
        sessions_crashed: counts.behavior.sessions.ended(Ending::Crashed).count(),
    });
    let mut versions: Vec<Version> = version.collect();
    if !limits.newest_first {
        versions.reverse();
    }
    versions
}

fn mix(plan: &Plan, snapshot: &Snapshot, requests: u64) -> Vec<Share> {
    let wanted = |name: &str| plan.mix.as_ref()?.share(name);
    let categories = snapshot.by_category().into_iter().take(CATEGORIES);
    let shares = categories.map(|(name, count)| Share {
        name: harmless(name),
        share: share(count, requests),
        wanted: wanted(name).map(|percent| percent / 100.0),
    });
    shares.collect()
}

fn error_mix(plan: &Plan, total: &Series) -> Vec<Share> {
    let wanted = plan.error_mix.map(|mix| mix.shares());
    let counted = OutcomeClass::ALL
        .into_iter()
        .zip(total.classes())
        .enumerate();
    let shares = counted.map(|(at, (class, count))| Share {
        name: class.as_str().into(),
        share: share(count, total.requests()),
        wanted: wanted.map(|shares| shares[at] / 100.0),
    });
    shares.collect()
}

fn phases(snapshot: &Snapshot, locale: Locale) -> Vec<PhaseFigures> {
    let all = snapshot.phases(|_, _| true);
    let is_service = |phase: RequestPhase| phase != RequestPhase::Blocked;
    let served = all.used().filter(|(phase, _)| is_service(*phase));
    let service: Duration = served.map(|(_, timing)| timing.sum()).sum();
    let figures = all.used().map(|(phase, timing)| PhaseFigures {
        phase,
        word: locale.words().phase(phase),
        share: (is_service(phase) && !service.is_zero())
            .then(|| rounded(timing.sum().as_secs_f64() / service.as_secs_f64())),
        requests: timing.count(),
        mean_seconds: rounded(timing.mean().as_secs_f64()),
        p95_seconds: rounded(timing.quantile(0.95).as_secs_f64()),
    });
    figures.collect()
}

fn recent(activity: &RecordedRequest, snapshot: &Snapshot, locale: Locale) -> Recent {
    let archetype = activity.role.archetype;
    let (method, path) = snapshot.catalog.route(archetype, activity.route);
    let since = activity
        .at
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    Recent {
        at: since.as_millis() as u64,
        user: activity.user,
        archetype: harmless(snapshot.catalog.archetype(archetype)),
        request: harmless(&format!("{method} {path}")),
        outcome: match activity.outcome.shown() {
            Ok(status) => status,
            Err(failure) => locale.failure(failure).into(),
        },
        kind: match activity.outcome.is_good() {
            true => "good",
            false if activity.expected => "expected",
            false => "bad",
        },
        seconds: rounded(activity.latency.as_secs_f64()),
    }
}

/// Users of the archetypes that share the run's load profile.
fn shared_users(snapshot: &Snapshot) -> Option<u32> {
    let own = &snapshot.desired.archetypes;
    let of_own = own.iter().map(|own| own.users).sum();
    (own.len() < snapshot.archetypes.len()).then(|| snapshot.desired.users.saturating_sub(of_own))
}

/// A share of the requests; 0 without requests.
fn share(count: u64, requests: u64) -> f64 {
    rounded(count as f64 / requests.max(1) as f64)
}

/// Rounded to a millionth, which keeps the JSON short.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
