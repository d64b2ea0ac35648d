//! The live page of a run: its files, its words in both languages, and what it is told twice a second. The server's room serves it.
//! Reads snapshots and the plan; whatever it shows, it changes nothing.

mod assets;
mod shown;
mod view;
mod words;

pub use assets::{Asset, Page};
pub use view::{Facts, Point, View};
