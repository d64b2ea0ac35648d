//! One virtual user: who it is, its coroutine, its sessions, and the way of its requests.
//!
//! What must stay true: a user may be dropped at any of its pauses; whatever it leaves behind is counted once.

pub(crate) mod channels;
mod cookies;
pub(crate) mod exchange;
pub(crate) mod identity;
mod idle;
mod live;
pub(crate) mod operations;
mod pause;
pub(crate) mod pool;
pub(crate) mod prepare;
pub(crate) mod session;
pub(crate) mod state;
pub(crate) mod task;
mod trace;

pub use identity::{journey, once};
pub(crate) use live::session;
