//! One virtual user: it plays sessions until its budget is spent or the run stops. A coroutine on its worker.
//!
//! While it thinks, a user is a timer and little else: whatever is large is boxed and lives for one request only.
//! A user may be dropped at any of its pauses; the guards here and in `session.rs` then count what it leaves behind.

use std::rc::Rc;
use std::time::Duration;

use super::exchange::{Who, send};
use super::identity;
use super::pause::rest;
use super::prepare::{logins, prepare};
use super::session::OpenSession;
use crate::admission::{HoldState, wait_while_held};
use crate::seed::{Stream, log_normal};
use crate::vu::pool::VuState;
use crate::worker::state::{WorkerState, backoff};
use vespeiro_behavior::{MAX_DELAY_MS, MAX_IDLE_STEPS, types};
use vespeiro_model::Ending;

/// Sessions in a row without a single request, after which a user gives up.
const MAX_IDLE_SESSIONS: u32 = 10;

/// One user of a worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    pub(crate) index: u32,
    pub(crate) archetype: u16,
    /// When to begin, after the start of the run.
    pub(crate) starts: Duration,
}

/// How a session came to its end, and whether it did anything.
struct Played {
    requests: u32,
    /// It was ended by a swap, whatever it had done.
    swapped: bool,
    /// The breaker was open: it is not the behavior's fault if nothing was sent.
    turned_away: bool,
    /// Wait this long before the next session.
    pause: Duration,
}

/// Play until the budget is spent, the archetype is quarantined, the user is sent away or the run stops. Whoever has
/// played before goes on where its state says.
pub(crate) async fn play(
    worker: Rc<WorkerState>,
    user: User,
    began: tokio::time::Instant,
    vu: Rc<VuState>,
    _playing: Playing,
) {
    if !user.starts.is_zero() {
        tokio::time::sleep_until(began + user.starts).await;
    }
    let _active = Active::new(Rc::clone(&worker), user.archetype);
    let workload = worker.workload(&vu);
    let budget = identity::budget(&worker.plan, &workload.profile, user.archetype, user.index);
    let mut left = budget.saturating_sub(vu.sent.get());
    let hold = HoldState::default();
    let mut ordinal = vu.sessions.get();
    let mut idle = 0;
    while left > 0
        && !workload.is_spent()
        && !leaves(&worker, &vu)
        && !worker.quarantined(user.archetype)
    {
        worker.arrival(&vu).await;
        vu.sessions.set(ordinal + 1);
        let played = session(&worker, user, ordinal, left, &vu, &hold).await;
        left -= played.requests.min(left);
        ordinal += 1;
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
            _ => played.pause.max(backoff(idle)),
        };
        if left > 0 && !pause.is_zero() && !leaves(&worker, &vu) {
            think(&worker, pause).await;
        }
    }
    if left > 0 && !leaves(&worker, &vu) && worker.quarantined(user.archetype) {
        vu.dismissed.set(true);
    }
}

/// The user is to play no further step.
fn leaves(worker: &WorkerState, vu: &VuState) -> bool {
    worker.stopping.get() || vu.leaving.get()
}

async fn session(
    worker: &Rc<WorkerState>,
    user: User,
    ordinal: u32,
    budget: u32,
    vu: &VuState,
    hold: &HoldState,
) -> Played {
    let mut played = Played {
        requests: 0,
        swapped: false,
        turned_away: false,
        pause: between_sessions(worker, user, ordinal),
    };
    let mut open = match OpenSession::begin(worker, user, ordinal, vu) {
        Ok(open) => open,
        Err(wait) => {
            played.pause = wait;
            return played;
        }
    };
    let workload = worker.workload(vu);
    let mut outcomes = Vec::new();
    let mut idle_steps = 0;
    loop {
        // Whoever waits for requests hears of them first, of a token for instance, and is ended by what it does next.
        if outcomes.is_empty() && open.runtime.is_over() {
            open.end(Ending::Cut);
            played.swapped = true;
            return played;
        }
        let left = workload.left(budget - played.requests);
        let step = match open.next(worker, left, &outcomes) {
            Ok(step) => step,
            Err(wait) => {
                played.pause = played.pause.max(wait);
                return played;
            }
        };
        outcomes = Vec::new();
        if let types::Action::Requests(requests) = &step.action {
            open.decided(requests, left);
        }
        if step.delay_ms > MAX_DELAY_MS {
            open.fail(
                worker,
                &format!("a delay of {} ms is over {MAX_DELAY_MS}", step.delay_ms),
            );
            return played;
        }
        let waits = match &step.action {
            types::Action::Requests(requests) => requests.is_empty() || !workload.is_paced(),
            types::Action::Done(_) => !workload.is_paced(),
        };
        // Its worker ends whoever has nothing in flight when all are to leave, but not a second time.
        if step.delay_ms > 0 && waits && !leaves(worker, vu) && !open.runtime.is_over() {
            let delay = Duration::from_millis(u64::from(step.delay_ms));
            rest(worker, vu, &open.runtime, delay).await;
        }
        let requests = match step.action {
            types::Action::Requests(requests) => requests,
            types::Action::Done(ending) => {
                open.end(match ending {
                    types::Ending::Completed => Ending::Completed,
                    types::Ending::Abandoned => Ending::Abandoned,
                });
                return played;
            }
        };
        if open.moves(user, ordinal, vu) {
            continue;
        }
        played.swapped = open.runtime.is_over();
        if played.requests == budget || workload.is_spent() || leaves(worker, vu) || played.swapped
        {
            open.end(Ending::Cut);
            return played;
        }
        if requests.is_empty() {
            idle_steps = if step.delay_ms == 0 {
                idle_steps + 1
            } else {
                0
            };
            if idle_steps > MAX_IDLE_STEPS {
                open.fail(
                    worker,
                    "it asks for neither a request nor a delay, over and over",
                );
                return played;
            }
            continue;
        }
        idle_steps = 0;
        let faulty: Vec<usize> = faulty(&requests).collect();
        let asked = worker.records(user.index, &requests);
        let batch = match prepare(worker, &open.runtime, requests) {
            Ok(batch) => batch,
            Err(refused) => {
                open.fail(worker, &refused.to_string());
                return played;
            }
        };
        wait_while_held(worker, hold, user.index, logins(&batch, left)).await;
        let runtime = Rc::clone(&open.runtime);
        let who = Who {
            runtime: &runtime,
            user: user.index,
            vu,
            hold,
        };
        let sent = Box::pin(send(worker, who, batch, left)).await;
        played.requests += sent.requests;
        played.turned_away |= sent.turned_away;
        outcomes = sent.outcomes;
        if let Some(asked) = asked {
            worker.record(asked, &outcomes);
        }
        open.committed(faulty.iter().filter_map(|at| outcomes.get(*at)));
    }
}

/// Where in a batch the requests stand that are wrong on purpose.
fn faulty(requests: &[types::Request]) -> impl Iterator<Item = usize> {
    let numbered = requests.iter().enumerate();
    numbered.filter_map(|(at, request)| request.fault.map(|_| at))
}

/// Wait, and measure by how much the wait was overrun: the worker's scheduling lag.
pub(crate) async fn think(worker: &WorkerState, delay: Duration) {
    let due = tokio::time::Instant::now() + delay;
    tokio::time::sleep_until(due).await;
    worker.recorder.borrow_mut().lag(due.elapsed());
}

/// Longer than a pause within a session, and growing with the plan's own delays: log-normal between 1 and 3 times
/// `delay_max`, so that a user's requests come in clusters.
fn between_sessions(worker: &WorkerState, user: User, ordinal: u32) -> Duration {
    let seed = identity::user_seed(&worker.plan, user.index);
    let times = log_normal(seed, Stream::Pause, u64::from(ordinal), 1.0, 3.0);
    worker.plan.load.delay_max.mul_f64(times)
}

/// Counts a user as not finished, and tells the worker when it was the last.
/// Made before its task: one that is ended before it has run at all has no chance to count itself.
pub(crate) struct Playing(Rc<WorkerState>);

impl Playing {
    pub(crate) fn new(worker: &Rc<WorkerState>) -> Self {
        worker.playing.set(worker.playing.get() + 1);
        Self(Rc::clone(worker))
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        let left = self.0.playing.get() - 1;
        self.0.playing.set(left);
        if left == 0 {
            self.0.news.notify_one();
        }
    }
}

/// Counts a user as active from its start to its end.
struct Active {
    worker: Rc<WorkerState>,
    archetype: u16,
}

impl Active {
    fn new(worker: Rc<WorkerState>, archetype: u16) -> Self {
        worker.recorder.borrow_mut().user_started(archetype);
        Self { worker, archetype }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.worker
            .recorder
            .borrow_mut()
            .user_finished(self.archetype);
    }
}
