//! Plays a journey that is written as data, `journey.toml`, for those who write no code. `document` is the file as it is
//! written, `script` what it comes to once all of it is checked, `play` one session of it.
//!
//! What must stay true: whatever can be found out about a file is found out when it is loaded, and told with its line.

mod condition;
mod document;
mod pause;
mod play;
mod script;
mod template;
mod values;

use std::cell::Cell;

use player::player;
use vespeiro_guest::Behavior;

use script::Script;

thread_local! {
    // A module has one thread and is loaded once: what is in here stays.
    static SCRIPT: Cell<Option<&'static Script>> = const { Cell::new(None) };
}

/// The behavior of a journey file. `name` is that of the file.
///
/// # Errors
/// One line for each mistake: where it is, what is wrong, what to do instead.
pub fn load(name: &str, source: &[u8]) -> Result<&'static Behavior, String> {
    let text = str::from_utf8(source).map_err(|_| "is no UTF-8 text".to_owned())?;
    let script: &'static Script = Box::leak(Box::new(Script::read(name, text)?));
    SCRIPT.set(Some(script));
    let behavior = Behavior::new(script.name, script.version, script.routes, play::play);
    Ok(Box::leak(Box::new(behavior)))
}

player!(load);
