//! What `GET /status` of the control endpoint says: a run at one instant, as JSON. A field is never renamed.

use serde::Serialize;

use vespeiro_engine::{DesiredState, News};
use vespeiro_metrics::{Series, Snapshot};
use vespeiro_model::{Ending, SwapResult};
use vespeiro_plan::Plan;

#[derive(Debug, Serialize)]
pub struct Status {
    run: String,
    scenario: String,
    elapsed_seconds: f64,
    paused: bool,
    users: u64,
    /// The number that was asked for last: the plan's, or that of `/users`.
    users_wanted: u32,
    #[serde(flatten)]
    requests: Requests,
    /// Over the last second or so.
    requests_per_second: f64,
    archetypes: Vec<Archetype>,
    /// The latest swaps, oldest first.
    news: Vec<Told>,
}

#[derive(Debug, Serialize)]
struct Requests {
    requests: u64,
    errors: u64,
    p50_seconds: f64,
    p99_seconds: f64,
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
    #[serde(flatten)]
    requests: Requests,
    swaps_published: u64,
    swaps_refused: u64,
    swaps_rolled_back: u64,
    /// From the oldest to the newest.
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
struct Told {
    elapsed_seconds: f64,
    text: String,
}

impl Requests {
    fn of(group: &Series) -> Self {
        let quantile = |q| group.latency().quantile(q).as_secs_f64();
        Self {
            requests: group.requests(),
            errors: group.errors(),
            p50_seconds: quantile(0.5),
            p99_seconds: quantile(0.99),
        }
    }
}

impl Status {
    pub fn new(plan: &Plan, snapshot: &Snapshot, wish: DesiredState, news: &[News]) -> Self {
        Self {
            run: plan.run_id.clone(),
            scenario: plan.scenario.clone(),
            elapsed_seconds: snapshot.elapsed.as_secs_f64(),
            paused: wish.paused,
            users: snapshot.users_active(),
            users_wanted: plan.users_when(wish.users),
            requests: Requests::of(&snapshot.total()),
            requests_per_second: snapshot.rates.second.requests,
            archetypes: archetypes(snapshot),
            news: news
                .iter()
                .map(|n| Told {
                    elapsed_seconds: n.elapsed.as_secs_f64(),
                    text: n.text.clone(),
                })
                .collect(),
        }
    }
}

fn archetypes(snapshot: &Snapshot) -> Vec<Archetype> {
    let groups = snapshot.by_archetype();
    let labels = snapshot.catalog.archetypes.iter();
    let counted = labels.zip(&snapshot.archetypes).zip(&snapshot.swaps);
    counted
        .zip(&groups)
        .enumerate()
        .map(|(number, (((labels, counts), swaps), group))| Archetype {
            name: labels.name.clone(),
            users: counts.users_active(),
            users_wanted: snapshot.desired.of(number as u16).map(|own| own.users),
            rate_wanted: snapshot.desired.of(number as u16).and_then(|own| own.rate),
            requests: Requests::of(group),
            swaps_published: swaps[SwapResult::Published as usize],
            swaps_refused: swaps[SwapResult::Refused as usize],
            swaps_rolled_back: swaps[SwapResult::RolledBack as usize],
            versions: versions(snapshot, number as u16),
        })
        .collect()
}

fn versions(snapshot: &Snapshot, archetype: u16) -> Vec<Version> {
    snapshot
        .versions_of(archetype)
        .filter_map(|total| {
            let labels = snapshot.catalog.version(total.role.version)?;
            let sessions = &total.counts.behavior.sessions;
            Some(Version {
                behavior: labels.behavior.clone(),
                version: labels.version.clone(),
                hash: labels.hash.clone(),
                share: labels.share,
                requests: Requests::of(&total.counts.requests),
                sessions: sessions.started,
                sessions_crashed: sessions.ended(Ending::Crashed).count(),
            })
        })
        .collect()
}
