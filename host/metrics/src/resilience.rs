//! What the tool held back to spare the target: breaker, back-off, pauses of logins, retries. Written by the workers, read
//! through [`super::Snapshot`].

use std::time::Duration;

use serde::{Deserialize, Serialize};
use vespeiro_model::{BreakerState, HoldReason};

use super::merge::counts;

counts! {
    /// Waits of users, for one reason.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct HoldCount {
        pub count: u64,
        pub time: Duration,
    }

    /// Counts since the last hand-over, or since the start of the run.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ResilienceCounts {
        /// Changes of the breakers' state, by the new one, in the order of [`BreakerState::ALL`].
        pub transitions: [u64; BreakerState::ALL.len()],
        /// In the order of [`HoldReason::ALL`].
        pub waits: [HoldCount; HoldReason::ALL.len()],
        /// Requests that were sent again after a failure.
        pub retries: u64,
        /// Logins that the target refused though nobody asked it to.
        pub refused_logins: u64,
        /// Times that this led to a pause.
        pub login_pauses: u64,
    }
}

impl ResilienceCounts {
    /// How often a breaker went into this state.
    pub fn transitions_to(&self, state: BreakerState) -> u64 {
        self.transitions[state as usize]
    }

    pub fn wait(&self, reason: HoldReason) -> HoldCount {
        self.waits[reason as usize]
    }
}

/// Logins that the target has refused in the last minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedLogins {
    /// Without being asked to.
    pub unplanned: u64,
    /// Since their passwords were wrong on purpose.
    pub planned: u64,
    /// Most that are refused without being asked to before logins pause.
    pub bound: u64,
}

/// One worker's state at the moment of its hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// `None`: there is no breaker.
    pub breaker: Option<BreakerState>,
    /// Users' tasks that have not ended, whatever they do.
    pub coroutines: u64,
    /// Users who wait for one of the [`HoldReason`]s.
    pub held: u64,
    /// By how much users are slowed down; 1: not at all.
    pub pace: f64,
    pub logins_paused: bool,
    /// Logins that the target has refused in the last minute, against what it may; `None` without a bound.
    pub logins: Option<RefusedLogins>,
    /// How long the last of its users will take to spend what is left of their budgets; `None` before anything was sent, and
    /// where the end does not depend on budgets of users.
    pub remaining: Option<Duration>,
}

impl Default for WorkerStatus {
    fn default() -> Self {
        WorkerStatus {
            breaker: None,
            coroutines: 0,
            held: 0,
            pace: 1.0,
            logins_paused: false,
            logins: None,
            remaining: None,
        }
    }
}

/// All workers' states, as of their last hand-over.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WorkerStatuses(pub Vec<WorkerStatus>);

impl WorkerStatuses {
    /// Workers whose breaker is in this state.
    pub fn breakers(&self, state: BreakerState) -> usize {
        let matching = self.0.iter().filter(|one| one.breaker == Some(state));
        matching.count()
    }

    /// The worst of the breakers' states; `None` when there are none.
    pub fn breaker(&self) -> Option<BreakerState> {
        self.0.iter().filter_map(|one| one.breaker).max()
    }

    pub fn coroutines(&self) -> u64 {
        self.0.iter().map(|one| one.coroutines).sum()
    }

    pub fn held(&self) -> u64 {
        self.0.iter().map(|one| one.held).sum()
    }

    /// That of the slowest worker.
    pub fn pace(&self) -> f64 {
        self.0.iter().map(|one| one.pace).fold(1.0, f64::max)
    }

    /// How long the last of all users will take.
    pub fn remaining(&self) -> Option<Duration> {
        self.0.iter().filter_map(|one| one.remaining).max()
    }

    /// Refused logins of all workers; `None` without a bound.
    pub fn logins(&self) -> Option<RefusedLogins> {
        let all = self.0.iter().filter_map(|one| one.logins);
        all.reduce(|a, b| RefusedLogins {
            unplanned: a.unplanned + b.unplanned,
            planned: a.planned + b.planned,
            bound: a.bound + b.bound,
        })
    }

    /// Workers that let nobody log in.
    pub fn logins_paused(&self) -> usize {
        self.0.iter().filter(|one| one.logins_paused).count()
    }
}
