//! Who plays a worker's archetypes: crashes and quarantine, and what a rollout changes.

use std::sync::Arc;
use std::time::Duration;

use super::quarantine::{GivenUpCause, QuarantineReason};
use super::state::{ArchetypeState, WorkerState};
use crate::rollout::rollouts::Rollout;
use crate::rollout::room::LONGEST_WAIT;
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
        self.recorder.borrow_mut().trap(runtime.role());
        let now = self.now();
        let mut record = runtime.record().borrow_mut();
        let verdict = record.crashed(now, crash.took, crash.machine);
        let wait = Backoff::SESSION.wait(record.in_a_row(), 1.0);
        drop(record);
        if self.may_log(archetype) {
            let name = &self.plan.archetypes[usize::from(archetype)].name;
            tracing::warn!("archetype {name}: {crash}");
        }
        if let Some(verdict) = verdict
            && !runtime.is_on_probation(self.clock.now())
        {
            self.quarantine(runtime, verdict);
        }
        wait
    }

    fn quarantine(&self, runtime: &VersionRuntime, verdict: QuarantineReason) {
        let archetype = runtime.role().archetype;
        let archetype_state = self.archetype_state(archetype);
        // Sessions that a swap has left behind say nothing of who plays now.
        let plays = !runtime.is_over() && archetype_state.versions.has(runtime.hash());
        if !plays || self.quarantined(archetype) {
            return;
        }
        let given_up = (runtime.hash().to_owned(), verdict.cause());
        *archetype_state.quarantined.borrow_mut() = Some(given_up);
        let name = &self.plan.archetypes[usize::from(archetype)].name;
        tracing::error!(
            "archetype {name} is quarantined after {verdict}: its users stop, the others go on"
        );
        runtime.room.wake();
        self.news.notify_one();
    }

    /// Wait until this behavior may have memory for one more session. Where none has begun for too long, it is given up.
    pub(crate) async fn wait_for_room(&self, runtime: &VersionRuntime) {
        let room = &runtime.room;
        if room.is_new() {
            let name = &self.plan.archetypes[usize::from(runtime.role().archetype)].name;
            let most = self.plan.guest.memory >> 20;
            tracing::warn!(
                "archetype {name}: new sessions wait, since its instances hold their {most} MiB (guest_memory) until sessions end"
            );
        }
        room.wait(self.profile_time()).await;
        if room.is_hopeless(self.profile_time()) {
            self.quarantine(
                runtime,
                QuarantineReason::NoRoom {
                    waited: LONGEST_WAIT,
                },
            );
        }
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
