//! Behaviors: WebAssembly modules that decide what virtual users do. This is the only room that knows the engine;
//! the run sees [`Behavior`]s it can load, [`Slot`]s it can begin sessions in, and typed errors.
//!
//! What must stay true: nothing that a module does, in any call, takes more than its memory and time caps or ends
//! more than the sessions of its own instance.

mod builtin;
mod componentize;
mod contract;
mod crash;
mod description;
mod engine;
mod feeder;
mod function_cache;
mod guest;
mod instance;
mod load;
mod load_error;
mod pre_instantiated;
mod slot;
mod step;
#[cfg(test)]
mod tests;
mod wasi;

pub use componentize::ModuleFormat;
pub use contract::types;
pub use contract::{CONTRACT, Level};
pub use crash::{Crash, GuestCall};
pub use engine::{Engine, EngineError, Limits, yield_to_others};
pub use feeder::{Feeder, NoRow, RowSource};
pub use guest::GuestEvent;
pub use load::Behavior;
pub use load_error::{LoadError, LoadErrorKind};
pub use slot::{Session, Slot, StartedSession};
pub use step::{FAILURES, MAX_BATCH, MAX_DELAY_MS, MAX_IDLE_STEPS, MAX_MARK, TOKEN};
