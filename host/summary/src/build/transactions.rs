//! What became of transactions, as a [`Summary`](crate::Summary) has it. Used by `build.rs`.

use vespeiro_metrics::{Snapshot, Timing};
use vespeiro_model::OutcomeKind;

use super::Detail;
use super::requests::distribution;
use crate::json::{LatencyByOutcome, Transaction};

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

fn by_outcome<'a>(of: impl Fn(OutcomeKind) -> &'a Timing) -> LatencyByOutcome {
    let kinds = OutcomeKind::ALL.map(|kind| (kind, of(kind)));
    let used = kinds.iter().filter(|(_, timing)| !timing.is_empty());
    used.map(|(kind, timing)| (*kind, distribution(timing, Detail::Histogram)))
        .collect()
}
