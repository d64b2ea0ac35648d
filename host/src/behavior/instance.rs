//! One live instance of a behavior: a store, the exports, and the sessions that live in it as resources.
//!
//! What must stay true: after a trap the instance is never entered again.

use std::fmt;
use std::sync::Arc;

use wasmtime::component::ResourceAny;
use wasmtime::{Store, Trap};

use super::contract::{Archetype, exported, types};
use super::guest::{GuestEvent, GuestState};
use super::load::Behavior;

/// A call into a guest, for messages and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuestCall {
    Instantiate,
    Describe,
    Constructor,
    Next,
    Drop,
}

impl GuestCall {
    fn as_str(self) -> &'static str {
        match self {
            Self::Instantiate => "instantiation",
            Self::Describe => "describe",
            Self::Constructor => "the session's constructor",
            Self::Next => "next",
            Self::Drop => "the session's destructor",
        }
    }
}

/// A guest call that did not return: the instance is lost, and every session in it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("behavior {behavior} {version} crashed in {}: {reason}", .call.as_str())]
pub struct Crash {
    pub behavior: String,
    pub version: String,
    pub call: GuestCall,
    pub reason: String,
}

pub(super) struct Instance {
    behavior: Arc<Behavior>,
    store: Store<GuestState>,
    exports: Archetype,
    poisoned: bool,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("behavior", &self.behavior.name)
            .field("poisoned", &self.poisoned)
            .finish_non_exhaustive()
    }
}

impl Instance {
    pub(super) fn new(behavior: Arc<Behavior>) -> Result<Self, Crash> {
        let mut store = behavior.new_store();
        store.set_epoch_deadline(behavior.limits.ticks());
        let exports = behavior.pre.instantiate(&mut store).map_err(|e| {
            crash(
                &behavior,
                GuestCall::Instantiate,
                &e,
                store.data().memory_refused,
            )
        })?;
        Ok(Self {
            behavior,
            store,
            exports,
            poisoned: false,
        })
    }

    pub(super) fn poisoned(&self) -> bool {
        self.poisoned
    }

    pub(super) fn behavior(&self) -> &Arc<Behavior> {
        &self.behavior
    }

    /// What the last call told the host.
    pub(super) fn events(&mut self) -> std::vec::Drain<'_, GuestEvent> {
        self.store.data_mut().events.drain(..)
    }

    pub(super) fn has_events(&self) -> bool {
        !self.store.data().events.is_empty()
    }

    pub(super) fn begin(&mut self, setup: &types::Setup) -> Result<ResourceAny, Crash> {
        self.call(GuestCall::Constructor, |guest, store| {
            guest.session().call_constructor(store, setup)
        })
    }

    pub(super) fn next(
        &mut self,
        session: ResourceAny,
        context: &types::Context,
        outcomes: &[types::Outcome],
    ) -> Result<Result<types::Step, String>, Crash> {
        self.call(GuestCall::Next, |guest, store| {
            guest.session().call_next(store, session, context, outcomes)
        })
    }

    pub(super) fn end(&mut self, session: ResourceAny) -> Result<(), Crash> {
        self.call(GuestCall::Drop, |_, store| session.resource_drop(store))
    }

    fn call<T>(
        &mut self,
        call: GuestCall,
        run: impl FnOnce(&exported::Guest, &mut Store<GuestState>) -> wasmtime::Result<T>,
    ) -> Result<T, Crash> {
        if self.poisoned {
            return Err(self.lost(call));
        }
        self.store.data_mut().begin_call();
        self.store.set_epoch_deadline(self.behavior.limits.ticks());
        run(self.exports.vespeiro_behavior_behavior(), &mut self.store).map_err(|error| {
            self.poisoned = true;
            crash(
                &self.behavior,
                call,
                &error,
                self.store.data().memory_refused,
            )
        })
    }

    fn lost(&self, call: GuestCall) -> Crash {
        Crash {
            behavior: self.behavior.name.clone(),
            version: self.behavior.version.clone(),
            call,
            reason: "another session of its instance crashed".into(),
        }
    }
}

pub(super) fn crash(
    behavior: &Behavior,
    call: GuestCall,
    error: &wasmtime::Error,
    memory_refused: bool,
) -> Crash {
    Crash {
        behavior: behavior.name.clone(),
        version: behavior.version.clone(),
        call,
        reason: reason(error, &behavior.limits, memory_refused),
    }
}

/// Why a call did not return, in words an author can act on.
pub(super) fn reason(
    error: &wasmtime::Error,
    limits: &super::Limits,
    memory_refused: bool,
) -> String {
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => {
            format!(
                "it ran longer than {} ms (guest_timeout)",
                limits.call.as_millis()
            )
        }
        _ if memory_refused => {
            format!(
                "it asked for more than {} MiB of memory (guest_memory)",
                limits.memory >> 20
            )
        }
        Some(Trap::StackOverflow) => "it recursed too deep".into(),
        Some(trap) => trap.to_string(),
        None => {
            let root = error.root_cause().to_string();
            root.lines().next().unwrap_or("unknown reason").to_owned()
        }
    }
}
