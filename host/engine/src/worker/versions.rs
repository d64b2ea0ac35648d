//! Who plays a worker's archetypes: crashes and quarantine, and what a rollout changes.

use std::sync::Arc;
use std::time::Duration;

use super::quarantine::GivenUpCause;
use super::state::{ArchetypeState, WorkerState};
use crate::rollout::rollouts::Rollout;
use crate::rollout::runtime::VersionRuntime;
use vespeiro_behavior::Crash;
use vespeiro_resilience::Backoff;

impl WorkerState {
    pub(crate) fn archetype_state(&self, archetype: u16) -> &ArchetypeState {
        &self.archetypes[usize::from(archetype)]
    }

    /// A guest call did not return. How long its user should wait before the next session.
    pub(crate) fn crashed(&self, runtime: &VersionRuntime, crash: &Crash) -> Duration {
        let archetype = runtime.role().archetype;
        let archetype_state = self.archetype_state(archetype);
        self.recorder.borrow_mut().trap(runtime.role());
        let now = self.now();
        let mut record = runtime.record().borrow_mut();
        let verdict = record.crashed(now, crash.took, crash.machine);
        let wait = backoff(record.in_a_row());
        drop(record);
        let name = &self.plan.archetypes[usize::from(archetype)].name;
        if self.may_log(archetype) {
            tracing::warn!("archetype {name}: {crash}");
        }
        if let Some(verdict) = verdict
            && !runtime.is_over()
            && !runtime.is_on_probation(self.clock.now())
            // Sessions that a swap has left behind say nothing of who plays now.
            && archetype_state.versions.has(runtime.hash())
            && !self.quarantined(archetype)
        {
            let given_up = (runtime.hash().to_owned(), verdict.cause());
            *archetype_state.quarantined.borrow_mut() = Some(given_up);
            tracing::error!(
                "archetype {name} is quarantined after {verdict}: its users stop, the others go on"
            );
            self.news.notify_one();
        }
        wait
    }

    /// Have others play an archetype's new sessions from now on. A quarantine is over when whoever it was for plays no more.
    pub(crate) fn take_over(&self, rollout: &Rollout) {
        let catalog = &rollout.catalog;
        self.recorder.borrow_mut().adopt(Arc::clone(catalog));
        let mut governor = self.governor.borrow_mut();
        governor.adopt(&self.plan, catalog, rollout.archetype);
        let archetype_state = self.archetype_state(rollout.archetype);
        let now = self.clock.now();
        archetype_state
            .versions
            .take_over(rollout, self.plan.seed, now);
        let mut quarantined = archetype_state.quarantined.borrow_mut();
        let mended = quarantined.take_if(|(hash, _)| !archetype_state.versions.has(hash));
        if mended.is_some() {
            let name = &self.plan.archetypes[usize::from(rollout.archetype)].name;
            tracing::warn!("archetype {name} is quarantined no more: its users come back");
        }
    }

    /// Why an archetype's users had to stop, if they had to.
    pub(super) fn given_up(&self, archetype: u16) -> Option<GivenUpCause> {
        let quarantined = self.archetype_state(archetype).quarantined.borrow();
        quarantined.as_ref().map(|(_, cause)| *cause)
    }

    pub(crate) fn quarantined(&self, archetype: u16) -> bool {
        self.archetype_state(archetype)
            .quarantined
            .borrow()
            .is_some()
    }
}

/// How long a user waits after so many crashes, or sessions without a request, in a row.
pub(crate) fn backoff(in_a_row: u32) -> Duration {
    Backoff::SESSION.wait(in_a_row, 1.0)
}
