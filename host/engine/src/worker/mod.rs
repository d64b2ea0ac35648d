//! One worker: its thread, and the state that its users share. No lock and no channel is on a request's path.

pub(crate) mod alone;
mod faults;
mod guest_events;
mod load;
pub(crate) mod quarantine;
pub(crate) mod state;
#[cfg(test)]
mod tests;
pub(crate) mod thread;
pub(crate) mod versions;
pub(crate) mod workers;
