//! What is counted of transactions: named spans of sessions over several steps; a request and where it was redirected to is one
//! too. Written by the recorder.
//!
//! What must stay true: a transaction that has begun ends as passed, failed or cut, or is open.

use std::borrow::Cow;
use std::time::Duration;

use vespeiro_model::OutcomeKind;

use super::merge::counts;
use super::{ArchetypeCounts, OTHER_ROUTE as OTHER, Scale, Timing};

counts! {
    /// Counts of the transactions of one name.
    #[derive(Debug, Clone)]
    pub struct TransactionCounts {
        /// Without pauses; of those that passed, and of those that failed.
        active: [Timing; OutcomeKind::ALL.len()] = std::array::from_fn(|_| Timing::new(Scale::Micros)),
        /// From begin to end.
        duration: [Timing; OutcomeKind::ALL.len()] = std::array::from_fn(|_| Timing::new(Scale::Millis)),
        /// Those that were open when the host ended their session.
        pub cut: u64,
    }
}

/// How long a transaction took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// From begin to end.
    pub duration: Duration,
    /// The part of it in which its session waited for what it had sent.
    pub active: Duration,
}

impl TransactionCounts {
    pub fn passed(&self) -> u64 {
        self.active_of(OutcomeKind::Success).count()
    }

    pub fn failed(&self) -> u64 {
        self.active_of(OutcomeKind::Failure).count()
    }

    /// Without pauses, of those that passed or of those that failed.
    pub fn active_of(&self, kind: OutcomeKind) -> &Timing {
        &self.active[kind as usize]
    }

    /// The same from begin to end.
    pub fn duration_of(&self, kind: OutcomeKind) -> &Timing {
        &self.duration[kind as usize]
    }

    /// Those with an end.
    pub fn active(&self) -> Timing {
        both(&self.active)
    }

    pub fn duration(&self) -> Timing {
        both(&self.duration)
    }

    pub(super) fn end(&mut self, passed: bool, span: Span) {
        let kind = match passed {
            true => OutcomeKind::Success,
            false => OutcomeKind::Failure,
        };
        self.active[kind as usize].record(span.active);
        self.duration[kind as usize].record(span.duration);
    }
}

fn both(of: &[Timing; OutcomeKind::ALL.len()]) -> Timing {
    let mut sum = of[0].clone();
    of[1..].iter().for_each(|other| sum.merge(other));
    sum
}

/// Before the name of a route: what the time of a request and all that it was redirected to is called.
const CHAIN: &str = "redirects: ";

/// What a request of this route, with all that it was redirected to, is called.
pub(super) fn chain(method: &str, path: &str) -> String {
    format!("{CHAIN}{method} {path}")
}

impl ArchetypeCounts {
    /// Its transactions by name, in alphabetical order; then those that are chains of redirects.
    pub fn transactions(&self) -> impl Iterator<Item = (Cow<'_, str>, &TransactionCounts)> {
        let own = self.named.sorted().into_iter();
        let own = own.map(|(name, counts)| (Cow::Borrowed(name), counts));
        let chains = self.chains.sorted().into_iter();
        let chains = chains.map(|(name, counts)| match name {
            OTHER => (Cow::Owned(format!("{CHAIN}{OTHER}")), counts),
            name => (Cow::Borrowed(name), counts),
        });
        own.chain(chains)
    }
}
