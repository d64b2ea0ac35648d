//! The users of one worker as tasks: who has started, who is to leave, who may be ended at once, and how many the
//! profile wants. Owned by the worker.
//!
//! What must stay true: an index is played once in a run, by the worker and profile that its remainders name, whenever its
//! user starts; so users that come later are as determined by the seed as those that were there from the start.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::identity::{Casting, index, user_seed};
use super::pause::wake;
use crate::vu::task::{Playing, User, play};
use crate::worker::state::Floor;
use crate::workload::state::{Lane, share_of};
use vespeiro_behavior::Feeder;

/// Archetypes in turn that are looked at for one that is not quarantined.
const CASTS: usize = 1000;
/// Finished users that may stay on the list before it is tidied up.
const FINISHED: usize = 64;

/// What a user and its worker know of each other.
#[derive(Debug, Default)]
pub(crate) struct Badge {
    /// Which of the load profiles it plays by.
    pub(crate) lane: usize,
    /// Requests in flight: a user without any may be ended at once.
    pub(crate) in_flight: Cell<u32>,
    /// To play no further step.
    pub(crate) leaving: Cell<bool>,
    /// When the session arrived, in the profile's time, until its first request has left.
    pub(crate) arrived: Cell<Option<Duration>>,
    /// Requests that have carried a trace context.
    pub(crate) traced: Cell<u32>,
    /// Requests that have left, of all that it may send.
    pub(crate) sent: Cell<u32>,
    /// Sessions begun.
    pub(crate) sessions: Cell<u32>,
    /// It has left because its archetype was quarantined, and comes back if that is over.
    pub(crate) dismissed: Cell<bool>,
    /// Of a user in a long pause, which a swap may cut short.
    pub(crate) waker: RefCell<Option<Waker>>,
    /// Where its sessions' rows come from.
    pub(crate) feeder: Feeder,
}

/// One user's task.
#[derive(Debug)]
struct Member {
    task: AbortHandle,
    badge: Rc<Badge>,
    user: User,
    /// Its task ends without another step.
    aborted: Cell<bool>,
}

impl Member {
    fn begin(floor: &Rc<Floor>, began: Instant, user: User, badge: Badge) -> Self {
        let badge = Rc::new(badge);
        let playing = Playing::new(floor);
        let task = play(Rc::clone(floor), user, began, Rc::clone(&badge), playing);
        Self {
            task: tokio::task::spawn_local(task).abort_handle(),
            badge,
            user,
            aborted: Cell::new(false),
        }
    }

    /// End the user as soon as nothing of it is in flight.
    fn leave(&self) {
        self.badge.leaving.set(true);
        if self.badge.in_flight.get() == 0 {
            self.aborted.set(true);
            self.task.abort();
        }
    }

    fn is_gone(&self) -> bool {
        self.aborted.get() || self.task.is_finished()
    }

    /// Have a user play on who was dismissed: with the next of its sessions, and with what is left of its budget.
    fn come_back(&mut self, floor: &Rc<Floor>, began: Instant) {
        if self.is_gone() {
            let badge = Badge {
                lane: self.badge.lane,
                traced: self.badge.traced.clone(),
                sent: self.badge.sent.clone(),
                sessions: self.badge.sessions.clone(),
                feeder: self.badge.feeder.clone(),
                ..Badge::default()
            };
            *self = Self::begin(floor, began, self.user, badge);
        } else {
            self.badge.leaving.set(false);
            self.badge.dismissed.set(false);
        }
    }
}

/// All users of a worker that may still play by one load profile.
#[derive(Debug)]
pub(crate) struct Crew {
    began: Instant,
    workers: usize,
    worker: usize,
    /// Which profile, of how many.
    lane: usize,
    lanes: usize,
    /// Users that somebody asked for; `None` where the profile decides.
    asked: Option<usize>,
    /// Users that there are since arrivals have called some in.
    called: usize,
    casting: Casting,
    /// The next user's number among all that play by this profile.
    next: u32,
    /// In the order of their starts.
    members: Vec<Member>,
}

impl Crew {
    pub(crate) fn new(floor: &Floor, lane: usize, worker: usize, began: Instant) -> Self {
        let mut casting = Casting::of(&floor.plan.archetypes, &floor.lanes[lane].archetypes);
        casting.by_ref().take(worker).for_each(drop);
        Self {
            began,
            workers: floor.plan.workers,
            worker,
            lane,
            lanes: floor.lanes.len(),
            asked: None,
            called: 0,
            casting,
            next: worker as u32,
            members: Vec::new(),
        }
    }

    /// Start those who play from the beginning. Where the profile has a fixed number, `ramp_up` spreads them out.
    pub(crate) fn begin(&mut self, floor: &Rc<Floor>) {
        let users = self.lane(floor).users_at(Duration::ZERO);
        let ramp_up = floor.plan.load.ramp_up;
        let share = share_of(users, self.workers, self.worker);
        self.start(floor, share, |n| starts(ramp_up, n, users));
    }

    /// Start users, each so long after the start of the run as `starts` says of its number.
    fn start(&mut self, floor: &Rc<Floor>, users: usize, starts: impl Fn(u32) -> Duration) {
        self.tidy();
        for _ in 0..users {
            let Some((n, archetype, before)) = self.cast(floor) else {
                break;
            };
            let user = User {
                index: index(self.lanes, self.lane, n),
                archetype,
                starts: starts(n),
            };
            let seed = user_seed(&floor.plan, user.index);
            let badge = Badge {
                lane: self.lane,
                feeder: floor.stock.feeder(self.lane, archetype, &before, seed),
                ..Badge::default()
            };
            let member = Member::begin(floor, self.began, user, badge);
            self.members.push(member);
        }
    }

    fn lane<'a>(&self, floor: &'a Floor) -> &'a Lane {
        &floor.lanes[self.lane]
    }

    /// The number and archetype of the next user whose behavior works, and how many come before it at each feed; `None`
    /// when there is none.
    fn cast(&mut self, floor: &Floor) -> Option<(u32, u16, Vec<u32>)> {
        for _ in 0..CASTS {
            let before = floor.stock.before(&self.casting);
            let (n, archetype) = (self.next, self.casting.next()?);
            // The others of the round belong to the other workers.
            self.casting.by_ref().take(self.workers - 1).for_each(drop);
            self.next = self.next.saturating_add(self.workers as u32);
            if !floor.quarantined(archetype) {
                return Some((n, archetype, before));
            }
        }
        None
    }

    /// Have so many of all workers' users play from now on, whatever the profile says. A profile that one archetype has
    /// of its own is not asked.
    pub(crate) fn ask(&mut self, floor: &Rc<Floor>, users: u32) {
        if !self.lane(floor).is_shared {
            return;
        }
        let share = share_of(users, self.workers, self.worker);
        self.asked = Some(share);
        self.adjust(floor, share);
    }

    /// Have as many users as the profile wants by now.
    pub(crate) fn tend(&mut self, floor: &Rc<Floor>) {
        let lane = self.lane(floor);
        let now = floor.clock.time(Instant::now());
        if lane.has_ended(now) {
            self.members.iter().for_each(Member::leave);
            return;
        }
        if !lane.profile.replaces() {
            return;
        }
        let users = lane.users_at(now);
        let share = share_of(users, self.workers, self.worker);
        self.adjust(floor, self.asked.unwrap_or(share.max(self.called)));
    }

    /// Make due what arrives by now, and call in users for what nobody is free for.
    pub(crate) fn receive(&mut self, floor: &Rc<Floor>) {
        let now = floor.clock.time(Instant::now());
        let Some(arrivals) = &self.lane(floor).arrivals else {
            return;
        };
        let due = arrivals.release(now);
        floor.recorder.borrow_mut().arrived(due);
        let missing = arrivals.backlog() as usize;
        if missing > 0 {
            let most = share_of(arrivals.pool.max_users, self.workers, self.worker);
            let most = self.asked.unwrap_or(most);
            let staying = self.staying().count();
            if staying < most {
                self.called = most.min(staying + missing);
                self.adjust(floor, self.called);
            }
        }
    }

    /// Users who are not to leave.
    fn staying(&self) -> impl DoubleEndedIterator<Item = &Member> {
        let stays = |member: &&Member| !member.badge.leaving.get() && !member.task.is_finished();
        self.members.iter().filter(stays)
    }

    /// Whether somebody may still come, if nobody is left.
    pub(crate) fn awaits(&self, floor: &Floor) -> bool {
        let lane = self.lane(floor);
        lane.profile.replaces()
            && !lane.is_over(floor.clock.time(Instant::now()))
            && lane
                .archetypes
                .iter()
                .any(|archetype| !floor.quarantined(*archetype))
    }

    /// Have so many users play from now on: start some, or send the youngest away.
    fn adjust(&mut self, floor: &Rc<Floor>, users: usize) {
        let staying = self.staying().count();
        match staying.checked_sub(users) {
            Some(surplus) => self.staying().rev().take(surplus).for_each(Member::leave),
            None => self.start(floor, users - staying, |_| Duration::ZERO),
        }
    }

    /// No new requests: users with none in flight end now, the others when theirs have ended.
    pub(crate) fn stop(&self) {
        self.members.iter().for_each(Member::leave);
    }

    /// Send the users of archetypes away that were given up, however long they mean to wait.
    pub(crate) fn dismiss(&self, floor: &Floor) {
        let quarantined = |m: &&Member| floor.quarantined(m.user.archetype) && !m.is_gone();
        for member in self.members.iter().filter(quarantined) {
            member.badge.dismissed.set(true);
            member.leave();
        }
    }

    /// Have the users of an archetype who rest look whether their sessions are to end.
    pub(crate) fn wake(&self, archetype: u16) {
        let own = |m: &&Member| m.user.archetype == archetype;
        let members = self.members.iter().filter(own);
        members.for_each(|member| wake(&member.badge));
    }

    /// Have those play on who were dismissed and whose archetype is not given up any more. Where somebody new comes for
    /// whoever leaves, somebody new has the rest of their budgets.
    pub(crate) fn readmit(&mut self, floor: &Rc<Floor>) {
        let lane = self.lane(floor);
        let now = floor.clock.time(Instant::now());
        if lane.has_ended(now) || lane.profile.replaces() {
            return;
        }
        let staying = self.staying().count();
        let most = self
            .asked
            .map_or(usize::MAX, |asked| asked.saturating_sub(staying));
        let back =
            |m: &&mut Member| m.badge.dismissed.get() && !floor.quarantined(m.user.archetype);
        for member in self.members.iter_mut().filter(back).take(most) {
            member.come_back(floor, self.began);
        }
    }

    /// End now, whatever is in flight.
    pub(crate) fn halt(&self) {
        self.members.iter().for_each(|member| member.task.abort());
    }

    /// Forget those who have finished, seldom enough to cost little.
    fn tidy(&mut self) {
        if self.members.len() < FINISHED {
            return;
        }
        let finished = |m: &Member| m.task.is_finished() && !m.badge.dismissed.get();
        let count = self.members.iter().filter(|m| finished(m)).count();
        if count >= self.members.len() / 2 {
            self.members.retain(|member| !finished(member));
        }
    }
}

/// When each of `users` begins: spread evenly over `ramp_up`.
fn starts(ramp_up: Duration, index: u32, users: u32) -> Duration {
    if users == 0 {
        Duration::ZERO
    } else {
        ramp_up.mul_f64(f64::from(index) / f64::from(users))
    }
}
