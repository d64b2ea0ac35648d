//! What is known of a connection: its places, whether it takes more, how it ended. Shared by the handles, the places and
//! the driver; the pool is told whenever it changes.
//!
//! What must stay true: a place is given back once, however an exchange ends.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::task::Waker;

use tokio::sync::Notify;

use super::tap::Heard;

/// Frames of data without data that a connection may get before the library ends it (a hundred), with some to spare for
/// those that are on their way.
const EMPTY: usize = 90;

/// Whether a connection takes more streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    Open,
    /// No more streams; those that are open go on.
    Leaving,
    Closed,
}

pub(super) struct State {
    pub(super) heard: Rc<Heard>,
    life: Cell<Life>,
    /// As the target has it; one until it has said so.
    peer_limit: Cell<usize>,
    own_limit: usize,
    in_use: Cell<usize>,
    /// No byte came after a ping: what is still to be written need not be waited for.
    silent: Cell<bool>,
    /// All handles are gone.
    abandoned: Cell<bool>,
    /// A ping is to be sent.
    pub(super) ping: Cell<bool>,
    pub(super) checking: Cell<bool>,
    pub(super) pong: Notify,
    /// The driver's.
    waker: RefCell<Option<Waker>>,
    changed: Box<dyn Fn()>,
}

impl State {
    pub(super) fn new(heard: Rc<Heard>, own_limit: usize, changed: Box<dyn Fn()>) -> Self {
        Self {
            heard,
            life: Cell::new(Life::Open),
            peer_limit: Cell::new(1),
            own_limit: own_limit.max(1),
            in_use: Cell::new(0),
            silent: Cell::new(false),
            abandoned: Cell::new(false),
            ping: Cell::new(false),
            checking: Cell::new(false),
            pong: Notify::new(),
            waker: RefCell::new(None),
            changed,
        }
    }

    pub(super) fn life(&self) -> Life {
        self.life.get()
    }

    /// A life only ever gets worse.
    pub(super) fn enter(&self, life: Life) {
        if life > self.life.get() {
            self.life.set(life);
            (self.changed)();
        }
    }

    pub(super) fn in_use(&self) -> usize {
        self.in_use.get()
    }

    pub(super) fn limit(&self) -> usize {
        self.own_limit.min(self.peer_limit.get())
    }

    /// Places that are free.
    pub(super) fn room(&self) -> usize {
        if self.life() != Life::Open {
            return 0;
        }
        let limit = match self.heard.empty.get() {
            0 => self.limit(),
            // Each stream may bring one more.
            empty => self.limit().min(EMPTY.saturating_sub(empty)),
        };
        limit.saturating_sub(self.in_use.get())
    }

    pub(super) fn set_peer_limit(&self, limit: usize) {
        if self.peer_limit.replace(limit) != limit {
            (self.changed)();
        }
    }

    /// The target's latest frames may have used up what the library lets through.
    pub(super) fn note_empty(&self) {
        if self.heard.empty.get() >= EMPTY {
            self.enter(Life::Leaving);
        }
    }

    pub(super) fn fall_silent(&self) {
        self.silent.set(true);
        self.enter(Life::Leaving);
    }

    pub(super) fn is_silent(&self) -> bool {
        self.silent.get()
    }

    pub(super) fn abandon(&self) {
        self.abandoned.set(true);
        self.wake();
    }

    /// Nobody will use it any more.
    pub(super) fn is_done_with(&self) -> bool {
        self.abandoned.get() && self.in_use.get() == 0
    }

    pub(super) fn keep_waker(&self, waker: &Waker) {
        match &mut *self.waker.borrow_mut() {
            Some(kept) => kept.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("life", &self.life)
            .field("limit", &self.limit())
            .field("in_use", &self.in_use)
            .field("heard", &self.heard)
            .finish_non_exhaustive()
    }
}

/// One stream's place on a connection, free again when dropped.
#[derive(Debug)]
pub struct Place {
    state: Rc<State>,
}

impl Place {
    pub(super) fn take(state: &Rc<State>) -> Option<Self> {
        (state.room() > 0).then(|| {
            state.in_use.set(state.in_use.get() + 1);
            Self {
                state: Rc::clone(state),
            }
        })
    }

    pub(super) fn is_of(&self, state: &Rc<State>) -> bool {
        Rc::ptr_eq(&self.state, state)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let left = self.state.in_use.get() - 1;
        self.state.in_use.set(left);
        if left == 0 && self.state.abandoned.get() {
            self.state.wake();
        }
        (self.state.changed)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(own_limit: usize) -> (Rc<State>, Rc<Cell<u32>>) {
        let calls = Rc::new(Cell::new(0));
        let count = Rc::clone(&calls);
        let changed = Box::new(move || count.set(count.get() + 1));
        let state = State::new(Rc::default(), own_limit, changed);
        (Rc::new(state), calls)
    }

    #[test]
    fn one_stream_until_the_target_has_said_how_many() {
        let (state, calls) = state(8);
        let first = Place::take(&state).unwrap();
        assert!(Place::take(&state).is_none());
        state.set_peer_limit(usize::MAX);
        assert_eq!((state.room(), calls.get()), (7, 1));
        let second = Place::take(&state).unwrap();
        state.set_peer_limit(1);
        assert_eq!((state.room(), state.in_use()), (0, 2));
        drop(first);
        assert!(Place::take(&state).is_none());
        drop(second);
        assert!(Place::take(&state).is_some());
    }

    #[test]
    fn a_life_only_gets_worse_and_says_so_once() {
        let (state, calls) = state(8);
        state.enter(Life::Leaving);
        state.enter(Life::Leaving);
        state.enter(Life::Open);
        assert_eq!(
            (state.life(), calls.get(), state.room()),
            (Life::Leaving, 1, 0)
        );
        state.enter(Life::Closed);
        state.enter(Life::Leaving);
        assert_eq!((state.life(), calls.get()), (Life::Closed, 2));
    }

    #[test]
    fn a_connection_leaves_before_the_library_ends_it() {
        let (state, _) = state(100);
        state.set_peer_limit(100);
        state.heard.empty.set(EMPTY - 2);
        state.note_empty();
        assert_eq!(state.room(), 2);
        state.heard.empty.set(EMPTY);
        state.note_empty();
        assert_eq!(state.life(), Life::Leaving);
    }
}
