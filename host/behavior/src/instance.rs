//! One live instance of a behavior: a store, the exports, and the sessions that live in it as resources. Used by `slot.rs`.
//!
//! What must stay true: after a trap the instance is never entered again, and its memory is free at once, however many of its
//! sessions are still to hear of it.

use std::fmt;
use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::call_context::CallContext;
use super::contract::Exports;
use super::crash::{GuestCall, GuestFault, too_long};
use super::feeder::Feeder;
use super::guest::{GuestEvent, GuestState};
use super::limits::{Limits, OVERRUN};
use super::memory_pool::MemoryPool;
use super::step::passed;
use super::timed_by::TimedBy;
use super::types::{Context, Description, Outcome, Setup, Step};
use crate::pre_instantiated::PreInstantiated;
use vespeiro_model::Clock;

pub(super) struct Instance {
    /// `None` after a trap.
    alive: Option<Alive>,
    /// What the call that trapped told the host.
    last_events: Vec<GuestEvent>,
    limits: Limits,
    clock: Clock,
    timed_by: TimedBy,
    /// How long the last call took.
    took: Duration,
}

struct Alive {
    store: Store<GuestState>,
    exports: Box<dyn Exports>,
}

/// Why an instance cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    Crashed(GuestFault),
    /// Its exports are not the contract's.
    Mismatch(String),
    /// Its player refuses the program, in words for its author.
    Program(String),
}

impl From<GuestFault> for Unusable {
    fn from(fault: GuestFault) -> Self {
        Self::Crashed(fault)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("poisoned", &self.poisoned())
            .finish_non_exhaustive()
    }
}

impl Instance {
    /// Build one, hand a player its program, and call `describe` before anything else.
    pub(super) fn new(
        image: &PreInstantiated,
        seed: u64,
        memory: &MemoryPool,
        timed_by: TimedBy,
    ) -> Result<(Self, Description), Unusable> {
        let mut store = image.store(seed, memory.share(), timed_by);
        let instantiated = image.pre.instantiate(&mut store);
        let built = instantiated.map_err(|error| {
            let refused = store.data().memory.refused();
            GuestFault::of_error(GuestCall::Instantiate, &error, &image.limits, refused)
        })?;
        let exports = image
            .version
            .exports(&mut store, &built, image.program.is_some())
            .map_err(Unusable::Mismatch)?;
        let mut instance = Self {
            alive: Some(Alive { store, exports }),
            last_events: Vec::new(),
            limits: image.limits,
            clock: image.engine.clock(),
            timed_by,
            took: Duration::ZERO,
        };
        let call_context = CallContext {
            seed,
            elapsed_ms: 0,
            feeder: Feeder::default(),
        };
        if let Some(program) = image.program.as_deref() {
            let (name, source) = (program.name.clone(), program.source.clone());
            instance
                .call(GuestCall::Program, &call_context, |guest, store| {
                    guest.load(store, name, source)
                })?
                .map_err(Unusable::Program)?;
        }
        let description = instance.call(GuestCall::Describe, &call_context, |guest, store| {
            guest.describe(store)
        })?;
        Ok((instance, description))
    }

    pub(super) fn poisoned(&self) -> bool {
        self.alive.is_none()
    }

    /// How long the last call took.
    pub(super) fn took(&self) -> Duration {
        self.took
    }

    /// Linear memory that it holds, in bytes.
    pub(super) fn memory(&self) -> usize {
        let alive = self.alive.as_ref();
        alive.map_or(0, |alive| alive.store.data().memory.held())
    }

    /// What the last call told the host.
    pub(super) fn events(&mut self) -> std::vec::Drain<'_, GuestEvent> {
        match &mut self.alive {
            Some(alive) => alive.store.data_mut().events.drain(..),
            None => self.last_events.drain(..),
        }
    }

    pub(super) fn has_events(&self) -> bool {
        let events = match &self.alive {
            Some(alive) => &alive.store.data().events,
            None => &self.last_events,
        };
        !events.is_empty()
    }

    /// Why the host could not keep what the last call marked: its session has to end.
    pub(super) fn complaint(&mut self) -> Option<String> {
        self.alive.as_mut()?.store.data_mut().complaint.take()
    }

    pub(super) fn begin(
        &mut self,
        setup: Setup,
        call_context: &CallContext,
    ) -> Result<ResourceAny, GuestFault> {
        self.call(GuestCall::Constructor, call_context, |guest, store| {
            guest.begin(store, setup)
        })
    }

    pub(super) fn next(
        &mut self,
        session: ResourceAny,
        context: Context,
        outcomes: Vec<Outcome>,
        call_context: &CallContext,
    ) -> Result<Result<Step, String>, GuestFault> {
        self.call(GuestCall::Next, call_context, |guest, store| {
            let answer = guest.next(&mut *store, session, context, outcomes)?;
            store.data_mut().answer(|| passed(&answer))?;
            Ok(answer.map_err(|words| store.data().veil(&words).into_owned()))
        })
    }

    pub(super) fn end(
        &mut self,
        session: ResourceAny,
        call_context: &CallContext,
    ) -> Result<(), GuestFault> {
        self.call(GuestCall::Drop, call_context, |_, store| {
            session.resource_drop(store)
        })
    }

    /// The state of a session, for one that goes on instead of it. `None` where sessions cannot move, or not now.
    pub(super) fn save(
        &mut self,
        session: ResourceAny,
        call_context: &CallContext,
    ) -> Result<Option<Vec<u8>>, GuestFault> {
        if !self.can_move() {
            return Ok(None);
        }
        self.call(GuestCall::Save, call_context, |guest, store| {
            let state = guest.save(&mut *store, session)?;
            store
                .data_mut()
                .answer(|| state.as_ref().map_or(0, Vec::len))?;
            Ok(state)
        })
    }

    /// A session that goes on from the state of another one. `Err` in it: this behavior cannot.
    pub(super) fn restore(
        &mut self,
        setup: Setup,
        state: Vec<u8>,
        call_context: &CallContext,
    ) -> Result<Result<ResourceAny, String>, GuestFault> {
        if !self.can_move() {
            return Ok(Err("it exports no vespeiro:behavior/migrate".into()));
        }
        self.call(GuestCall::Restore, call_context, |guest, store| {
            guest.restore(store, setup, state)
        })
    }

    fn can_move(&self) -> bool {
        let alive = self.alive.as_ref();
        alive.is_some_and(|alive| alive.exports.can_move())
    }

    fn call<T>(
        &mut self,
        call: GuestCall,
        call_context: &CallContext,
        run: impl FnOnce(&mut dyn Exports, &mut Store<GuestState>) -> wasmtime::Result<T>,
    ) -> Result<T, GuestFault> {
        let Some(alive) = &mut self.alive else {
            let reason = "another session of its instance crashed".into();
            return Err(GuestFault::of_guest(call, reason));
        };
        let store = &mut alive.store;
        store.data_mut().begin_call(call_context);
        store.set_epoch_deadline(self.limits.ticks());
        let (began, before) = (self.clock.now(), self.timed_by.spent());
        store.data_mut().call_began = before;
        let returned = run(&mut *alive.exports, store);
        let took = self.clock.since(began);
        self.took = took;
        let spent = self.timed_by.spent().zip(before);
        let counted = spent.map_or(took, |(now, before)| now.saturating_sub(before));
        store.data_mut().end_call(call_context);
        let fault = match returned {
            // One instruction may fill or copy a whole memory, and nothing interrupts it.
            Ok(_) if counted > self.limits.call + OVERRUN => {
                GuestFault::of_guest(call, too_long(&self.limits))
            }
            Ok(returned) => return Ok(returned),
            Err(error) => {
                let refused = store.data().memory.refused();
                GuestFault::of_error(call, &error, &self.limits, refused)
            }
        };
        self.lose();
        Err(GuestFault { took, ..fault })
    }

    /// Nobody enters it again: give back what it holds, all but what its last call said.
    fn lose(&mut self) {
        if let Some(alive) = self.alive.take() {
            self.last_events = alive.store.into_data().events;
        }
    }
}
