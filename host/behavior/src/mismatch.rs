//! Names the contract's function that a behavior exports with another type: the engine says only how the type differs. Used by
//! `instance.rs`.

use wasmtime::Store;
use wasmtime::component::{
    ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, ResourceAny,
};

use super::contract::types::{Context, Description, Outcome, Setup, Step};
use super::guest::GuestState;

const BEHAVIOR: &str = "vespeiro:behavior/behavior@0.1.0";

/// What does not fit: `error`, with the name of the function where it is found.
pub(super) fn mismatch(
    store: &mut Store<GuestState>,
    built: &Instance,
    error: &wasmtime::Error,
) -> String {
    let interface = built.get_export_index(&mut *store, None, BEHAVIOR);
    let found = interface.and_then(|interface| {
        type Next<'a> = (ResourceAny, &'a Context, &'a [Outcome]);
        let mut exports = Exports {
            store,
            built,
            interface,
        };
        exports
            .differs::<(), (Description,)>("describe")
            .or_else(|| exports.differs::<(&Setup,), (ResourceAny,)>("[constructor]session"))
            .or_else(|| exports.differs::<Next, (Result<Step, String>,)>("[method]session.next"))
    });
    found.unwrap_or_else(|| how(error))
}

struct Exports<'a> {
    store: &'a mut Store<GuestState>,
    built: &'a Instance,
    interface: ComponentExportIndex,
}

impl Exports<'_> {
    fn differs<P, R>(&mut self, name: &str) -> Option<String>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let index = self
            .built
            .get_export_index(&mut *self.store, Some(&self.interface), name)?;
        let found = self.built.get_typed_func::<P, R>(&mut *self.store, index);
        found.err().map(|error| format!("{name}: {}", how(&error)))
    }
}

/// How it differs, without what was attempted.
fn how(error: &wasmtime::Error) -> String {
    let causes = error.chain().map(|cause| cause.to_string());
    let telling = causes.filter(|cause| !cause.starts_with("failed to convert"));
    telling.collect::<Vec<_>>().join(": ")
}
