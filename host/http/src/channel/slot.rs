//! The place of a channel's connection among those that may be open.
//!
//! What must stay true: it is free again when the channel is over, whoever ended it.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use crate::pool::By;
use crate::sender::Sender;

pub(super) struct ChannelSlot {
    sender: Rc<Sender>,
    /// The connection is made.
    open: Cell<bool>,
    by: Cell<By>,
}

impl ChannelSlot {
    /// `None` where as many are open as may be.
    pub(super) fn take(sender: &Rc<Sender>) -> Option<Self> {
        sender.pools().try_hold().then(|| Self {
            sender: Rc::clone(sender),
            open: Cell::new(false),
            by: Cell::new(By::Us),
        })
    }

    pub(super) fn made(&self) {
        self.open.set(true);
        self.sender.tally().opened();
    }

    /// The connection is closed, as `by` wanted it.
    pub(super) fn free(self, by: By) {
        self.by.set(by);
    }
}

impl Drop for ChannelSlot {
    fn drop(&mut self) {
        if self.open.get() {
            self.sender.tally().closed(self.by.get());
        }
        self.sender.pools().let_go();
    }
}

impl fmt::Debug for ChannelSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelSlot").finish_non_exhaustive()
    }
}
