//! A session of a virtual user, played against the target by the driver. Used by `task.rs`.

use std::rc::Rc;
use std::time::Duration;

use super::channels::Channels;
use super::exchange::send;
use super::operations::{self, Stage, carry_out, plan};
use super::pause::rest;
use super::prepare::{admitted, prepare};
use super::session::OpenSession;
use super::state::VuState;
use crate::admission::wait_while_held;
use crate::driver::{SessionEnd, Transport, drive};
use crate::seed::{Stream, log_normal};
use crate::witness::Seen;
use crate::worker::state::WorkerState;
use vespeiro_behavior::types::{Action, Operation, Outcome, Request, Step};

/// What a session did.
pub(crate) struct Played {
    pub(crate) requests: u32,
    /// It was ended by a swap, whatever it had done.
    pub(crate) swapped: bool,
    /// The breaker was open: it is not the behavior's fault if nothing was sent.
    pub(crate) turned_away: bool,
    /// Wait this long before the next session.
    pub(crate) pause: Duration,
    /// How it ended, of one that is played once in a run.
    pub(crate) ended: Option<Box<SessionEnd>>,
}

/// Play the user's next session, with at most `budget` requests.
pub(crate) async fn session(worker: &Rc<WorkerState>, vu: &VuState, budget: u32) -> Played {
    let ordinal = vu.sessions.get();
    vu.sessions.set(ordinal + 1);
    vu.cookies.begin_session(&worker.plan);
    vu.idle.reset();
    let mut played = Played {
        requests: 0,
        swapped: false,
        turned_away: false,
        pause: between_sessions(worker, vu, ordinal),
        ended: None,
    };
    match OpenSession::begin(worker, vu, ordinal).await {
        Ok(open) => {
            let mut live = Live {
                channels: Channels::default(),
                worker,
                vu,
                ordinal,
                budget,
                left: budget,
                open,
                played: &mut played,
            };
            let ended = drive(&mut live).await;
            let Live { open, channels, .. } = live;
            drop(channels);
            if let Some(witness) = &worker.witness {
                witness.saw(Seen::Ended(&ended));
            }
            played.swapped = matches!(ended, SessionEnd::Cut) && open.runtime.is_over();
            open.end(&ended);
            played.ended = vu.once.map(|_| Box::new(ended));
        }
        Err(wait) => played.pause = wait,
    }
    played
}

struct Live<'a> {
    worker: &'a Rc<WorkerState>,
    vu: &'a VuState,
    ordinal: u32,
    budget: u32,
    /// Requests that it might still send when it was asked for its step.
    left: u32,
    /// Before `open`: they are closed before the session has ended.
    channels: Channels,
    open: OpenSession,
    played: &'a mut Played,
}

impl Transport for Live<'_> {
    /// Whoever waits for requests hears of them first, of a token for instance, and is ended by what it does next.
    fn is_over(&self, heard: bool) -> bool {
        !heard && self.open.runtime.is_over()
    }

    fn is_spent(&self) -> bool {
        self.left == 0
    }

    fn next(&mut self, outcomes: Vec<Outcome>) -> Result<Step, SessionEnd> {
        let workload = self.worker.workload(self.vu);
        self.left = workload.left(self.budget - self.played.requests);
        let step = self.open.next(self.left, outcomes).map_err(|(end, wait)| {
            self.played.pause = self.played.pause.max(wait);
            end
        })?;
        match &step.action {
            Action::Requests(requests) => self.open.decided(requests.iter(), self.left),
            Action::Operations(operations) => {
                let requests = operations.iter().filter_map(Operation::request);
                self.open.decided(requests, self.left);
            }
            Action::Done(_) => {}
        }
        if self.open.is_in_transaction() {
            self.vu.idle.begin(self.worker.clock.now());
        }
        Ok(step)
    }

    async fn wait(&mut self, step: &Step) {
        let paced = self.worker.workload(self.vu).is_paced();
        let waits = match &step.action {
            Action::Requests(requests) => requests.is_empty() || !paced,
            Action::Operations(_) | Action::Done(_) => !paced,
        };
        let pauses = step.delay_ms > 0 && waits;
        if let Some(witness) = &self.worker.witness {
            witness.saw(Seen::Step { step, pauses });
            if !witness.lets_go().await {
                self.vu.leaving.set(true);
            }
        }
        // Its worker ends whoever has nothing in flight when all are to leave, but not a second time.
        if pauses && !self.worker.is_leaving(self.vu) && !self.open.runtime.is_over() {
            let delay = Duration::from_millis(u64::from(step.delay_ms));
            rest(self.worker, self.vu, &self.open.runtime, delay).await;
        }
    }

    fn may_send(&mut self, requests: bool) -> Result<bool, SessionEnd> {
        // Another version knows nothing of what is open.
        if self.channels.is_empty() && self.open.moves(self.vu, self.ordinal) {
            return Ok(false);
        }
        let is_spent = self.worker.workload(self.vu).is_spent();
        if (requests && self.played.requests == self.budget)
            || is_spent
            || self.worker.is_leaving(self.vu)
            || self.open.runtime.is_over()
        {
            return Err(SessionEnd::Cut);
        }
        Ok(true)
    }

    async fn send(&mut self, requests: Vec<Request>) -> Result<Vec<Outcome>, SessionEnd> {
        let (worker, vu) = (self.worker, self.vu);
        let faulty: Vec<usize> = faulty(requests.iter().map(Some)).collect();
        let runtime = Rc::clone(&self.open.runtime);
        let recorded = worker.records(vu.index, &runtime, &requests);
        let batch = prepare(worker, &runtime, requests)
            .map_err(|refused| SessionEnd::Refused(refused.to_string()))?;
        wait_while_held(worker, vu, admitted(&batch, self.left)).await;
        // Boxed: whoever thinks shall not hold the room that a request takes.
        let sent = Box::pin(send(worker, vu, &runtime, batch, self.left)).await;
        self.played.requests += sent.requests;
        self.played.turned_away |= sent.turned_away;
        if let Some(recorded) = recorded {
            worker.record(recorded, &sent.outcomes);
        }
        let faulty = faulty.iter().filter_map(|at| sent.outcomes.get(*at));
        self.open.committed(faulty);
        Ok(sent.outcomes)
    }

    async fn carry_out(&mut self, operations: Vec<Operation>) -> Result<Vec<Outcome>, SessionEnd> {
        let (worker, vu) = (self.worker, self.vu);
        let faulty: Vec<usize> = faulty(operations.iter().map(Operation::request)).collect();
        let runtime = Rc::clone(&self.open.runtime);
        if self.open.is_in_transaction() && operations.iter().all(|one| one.request().is_none()) {
            vu.idle.end(worker.clock.now());
        }
        let planned = plan(worker, &runtime, &mut self.channels, operations)
            .map_err(|refused| SessionEnd::Refused(refused.to_string()))?;
        wait_while_held(worker, vu, operations::admitted(&planned, self.left)).await;
        let stage = Stage {
            worker,
            vu,
            runtime: &runtime,
            began: self.open.began(),
        };
        let sent = carry_out(&stage, &mut self.channels, planned, self.left).await;
        self.played.requests += sent.requests;
        self.played.turned_away |= sent.turned_away;
        let faulty = faulty.iter().filter_map(|at| sent.outcomes.get(*at));
        self.open.committed(faulty);
        Ok(sent.outcomes)
    }
}

/// Where in a step the requests stand that are wrong on purpose.
fn faulty<'a>(requests: impl Iterator<Item = Option<&'a Request>>) -> impl Iterator<Item = usize> {
    let numbered = requests.enumerate();
    numbered.filter_map(|(at, request)| request?.fault.map(|_| at))
}

/// Longer than a pause within a session, and growing with the plan's own delays: log-normal between 1 and 3 times
/// `delay_max`, so that a user's requests come in clusters.
fn between_sessions(worker: &WorkerState, vu: &VuState, ordinal: u32) -> Duration {
    let times = log_normal(vu.seed, Stream::Pause, u64::from(ordinal), 1.0, 3.0);
    worker.plan.load.delay_max.mul_f64(times)
}
