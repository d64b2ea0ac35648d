//! What became of the arrivals of a rate, and what the load profile wants at the moment. Written by the workers and the
//! orchestrator, read through [`super::Snapshot`].
//!
//! What must stay true: response times count from when a request should have left and service times from when it did,
//! so that a target that stalls cannot hide behind requests that were not sent meanwhile.

use std::time::Duration;

use super::merge::counts;
use super::{Scale, Timing};

counts! {
    /// Arrivals since the last hand-over, or since the start of the run.
    #[derive(Debug, Clone)]
    pub struct ArrivalCount {
        /// Came due.
        pub due: u64,
        /// Found no user in time: these were never sent.
        pub dropped: u64,
        /// From the send to the outcome, of requests that were due at a moment. [`super::Series::latency`] has the same
        /// requests, from that moment.
        pub service: Timing = Timing::new(Scale::Micros),
    }
}

impl ArrivalCount {
    pub(super) fn record(&mut self, latency: Duration, waited: Duration) {
        self.service.record(latency.saturating_sub(waited));
    }
}

/// What the load profile wants at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DesiredLoad {
    /// Users that are to play, of all profiles together.
    pub users: u32,
    /// Arrivals per second; `None` where users decide.
    pub rate: Option<f64>,
    /// The run is paused.
    pub paused: bool,
    /// The archetypes that have a profile of their own; parts of the above.
    pub archetypes: Vec<ArchetypeLoad>,
}

/// What the load profile of one archetype wants at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArchetypeLoad {
    pub archetype: u16,
    pub users: u32,
    pub rate: Option<f64>,
}

impl DesiredLoad {
    /// What is wanted of this archetype, where it has a profile of its own.
    pub fn of(&self, archetype: u16) -> Option<&ArchetypeLoad> {
        self.archetypes
            .iter()
            .find(|own| own.archetype == archetype)
    }
}
