//! The users of one worker as tasks: who has started, who is to leave, who may be ended at once. Owned by the worker.
//!
//! What must stay true: an index is played once in a run, by the worker that its remainder names, whenever its user
//! starts; so users that come later are as determined by the seed as those that were there from the start.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::floor::Floor;
use super::identity::Casting;
use super::user::{User, play};

/// Finished users that may stay on the list before it is tidied up.
const FINISHED: usize = 64;

/// What a user and its worker know of each other.
#[derive(Debug, Default)]
pub(super) struct Badge {
    /// Requests in flight: a user without any may be ended at once.
    pub(super) in_flight: Cell<u32>,
    /// To play no further step.
    pub(super) leaving: Cell<bool>,
}

/// One user's task.
#[derive(Debug)]
struct Member {
    task: AbortHandle,
    badge: Rc<Badge>,
}

impl Member {
    /// End the user as soon as nothing of it is in flight.
    fn leave(&self) {
        self.badge.leaving.set(true);
        if self.badge.in_flight.get() == 0 {
            self.task.abort();
        }
    }
}

/// All users of a worker that may still play.
#[derive(Debug)]
pub(super) struct Crew {
    began: Instant,
    workers: usize,
    casting: Casting,
    /// The index that the next user gets.
    next: u32,
    /// In the order of their starts.
    members: Vec<Member>,
}

impl Crew {
    pub(super) fn new(floor: &Floor, worker: usize, began: Instant) -> Self {
        let mut casting = Casting::new(&floor.plan.archetypes);
        casting.by_ref().take(worker).for_each(drop);
        Self {
            began,
            workers: floor.plan.workers,
            casting,
            next: worker as u32,
            members: Vec::new(),
        }
    }

    /// Start users, each so long after the start of the run as `starts` says of its index.
    pub(super) fn start(
        &mut self,
        floor: &Rc<Floor>,
        users: usize,
        starts: impl Fn(u32) -> Duration,
    ) {
        self.tidy();
        self.members.reserve(users);
        floor.playing.set(floor.playing.get() + users);
        for _ in 0..users {
            let Some(archetype) = self.casting.next() else {
                break;
            };
            let user = User {
                index: self.next,
                archetype,
                starts: starts(self.next),
            };
            // The others of the round belong to the other workers.
            self.casting.by_ref().take(self.workers - 1).for_each(drop);
            self.next = self.next.saturating_add(self.workers as u32);
            let badge = Rc::new(Badge::default());
            let task = play(Rc::clone(floor), user, self.began, Rc::clone(&badge));
            let task = tokio::task::spawn_local(task).abort_handle();
            self.members.push(Member { task, badge });
        }
    }

    /// Have so many users play from now on: start some, or send the youngest away.
    pub(super) fn adjust(&mut self, floor: &Rc<Floor>, users: usize) {
        let staying: Vec<&Member> = self
            .members
            .iter()
            .filter(|member| !member.badge.leaving.get() && !member.task.is_finished())
            .collect();
        match staying.len().checked_sub(users) {
            Some(surplus) => staying
                .iter()
                .rev()
                .take(surplus)
                .for_each(|member| member.leave()),
            None => self.start(floor, users - staying.len(), |_| Duration::ZERO),
        }
    }

    /// No new requests: users with none in flight end now, the others when theirs have ended.
    pub(super) fn stop(&self, floor: &Floor) {
        floor.stop();
        self.members.iter().for_each(Member::leave);
    }

    /// End now, whatever is in flight.
    pub(super) fn halt(&self, floor: &Floor) {
        floor.stop();
        self.members.iter().for_each(|member| member.task.abort());
    }

    /// Forget those who have finished, seldom enough to cost little.
    fn tidy(&mut self) {
        let finished = |members: &[Member]| members.iter().filter(|m| m.task.is_finished()).count();
        if self.members.len() >= FINISHED && finished(&self.members) >= self.members.len() / 2 {
            self.members.retain(|member| !member.task.is_finished());
        }
    }
}

/// The part of `total` that falls to one of `workers`, when each takes one in turn.
pub(super) fn share_of(total: u32, workers: usize, worker: usize) -> usize {
    let total = total as usize;
    total / workers + usize::from(worker < total % workers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shares_add_up_and_hold_the_indices_of_their_worker(total in 0u32..100_000, workers in 1usize..40) {
            let shares: Vec<usize> = (0..workers).map(|w| share_of(total, workers, w)).collect();
            prop_assert_eq!(shares.iter().sum::<usize>(), total as usize);
            for (worker, share) in shares.iter().enumerate() {
                let own = (0..total as usize).filter(|index| index % workers == worker).count();
                prop_assert_eq!(own, *share);
            }
        }
    }
}
