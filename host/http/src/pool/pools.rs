//! A worker's connections: those that all of its users share, and those that are one user's own, as a browser has them.
//!
//! What must stay true: `open` counts every connection from the moment in which somebody was allowed to make it until
//! it is gone.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::counts::{By, Tally};
use super::queue::Queue;
use super::session::Session;
use super::{Multiple, Single};
use crate::dial::Protocol;
use crate::outcome::Flaw;
use vespeiro_model::Clock;

/// Bounds of connections; 0: no bound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections carry more than one request.
    pub(crate) reuse: bool,
    /// Open connections in all.
    pub(crate) connections: usize,
    /// Open connections of one user.
    pub(crate) per_user: usize,
    pub(crate) idle: Duration,
    /// HTTP/2 connections in each pool, at least one.
    pub(crate) http2_connections: usize,
    /// A dial that was given up after this time counts as failed for all who wait for it.
    pub(crate) patience: Duration,
}

/// Longest wait for the target to close a connection first. The side that closes first keeps the port for a minute
/// (TIME_WAIT), and a generator has no more than 28,000 of them.
const PATIENCE: Duration = Duration::from_millis(50);

/// Connections that one group of users shares.
#[derive(Debug)]
pub(crate) struct Pool<S, M> {
    /// Used like a stack: the one that was used last is taken first.
    pub(super) idle: RefCell<Vec<Idle<S>>>,
    pub(super) sessions: RefCell<Vec<Rc<Session<M>>>>,
    /// Connections that take no more requests and that the target should close, oldest first.
    leaving: RefCell<VecDeque<(Idle<S>, By)>>,
    pub(super) queue: Queue,
    /// Open or being made.
    pub(super) open: Cell<usize>,
    /// Being made.
    pub(super) dialing: Cell<usize>,
    limit: usize,
    /// Who opens them, where users differ in who they are to the target.
    pub(crate) identity: usize,
    /// It waits for a connection of another pool to be closed.
    pub(super) starved: Cell<bool>,
    /// Raised by [`Pools::hang_up`]: connections from before are not kept.
    pub(super) age: Cell<u32>,
    /// Why the last dial failed, for those who waited for it: everybody with a number below this.
    pub(super) failed: RefCell<Option<(u64, Flaw)>>,
}

/// A connection that nobody uses.
#[derive(Debug)]
pub(super) struct Idle<S> {
    pub(super) single: S,
    since: Instant,
}

/// All of a worker's connections to a target.
#[derive(Debug)]
pub(crate) struct Pools<S, M> {
    pub(super) limits: Limits,
    /// Open or being made, in all pools.
    pub(super) open: Cell<usize>,
    /// The target's protocol, once a connection has shown it.
    speaks: Cell<Option<Protocol>>,
    home: Rc<Pool<S, M>>,
    users: RefCell<Vec<Weak<Pool<S, M>>>>,
    /// Whose idle connection is closed next, where another pool needs a place.
    turn: Cell<usize>,
    pub(super) starved: RefCell<VecDeque<Weak<Pool<S, M>>>>,
    pub(super) tally: Rc<Tally>,
    pub(super) clock: Clock,
}

impl<S, M> Pool<S, M> {
    fn new(limit: usize, identity: usize) -> Self {
        Self {
            idle: RefCell::default(),
            sessions: RefCell::default(),
            leaving: RefCell::default(),
            queue: Queue::default(),
            open: Cell::new(0),
            dialing: Cell::new(0),
            limit,
            identity,
            starved: Cell::new(false),
            age: Cell::new(0),
            failed: RefCell::default(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.limit == 0 || self.open.get() < self.limit
    }
}

impl<S: Single, M: Multiple> Pools<S, M> {
    /// `speaks`: the target's protocol, if it is known before the first connection.
    pub(crate) fn new(
        limits: Limits,
        speaks: Option<Protocol>,
        tally: Rc<Tally>,
        clock: Clock,
    ) -> Self {
        Self {
            limits,
            open: Cell::new(0),
            speaks: Cell::new(speaks),
            home: Rc::new(Pool::new(0, 0)),
            users: RefCell::default(),
            turn: Cell::new(0),
            starved: RefCell::default(),
            tally,
            clock,
        }
    }

    /// Connections that are open or being made.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        self.open.get()
    }

    /// The pool that everybody shares.
    pub(crate) fn home(&self) -> &Rc<Pool<S, M>> {
        &self.home
    }

    /// A pool of a user's own.
    pub(crate) fn user(&self, identity: usize) -> Rc<Pool<S, M>> {
        self.add(Pool::new(self.limits.per_user, identity))
    }

    /// A pool that all share who are the same to the target, beside [`Pools::home`].
    pub(crate) fn shared(&self, identity: usize) -> Rc<Pool<S, M>> {
        self.add(Pool::new(0, identity))
    }

    fn add(&self, pool: Pool<S, M>) -> Rc<Pool<S, M>> {
        let pool = Rc::new(pool);
        let mut users = self.users.borrow_mut();
        if users.len() == users.capacity() {
            users.retain(|user| user.strong_count() > 0);
        }
        users.push(Rc::downgrade(&pool));
        pool
    }

    /// Connections are kept for another request.
    pub(super) fn keeps(&self) -> bool {
        self.limits.reuse
    }

    pub(super) fn patience(&self) -> Duration {
        self.limits.patience
    }

    /// A dial failed. Where only one is made for all who wait, and there is nothing else to wait for, it failed for all of
    /// them: otherwise each would try in turn, while the others are blocked for as long as all of that takes.
    pub(super) fn failed(&self, pool: &Pool<S, M>, flaw: &Flaw) {
        let alone = pool.dialing.get() == 0 && pool.sessions.borrow().is_empty();
        if alone && self.speaks.get() != Some(Protocol::Http1) {
            *pool.failed.borrow_mut() = Some((pool.queue.next(), flaw.clone()));
        }
    }

    /// A session has one stream less.
    pub(super) fn settle(&self, pool: &Pool<S, M>, session: &Rc<Session<M>>, leaves: bool) {
        let gone =
            |other: &Rc<Session<M>>| !other.is_usable() || (leaves && Rc::ptr_eq(other, session));
        self.drop_sessions(pool, gone);
        self.freed(pool);
    }

    /// The connection that was used last and is still open.
    pub(super) fn quiet(&self, pool: &Pool<S, M>) -> Option<S> {
        loop {
            let Idle { mut single, .. } = pool.idle.borrow_mut().pop()?;
            if single.is_quiet() {
                return Some(single);
            }
            self.close(pool, single, By::Target);
        }
    }

    /// One more connection may be made, as far as the pool and the protocol go.
    pub(super) fn may_dial(&self, pool: &Pool<S, M>) -> bool {
        let http2 = pool.sessions.borrow().len() + pool.dialing.get();
        pool.has_room()
            && self.limits_allow()
            && match self.speaks.get() {
                _ if !self.limits.reuse => true,
                Some(Protocol::Http1) => true,
                Some(Protocol::Http2) => http2 < self.limits.http2_connections.max(1),
                // The first connection tells.
                None => pool.dialing.get() == 0,
            }
    }

    pub(super) fn limits_allow(&self) -> bool {
        self.limits.connections == 0 || self.open.get() < self.limits.connections
    }

    /// A place for the connection of a channel, until [`Pools::let_go`]. Channels keep theirs for long, so that they leave one
    /// for requests, which would wait for ever.
    pub(crate) fn try_hold(&self) -> bool {
        let most = self.limits.connections;
        while most > 0 && self.open.get() + 1 >= most {
            if !self.give_up_of_others() {
                return false;
            }
        }
        self.open.set(self.open.get() + 1);
        true
    }

    /// The connection of a channel is gone.
    pub(crate) fn let_go(&self) {
        self.open.set(self.open.get() - 1);
        self.wake_starved();
    }

    /// Close the connection of a pool that has been idle for longest.
    pub(super) fn give_up(&self, pool: &Pool<S, M>) -> bool {
        if self.close_leaving(pool) {
            return true;
        }
        let mut idle = pool.idle.borrow_mut();
        if idle.is_empty() {
            drop(idle);
            return self.drop_first_session(pool);
        }
        let Idle { single, .. } = idle.remove(0);
        drop(idle);
        self.closed(pool, By::Us);
        drop(single);
        true
    }

    fn drop_first_session(&self, pool: &Pool<S, M>) -> bool {
        let mut sessions = pool.sessions.borrow_mut();
        let Some(first) = sessions.iter().position(|session| session.in_flight() == 0) else {
            return false;
        };
        let session = sessions.remove(first);
        drop(sessions);
        session.retire(By::Us);
        self.closed(pool, By::Us);
        true
    }

    /// Close an idle connection of another pool, taking the pools in turn, so that a waiting request gets its place.
    pub(super) fn give_up_of_others(&self) -> bool {
        if self.give_up(&self.home) {
            return true;
        }
        let users = self.users.borrow();
        for step in 0..users.len() {
            let at = (self.turn.get() + step) % users.len();
            if let Some(user) = users[at].upgrade()
                && self.give_up(&user)
            {
                self.turn.set(at + 1);
                return true;
            }
        }
        false
    }

    /// Keep a connection for the next request.
    pub(super) fn keep(&self, pool: &Pool<S, M>, single: S) {
        let since = self.clock.now();
        pool.idle.borrow_mut().push(Idle { single, since });
        self.freed(pool);
    }

    /// Leave a connection for the target to close, after one side announced `Connection: close`.
    pub(super) fn leave(&self, pool: &Pool<S, M>, single: S, by: By) {
        let since = self.clock.now();
        self.reap(pool, since);
        pool.leaving
            .borrow_mut()
            .push_back((Idle { single, since }, by));
        self.freed(pool);
    }

    /// Drop connections that the target has closed, or has not closed in time.
    fn reap(&self, pool: &Pool<S, M>, now: Instant) {
        loop {
            let mut leaving = pool.leaving.borrow_mut();
            let is_over = |(idle, _): &mut (Idle<S>, By)| {
                !idle.single.is_quiet() || now.saturating_duration_since(idle.since) >= PATIENCE
            };
            if !leaving.front_mut().is_some_and(is_over) {
                return;
            }
            drop(leaving);
            self.close_leaving(pool);
        }
    }

    /// Close the oldest connection that waits to be closed by the target.
    pub(super) fn close_leaving(&self, pool: &Pool<S, M>) -> bool {
        let Some((Idle { single, .. }, by)) = pool.leaving.borrow_mut().pop_front() else {
            return false;
        };
        self.close(pool, single, by);
        true
    }

    /// Keep a connection for requests at the same time.
    pub(super) fn share(&self, pool: &Pool<S, M>, session: Rc<Session<M>>) {
        pool.sessions.borrow_mut().push(session);
        self.freed(pool);
    }

    /// A new connection has shown the target's protocol.
    pub(super) fn set_protocol(&self, protocol: Protocol) {
        self.speaks.set(Some(protocol));
    }

    /// One of a pool's connections is gone.
    pub(super) fn closed(&self, pool: &Pool<S, M>, by: By) {
        self.tally.closed(by);
        self.vacated(pool);
    }

    pub(super) fn vacated(&self, pool: &Pool<S, M>) {
        self.open.set(self.open.get() - 1);
        pool.open.set(pool.open.get() - 1);
        self.freed(pool);
    }

    /// A connection, stream or place is free: wake the first who waits.
    pub(crate) fn freed(&self, pool: &Pool<S, M>) {
        if !pool.queue.wake_first() {
            self.wake_starved();
        }
    }

    pub(super) fn wake_starved(&self) {
        loop {
            let Some(starved) = self.starved.borrow_mut().pop_front() else {
                return;
            };
            if let Some(pool) = starved.upgrade() {
                pool.starved.set(false);
                if pool.queue.wake_first() {
                    return;
                }
            }
        }
    }

    fn close(&self, pool: &Pool<S, M>, single: S, by: By) {
        drop(single);
        self.closed(pool, by);
    }

    /// Take sessions out of a pool. Those that have requests under way are counted as closed when the last is done.
    pub(super) fn drop_sessions(&self, pool: &Pool<S, M>, drops: impl Fn(&Rc<Session<M>>) -> bool) {
        let mut gone = 0;
        pool.sessions.borrow_mut().retain(|session| {
            if !drops(session) {
                return true;
            }
            let by = if session.is_usable() {
                By::Us
            } else {
                By::Target
            };
            if session.retire(by) {
                self.tally.closed(by);
                gone += 1;
            }
            false
        });
        (0..gone).for_each(|_| self.vacated(pool));
    }

    /// A pool's connections are closed: those that are idle at once, others when their request is done.
    pub(crate) fn hang_up(&self, pool: &Pool<S, M>) {
        pool.age.set(pool.age.get().wrapping_add(1));
        let idle = std::mem::take(&mut *pool.idle.borrow_mut());
        for Idle { single, .. } in idle {
            self.close(pool, single, By::Us);
        }
        while self.close_leaving(pool) {}
        self.drop_sessions(pool, |_| true);
    }

    /// Close connections that were idle for too long or that the target has closed. `false` when no idle one is left.
    pub(crate) fn close_idle(&self, now: Instant) -> bool {
        let users: Vec<_> = {
            let mut users = self.users.borrow_mut();
            users.retain(|user| user.strong_count() > 0);
            users.iter().filter_map(Weak::upgrade).collect()
        };
        let mut left = false;
        for pool in std::iter::once(&self.home).chain(&users) {
            left |= self.close_idle_of(pool, now);
        }
        left
    }

    fn close_idle_of(&self, pool: &Pool<S, M>, now: Instant) -> bool {
        let is_old = |since: Instant| now.saturating_duration_since(since) >= self.limits.idle;
        let mut gone = Vec::new();
        let mut kept = std::mem::take(&mut *pool.idle.borrow_mut());
        // In the order of their age, oldest first.
        kept.retain_mut(|idle| {
            let by = match () {
                () if !idle.single.is_quiet() => By::Target,
                () if is_old(idle.since) => By::Us,
                () => return true,
            };
            gone.push(by);
            false
        });
        *pool.idle.borrow_mut() = kept;
        gone.into_iter().for_each(|by| self.closed(pool, by));
        self.drop_sessions(pool, |session| {
            !session.is_usable() || session.idle_since().is_some_and(is_old)
        });
        self.reap(pool, now);
        !pool.idle.borrow().is_empty()
            || !pool.sessions.borrow().is_empty()
            || !pool.leaving.borrow().is_empty()
    }
}
