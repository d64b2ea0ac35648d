//! Where a run answers over HTTP: scrapes of its metrics, the control endpoint, the live page; and the recording of a
//! person's browser. `cli` opens them.
//!
//! What must stay true: nothing here keeps the run waiting, and without a token nobody but this machine steers it.

pub mod actions;
pub mod control;
mod listener;
pub mod meet;
pub mod metrics;
mod recorder;
pub mod ui;
mod visitor;

pub use actions::{Attempts, RunHandle};
pub use listener::{BindError, Listener, Server};
pub use recorder::Recording;
