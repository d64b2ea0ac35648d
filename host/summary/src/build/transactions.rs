//! What sessions have said of themselves, as a [`Summary`](crate::Summary) has it: transactions, and why they were given up. Used
//! by `build.rs`.

use std::cmp::Reverse;

use vespeiro_metrics::{NOWHERE, Snapshot, Timing};
use vespeiro_model::OutcomeKind;

use super::Detail;
use super::requests::distribution;
use crate::json::{Abandoned, LatencyByOutcome, Transaction};

pub(super) fn transactions(snapshot: &Snapshot) -> Vec<Transaction> {
    let archetypes = snapshot.catalog.archetypes.iter().zip(&snapshot.archetypes);
    let all = archetypes.flat_map(|(labels, counts)| {
        counts.transactions().map(|(name, one)| Transaction {
            archetype: labels.name.clone(),
            name: name.into_owned(),
            passed: one.passed(),
            failed: one.failed(),
            cut: one.cut,
            active: distribution(&one.active(), Detail::Quantiles),
            active_by_outcome: by_outcome(|kind| one.active_of(kind)),
            duration: distribution(&one.duration(), Detail::Quantiles),
            duration_by_outcome: by_outcome(|kind| one.duration_of(kind)),
        })
    });
    all.collect()
}

/// The most frequent first.
pub(super) fn abandoned(snapshot: &Snapshot) -> Vec<Abandoned> {
    let archetypes = snapshot.catalog.archetypes.iter().zip(&snapshot.archetypes);
    let all = archetypes.flat_map(|(labels, counts)| {
        let reasons = counts.given_up.sorted().into_iter();
        reasons.flat_map(|(reason, places)| {
            let places = places.sorted().into_iter();
            places.map(|(place, count)| Abandoned {
                archetype: labels.name.clone(),
                reason: reason.into(),
                place: (place != NOWHERE).then(|| place.into()),
                count: *count,
            })
        })
    });
    let mut all: Vec<Abandoned> = all.collect();
    all.sort_by_key(|one| Reverse(one.count));
    all
}

fn by_outcome<'a>(of: impl Fn(OutcomeKind) -> &'a Timing) -> LatencyByOutcome {
    let kinds = OutcomeKind::ALL.map(|kind| (kind, of(kind)));
    let used = kinds.iter().filter(|(_, timing)| !timing.is_empty());
    used.map(|(kind, timing)| (*kind, distribution(timing, Detail::Histogram)))
        .collect()
}
