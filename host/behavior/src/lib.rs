//! Behaviors: WebAssembly modules that decide what virtual users do. The only room that knows wasmtime: `engine` and `cli`
//! see [`Behavior`]s that can be loaded, [`Slot`]s in which sessions begin, and typed errors.
//!
//! What must stay true: nothing that a module does, in any call, takes more than its memory and time caps or ends
//! more than the sessions of its own instance.

// Tests measure by the machine's clock.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod builtin;
mod cache_folder;
mod call_context;
mod code_cache;
mod compile;
mod componentize;
mod contract;
mod crash;
mod description;
mod engine;
mod feeder;
mod function_cache;
mod guest;
mod held_code;
mod instance;
mod limits;
mod load;
mod load_error;
mod memory_pool;
mod mismatch;
mod module_file;
mod pre_instantiated;
mod precompiled;
mod program;
mod script;
mod slot;
mod step;
#[cfg(test)]
mod tests;
mod timed_by;
pub mod types;
mod wasi;
mod wasmtime_config;
mod whole;

pub use compile::{Cancel, CompileBounds, Compiler, MAX_MODULE, serve_compile_jobs};
pub use componentize::ModuleFormat;
pub use contract::CONTRACT;
pub use crash::{Crash, GuestCall};
pub use engine::Engine;
pub use feeder::{Feeder, NoRow, RowSource};
pub use guest::GuestEvent;
pub use limits::{Limits, MAX_PROGRAM};
pub use load::{Behavior, content_hash};
pub use load_error::{LoadError, LoadErrorKind};
pub use module_file::ModuleFile;
pub use precompiled::{Precompiled, PrecompiledError};
pub use slot::{Session, Slot, StartedSession};
pub use step::{
    MAX_BATCH, MAX_CHANNELS, MAX_DELAY_MS, MAX_IDLE_STEPS, MAX_MARK, MAX_PIECES, TOKEN,
};
pub use types::Level;
pub use wasmtime_config::{EngineError, Processor, yield_to_others};
pub use whole::is_whole;
