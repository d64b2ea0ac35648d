//! What a request was given: a connection, a stream of one, or the permission to make one. Each gives itself back.
//!
//! What must stay true: whatever is dropped in the middle of a request takes its connection along, and is counted as
//! closed by whoever closed it.

use std::rc::Rc;

use tokio::time::Instant;

use super::counts::By;
use super::pools::{Pool, Pools};
use super::session::Session;
use super::{Multiple, Single};
use crate::Failure;
use crate::dial::Protocol;
use crate::outcome::Flaw;

/// What a request was given to go over.
pub(crate) enum Grant<'a, S: Single, M: Multiple> {
    Kept(Kept<'a, S, M>),
    Stream(Stream<'a, S, M>),
    Dial(Slot<'a, S, M>),
    /// It waited for a connection that could not be made.
    Failed(Flaw),
}

/// The place of a connection among those that may be open; free again when dropped, unless the connection is kept.
pub(crate) struct Slot<'a, S: Single, M: Multiple> {
    pools: &'a Pools<S, M>,
    pool: &'a Pool<S, M>,
    age: u32,
    state: State,
}

enum State {
    /// Since when.
    Dialing(Instant),
    Open(By),
    /// The pool has the connection again.
    Left,
}

/// A connection that belongs to one request while it is sent. Dropped, it is closed.
pub(crate) struct Kept<'a, S: Single, M: Multiple> {
    pub(super) slot: Slot<'a, S, M>,
    pub(super) single: S,
    pub(super) reused: bool,
}

/// A stream of a shared connection.
pub(crate) struct Stream<'a, S: Single, M: Multiple> {
    pools: &'a Pools<S, M>,
    pool: &'a Pool<S, M>,
    session: Rc<Session<M>>,
    place: Option<M::Place>,
    reused: bool,
    alone: bool,
    leaves: bool,
}

impl<'a, S: Single, M: Multiple> Slot<'a, S, M> {
    pub(super) fn dialing(pools: &'a Pools<S, M>, pool: &'a Pool<S, M>) -> Self {
        let (age, state) = (pool.age.get(), State::Dialing(pools.clock.now()));
        Self {
            pools,
            pool,
            age,
            state,
        }
    }

    /// Of a connection that was open before.
    pub(super) fn opened(pools: &'a Pools<S, M>, pool: &'a Pool<S, M>) -> Self {
        let (age, state) = (pool.age.get(), State::Open(By::Us));
        Self {
            pools,
            pool,
            age,
            state,
        }
    }

    /// The connection is made, and carries one request at a time.
    pub(crate) fn single(mut self, single: S) -> Kept<'a, S, M> {
        self.made(Protocol::Http1);
        Kept {
            slot: self,
            single,
            reused: false,
        }
    }

    /// The connection is made, and carries several. The first stream is for who made it; `None` where it ended at once.
    pub(crate) fn multiple(mut self, multiple: M) -> Option<Stream<'a, S, M>> {
        self.made(Protocol::Http2);
        self.state = State::Left;
        let session = Rc::new(Session::new(multiple, self.pools.clock.now()));
        let stream = Stream::new(self.pools, self.pool, Rc::clone(&session));
        self.pools.share(self.pool, session);
        stream
    }

    /// No connection could be made.
    pub(crate) fn failed(mut self, flaw: &Flaw) {
        self.unmade(Some(flaw));
    }

    fn unmade(&mut self, flaw: Option<&Flaw>) {
        self.state = State::Left;
        self.pool.dialing.set(self.pool.dialing.get() - 1);
        if let Some(flaw) = flaw {
            self.pools.failed(self.pool, flaw);
        }
        self.pools.vacated(self.pool);
    }

    fn made(&mut self, protocol: Protocol) {
        self.pool.dialing.set(self.pool.dialing.get() - 1);
        self.state = State::Open(By::Us);
        self.pools.tally.opened();
        self.pools.set_protocol(protocol);
        // Others may have waited to know.
        self.pools.freed(self.pool);
    }
}

impl<S: Single, M: Multiple> Drop for Slot<'_, S, M> {
    fn drop(&mut self) {
        match self.state {
            State::Dialing(since) => {
                let late = self.pools.clock.since(since) >= self.pools.patience();
                self.unmade(late.then(too_slow).as_ref());
            }
            State::Open(by) => self.pools.closed(self.pool, by),
            State::Left => {}
        }
    }
}

fn too_slow() -> Flaw {
    Flaw {
        failure: Failure::Timeout,
        cause: "the target took no connection within the time of a request".into(),
    }
}

impl<S: Single, M: Multiple> Kept<'_, S, M> {
    pub(crate) fn single(&mut self) -> &mut S {
        &mut self.single
    }

    /// It has carried a request before.
    pub(crate) fn is_reused(&self) -> bool {
        self.reused
    }

    /// Give it back for the next request.
    pub(crate) fn keep(self) {
        let Kept {
            mut slot, single, ..
        } = self;
        // Otherwise it is closed with the slot.
        if slot.pools.keeps() && slot.age == slot.pool.age.get() {
            slot.state = State::Left;
            slot.pools.keep(slot.pool, single);
        }
    }

    /// It takes no other request, as `by` announced; the target should close it.
    pub(crate) fn leave(self, by: By) {
        let Kept {
            mut slot, single, ..
        } = self;
        if slot.age == slot.pool.age.get() {
            slot.state = State::Left;
            slot.pools.leave(slot.pool, single, by);
        }
    }

    /// Close it; `by` closed it or announced so.
    pub(crate) fn close(mut self, by: By) {
        self.slot.state = State::Open(by);
    }
}

impl<'a, S: Single, M: Multiple> Stream<'a, S, M> {
    pub(super) fn new(
        pools: &'a Pools<S, M>,
        pool: &'a Pool<S, M>,
        session: Rc<Session<M>>,
    ) -> Option<Self> {
        let place = session.multiple.try_place()?;
        let alone = session.in_flight.get() == 0;
        session.in_flight.set(session.in_flight.get() + 1);
        let reused = session.served.replace(true);
        if reused {
            pools.tally.count(|counts| counts.reused += 1);
        }
        let (place, leaves) = (Some(place), !pools.keeps());
        Some(Self {
            pools,
            pool,
            session,
            place,
            reused,
            alone,
            leaves,
        })
    }

    pub(crate) fn multiple(&self) -> &M {
        &self.session.multiple
    }

    /// The place for its stream; `None` after the first call.
    pub(crate) fn place(&mut self) -> Option<M::Place> {
        self.place.take()
    }

    /// Its connection has carried a request before.
    pub(crate) fn is_reused(&self) -> bool {
        self.reused
    }

    /// Its connection carried no other when it was granted.
    pub(crate) fn was_alone(&self) -> bool {
        self.alone
    }

    /// Its connection takes no new request after this one.
    pub(crate) fn leave(&mut self) {
        self.leaves = true;
    }
}

impl<S: Single, M: Multiple> Drop for Stream<'_, S, M> {
    fn drop(&mut self) {
        let session = &self.session;
        session.in_flight.set(session.in_flight.get() - 1);
        if session.in_flight.get() == 0 {
            session.idle_since.set(self.pools.clock.now());
            if let Some(by) = session.retired.get() {
                self.pools.closed(self.pool, by);
            }
        }
        self.pools.settle(self.pool, session, self.leaves);
    }
}
