//! The coroutine of one virtual user: it plays sessions until its budget is spent or the run stops.
//!
//! While it thinks, a user is a timer and little else: whatever is large is boxed and lives for one request only.
//! A user may be dropped at any of its pauses; the guards here and in `session.rs` then count what it leaves behind.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::identity;
use super::live::{Played, session};
use super::state::VuState;
use crate::worker::state::WorkerState;
use vespeiro_resilience::Backoff;

/// Sessions in a row without a single request, after which a user gives up.
const MAX_IDLE_SESSIONS: u32 = 10;

/// Play until the budget is spent, the archetype is quarantined, the user is sent away or the run stops. Whoever has
/// played before goes on where its state says.
pub(crate) async fn play(
    worker: Rc<WorkerState>,
    vu: Rc<VuState>,
    began: Instant,
    _playing: Playing,
) {
    if !vu.starts.is_zero() {
        sleep_until(began + vu.starts).await;
    }
    let _active = Active::new(Rc::clone(&worker), Rc::clone(&vu));
    let workload = worker.workload(&vu);
    let budget = identity::budget(&worker.plan, &workload.profile, vu.archetype, vu.index);
    let mut left = budget.saturating_sub(vu.sent.get());
    let mut idle = 0;
    while left > 0
        && !workload.is_spent()
        && !worker.is_leaving(&vu)
        && !worker.quarantined(vu.archetype)
    {
        worker.wait_for_session_arrival(&vu).await;
        let played = session(&worker, &vu, left).await;
        left -= played.requests.min(left);
        if worker.plan.connections.close_between_sessions {
            vu.hang_up();
        }
        idle = match played {
            Played { requests: 1.., .. } | Played { swapped: true, .. } => 0,
            Played {
                turned_away: true, ..
            } => idle,
            _ => idle + 1,
        };
        if idle >= MAX_IDLE_SESSIONS {
            break;
        }
        let pause = match idle {
            // The arrivals say when the next session begins.
            0 if workload.arrivals.is_some() => Duration::ZERO,
            0 => played.pause,
            _ => played.pause.max(Backoff::SESSION.wait(idle, 1.0)),
        };
        if left > 0 && !pause.is_zero() && !worker.is_leaving(&vu) {
            worker.think(pause).await;
        }
    }
    if left > 0 && !worker.is_leaving(&vu) && worker.quarantined(vu.archetype) {
        vu.dismissed.set(true);
    }
}

/// Counts a user as not finished, and tells the worker when it was the last, or the last of those that the run waits for.
/// Made before its task: one that is ended before it has run at all has no chance to count itself.
pub(crate) struct Playing {
    worker: Rc<WorkerState>,
    awaited: bool,
}

impl Playing {
    pub(crate) fn new(worker: &Rc<WorkerState>, vu: &VuState) -> Self {
        worker.playing.set(worker.playing.get() + 1);
        let awaited = usize::from(vu.awaited);
        worker.awaited.set(worker.awaited.get() + awaited);
        Self {
            worker: Rc::clone(worker),
            awaited: vu.awaited,
        }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        let worker = &self.worker;
        let left = worker.playing.get() - 1;
        worker.playing.set(left);
        let awaited = worker.awaited.get() - usize::from(self.awaited);
        worker.awaited.set(awaited);
        if left == 0 || (self.awaited && awaited == 0) {
            worker.news.notify_one();
        }
    }
}

/// Counts a user as active from its start to its end, and closes its connections then.
struct Active {
    worker: Rc<WorkerState>,
    vu: Rc<VuState>,
}

impl Active {
    fn new(worker: Rc<WorkerState>, vu: Rc<VuState>) -> Self {
        worker.recorder.borrow_mut().user_started(vu.archetype);
        Self { worker, vu }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let mut recorder = self.worker.recorder.borrow_mut();
        recorder.user_finished(self.vu.archetype);
        // It may be kept for its return.
        self.vu.hang_up();
    }
}
