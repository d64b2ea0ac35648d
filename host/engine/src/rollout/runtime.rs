//! A behavior at work on one worker, in the part of an archetype: its slot, its lookups, its crashes. An archetype has one for
//! each version that gets new sessions; a session keeps hold of its own, so that a swap never pulls it away.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::labels::Labels;
use super::room::Room;
use crate::rollout::rollouts::{Mode, PROBATION, Rollout};
use crate::seed::{Stream, derive};
use crate::worker::quarantine::CrashRecord;
use vespeiro_behavior::{Behavior, Slot};
use vespeiro_metrics::{Catalog, Role};

/// How much longer than its probation a new behavior is not quarantined: time for the order to take it back.
const SLACK: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct VersionRuntime {
    pub(crate) slot: RefCell<Slot>,
    /// Sessions that wait for the slot to have room.
    pub(crate) room: Room,
    pub(crate) labels: Labels,
    hash: String,
    /// What it is judged by.
    record: RefCell<CrashRecord>,
    /// Until then its crashes are the orchestrator's to judge, which takes it back.
    on_probation: Option<Instant>,
    /// Its sessions are to end at their next step.
    over: Cell<bool>,
    /// Who its sessions are to move to.
    successor: RefCell<Option<Rc<VersionRuntime>>>,
}

impl VersionRuntime {
    fn new(
        behavior: &Arc<Behavior>,
        archetype: u16,
        catalog: &Catalog,
        seed: u64,
        on_probation: Option<Instant>,
    ) -> Self {
        let labels = Labels::new(behavior, archetype, catalog);
        let nth = u64::from(archetype) | u64::from(labels.role.version) << 16;
        let slot = Slot::new(Arc::clone(behavior), derive(seed, Stream::Instance, nth));
        Self {
            slot: RefCell::new(slot),
            room: Room::default(),
            labels,
            hash: behavior.hash.clone(),
            record: RefCell::default(),
            on_probation,
            over: Cell::new(false),
            successor: RefCell::new(None),
        }
    }

    /// The hash of its behavior's content.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    pub(crate) fn role(&self) -> Role {
        self.labels.role
    }

    /// Its sessions are to end at their next step: another version has taken over at once.
    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Who its sessions are to move to, with their state: another version has taken over.
    pub(crate) fn successor(&self) -> Option<Rc<VersionRuntime>> {
        self.successor.borrow().clone()
    }

    /// How it has done on this worker.
    pub(crate) fn record(&self) -> &RefCell<CrashRecord> {
        &self.record
    }

    pub(crate) fn is_on_probation(&self, now: Instant) -> bool {
        self.on_probation.is_some_and(|end| now < end)
    }
}

/// Who plays the new sessions of one archetype on one worker, and which part of them.
#[derive(Debug)]
pub(crate) struct VersionRuntimes(RefCell<Vec<(Rc<VersionRuntime>, f64)>>);

impl VersionRuntimes {
    /// One behavior for all sessions.
    pub(crate) fn alone(
        behavior: &Arc<Behavior>,
        archetype: u16,
        catalog: &Catalog,
        seed: u64,
    ) -> Self {
        let runtime = VersionRuntime::new(behavior, archetype, catalog, seed, None);
        Self(RefCell::new(vec![(Rc::new(runtime), 1.0)]))
    }

    /// Whether a behavior of this hash plays new sessions.
    pub(crate) fn has(&self, hash: &str) -> bool {
        self.0
            .borrow()
            .iter()
            .any(|(runtime, _)| runtime.hash == hash)
    }

    /// The runtime of a session whose draw is `draw`, in `0.0..1.0`.
    pub(crate) fn draw(&self, draw: f64) -> Rc<VersionRuntime> {
        let versions = self.0.borrow();
        let mut edge = 0.0;
        let drawn = versions.iter().find(|(_, share)| {
            edge += share;
            draw < edge
        });
        let (runtime, _) = drawn.unwrap_or(&versions[0]);
        Rc::clone(runtime)
    }

    /// Those that play the new sessions from now on; one that goes on playing keeps its instance.
    pub(crate) fn take_over(&self, rollout: &Rollout, seed: u64, now: Instant) {
        let mut versions = self.0.borrow_mut();
        let end = now + PROBATION + SLACK;
        let next: Vec<(Rc<VersionRuntime>, f64)> = rollout
            .versions
            .iter()
            .map(|(behavior, share)| {
                let known = versions.iter().find(|(p, _)| p.hash == behavior.hash);
                let runtime = known.map_or_else(
                    || {
                        let catalog = &rollout.catalog;
                        let archetype = rollout.archetype;
                        Rc::new(VersionRuntime::new(
                            behavior,
                            archetype,
                            catalog,
                            seed,
                            Some(end),
                        ))
                    },
                    |(runtime, _)| Rc::clone(runtime),
                );
                (runtime, *share)
            })
            .collect();
        for (gone, _) in versions.iter() {
            let stays = next.iter().any(|(runtime, _)| Rc::ptr_eq(runtime, gone));
            // Whoever waits may be drawn for another.
            gone.room.wake();
            gone.over.set(!stays && rollout.mode == Mode::Now);
            let moves = !stays && rollout.mode == Mode::Migrate;
            *gone.successor.borrow_mut() = moves.then(|| Rc::clone(&next[0].0));
        }
        *versions = next;
    }
}
