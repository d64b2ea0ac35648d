//! What the load profiles let a worker's users do, and when: arrivals, totals, what waited too long.

use std::time::Duration;

use tokio::time::Instant;

use super::state::WorkerState;
use crate::vu::state::VuState;
use crate::workload::state::WorkloadState;
use vespeiro_plan::ArrivalKind;

impl WorkerState {
    /// The load profile that a user plays by.
    pub(crate) fn workload(&self, vu: &VuState) -> &WorkloadState {
        &self.workloads[vu.workload]
    }

    /// Wait until the profile lets a request go, where it does. Tells when it should have left, in the profile's time.
    pub(crate) async fn wait_for_arrival(&self, vu: &VuState) -> Option<Duration> {
        match self.workload(vu).arrivals_of(ArrivalKind::Requests) {
            Some(arrivals) => Some(arrivals.take().await),
            None => vu.arrived.take(),
        }
    }

    /// A request is about to leave. `false` when a total has none left for it: then the others who share it end too.
    pub(crate) fn spend(&self, vu: &VuState) -> bool {
        let workload = self.workload(vu);
        let may = workload.spend();
        if may {
            vu.sent.set(vu.sent.get() + 1);
        }
        if workload.is_spent() {
            self.news.notify_one();
        }
        may
    }

    /// Wait until the profile lets a session begin, where it does.
    pub(crate) async fn wait_for_session_arrival(&self, vu: &VuState) {
        if let Some(arrivals) = self.workload(vu).arrivals_of(ArrivalKind::Sessions) {
            vu.arrived.set(Some(arrivals.take().await));
        }
    }

    /// When the next arrival is due; `None` when nothing arrives.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        let arrivals = self
            .workloads
            .iter()
            .filter_map(|workload| workload.arrivals.as_ref());
        let next = arrivals.filter_map(|arrivals| arrivals.next()).min()?;
        (!self.profile_clock.is_paused() && !self.stopping.get())
            .then(|| self.profile_clock.at(next))
    }

    /// Drop and count the arrivals that waited too long; all of them when the run is over.
    pub(crate) fn expire(&self, over: bool) {
        for arrivals in self
            .workloads
            .iter()
            .filter_map(|workload| workload.arrivals.as_ref())
        {
            let now = self.profile_time();
            let dropped = arrivals.expire(if over { Duration::MAX } else { now });
            self.recorder.borrow_mut().dropped(dropped);
        }
    }
}
