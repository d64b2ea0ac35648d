//! What a player plays: data that somebody wrote, instead of a module of their own. `load.rs` finds the player, `instance.rs`
//! hands it the data.

use std::path::Path;
use std::sync::Arc;

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

/// The embedded player of a file of that name; `None` for a module.
pub(super) fn player(name: &str) -> Option<&'static str> {
    let end = Path::new(name).extension()?;
    PLAYERS
        .iter()
        .find(|(known, _)| end.eq_ignore_ascii_case(known))
        .map(|(_, player)| *player)
}
