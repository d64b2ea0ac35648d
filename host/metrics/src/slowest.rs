//! The slowest requests of a run, one by one, with the trace that finds each at the target. A recorder keeps its
//! worker's, the totals keep those of all workers, the summary shows them.
//!
//! What must stay true: the list is bounded, and a request that is not among the slowest costs one comparison.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU128;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RecordedRequest;

/// How many are kept unless the plan says otherwise.
pub const SLOWEST: usize = 10;

/// A trace of the target's, as W3C has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TraceId(pub NonZeroU128);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// One slow request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowRequest {
    pub request: RecordedRequest,
    /// `None` when requests carry no trace context.
    pub trace: Option<TraceId>,
    /// Where it went.
    pub address: Option<SocketAddr>,
}

/// So many requests at most: the slowest of all that were offered, slowest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Slowest {
    most: usize,
    pub(super) list: Vec<SlowRequest>,
}

impl Default for Slowest {
    fn default() -> Self {
        Self::new(SLOWEST)
    }
}

impl Slowest {
    pub fn new(most: usize) -> Self {
        Self {
            most,
            list: Vec::new(),
        }
    }

    pub fn most(&self) -> usize {
        self.most
    }

    /// Slowest first.
    pub fn list(&self) -> &[SlowRequest] {
        &self.list
    }

    /// Whether a request that took so long is among the slowest so far.
    pub fn admits(&self, latency: Duration) -> bool {
        match self.list.last() {
            Some(last) if self.list.len() >= self.most => latency > last.request.latency,
            _ => self.most > 0,
        }
    }

    /// Take a request in if it is slow enough. Of equally slow ones the first stays.
    pub fn offer(&mut self, slow: SlowRequest) {
        if self.admits(slow.request.latency) {
            let slower = |known: &SlowRequest| known.request.latency >= slow.request.latency;
            self.list.insert(self.list.partition_point(slower), slow);
            self.list.truncate(self.most);
        }
    }

    pub(super) fn merge(&mut self, other: &Slowest) {
        other.list.iter().for_each(|slow| self.offer(*slow));
    }

    /// Forget the requests; keep so many from now on.
    pub(super) fn reset(&mut self, most: usize) {
        self.most = most;
        self.list.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;
    use crate::Role;
    use crate::ShortPath;
    use vespeiro_model::Outcome;

    fn slow(millis: u64, user: u32) -> SlowRequest {
        SlowRequest {
            request: RecordedRequest {
                path: ShortPath::new(""),
                at: SystemTime::UNIX_EPOCH,
                user,
                role: Role::default(),
                route: 0,
                outcome: Outcome::Status(200),
                expected: false,
                latency: Duration::from_millis(millis),
            },
            trace: None,
            address: None,
        }
    }

    proptest! {
        #[test]
        fn the_slowest_of_all_are_kept_however_they_are_split(
            latencies in prop::collection::vec(0u64..50, 0..200), most in 0usize..20, split in 1usize..5,
        ) {
            let mut parts: Vec<Slowest> = (0..split).map(|_| Slowest::new(most)).collect();
            for (at, latency) in latencies.iter().enumerate() {
                parts[at % split].offer(slow(*latency, at as u32));
            }
            let mut all = Slowest::new(most);
            parts.iter().for_each(|part| all.merge(part));
            let mut expected = latencies.clone();
            expected.sort_unstable_by(|a, b| b.cmp(a));
            expected.truncate(most);
            let kept: Vec<u64> = all.list().iter().map(|s| s.request.latency.as_millis() as u64).collect();
            prop_assert_eq!(kept, expected);
        }
    }

    #[test]
    fn a_trace_is_shown_in_full() {
        let id = TraceId(NonZeroU128::new(0xab).unwrap());
        assert_eq!(id.to_string(), "000000000000000000000000000000ab");
    }
}
