//! The removal of what a run has made: what the journal still holds, and the tokens of sessions that have not logged out.

mod removal;
pub(crate) mod tokens;

pub use removal::{Progress, TornDown, teardown};
pub use tokens::Tokens;
