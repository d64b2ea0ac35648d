//! One worker: its thread, and the state that its users share. No lock and no channel is on a request's path.

pub(crate) mod state;
pub(crate) mod thread;
pub(crate) mod workers;
