//! The Rust side of `guest-sdk/wit/behavior.wit`, generated at compile time, so that host and contract cannot differ. Used by
//! every file of this room, and by the engine for its types.

wasmtime::component::bindgen!({
    path: "../../guest-sdk/wit",
    world: "archetype",
    additional_derives: [PartialEq],
    imports: { default: trappable },
});

pub use self::vespeiro::behavior::host::Level;
pub use self::vespeiro::behavior::types;
pub use exports::vespeiro::behavior::behavior as exported;

/// The interface that a behavior exports, up to the version's minor number, which is what decides compatibility.
pub const CONTRACT: &str = "vespeiro:behavior/behavior@0.1";
/// The same without a version.
pub(super) const INTERFACE: &str = "vespeiro:behavior/behavior";
/// The interface that a behavior may export besides, so that its sessions can move to another version.
pub(super) const MIGRATE: &str = "vespeiro:behavior/migrate@0.1.0";
/// The interface that a player exports, to be given what it plays.
pub(super) const PROGRAM: &str = "vespeiro:behavior/program@0.1.0";
/// The contract's text.
pub(super) const WIT: &str = include_str!("../../../../guest-sdk/wit/behavior.wit");
