//! The versions of the contract, one file each, behind one trait: what a module of that version exports and imports, in the
//! words of `types.rs`. Used by the files that load and run modules; nobody else knows of versions.
//!
//! What must stay true: what the engine does with a request depends on what it is, never on the version that asked for it.

mod moves;
#[macro_use]
mod version;
mod v0_1;
mod v0_2;

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre, Linker, ResourceAny};

use super::guest::GuestState;
use super::types::{Context, Description, Outcome, Setup, Step};

/// The interface that a behavior exports, in the versions that a module may have it in, up to their minor number, which is
/// what decides compatibility.
pub const CONTRACT: &str = "vespeiro:behavior/behavior@0.1, @0.2";
/// The same without a version.
pub(super) const INTERFACE: &str = "vespeiro:behavior/behavior";

/// A version of the contract that modules may be built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V0_2,
    V0_1,
}

impl Version {
    /// The newest first.
    pub(super) const ALL: [Self; 2] = [Self::V0_2, Self::V0_1];

    /// That of an interface's version, whatever its patch is: `0.1`, `0.1.7`.
    pub(super) fn of(number: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| {
            let patch = number.strip_prefix(version.minor());
            patch.is_some_and(|patch| patch.is_empty() || patch.starts_with('.'))
        })
    }

    /// That of an exported interface: `vespeiro:behavior/behavior@0.1.7`.
    pub(super) fn of_interface(name: &str) -> Option<Self> {
        let number = name.strip_prefix(INTERFACE)?.strip_prefix('@')?;
        Self::of(number)
    }

    pub(super) fn minor(self) -> &'static str {
        match self {
            Self::V0_2 => "0.2",
            Self::V0_1 => "0.1",
        }
    }

    /// The contract's text.
    pub(super) fn wit(self) -> &'static str {
        match self {
            Self::V0_2 => v0_2::WIT,
            Self::V0_1 => v0_1::WIT,
        }
    }

    /// Meet what its modules import.
    pub(super) fn add_to_linker(self, linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
        match self {
            Self::V0_2 => v0_2::add_to_linker(linker),
            Self::V0_1 => v0_1::add_to_linker(linker),
        }
    }

    /// Whether what such a module exports is there at all.
    pub(super) fn check(self, pre: &InstancePre<GuestState>) -> wasmtime::Result<()> {
        match self {
            Self::V0_2 => v0_2::check(pre),
            Self::V0_1 => v0_1::check(pre),
        }
    }

    /// The exports of an instance; a player's take a program. `Err`: what does not fit.
    pub(super) fn exports(
        self,
        store: &mut Store<GuestState>,
        built: &Instance,
        is_player: bool,
    ) -> Result<Box<dyn Exports>, String> {
        match self {
            Self::V0_2 => v0_2::exports(store, built, is_player),
            Self::V0_1 => v0_1::exports(store, built, is_player),
        }
    }
}

/// The exports of an instance.
pub(super) trait Exports {
    /// Hand a player what it plays. The guest's `err` has one line for each mistake.
    fn load(
        &self,
        store: &mut Store<GuestState>,
        name: String,
        source: Vec<u8>,
    ) -> wasmtime::Result<Result<(), String>>;

    /// Comes before any session.
    fn describe(&mut self, store: &mut Store<GuestState>) -> wasmtime::Result<Description>;

    fn begin(&self, store: &mut Store<GuestState>, setup: Setup) -> wasmtime::Result<ResourceAny>;

    fn next(
        &self,
        store: &mut Store<GuestState>,
        session: ResourceAny,
        context: Context,
        outcomes: Vec<Outcome>,
    ) -> wasmtime::Result<Result<Step, String>>;

    /// Whether its sessions can move to another version of the behavior.
    fn can_move(&self) -> bool;

    /// The state of a session, for one that goes on instead of it. `None`: not now, or never.
    fn save(
        &self,
        store: &mut Store<GuestState>,
        session: ResourceAny,
    ) -> wasmtime::Result<Option<Vec<u8>>>;

    /// A session that goes on from the state of another one. `Err` in it: this behavior cannot.
    fn restore(
        &self,
        store: &mut Store<GuestState>,
        setup: Setup,
        state: Vec<u8>,
    ) -> wasmtime::Result<Result<ResourceAny, String>>;
}
