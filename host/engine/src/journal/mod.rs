//! The journal of what a run creates: written by the run's workers while they play, read back by the teardown that
//! removes it all, in the same process or after a crash in another one.
//!
//! What must stay true: a thing is on record before the request that creates it leaves, and stays on record until it
//! is known to be gone.

mod compact;
mod line;
mod owner;
mod read;
mod shared;
mod writer;

pub use line::Header;
pub use owner::{Journal, JournalError};
pub use read::{Contents, Damage, ReadError, read};
pub use writer::{Broken, Writer};
