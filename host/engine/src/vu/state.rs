//! One virtual user: who it is, what it has done so far, and what its worker and the target have told it. One struct that
//! outlives its sessions and its task, so that whoever is readmitted goes on where it was.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use super::cookies::UserCookies;
use super::idle::Idle;
use vespeiro_behavior::Feeder;
use vespeiro_behavior::types::Once;
use vespeiro_http::{Targets, UserConnections};
use vespeiro_resilience::HoldState;

/// One user of a worker. Small: there may be a hundred thousand of them.
#[derive(Debug, Default)]
pub(crate) struct VuState {
    pub(crate) index: u32,
    pub(crate) archetype: u16,
    /// Which of the load profiles it plays by.
    pub(crate) workload: usize,
    /// The run goes on until it has spent its budget.
    pub(crate) awaited: bool,
    /// Where all of its chance comes from.
    pub(crate) seed: u64,
    /// When to begin, after the start of the run.
    pub(crate) starts: Duration,
    /// Requests in flight: a user without any may be ended at once.
    pub(crate) in_flight: Cell<u32>,
    /// What its session does once in a run, where that is no journey.
    pub(crate) once: Option<Once>,
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
    /// Its own connections, if it has some and has sent something.
    pub(crate) connections: OnceCell<Option<Box<UserConnections>>>,
    pub(crate) cookies: UserCookies,
    /// Shared with its session.
    pub(crate) idle: Rc<Idle>,
    /// What the target has told it.
    pub(crate) hold: HoldState,
}

impl VuState {
    /// Its own connections to the targets, where users have such.
    pub(crate) fn connections(&self, targets: &Targets) -> Option<&UserConnections> {
        let own = || targets.user(self.archetype).map(Box::new);
        self.connections.get_or_init(own).as_deref()
    }

    /// Close what it has open of its own.
    pub(crate) fn hang_up(&self) {
        if let Some(Some(own)) = self.connections.get() {
            own.hang_up();
        }
    }

    /// It may play again after it was sent away.
    pub(crate) fn resume(&self) {
        self.leaving.set(false);
        self.dismissed.set(false);
        self.arrived.set(None);
    }
}
