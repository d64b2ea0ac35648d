//! A group of requests: how they came out, their bytes and their latency. Recorded for one archetype and route, or for one
//! version; merged into larger groups by [`super::Snapshot`].

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use vespeiro_model::{Failure, GrpcCode, Outcome, OutcomeClass, OutcomeKind};

use super::merge::{MOST, Merge};
use super::{RequestSample, Scale, Timing};

/// As many as there can be ways.
const MAX_RESULTS: usize = 3 * (1_000 + GrpcCode::ALL.len()) + 2 * Failure::ALL.len();

/// Number of requests that came out in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResultCount {
    pub outcome: Outcome,
    /// The tool asked for this failure.
    pub expected: bool,
    pub count: u64,
}

impl ResultCount {
    /// A status below 400, `OK`, or one that the behavior has said to be no error.
    pub fn is_good(&self) -> bool {
        self.outcome.is_good()
    }

    /// The behavior has said that this status is no error.
    pub fn is_accepted(&self) -> bool {
        self.outcome.is_accepted()
    }

    /// A failure that the tool asked for.
    pub fn is_injected(&self) -> bool {
        !self.is_good() && self.expected
    }

    /// A failure that nobody asked for.
    pub fn is_error(&self) -> bool {
        !self.is_good() && !self.expected
    }
}

/// A group of requests that were sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Series {
    /// A handful in practice, at most 3 for each status code, of gRPC too, and 2 for each failure kind.
    results: Vec<ResultCount>,
    bytes_sent: u64,
    bytes_received: u64,
    /// Latencies of successes.
    succeeded: Timing,
    /// Of all others.
    failed: Timing,
}

impl Default for Series {
    fn default() -> Series {
        Series {
            results: Vec::new(),
            bytes_sent: 0,
            bytes_received: 0,
            succeeded: Timing::new(Scale::Micros),
            failed: Timing::new(Scale::Micros),
        }
    }
}

impl Series {
    pub(super) fn record(&mut self, sample: &RequestSample) {
        // No such code exists past 999; this keeps the number of results bounded.
        let outcome = match sample.outcome {
            Outcome::Status(status) => Outcome::Status(status.min(999)),
            Outcome::Accepted(status) => Outcome::Accepted(status.min(999)),
            other => other,
        };
        self.add(outcome, sample.expected, 1);
        self.bytes_sent += sample.bytes_sent;
        self.bytes_received += sample.bytes_received;
        match outcome.is_good() {
            true => self.succeeded.record(sample.latency),
            false => self.failed.record(sample.latency),
        }
    }

    /// Requests that were sent.
    pub fn requests(&self) -> u64 {
        self.successes() + self.failures()
    }

    /// Requests with a status below 400, or one that is no error.
    pub fn successes(&self) -> u64 {
        self.succeeded.count()
    }

    /// All others: what was injected, and errors.
    pub fn failures(&self) -> u64 {
        self.failed.count()
    }

    /// Failures that nobody asked for.
    pub fn errors(&self) -> u64 {
        self.count(ResultCount::is_error)
    }

    /// Failures that the tool asked for.
    pub fn injected(&self) -> u64 {
        self.count(ResultCount::is_injected)
    }

    /// Successes by requests; `None` before the first one.
    pub fn success_share(&self) -> Option<f64> {
        let requests = self.requests();
        (requests > 0).then(|| self.successes() as f64 / requests as f64)
    }

    /// How the requests came out, in a stable order.
    pub fn results(&self) -> Vec<ResultCount> {
        let mut results = self.results.clone();
        results.sort_unstable();
        results
    }

    /// Requests by what the error mix tells apart, whoever is to blame, in the order of [`OutcomeClass::ALL`].
    pub fn classes(&self) -> [u64; OutcomeClass::ALL.len()] {
        OutcomeClass::ALL.map(|class| self.count(|r| OutcomeClass::of(r.outcome) == class))
    }

    /// Of every request, failed ones too: a timeout is part of the distribution.
    pub fn latency(&self) -> Cow<'_, Timing> {
        if self.failed.is_empty() {
            return Cow::Borrowed(&self.succeeded);
        }
        let mut all = self.failed.clone();
        all.merge(&self.succeeded);
        Cow::Owned(all)
    }

    /// The same of successes or of failures alone, so that quick failures do not flatter and slow ones do not blame.
    pub fn latency_of(&self, kind: OutcomeKind) -> &Timing {
        match kind {
            OutcomeKind::Success => &self.succeeded,
            OutcomeKind::Failure => &self.failed,
        }
    }

    pub fn bytes_sent(&self) -> u64 {
        self.bytes_sent
    }

    pub fn bytes_received(&self) -> u64 {
        self.bytes_received
    }

    pub(super) fn count(&self, which: impl Fn(&ResultCount) -> bool) -> u64 {
        let counted = self.results.iter().filter(|result| which(result));
        counted.map(|result| result.count).sum()
    }

    fn add(&mut self, outcome: Outcome, expected: bool, count: u64) {
        let same = |r: &&mut ResultCount| r.outcome == outcome && r.expected == expected;
        match self.results.iter_mut().find(same) {
            Some(result) => result.count += count,
            None => self.results.push(ResultCount {
                outcome,
                expected,
                count,
            }),
        }
    }
}

impl Merge for Series {
    fn merge(&mut self, other: &Series) {
        if !other.is_empty() {
            for result in &other.results {
                self.add(result.outcome, result.expected, result.count);
            }
            self.bytes_sent += other.bytes_sent;
            self.bytes_received += other.bytes_received;
            self.succeeded.merge(&other.succeeded);
            self.failed.merge(&other.failed);
        }
    }

    fn reset(&mut self) {
        if !self.is_empty() {
            self.results.clear();
            self.bytes_sent = 0;
            self.bytes_received = 0;
            self.succeeded.reset();
            self.failed.reset();
        }
    }

    fn is_empty(&self) -> bool {
        self.requests() == 0
    }

    fn fits(&self, like: &Series) -> bool {
        let mut results = self.results.iter();
        self.results.len() <= MAX_RESULTS
            && results.all(|result| result.count <= MOST)
            && self.bytes_sent.fits(&like.bytes_sent)
            && self.bytes_received.fits(&like.bytes_received)
            && self.succeeded.fits(&like.succeeded)
            && self.failed.fits(&like.failed)
    }
}
