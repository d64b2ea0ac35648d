//! Which connection a request takes: an idle one, a stream of a shared one, or a new one.
//!
//! What must stay true: nobody waits while there is something that they could have.

use std::rc::Rc;

use super::grant::{Grant, Kept, Slot, Stream};
use super::pools::{Pool, Pools};
use super::{Multiple, Single};

impl<S: Single, M: Multiple> Pools<S, M> {
    /// Wait for what the next request of a pool goes over. `fresh`: a connection that has carried none yet.
    pub(crate) async fn grant<'a>(
        &'a self,
        pool: &'a Rc<Pool<S, M>>,
        fresh: bool,
    ) -> Grant<'a, S, M> {
        let take = |number| self.take(pool, number, fresh);
        pool.queue.take_in_turn(take, || self.wake_starved()).await
    }

    fn take<'a>(
        &'a self,
        pool: &'a Rc<Pool<S, M>>,
        number: Option<u64>,
        fresh: bool,
    ) -> Option<Grant<'a, S, M>> {
        self.drop_sessions(pool, |session| !session.is_usable());
        if !fresh && self.limits.reuse {
            if let Some(single) = self.quiet(pool) {
                self.tally.count(|counts| counts.reused += 1);
                let slot = Slot::opened(self, pool);
                return Some(Grant::Kept(Kept {
                    slot,
                    single,
                    reused: true,
                }));
            }
            if let Some(stream) = self.stream(pool) {
                return Some(Grant::Stream(stream));
            }
        }
        match (number, &*pool.failed.borrow()) {
            (Some(number), Some((below, flaw))) if number < *below => {
                return Some(Grant::Failed(flaw.clone()));
            }
            _ => {}
        }
        self.slot(pool, fresh).map(Grant::Dial)
    }

    /// A stream of the session that has the fewest; none where another session is to be opened first.
    fn stream<'a>(&'a self, pool: &'a Pool<S, M>) -> Option<Stream<'a, S, M>> {
        let sessions = pool.sessions.borrow();
        let with_room = sessions
            .iter()
            .filter(|session| session.multiple().has_room());
        let session = with_room.min_by_key(|session| session.in_flight())?;
        if session.in_flight() > 0 && self.may_dial(pool) {
            return None;
        }
        Stream::new(self, pool, Rc::clone(session))
    }

    fn slot<'a>(&'a self, pool: &'a Rc<Pool<S, M>>, fresh: bool) -> Option<Slot<'a, S, M>> {
        if !(pool.has_room() && self.limits_allow()) {
            self.close_leaving(pool);
        }
        // What is idle is as doubtful as that which the request was sent over before.
        if fresh && !self.may_dial(pool) {
            self.give_up(pool);
        }
        if !self.limits_allow() && !self.give_up_of_others() {
            if !pool.starved.replace(true) {
                self.starved.borrow_mut().push_back(Rc::downgrade(pool));
            }
            return None;
        }
        if !self.may_dial(pool) {
            return None;
        }
        self.open.set(self.open.get() + 1);
        pool.open.set(pool.open.get() + 1);
        pool.dialing.set(pool.dialing.get() + 1);
        Some(Slot::dialing(self, pool))
    }
}
