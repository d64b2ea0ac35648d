//! The users of one worker as tasks: who has started, who is to leave, who may be ended at once, and how many the
//! profile wants. Owned by the worker.
//!
//! What must stay true: an index is played once in a run, by the profile that its remainder names and the worker that its user is
//! dealt to, whenever that starts; so users that come later are as determined by the seed as those that were there from the start.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::identity::{budget, index, user_seed};
use super::pause::wake;
use crate::vu::state::VuState;
use crate::vu::task::{Playing, play};
use crate::worker::state::WorkerState;
use crate::workload::state::WorkloadState;
use vespeiro_plan::{Dealt, DealtUser, Part, Profile};

/// Archetypes in turn that are looked at for one that is not quarantined.
const CASTS: usize = 1000;
/// Users that are made in one go: what the worker is told in between, to stop for instance, is heard.
const AT_ONCE: usize = 10_000;
/// Requests after which a user's own pace tells as much of them as that of all.
const LIKE_OTHERS: f64 = 20.0;
/// Finished users that may stay on the list before it is tidied up.
const FINISHED: usize = 64;

/// One user's task.
#[derive(Debug)]
struct VuTask {
    task: AbortHandle,
    vu: Rc<VuState>,
    /// Its task ends without another step.
    aborted: Cell<bool>,
}

impl VuTask {
    fn begin(worker: &Rc<WorkerState>, began: Instant, vu: Rc<VuState>) -> Self {
        let playing = Playing::new(worker, &vu);
        let task = play(Rc::clone(worker), Rc::clone(&vu), began, playing);
        Self {
            task: tokio::task::spawn_local(task).abort_handle(),
            vu,
            aborted: Cell::new(false),
        }
    }

    /// End the user as soon as nothing of it is in flight.
    fn leave(&self) {
        self.vu.leaving.set(true);
        if self.vu.in_flight.get() == 0 {
            self.aborted.set(true);
            self.task.abort();
        }
    }

    fn is_gone(&self) -> bool {
        self.aborted.get() || self.task.is_finished()
    }

    /// Have a user play on who was dismissed: with the next of its sessions, and with what is left of its budget.
    fn resume(&mut self, worker: &Rc<WorkerState>, began: Instant) {
        let gone = self.is_gone();
        self.vu.resume();
        if gone {
            *self = Self::begin(worker, began, Rc::clone(&self.vu));
        }
    }
}

/// All users of a worker that may still play by one load profile.
#[derive(Debug)]
pub(crate) struct VuPool {
    began: Instant,
    /// Which of the users are this worker's.
    part: Part,
    /// Which profile, of how many.
    workload: usize,
    workloads: usize,
    /// Users that somebody asked for; `None` where the profile decides.
    asked: Option<usize>,
    /// Users that are still to be made.
    coming: Cell<usize>,
    /// How they are spread out: over how long, and how many of all there are.
    spread: (Duration, u32),
    /// Users that there are since arrivals have called some in.
    called: usize,
    /// One was made that the run does not wait for: all others were made before.
    surplus: Cell<bool>,
    /// The users to come, everybody's.
    dealt: Dealt,
    /// Users that arrivals may call in here.
    most: usize,
    /// In the order of their starts.
    tasks: Vec<VuTask>,
}

impl VuPool {
    pub(crate) fn new(worker: &WorkerState, workload: usize, began: Instant) -> Self {
        let part = worker.part;
        let deal = &worker.workloads[workload].deal;
        let arrivals = worker.workloads[workload].arrivals.as_ref();
        let most = arrivals.map_or(0, |arrivals| deal.share(arrivals.pool.max_users, part));
        Self {
            began,
            part,
            workload,
            workloads: worker.workloads.len(),
            asked: None,
            coming: Cell::new(0),
            spread: (Duration::ZERO, 0),
            called: 0,
            surplus: Cell::new(false),
            dealt: deal.dealt(),
            most,
            tasks: Vec::new(),
        }
    }

    /// Start those who play from the beginning. Where the profile has a fixed number, `ramp_up` spreads them out.
    pub(crate) fn begin(&mut self, worker: &Rc<WorkerState>) {
        let users = self.workload(worker).users_at(Duration::ZERO);
        self.spread = (worker.plan.load.ramp_up, users);
        let share = self.workload(worker).deal.share(users, self.part);
        self.coming.set(share);
        self.start_some(worker);
    }

    /// Start some of the users who are to come.
    fn start_some(&mut self, worker: &Rc<WorkerState>) {
        self.tidy();
        let (ramp_up, of) = self.spread;
        for _ in 0..self.coming.get().min(AT_ONCE) {
            let Some((n, archetype, before)) = self.cast(worker) else {
                self.coming.set(0);
                break;
            };
            self.coming.set(self.coming.get() - 1);
            let index = index(self.workloads, self.workload, n);
            let seed = user_seed(&worker.plan, index);
            let vu = VuState {
                index,
                archetype,
                workload: self.workload,
                awaited: self.workload(worker).profile.awaits(n),
                seed,
                starts: starts(ramp_up, n, of),
                feeder: worker.feeds.feeder(self.workload, archetype, &before, seed),
                ..VuState::default()
            };
            self.surplus.set(self.surplus.get() || !vu.awaited);
            let task = VuTask::begin(worker, self.began, Rc::new(vu));
            self.tasks.push(task);
        }
    }

    fn workload<'a>(&self, worker: &'a WorkerState) -> &'a WorkloadState {
        &worker.workloads[self.workload]
    }

    /// How long the last of these users will take to spend what is left of their budgets, each at their own pace; `None` before
    /// anything was sent, and where the end does not depend on them. The fewer requests somebody has sent, the more they are taken to be
    /// like all.
    pub(crate) fn remaining(&self, worker: &WorkerState) -> Option<Duration> {
        let profile = &self.workload(worker).profile;
        if !matches!(
            profile,
            Profile::UserBudget { .. } | Profile::SteadyUsers { .. }
        ) {
            return None;
        }
        let now = worker.profile_time();
        let awaited = |task: &&VuTask| task.vu.awaited && !task.is_gone();
        let playing = || self.tasks.iter().filter(awaited);
        let played = |vu: &VuState| now.saturating_sub(vu.starts).as_secs_f64();
        let (time, sent) = playing().fold((0.0, 0.0), |(time, sent), VuTask { vu, .. }| {
            (time + played(vu), sent + f64::from(vu.sent.get()))
        });
        if sent == 0.0 {
            return None;
        }
        let usual = time / sent;
        let longest = playing().map(|VuTask { vu, .. }| {
            let budget = budget(&worker.plan, profile, vu.archetype, vu.index);
            let left = f64::from(budget.saturating_sub(vu.sent.get()));
            let pace =
                (played(vu) + LIKE_OTHERS * usual) / (f64::from(vu.sent.get()) + LIKE_OTHERS);
            vu.starts.saturating_sub(now).as_secs_f64() + left * pace
        });
        Duration::try_from_secs_f64(longest.fold(0.0, f64::max)).ok()
    }

    /// The number and archetype of the next user whose behavior works, and how many come before it at each feed; `None`
    /// when there is none.
    fn cast(&mut self, worker: &WorkerState) -> Option<(u32, u16, Vec<u32>)> {
        for _ in 0..CASTS {
            let DealtUser { n, archetype, .. } =
                self.dealt.find(|user| self.part.has(user.slot))?;
            if !worker.quarantined(archetype) {
                let before = worker.feeds.before(&self.dealt, archetype);
                return Some((n, archetype, before));
            }
        }
        None
    }

    /// Have so many users of all workers and shards play from now on, whatever the profile says. A profile that one archetype has
    /// of its own is not asked.
    pub(crate) fn set_users(&mut self, worker: &Rc<WorkerState>, users: u32) {
        if !self.workload(worker).is_shared {
            return;
        }
        let share = self.workload(worker).deal.share(users, self.part);
        self.asked = Some(share);
        self.adjust(worker, share);
    }

    /// Have as many users as the profile wants by now.
    pub(crate) fn follow_profile(&mut self, worker: &Rc<WorkerState>) {
        let workload = self.workload(worker);
        let now = worker.profile_time();
        if workload.has_ended(now) {
            self.stop();
            return;
        }
        self.start_some(worker);
        let workload = self.workload(worker);
        if !workload.profile.replaces() {
            return;
        }
        let users = workload.users_at(now);
        let share = self.workload(worker).deal.share(users, self.part);
        self.adjust(worker, self.asked.unwrap_or(share.max(self.called)));
    }

    /// Make due what arrives by now, and call in users for what nobody is free for.
    pub(crate) fn release_arrivals(&mut self, worker: &Rc<WorkerState>) {
        let now = worker.profile_time();
        let Some(arrivals) = &self.workload(worker).arrivals else {
            return;
        };
        let due = arrivals.release(now);
        worker.recorder.borrow_mut().arrived(due);
        let missing = arrivals.backlog() as usize;
        if missing > 0 {
            let most = self.asked.unwrap_or(self.most);
            let staying = self.staying().count() + self.coming.get();
            if staying < most {
                self.called = most.min(staying + missing);
                self.adjust(worker, self.called);
            }
        }
    }

    /// Users who are not to leave.
    fn staying(&self) -> impl DoubleEndedIterator<Item = &VuTask> {
        let stays = |task: &&VuTask| !task.vu.leaving.get() && !task.task.is_finished();
        self.tasks.iter().filter(stays)
    }

    /// Whether somebody may still come whom the run waits for, if nobody such is left.
    pub(crate) fn awaits(&self, worker: &WorkerState) -> bool {
        let workload = self.workload(worker);
        let more = match workload.profile {
            Profile::SteadyUsers { .. } => self.coming.get() > 0 && !self.surplus.get(),
            _ => workload.profile.replaces() || self.coming.get() > 0,
        };
        more && !workload.is_over(worker.profile_time())
            && workload
                .archetypes
                .iter()
                .any(|archetype| !worker.quarantined(*archetype))
    }

    /// Have so many users play from now on: start some, or send the youngest away.
    fn adjust(&mut self, worker: &Rc<WorkerState>, users: usize) {
        let (staying, coming) = (self.staying().count(), self.coming.get());
        match (staying + coming).checked_sub(users) {
            Some(surplus) => {
                let unmade = surplus.min(coming);
                self.coming.set(coming - unmade);
                let made = self.staying().rev().take(surplus - unmade);
                made.for_each(VuTask::leave);
            }
            None => {
                if coming == 0 {
                    self.spread = (Duration::ZERO, 0);
                }
                self.coming.set(users - staying);
                self.start_some(worker);
            }
        }
    }

    /// No new requests: users with none in flight end now, the others when theirs have ended.
    pub(crate) fn stop(&self) {
        self.coming.set(0);
        self.tasks.iter().for_each(VuTask::leave);
    }

    /// Send the users of archetypes away that were given up, however long they mean to wait.
    pub(crate) fn dismiss(&self, worker: &WorkerState) {
        let quarantined = |m: &&VuTask| worker.quarantined(m.vu.archetype) && !m.is_gone();
        for task in self.tasks.iter().filter(quarantined) {
            task.vu.dismissed.set(true);
            task.leave();
        }
    }

    /// Have the users of an archetype who rest look whether their sessions are to end.
    pub(crate) fn wake(&self, archetype: u16) {
        let own = |m: &&VuTask| m.vu.archetype == archetype;
        let tasks = self.tasks.iter().filter(own);
        tasks.for_each(|task| wake(&task.vu));
    }

    /// Have those play on who were dismissed and whose archetype is not given up any more. Where somebody new comes for
    /// whoever leaves, somebody new has the rest of their budgets.
    pub(crate) fn readmit(&mut self, worker: &Rc<WorkerState>) {
        let workload = self.workload(worker);
        let now = worker.profile_time();
        if workload.has_ended(now) || workload.profile.replaces() {
            return;
        }
        let staying = self.staying().count();
        let most = self
            .asked
            .map_or(usize::MAX, |asked| asked.saturating_sub(staying));
        let back = |m: &&mut VuTask| m.vu.dismissed.get() && !worker.quarantined(m.vu.archetype);
        for task in self.tasks.iter_mut().filter(back).take(most) {
            task.resume(worker, self.began);
        }
    }

    /// End now, whatever is in flight.
    pub(crate) fn halt(&self) {
        self.coming.set(0);
        self.tasks.iter().for_each(|task| task.task.abort());
    }

    /// Forget those who have finished, seldom enough to cost little.
    fn tidy(&mut self) {
        if self.tasks.len() < FINISHED {
            return;
        }
        let finished = |m: &VuTask| m.task.is_finished() && !m.vu.dismissed.get();
        let count = self.tasks.iter().filter(|m| finished(m)).count();
        if count >= self.tasks.len() / 2 {
            self.tasks.retain(|task| !finished(task));
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
