//! Those who wait for something that is taken in turn: a connection, a stream, a place in flight.
//!
//! What must stay true: who came first is served first; and whoever leaves, served or not, lets the next one look, so
//! that nothing that is free goes unnoticed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// Waiting tasks in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: RefCell<BTreeMap<u64, Option<Waker>>>,
    next: Cell<u64>,
}

/// A place in the queue; leaves it when dropped.
struct Ticket<'a, F: Fn()> {
    queue: &'a Queue,
    number: u64,
    deserted: F,
}

impl<F: Fn()> Drop for Ticket<'_, F> {
    fn drop(&mut self) {
        self.queue.waiting.borrow_mut().remove(&self.number);
        if !self.queue.wake_first() {
            (self.deserted)();
        }
    }
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    /// Wake the first task, so that it tries to take again. `false` when nobody waits.
    pub(crate) fn wake_first(&self) -> bool {
        let mut waiting = self.waiting.borrow_mut();
        match waiting.first_entry() {
            Some(mut first) => {
                if let Some(waker) = first.get_mut().take() {
                    waker.wake();
                }
                true
            }
            None => false,
        }
    }

    /// The number of the next task that will wait.
    pub(crate) fn next(&self) -> u64 {
        self.next.get()
    }

    /// The value that `take` gives: at once if nobody waits, otherwise in order of arrival. `take` gets the number of a
    /// task that waits. `deserted` is called when the last task that waited leaves.
    pub(crate) async fn take_in_turn<T>(
        &self,
        mut take: impl FnMut(Option<u64>) -> Option<T>,
        deserted: impl Fn(),
    ) -> T {
        if self.is_empty()
            && let Some(taken) = take(None)
        {
            return taken;
        }
        let number = self.next.get();
        self.next.set(number + 1);
        self.waiting.borrow_mut().insert(number, None);
        let _ticket = Ticket {
            queue: self,
            number,
            deserted,
        };
        poll_fn(|context| {
            let is_first = self
                .waiting
                .borrow()
                .first_key_value()
                .is_some_and(|(first, _)| *first == number);
            if is_first && let Some(taken) = take(Some(number)) {
                return Poll::Ready(taken);
            }
            self.waiting
                .borrow_mut()
                .insert(number, Some(context.waker().clone()));
            Poll::Pending
        })
        .await
    }
}
