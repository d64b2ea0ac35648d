//! The live page of a run: its files, and what it is told twice a second. The server's room serves it.
//! Reads snapshots and the plan; whatever it shows, it changes nothing.

mod assets;
mod view;

pub use assets::{Asset, Page};
pub use view::{ChartPoint, PageInfo, View};
