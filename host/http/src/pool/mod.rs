//! Which connection a request takes: an idle one, a stream of a shared one, a new one, or none yet. It knows nothing of
//! what goes over them; the client dials, sends, and gives them back.
//!
//! What must stay true: limits hold at every moment, connections that are being made included; nobody waits while there
//! is something that they could have; and what is dropped, wherever it is dropped, is counted and frees its place.

mod counts;
mod grant;
mod pools;
mod queue;
mod session;
mod take;
#[cfg(test)]
mod tests;

pub use counts::Counts;
pub(crate) use counts::{By, Tally};
pub(crate) use grant::{Grant, Kept, Slot, Stream};
pub(crate) use pools::{Limits, Pool, Pools};
pub(crate) use queue::Queue;

use std::time::Duration;

/// A connection for one request at a time.
pub(crate) trait Single {
    /// It is open, and has received nothing since its last request.
    fn is_quiet(&mut self) -> bool;
}

/// A connection for several requests at a time. It has to call [`Pools::freed`] whenever one of these answers may have
/// changed.
pub(crate) trait Multiple {
    /// A stream that may be opened.
    type Place;

    /// `None` while there is no room for another.
    fn try_place(&self) -> Option<Self::Place>;
    fn has_room(&self) -> bool;
    /// It takes new requests: it is open, and the target has not said that it goes away.
    fn is_usable(&self) -> bool;
}

/// Longest time between two checks of an idle connection.
pub(crate) const LOOK: Duration = Duration::from_secs(1);
