//! How long a user has waited before the first request of each of its steps left, while a transaction of its is open: its own
//! pauses, and whatever held the request back. Told by the driver and by `admission.rs`.
//!
//! What must stay true: of whoever has no transaction open, no clock is asked.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

/// Of one user.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    since: Cell<Option<Instant>>,
    sum: Cell<Duration>,
}

impl Idle {
    /// A step is known; nothing of it has left, nor of one before it that was dropped.
    pub(crate) fn begin(&self, now: Instant) {
        self.since.set(self.since.get().or(Some(now)));
    }

    /// The first request of the step leaves; its others tell nothing new.
    pub(crate) fn end(&self, now: Instant) {
        if let Some(since) = self.since.take() {
            let waited = now.saturating_duration_since(since);
            self.sum.set(self.sum.get() + waited);
        }
    }

    /// All of it up to now.
    pub(crate) fn sum(&self, now: Instant) -> Duration {
        self.end(now);
        self.sum.get()
    }

    /// A new session counts anew.
    pub(crate) fn reset(&self) {
        self.since.set(None);
        self.sum.set(Duration::ZERO);
    }
}
