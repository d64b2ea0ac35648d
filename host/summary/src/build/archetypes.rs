//! What each archetype and each version of its behavior did, as a [`Summary`](crate::Summary) has it: sessions,
//! swaps, checks, values of its own. Used by `build.rs` and by merging.

use std::sync::Arc;

use vespeiro_metrics::{
    ArchetypeCounts, ArchetypeLabels, BehaviorCounts, PhaseTimes, Series, Sketch, Snapshot,
    VersionTotal,
};
use vespeiro_model::{Ending, SwapResult};
use vespeiro_plan::Plan;

use super::Detail;
use super::requests::{distribution, requests};
use crate::json::{
    Archetype, BehaviorFigures, Check, EndedSessions, Observed, Requests, Sessions, Swaps, Version,
};

pub(super) fn archetypes(plan: &Plan, snapshot: &Snapshot) -> Vec<Archetype> {
    let groups = snapshot.by_archetype();
    let archetypes = snapshot.catalog.archetypes.iter().zip(&snapshot.archetypes);
    type Counted<'a> = ((&'a ArchetypeLabels, &'a Arc<ArchetypeCounts>), &'a Series);
    let one = |(number, ((labels, counts), group)): (u16, Counted<'_>)| {
        let phases = snapshot.phases(|archetype, _| archetype == number);
        let requests = requests(snapshot, group, &phases, Detail::Quantiles);
        Archetype {
            name: labels.name.clone(),
            behavior: labels.behavior.clone(),
            version: labels.version.clone(),
            hash: labels.hash.clone(),
            profile: plan.own_profile(&labels.name),
            users: counts.users_started,
            not_sent: counts.not_sent.iter().sum(),
            figures: figures(requests, &counts.behavior),
        }
    };
    (0..).zip(archetypes.zip(&groups)).map(one).collect()
}

pub(super) fn versions(snapshot: &Snapshot) -> Vec<Version> {
    let played =
        |total: &&VersionTotal| !total.is_older() || total.counts.behavior.sessions.started > 0;
    let one = |total: &VersionTotal| {
        let labels = snapshot.catalog.version(total.role.version);
        let [behavior, version, hash] = labels.map_or(["older", "-", "-"], |v| {
            [v.behavior.as_str(), &v.version, &v.hash]
        });
        let requests = requests(
            snapshot,
            &total.counts.requests,
            &PhaseTimes::default(),
            Detail::Histogram,
        );
        Version {
            archetype: snapshot.catalog.archetype(total.role.archetype).into(),
            behavior: behavior.into(),
            version: version.into(),
            hash: hash.into(),
            share: labels.map_or(0.0, |v| v.share),
            figures: figures(requests, &total.counts.behavior),
        }
    };
    snapshot.versions.iter().filter(played).map(one).collect()
}

fn figures(requests: Requests, counts: &BehaviorCounts) -> BehaviorFigures {
    BehaviorFigures {
        requests,
        sessions: sessions(&counts.sessions, Detail::Histogram),
        guest_calls: distribution(&counts.guest_calls, Detail::Histogram),
        instances_built: counts.instances_built,
        traps: counts.traps,
    }
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

pub(super) fn sessions(sessions: &vespeiro_metrics::Sessions, detail: Detail) -> Sessions {
    let endings = Ending::ALL.map(|ending| {
        let duration = distribution(sessions.ended(ending), detail);
        EndedSessions {
            ending,
            count: duration.count,
            duration,
        }
    });
    Sessions {
        started: sessions.started,
        endings: endings.to_vec(),
    }
}

pub(super) fn checks(snapshot: &Snapshot) -> Vec<Check> {
    let archetypes = snapshot.catalog.archetypes.iter().zip(&snapshot.archetypes);
    let all = archetypes.flat_map(|(labels, counts)| {
        let checks = counts.checks.sorted().into_iter();
        checks.map(|(name, check)| Check {
            archetype: labels.name.clone(),
            name: name.into(),
            passed: check.passed,
            failed: check.failed,
        })
    });
    all.collect()
}

pub(super) fn observed(snapshot: &Snapshot) -> Vec<Observed> {
    let archetypes = snapshot.catalog.archetypes.iter().zip(&snapshot.archetypes);
    let all = archetypes.flat_map(|(labels, counts)| {
        let observed = counts.observed.sorted().into_iter();
        observed.map(|(metric, values)| observation(&labels.name, metric, values))
    });
    all.collect()
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
