//! What became of a worker's connections, counted as it happens. Read by the run whenever it likes.
//!
//! What must stay true: opened = closed by either + open now.

use std::cell::Cell;

/// Counts of a client's connections, since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub opened: u64,
    /// Requests that went over a connection that had carried one before.
    pub reused: u64,
    pub closed_by_us: u64,
    /// Closed, reset, or announced by `Connection: close` or GOAWAY.
    pub closed_by_target: u64,
    pub open: u64,
    /// TLS handshakes that went on from an earlier session.
    pub tls_resumed: u64,
    pub tls_full: u64,
    /// Requests sent again since their kept-alive connection had been closed in the moment of sending.
    pub stale: u64,
    /// Requests sent again since the target had said that it did not process them.
    pub unprocessed: u64,
    /// Requests that have their turn, those that wait for a connection included.
    pub in_flight: u64,
}

impl Counts {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            opened: self.opened + other.opened,
            reused: self.reused + other.reused,
            closed_by_us: self.closed_by_us + other.closed_by_us,
            closed_by_target: self.closed_by_target + other.closed_by_target,
            open: self.open + other.open,
            tls_resumed: self.tls_resumed + other.tls_resumed,
            tls_full: self.tls_full + other.tls_full,
            stale: self.stale + other.stale,
            unprocessed: self.unprocessed + other.unprocessed,
            in_flight: self.in_flight + other.in_flight,
        }
    }
}

/// Who closed a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Us,
    Target,
}

/// The running counts.
#[derive(Debug, Default)]
pub(crate) struct Tally(Cell<Counts>);

impl Tally {
    pub(crate) fn get(&self) -> Counts {
        self.0.get()
    }

    pub(crate) fn count(&self, what: impl FnOnce(&mut Counts)) {
        let mut counts = self.0.get();
        what(&mut counts);
        self.0.set(counts);
    }

    pub(crate) fn opened(&self) {
        self.count(|counts| {
            counts.opened += 1;
            counts.open += 1;
        });
    }

    pub(crate) fn closed(&self, by: By) {
        self.count(|counts| {
            counts.open -= 1;
            match by {
                By::Us => counts.closed_by_us += 1,
                By::Target => counts.closed_by_target += 1,
            }
        });
    }
}
