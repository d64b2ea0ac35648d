//! Messages that have come over a channel and that nobody has taken yet.
//!
//! What must stay true: a target that sends more than is taken costs no more memory than one that does not.

use std::collections::VecDeque;

use super::message::Message;

/// Most messages that wait.
pub const MAX_WAITING: usize = 256;
/// Most bytes of those that wait, but for a single message.
const MAX_BYTES: usize = 1 << 20;

/// The messages that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    messages: VecDeque<Message>,
    bytes: usize,
    /// Since the last look.
    dropped: u64,
}

impl Inbox {
    /// Take one in. Where there are too many, the oldest are dropped; returns how many.
    pub(super) fn push(&mut self, message: Message) -> u64 {
        self.bytes += message.size();
        self.messages.push_back(message);
        let mut dropped = 0;
        while self.messages.len() > MAX_WAITING
            || (self.bytes > MAX_BYTES && self.messages.len() > 1)
        {
            self.pop();
            dropped += 1;
        }
        self.dropped += dropped;
        dropped
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.size();
        Some(message)
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// The oldest ones, and how many were dropped before them since the last time.
    pub(super) fn take(&mut self, most: usize) -> (Vec<Message>, u64) {
        let taken = most.min(self.messages.len());
        let taken = (0..taken).filter_map(|_| self.pop()).collect();
        if self.messages.is_empty() {
            // A user who waits holds no room for what came before.
            self.messages = VecDeque::new();
        }
        (taken, std::mem::take(&mut self.dropped))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::time::Instant;

    use super::super::message::Content;
    use super::*;

    proptest! {
        /// What comes out is what came in last, in its order, and all else was counted.
        #[test]
        #[allow(clippy::disallowed_methods)]
        fn it_is_bounded_and_loses_nothing_unsaid(sizes in prop::collection::vec(prop_oneof![0..8usize, 200_000..600_000usize], 0..600), takes in prop::collection::vec(0..300usize, 1..4)) {
            let mut inbox = Inbox::default();
            let (mut came, mut out, mut dropped) = (0u32, 0u64, 0u64);
            let mut last = None;
            let share = sizes.len() / takes.len() + 1;
            for (part, most) in sizes.chunks(share).zip(takes.iter().chain(std::iter::repeat(&MAX_WAITING))) {
                for size in part {
                    let content = Content::Binary(vec![0; *size]);
                    let mut message = Message::new(content, Instant::now());
                    message.id = came.to_string();
                    came += 1;
                    inbox.push(message);
                    prop_assert!(inbox.len() <= MAX_WAITING);
                    prop_assert!(inbox.bytes <= MAX_BYTES);
                }
                let (taken, lost) = inbox.take(*most);
                prop_assert!(taken.len() <= *most);
                for message in &taken {
                    let number: u32 = message.id.parse().unwrap();
                    prop_assert!(last.is_none_or(|last| last < number));
                    last = Some(number);
                }
                out += taken.len() as u64;
                dropped += lost;
            }
            prop_assert_eq!(out + dropped + inbox.len() as u64, u64::from(came));
        }
    }
}
