//! A run's result: built from the plan and a snapshot, merged with others, compared, written to a file and read again.
//! `output` shows it, `cli` writes it; it changes neither plan nor snapshot.

mod beat;
pub mod compare;
pub mod files;
pub mod gather;
pub mod json;
pub mod merge;
pub mod timeline;
pub mod verdicts;

pub use beat::{Beat, Stretch};
pub use gather::target;
pub use json::{Cleanup, Summary};
pub use timeline::{Recording, Timeline};
