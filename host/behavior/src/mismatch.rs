//! Names the contract's function that a behavior exports with another type: the engine says only how the type differs. Used by
//! the contract's versions.

use wasmtime::Store;
use wasmtime::component::{
    ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, ResourceAny,
};

use super::guest::GuestState;

/// What does not fit: `error`, with the name of the function of `behavior`, an interface, where it is found. The types are
/// those of that version: its description, setup, context, outcome and step.
pub(super) fn mismatch<D, B, C, O, S>(
    store: &mut Store<GuestState>,
    built: &Instance,
    behavior: &str,
    error: &wasmtime::Error,
) -> String
where
    D: Lift + 'static,
    B: Lower + 'static,
    C: Lower + 'static,
    O: Lower + 'static,
    S: Lift + 'static,
{
    let interface = built.get_export_index(&mut *store, None, behavior);
    let found = interface.and_then(|interface| {
        let mut exports = Exports {
            store,
            built,
            interface,
        };
        exports
            .differs::<(), (D,)>("describe")
            .or_else(|| exports.differs::<(&B,), (ResourceAny,)>("[constructor]session"))
            .or_else(|| {
                exports.differs::<(ResourceAny, &C, &[O]), (Result<S, String>,)>(
                    "[method]session.next",
                )
            })
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
