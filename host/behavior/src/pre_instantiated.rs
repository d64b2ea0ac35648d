//! Compiled code with its imports linked: what an instance is made of, and within which limits. Made by `load.rs`, used by
//! `instance.rs`.

use wasmtime::Store;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker, ResourceType};

use super::contract::Version;
use super::engine::Engine;
use super::guest::GuestState;
use super::limits::{Limits, MAX_PASSED, MAX_SESSIONS};
use super::memory_pool::MemoryShare;
use super::program::SharedProgram;
use super::timed_by::TimedBy;
use super::wasi;
use crate::compile::Import;

#[derive(Clone)]
pub(super) struct PreInstantiated {
    pub(super) pre: InstancePre<GuestState>,
    /// The contract that it implements.
    pub(super) version: Version,
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
        version: Version,
        wasi: bool,
        limits: Limits,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::<GuestState>::new(engine.inner());
        version.add_to_linker(&mut linker)?;
        if wasi {
            wasi::add_to_linker(&mut linker)?;
        }
        refuse(&mut linker, engine.inner(), component)?;
        let pre = linker.instantiate_pre(component)?;
        version.check(&pre)?;
        Ok(Self {
            pre,
            version,
            limits,
            program: None,
            wasi,
            engine: engine.clone(),
        })
    }

    /// A store for one instance, with its share of the memory; `seed` feeds what its WASI calls random.
    pub(super) fn store(
        &self,
        seed: u64,
        memory: MemoryShare,
        timed_by: TimedBy,
    ) -> Store<GuestState> {
        let state = GuestState::new(memory, self.wasi.then_some(seed));
        let mut store = Store::new(self.engine.inner(), state);
        store.limiter(|state| state);
        store.set_max_component_handles(MAX_SESSIONS);
        store.set_hostcall_fuel(MAX_PASSED);
        store.set_epoch_deadline(self.limits.ticks());
        timed_by.bound(&mut store, self.limits);
        store
    }
}

/// Meet what is imported and refused: whoever calls it ends its call, and reads why.
fn refuse<T: 'static>(
    linker: &mut Linker<T>,
    engine: &wasmtime::Engine,
    component: &Component,
) -> wasmtime::Result<()> {
    // A resource belongs to the first import that names it; the others only use it.
    let mut known: Vec<ResourceType> = Vec::new();
    let ty = component.component_type();
    for (interface, import) in ty.imports(engine) {
        let ComponentItem::ComponentInstance(functions) = import.ty else {
            continue;
        };
        let mut refused = match Import::of(interface) {
            Import::Refused => Some(linker.instance(interface)?),
            _ => None,
        };
        for (name, export) in functions.exports(engine) {
            match export.ty {
                ComponentItem::Resource(resource) if !known.contains(&resource) => {
                    known.push(resource);
                    if let Some(refused) = &mut refused {
                        refused.resource(name, ResourceType::host::<()>(), |_, _| Ok(()))?;
                    }
                }
                ComponentItem::ComponentFunc(_) => {
                    if let Some(refused) = &mut refused {
                        let called = format!(
                            "it called {name} of {interface}, which a behavior does not get"
                        );
                        refused.func_new(name, move |_, _, _, _| {
                            Err(wasmtime::Error::msg(called.clone()))
                        })?;
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}
