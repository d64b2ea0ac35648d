//! What became of the connections to the target. Counted by the wire since its start; the recorder turns that into what
//! was added since the last hand-over, and the totals add it up. Read through [`super::Snapshot`].
//!
//! What must stay true: opened = closed by either + open, as of the workers' last hand-over.

use super::merge::counts;

counts! {
    /// Counts of connections.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ConnectionCounts {
        pub opened: u64,
        /// Requests that went over a connection that had carried one before.
        pub reused: u64,
        pub closed_by_us: u64,
        pub closed_by_target: u64,
        pub tls_full: u64,
        /// Handshakes that went on from an earlier session.
        pub tls_resumed: u64,
        /// Requests sent again since their connection had been closed in the moment of sending.
        pub resent_stale: u64,
        /// Requests sent again since the target had said that it did not process them.
        pub resent_unprocessed: u64,
    }

    /// Bytes of HTTP, as they went over connections.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct WireBytes {
        pub sent: u64,
        pub received: u64,
    }
}

impl ConnectionCounts {
    /// What was added to an earlier state.
    pub(super) fn since(&self, earlier: &ConnectionCounts) -> ConnectionCounts {
        let less = u64::saturating_sub;
        ConnectionCounts {
            opened: less(self.opened, earlier.opened),
            reused: less(self.reused, earlier.reused),
            closed_by_us: less(self.closed_by_us, earlier.closed_by_us),
            closed_by_target: less(self.closed_by_target, earlier.closed_by_target),
            tls_full: less(self.tls_full, earlier.tls_full),
            tls_resumed: less(self.tls_resumed, earlier.tls_resumed),
            resent_stale: less(self.resent_stale, earlier.resent_stale),
            resent_unprocessed: less(self.resent_unprocessed, earlier.resent_unprocessed),
        }
    }

    /// Not closed yet.
    pub fn open(&self) -> u64 {
        let closed = self.closed_by_us + self.closed_by_target;
        self.opened.saturating_sub(closed)
    }
}
