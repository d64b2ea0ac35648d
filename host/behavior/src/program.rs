//! What a player plays: data that somebody wrote, instead of a module of their own. `load.rs` finds the player, `instance.rs`
//! hands it the data.

use std::path::Path;
use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::TypedFunc;

use super::contract::PROGRAM;
use super::guest::GuestState;

/// The player of scripts, whose files may import others.
pub(super) const SCRIPT: &str = "script";

/// Files that are programs, by the ends of their names, and the players embedded for them.
const PLAYERS: [(&str, &str); 5] = [
    ("toml", "journey"),
    ("js", SCRIPT),
    ("mjs", SCRIPT),
    ("ts", SCRIPT),
    ("mts", SCRIPT),
];

/// Data for a player.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) source: Vec<u8>,
}

/// Shared by all instances of a behavior.
pub(super) type SharedProgram = Arc<Program>;

/// Takes a program: what it is called and its bytes. The guest's `err` has one line for each mistake.
pub(super) type LoadProgram = TypedFunc<(String, Vec<u8>), (Result<(), String>,)>;

/// The embedded player of a file of that name; `None` for a module.
pub(super) fn player(name: &str) -> Option<&'static str> {
    let end = Path::new(name).extension()?;
    PLAYERS
        .iter()
        .find(|(known, _)| end.eq_ignore_ascii_case(known))
        .map(|(_, player)| *player)
}

/// The player's way to take a program. Found by name: it is no part of the world that every behavior implements.
pub(super) fn load_program(
    store: &mut Store<GuestState>,
    instance: &wasmtime::component::Instance,
) -> wasmtime::Result<LoadProgram> {
    let missing = || wasmtime::Error::msg(format!("it does not export {PROGRAM}"));
    let interface = instance
        .get_export_index(&mut *store, None, PROGRAM)
        .ok_or_else(missing)?;
    let load = instance
        .get_export_index(&mut *store, Some(&interface), "load")
        .ok_or_else(missing)?;
    instance.get_typed_func(store, load)
}
