//! Compiled code with its imports linked: what an instance is made of, and within which limits. Made by `load.rs`, used by
//! `instance.rs`.

use wasmtime::Store;
use wasmtime::component::{Component, HasSelf, Linker};

use super::contract::{Archetype, ArchetypePre};
use super::engine::{Engine, Limits, MAX_PASSED, MAX_SESSIONS};
use super::guest::GuestState;
use super::memory_pool::MemoryShare;
use super::program::SharedProgram;
use super::wasi;

#[derive(Clone)]
pub(super) struct PreInstantiated {
    pub(super) pre: ArchetypePre<GuestState>,
    pub(super) limits: Limits,
    /// What a player plays.
    pub(super) program: Option<SharedProgram>,
    /// It imports WASI.
    wasi: bool,
    /// Its clocks bound and measure the calls.
    pub(super) engine: Engine,
}

impl PreInstantiated {
    /// Link the component's imports. WASI is linked only where it is imported.
    pub(super) fn link(
        engine: &Engine,
        component: &Component,
        wasi: bool,
        limits: Limits,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::<GuestState>::new(engine.inner());
        Archetype::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
        if wasi {
            wasi::add_to_linker(&mut linker)?;
        }
        let pre = linker
            .instantiate_pre(component)
            .and_then(ArchetypePre::new)?;
        Ok(Self {
            pre,
            limits,
            program: None,
            wasi,
            engine: engine.clone(),
        })
    }

    /// A store for one instance, with its share of the memory; `seed` feeds what its WASI calls random.
    pub(super) fn store(&self, seed: u64, memory: MemoryShare) -> Store<GuestState> {
        let state = GuestState::new(memory, self.wasi.then_some(seed));
        let mut store = Store::new(self.engine.inner(), state);
        store.limiter(|state| state);
        store.set_max_component_handles(MAX_SESSIONS);
        store.set_hostcall_fuel(MAX_PASSED);
        store.set_epoch_deadline(self.limits.ticks());
        store
    }
}
