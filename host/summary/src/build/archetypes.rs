//! What each archetype and each version of its behavior did, as a [`Summary`](crate::Summary) has it: sessions,
//! swaps, checks, values of its own. Used by `gather.rs` and by merging.

use super::Detail;
use super::requests::{distribution, requests};
use crate::json::{Archetype, Check, EndedSessions, Observed, Sessions, Swaps, Version};
use vespeiro_metrics::{Sketch, Snapshot};
use vespeiro_model::{Ending, SwapResult};
use vespeiro_plan::Plan;

pub(super) fn archetypes(plan: &Plan, snapshot: &Snapshot) -> Vec<Archetype> {
    let labels = &snapshot.catalog.archetypes;
    snapshot
        .by_archetype()
        .iter()
        .zip(labels)
        .zip(&snapshot.archetypes)
        .map(|((group, labels), counts)| Archetype {
            name: labels.name.clone(),
            behavior: labels.behavior.clone(),
            version: labels.version.clone(),
            hash: labels.hash.clone(),
            profile: plan.own_profile(&labels.name),
            users: counts.users_started,
            requests: requests(snapshot, group, Detail::Quantiles),
            sessions: sessions(&counts.sessions, Detail::Histogram),
            guest_calls: distribution(&counts.guest_calls, Detail::Histogram),
            instances_built: counts.instances_built,
            traps: counts.traps,
        })
        .collect()
}

pub(super) fn versions(snapshot: &Snapshot) -> Vec<Version> {
    snapshot
        .versions
        .iter()
        .filter(|total| !total.is_older() || total.counts.sessions.started > 0)
        .map(|total| {
            let counts = &total.counts;
            let labels = snapshot.catalog.version(total.role.version);
            let [behavior, version, hash] = labels.map_or(["older", "-", "-"], |v| {
                [v.behavior.as_str(), &v.version, &v.hash]
            });
            Version {
                archetype: snapshot.catalog.archetype(total.role.archetype).into(),
                behavior: behavior.into(),
                version: version.into(),
                hash: hash.into(),
                share: labels.map_or(0.0, |v| v.share),
                requests: requests(snapshot, &counts.group(), Detail::Histogram),
                sessions: sessions(&counts.sessions, Detail::Histogram),
                guest_calls: distribution(&counts.guest_calls, Detail::Histogram),
                instances_built: counts.instances_built,
                traps: counts.traps,
            }
        })
        .collect()
}

pub(super) fn swaps(snapshot: &Snapshot) -> Vec<Swaps> {
    let archetypes = snapshot.catalog.archetypes.iter().zip(&snapshot.swaps);
    archetypes
        .filter(|(_, counts)| counts.iter().sum::<u64>() > 0)
        .map(|(labels, counts)| {
            let count = |result: SwapResult| counts[result as usize];
            Swaps {
                archetype: labels.name.clone(),
                published: count(SwapResult::Published),
                refused: count(SwapResult::Refused),
                rolled_back: count(SwapResult::RolledBack),
            }
        })
        .collect()
}

pub(super) fn sessions(sessions: &vespeiro_metrics::Sessions, keep: Detail) -> Sessions {
    Sessions {
        started: sessions.started,
        endings: Ending::ALL
            .iter()
            .map(|&ending| {
                let duration = distribution(sessions.ended(ending), keep);
                EndedSessions {
                    ending,
                    count: duration.count,
                    duration,
                }
            })
            .collect(),
    }
}

pub(super) fn checks(snapshot: &Snapshot) -> Vec<Check> {
    snapshot
        .catalog
        .archetypes
        .iter()
        .zip(&snapshot.archetypes)
        .flat_map(|(labels, counts)| {
            counts
                .checks
                .sorted()
                .into_iter()
                .map(|(name, check)| Check {
                    archetype: labels.name.clone(),
                    name: name.into(),
                    passed: check.passed,
                    failed: check.failed,
                })
        })
        .collect()
}

pub(super) fn observed(snapshot: &Snapshot) -> Vec<Observed> {
    snapshot
        .catalog
        .archetypes
        .iter()
        .zip(&snapshot.archetypes)
        .flat_map(|(labels, counts)| {
            let observed = counts.observed.sorted().into_iter();
            observed.map(|(metric, values)| observation(&labels.name, metric, values))
        })
        .collect()
}

pub fn observation(archetype: &str, metric: &str, values: &Sketch) -> Observed {
    Observed {
        archetype: archetype.into(),
        metric: metric.into(),
        count: values.count(),
        sum: values.sum(),
        min: values.min(),
        max: values.max(),
        mean: values.mean(),
        p50: values.quantile(0.5),
        p90: values.quantile(0.9),
        p95: values.quantile(0.95),
        p99: values.quantile(0.99),
        cells: values.cells().to_vec(),
    }
}
