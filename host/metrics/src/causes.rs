//! Why requests have no complete answer, in words: what the kinds of failures do not tell. The recorder counts, the totals add
//! up; read through [`super::Snapshot`].
//!
//! What must stay true: no more than [`MAX_CAUSES`] are told apart; the others of a kind are counted together, so that the
//! counts of a kind are always all of its failures.

use serde::{Deserialize, Serialize};

use super::OTHER_ROUTE as OTHER;
use super::merge::{MOST, Merge};
use vespeiro_model::Failure;
use vespeiro_model::text::harmless;

/// Causes that are told apart.
pub const MAX_CAUSES: usize = 32;
/// Longer ones are cut: a target's certificate may have any name.
const MAX_CHARS: usize = 200;

/// Counts by kind and cause, in the order in which causes were met.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FailureCauses {
    each: Vec<(Failure, Box<str>, u64)>,
}

impl FailureCauses {
    /// So many failures more. A cause that is known costs no memory.
    pub(super) fn add(&mut self, failure: Failure, cause: &str, count: u64) {
        if let Some(at) = self.position(failure, cause) {
            self.each[at].2 += count;
            return;
        }
        let cause: String = harmless(cause).chars().take(MAX_CHARS).collect();
        let own = self.each.iter().filter(|(_, known, _)| **known != *OTHER);
        let cause = if own.count() < MAX_CAUSES {
            &cause
        } else {
            OTHER
        };
        match self.position(failure, cause) {
            Some(at) => self.each[at].2 += count,
            None => self.each.push((failure, cause.into(), count)),
        }
    }

    fn position(&self, failure: Failure, cause: &str) -> Option<usize> {
        let is_it =
            |(kind, known, _): &(Failure, Box<str>, u64)| *kind == failure && **known == *cause;
        self.each.iter().position(is_it)
    }

    /// Those that there were, the most frequent first.
    pub fn sorted(&self) -> Vec<(Failure, &str, u64)> {
        let met = self.each.iter().filter(|(.., count)| *count > 0);
        let mut met: Vec<_> = met
            .map(|(failure, cause, count)| (*failure, &**cause, *count))
            .collect();
        met.sort_unstable_by(|a, b| b.2.cmp(&a.2).then_with(|| a.cmp(b)));
        met
    }
}

impl Merge for FailureCauses {
    fn merge(&mut self, other: &FailureCauses) {
        for (failure, cause, count) in other.each.iter().filter(|(.., count)| *count > 0) {
            self.add(*failure, cause, *count);
        }
    }

    /// Keeps the causes, so that the next of one does not allocate.
    fn reset(&mut self) {
        self.each.iter_mut().for_each(|(.., count)| *count = 0);
    }

    fn is_empty(&self) -> bool {
        self.each.iter().all(|(.., count)| *count == 0)
    }

    fn fits(&self, _: &FailureCauses) -> bool {
        let most = MAX_CAUSES + Failure::ALL.len();
        self.each.len() <= most && self.each.iter().all(|(.., count)| *count <= MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_a_kind_are_all_of_its_failures_however_many_causes_there_are() {
        let mut one = FailureCauses::default();
        for nth in 0..50 {
            one.add(Failure::Tls, &format!("cause {nth}"), nth);
            one.add(Failure::Connect, "refused", 1);
        }
        one.add(Failure::Connect, "a new one", 7);
        let mut sum = FailureCauses::default();
        sum.merge(&one);
        sum.merge(&one);
        let of = |kind| {
            let all = sum.sorted().into_iter();
            all.filter(|(failure, ..)| *failure == kind)
                .map(|(.., count)| count)
                .sum::<u64>()
        };
        assert_eq!(of(Failure::Tls), 2 * (0..50).sum::<u64>());
        assert_eq!(of(Failure::Connect), 2 * 57);
        assert!(sum.sorted().len() <= MAX_CAUSES + 2);
        assert!(
            sum.sorted()
                .is_sorted_by_key(|(.., count)| std::cmp::Reverse(*count))
        );
        one.reset();
        assert!(one.is_empty() && one.sorted().is_empty());
    }

    #[test]
    fn what_steers_a_terminal_is_made_visible_and_what_is_long_is_cut() {
        let mut causes = FailureCauses::default();
        for _ in 0..2 {
            causes.add(Failure::Tls, "\x1b[2J", 1);
            causes.add(Failure::Tls, &"x".repeat(5_000), 1);
        }
        let shown = causes.sorted();
        assert_eq!(
            shown,
            [
                (Failure::Tls, "?[2J", 2),
                (Failure::Tls, &*"x".repeat(MAX_CHARS), 2)
            ]
        );
    }
}
