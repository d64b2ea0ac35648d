//! What is counted of channels: connections that stay open for messages. Written by the recorder.
//!
//! What must stay true: what was opened has ended or is open.

use super::merge::counts;
use super::{Scale, Timing};

counts! {
    /// Counts of the channels of one kind.
    #[derive(Debug, Clone)]
    pub struct ChannelCounts {
        pub opened: u64,
        /// Those that broke, and were not closed.
        pub broken: u64,
        pub sent: u64,
        pub received: u64,
        /// Messages that had come and were dropped, since nobody took them in time. They are among those received.
        pub dropped: u64,
        /// Bytes of messages.
        pub sent_bytes: u64,
        pub received_bytes: u64,
        /// How long they were open, of those that have ended.
        pub lasted: Timing = Timing::new(Scale::Millis),
        /// From when a channel was open to its first message, of those that have come to one.
        pub first_message: Timing = Timing::new(Scale::Micros),
    }
}

impl ChannelCounts {
    /// Not ended yet.
    pub fn open(&self) -> u64 {
        self.opened.saturating_sub(self.lasted.count())
    }
}
