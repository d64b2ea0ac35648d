//! Behaviors: WebAssembly modules that decide what virtual users do. This is the only room that knows the engine;
//! the run sees [`Behavior`]s it can load, [`Slot`]s it can begin sessions in, and typed errors.
//!
//! What must stay true: nothing that a module does, in any call, takes more than its memory and time caps or ends
//! more than the sessions of its own instance.

mod builtin;
mod contract;
mod engine;
mod guest;
mod instance;
mod load;
mod slot;

pub use contract::types;
pub use contract::{CONTRACT, Level};
pub use engine::{Engine, EngineError, Limits};
pub use guest::GuestEvent;
pub use instance::{Crash, GuestCall};
pub use load::{Behavior, LoadError, LoadErrorKind};
pub use slot::{Begun, Session, Slot};
