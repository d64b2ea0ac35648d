//! What a behavior may export besides its contract's main interface, found by name: `migrate`, for sessions that move to
//! another version, and `program`, for players. Used by the files of the versions, whose names and words differ.

use wasmtime::Store;
use wasmtime::component::{
    ComponentNamedList, ComponentType, Instance, Lift, Lower, ResourceAny, TypedFunc,
};

use crate::guest::GuestState;

/// Takes a program: what it is called and its bytes.
pub(super) type LoadProgram = TypedFunc<(String, Vec<u8>), (Result<(), String>,)>;

/// The exports of a behavior whose sessions can move; `S` is its version's setup.
pub(super) struct Moves<S: ComponentType + Lower + 'static> {
    pub(super) save: TypedFunc<(ResourceAny,), (Option<Vec<u8>>,)>,
    pub(super) restore: Restore<S>,
}

type Restore<S> = TypedFunc<(S, Vec<u8>), (Result<ResourceAny, String>,)>;

impl<S: ComponentType + Lower + 'static> Moves<S> {
    /// `None` where the instance has no such interface.
    pub(super) fn of(
        store: &mut Store<GuestState>,
        built: &Instance,
        interface: &str,
    ) -> wasmtime::Result<Option<Self>> {
        match built.get_export_index(&mut *store, None, interface) {
            None => Ok(None),
            Some(_) => Ok(Some(Self {
                save: function(store, built, interface, "save")?,
                restore: function(store, built, interface, "restore")?,
            })),
        }
    }
}

/// A function of an interface, by their names.
pub(super) fn function<P, R>(
    store: &mut Store<GuestState>,
    built: &Instance,
    interface: &str,
    name: &'static str,
) -> wasmtime::Result<TypedFunc<P, R>>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    let lacks = |what: &str| wasmtime::Error::msg(format!("it does not export {what}"));
    let at = built
        .get_export_index(&mut *store, None, interface)
        .ok_or_else(|| lacks(interface))?;
    let function = built
        .get_export_index(&mut *store, Some(&at), name)
        .ok_or_else(|| lacks(&format!("{name} of {interface}")))?;
    let typed = built.get_typed_func(store, function);
    typed.map_err(|error| error.context(name))
}
