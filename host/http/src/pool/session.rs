//! A connection for several requests at a time, and those of them that are under way.

use std::cell::Cell;

use tokio::time::Instant;

use super::Multiple;
use super::counts::By;

/// A connection for several requests at a time, with those under way.
#[derive(Debug)]
pub(super) struct Session<M> {
    pub(super) multiple: M,
    pub(super) in_flight: Cell<usize>,
    pub(super) served: Cell<bool>,
    pub(super) idle_since: Cell<Instant>,
    /// It is no longer in its pool.
    pub(super) retired: Cell<Option<By>>,
}

impl<M: Multiple> Session<M> {
    pub(super) fn new(multiple: M, now: Instant) -> Self {
        Self {
            multiple,
            in_flight: Cell::new(0),
            served: Cell::new(false),
            idle_since: Cell::new(now),
            retired: Cell::new(None),
        }
    }

    pub(super) fn multiple(&self) -> &M {
        &self.multiple
    }

    pub(super) fn is_usable(&self) -> bool {
        self.multiple.is_usable()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.get()
    }

    pub(super) fn idle_since(&self) -> Option<Instant> {
        (self.in_flight.get() == 0).then(|| self.idle_since.get())
    }

    /// Take it out of its pool. `true` when no request is under way, so that it is closed now.
    pub(super) fn retire(&self, by: By) -> bool {
        self.retired.set(Some(by));
        self.in_flight.get() == 0
    }
}
