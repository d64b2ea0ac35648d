//! Behaviors without a target: sessions played against replies from a file or made up, and the tape that a real run
//! writes such a file with. Behind `vespeiro check` and `vespeiro rehearse`; a run records through [`Tape`].
//!
//! What must stay true: nothing here opens a connection or looks at a clock for what a session is told, so that the same
//! module, seed and replies give the same steps.

mod channels;
mod made_up;
mod play;
mod replies;
mod secrets;
mod tape;
#[cfg(test)]
mod tests;

pub use play::{Bounds, Happening, Played, play};
pub use replies::{Answer, BadReplies, Replies};
pub use secrets::{KnownSecrets, WITHHELD, is_secret, veil_body, veil_mark};
pub use tape::{Asked, Tape};
