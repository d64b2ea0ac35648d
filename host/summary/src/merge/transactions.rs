//! Transactions of merged summaries, those of the same archetype and name as one. Called when summaries are merged, and for
//! thresholds on them.

use super::MergeError;
use super::figures::Merger;
use crate::build::Detail;
use crate::build::requests::distribution;
use crate::json::{Distribution, LatencyByOutcome, Transaction};
use crate::rows::grouped;
use vespeiro_metrics::Timing;
use vespeiro_plan::{Pauses, Selector};

const WHAT: &str = "times of transactions";

impl Merger<'_> {
    pub(super) fn transactions(&self) -> Result<Vec<Transaction>, MergeError> {
        let all = self.parts.iter().flat_map(|part| &part.transactions);
        let is_same =
            |a: &Transaction, b: &Transaction| (&a.archetype, &a.name) == (&b.archetype, &b.name);
        let merged = grouped(all, is_same).into_iter().map(|same| {
            let (active, active_by_outcome) = self.both(
                &same[0].active,
                same.iter().map(|one| &one.active_by_outcome),
            )?;
            let (duration, duration_by_outcome) = self.both(
                &same[0].duration,
                same.iter().map(|one| &one.duration_by_outcome),
            )?;
            Ok(Transaction {
                passed: same.iter().map(|one| one.passed).sum(),
                failed: same.iter().map(|one| one.failed).sum(),
                cut: same.iter().map(|one| one.cut).sum(),
                active,
                active_by_outcome,
                duration,
                duration_by_outcome,
                ..same[0].clone()
            })
        });
        merged.collect()
    }

    /// `first`: of the first of them, whose unit that of all is.
    fn both<'d>(
        &self,
        first: &Distribution,
        all: impl Iterator<Item = &'d LatencyByOutcome>,
    ) -> Result<(Distribution, LatencyByOutcome), MergeError> {
        let by_outcome = self.by_kind(WHAT, all, Detail::Histogram)?;
        let sum = match by_outcome.is_empty() {
            true => distribution(&self.timing(WHAT, first)?, Detail::Quantiles),
            false => self.sum(WHAT, by_outcome.values(), Detail::Quantiles)?,
        };
        Ok((sum, by_outcome))
    }

    /// Add the times of transactions that a selector picks to those of the same scale.
    pub(super) fn add_times(
        &self,
        sum: &mut Timing,
        of: &Transaction,
        selector: &Selector,
    ) -> Result<(), MergeError> {
        let times = match selector.pauses {
            Some(Pauses::With) => &of.duration_by_outcome,
            _ => &of.active_by_outcome,
        };
        let picked = times
            .iter()
            .filter(|(kind, _)| selector.outcome.is_none_or(|it| it == **kind));
        for (_, times) in picked {
            self.add(WHAT, sum, &self.timing(WHAT, times)?)?;
        }
        Ok(())
    }
}
