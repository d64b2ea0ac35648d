//! The state of a run as the live page reads it: the fields of its JSON, and the parts of them that a snapshot alone tells.
//! Filled by [`super::View`]. Numbers are raw; a field is never renamed.

use std::time::Duration;

use serde::Serialize;

use super::view::{ARCHETYPES, End, Point, Told};
use vespeiro_metrics::{Series, Snapshot, ThresholdState};
use vespeiro_model::SwapResult;

/// Versions of one archetype that are told of, beside those that get sessions.
const VERSIONS: usize = 8;

#[derive(Debug, Serialize)]
pub(super) struct Shown {
    pub(super) phase: &'static str,
    /// Of a run that is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<End>,
    pub(super) elapsed: f64,
    pub(super) remaining: Option<f64>,
    pub(super) progress: Option<f64>,
    pub(super) users: u64,
    pub(super) users_wanted: u32,
    /// Those of them whose number can be changed; none where every archetype has a profile of its own.
    pub(super) users_shared: Option<u32>,
    pub(super) in_flight: u64,
    pub(super) requests: u64,
    pub(super) rate: f64,
    pub(super) rate_wanted: Option<f64>,
    pub(super) success: f64,
    pub(super) errors: u64,
    pub(super) injected: u64,
    /// In milliseconds: p50, p95, p99, highest.
    pub(super) latency: Option<[f64; 4]>,
    pub(super) cpu: f64,
    pub(super) memory: u64,
    pub(super) breaker: Option<Breaker>,
    pub(super) held: u64,
    pub(super) pace: f64,
    pub(super) logins_paused: bool,
    /// Why the run's own guard has stopped it.
    pub(super) alarm: Option<String>,
    pub(super) warnings: Vec<String>,
    pub(super) mix: Vec<Share>,
    pub(super) error_mix: Vec<Share>,
    pub(super) archetypes: Vec<Archetype>,
    pub(super) archetypes_left_out: usize,
    pub(super) thresholds: Vec<Threshold>,
    pub(super) recent: Vec<Recent>,
    pub(super) news: Vec<Told>,
    /// The latest of the charts' points.
    pub(super) point: Option<Point>,
}

#[derive(Debug, Serialize)]
pub(super) struct Breaker {
    pub(super) state: &'static str,
    pub(super) word: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Share {
    pub(super) name: String,
    pub(super) share: f64,
    pub(super) wanted: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Archetype {
    pub(super) name: String,
    pub(super) users: u64,
    pub(super) sessions: u64,
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) p95: Option<f64>,
    pub(super) refused: u64,
    pub(super) rolled_back: u64,
    /// From the newest to the oldest.
    pub(super) versions: Vec<Version>,
}

#[derive(Debug, Serialize)]
pub(super) struct Version {
    pub(super) behavior: String,
    pub(super) version: String,
    pub(super) hash: String,
    pub(super) share: f64,
    pub(super) sessions: u64,
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) p95: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Threshold {
    pub(super) text: String,
    pub(super) state: ThresholdState,
}

#[derive(Debug, Serialize)]
pub(super) struct Recent {
    /// Milliseconds since 1970.
    pub(super) at: u64,
    pub(super) user: u32,
    pub(super) archetype: String,
    pub(super) request: String,
    pub(super) outcome: String,
    /// `good`, `expected` or `bad`.
    pub(super) kind: &'static str,
    pub(super) ms: f64,
}

pub(super) fn archetypes(snapshot: &Snapshot) -> Vec<Archetype> {
    let groups = snapshot.by_archetype();
    let labels = snapshot.catalog.archetypes.iter();
    let counted = labels.zip(&snapshot.archetypes).zip(&snapshot.swaps);
    counted
        .zip(&groups)
        .take(ARCHETYPES)
        .enumerate()
        .map(|(number, (((labels, counts), swaps), group))| Archetype {
            name: labels.name.clone(),
            users: counts.users_active(),
            sessions: counts.behavior.sessions.started,
            requests: group.requests(),
            errors: group.errors(),
            p95: p95(group),
            refused: swaps[SwapResult::Refused as usize],
            rolled_back: swaps[SwapResult::RolledBack as usize],
            versions: versions(snapshot, number as u16),
        })
        .collect()
}

/// The newest ones, and whatever else gets sessions.
fn versions(snapshot: &Snapshot, archetype: u16) -> Vec<Version> {
    let newest = snapshot.versions_of(archetype).rev().enumerate();
    let told = newest.filter_map(|(at, total)| {
        let labels = snapshot.catalog.version(total.role.version)?;
        (at < VERSIONS || labels.share > 0.0).then_some((labels, &total.counts))
    });
    told.map(|(labels, counts)| {
        let group = &counts.requests;
        Version {
            behavior: labels.behavior.clone(),
            version: labels.version.clone(),
            hash: labels.hash.chars().take(8).collect(),
            share: labels.share,
            sessions: counts.behavior.sessions.started,
            requests: group.requests(),
            errors: group.errors(),
            p95: p95(&group),
        }
    })
    .collect()
}

pub(super) fn thresholds(snapshot: &Snapshot) -> Vec<Threshold> {
    let verdicts = snapshot.guard.thresholds.iter().take(ARCHETYPES);
    let told = verdicts.map(|verdict| Threshold {
        text: verdict.threshold.to_string(),
        state: verdict.state,
    });
    told.collect()
}

/// In milliseconds; of no requests there is none.
fn p95(group: &Series) -> Option<f64> {
    (group.requests() > 0).then(|| millis(group.latency().quantile(0.95)))
}

/// Users of the archetypes that share the run's load profile.
pub(super) fn shared_users(snapshot: &Snapshot) -> Option<u32> {
    let own = &snapshot.desired.archetypes;
    let of_own = own.iter().map(|own| own.users).sum();
    (own.len() < snapshot.archetypes.len()).then(|| snapshot.desired.users.saturating_sub(of_own))
}

/// A part of the requests; none of none is 0.
pub(super) fn share(count: u64, requests: u64) -> f64 {
    rounded(count as f64 / requests.max(1) as f64, 10_000.0)
}

pub(super) fn millis(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1e3, 1_000.0)
}

/// To so many parts of one: what nobody reads need not be sent.
pub(super) fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
