//! The mix of requests, the mix of errors and the failures on purpose: what was asked for, and what was achieved. Used by
//! `build.rs`; the panel and merging use the same shares.

use crate::json::{CategoryShare, ErrorShare, Fault};
use vespeiro_metrics::{Series, Snapshot};
use vespeiro_model::{FaultKind, OutcomeClass};
use vespeiro_plan::Plan;

pub fn mix(plan: &Plan, snapshot: &Snapshot, requests: u64) -> Vec<CategoryShare> {
    let target = |category: &str| Some(plan.mix.as_ref()?.share(category)? / 100.0);
    snapshot
        .by_category()
        .into_iter()
        .map(|(category, count)| CategoryShare {
            category: category.into(),
            requests: count,
            share: share(count, requests),
            target: target(category),
        })
        .collect()
}

pub fn error_mix(plan: &Plan, total: &Series) -> Vec<ErrorShare> {
    let target = |at: usize| plan.error_mix.map(|mix| mix.shares()[at] / 100.0);
    let counted = OutcomeClass::ALL.into_iter().zip(total.classes());
    counted
        .enumerate()
        .map(|(at, (class, requests))| ErrorShare {
            class,
            requests,
            share: share(requests, total.requests()),
            target: target(at),
        })
        .collect()
}

pub fn faults(snapshot: &Snapshot) -> Vec<Fault> {
    let counted = FaultKind::ALL.into_iter().zip(snapshot.run.faults);
    counted
        .filter(|(_, count)| count.asked + count.committed > 0)
        .map(|(kind, count)| Fault {
            kind,
            asked: count.asked,
            committed: count.committed,
        })
        .collect()
}

/// A part of the requests; none of none is 0.
pub fn share(count: u64, requests: u64) -> f64 {
    count as f64 / requests.max(1) as f64
}
