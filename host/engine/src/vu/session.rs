//! A session under way: calls into its behavior, the fault it was asked for, its move to another version. Used by
//! `user.rs`.
//!
//! What must stay true: however its user leaves it, a session is counted with one ending.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::identity;
use super::idle::Idle;
use crate::driver::SessionEnd;
use crate::governor::FaultRequest;
use crate::rollout::runtime::VersionRuntime;
use crate::seed::{Stream, unit};
use crate::transactions::{Moment, Transactions};
use crate::vu::state::VuState;
use crate::worker::quarantine::SessionFate;
use crate::worker::state::WorkerState;
use vespeiro_behavior::{GuestEvent, Level, Session, types};
use vespeiro_model::{Ending, Outcome};

/// Of who shares something in a journey.
pub(crate) const SHARES_TOO_LATE: &str =
    "it shares something outside of prepare, which is over: share it there";
/// Things that a session may have said to be there and not to be gone.
const MAX_MARKS: u32 = 10_000;

/// A session under way. However its user leaves it, it is counted with one ending.
pub(crate) struct OpenSession {
    worker: Rc<WorkerState>,
    archetype: u16,
    pub(crate) runtime: Rc<VersionRuntime>,
    session: Option<Session>,
    began: Instant,
    ending: Ending,
    /// It came to its end by its own decision or the host's.
    well: bool,
    /// A fault that the session has been asked for and has not committed yet.
    asked: Option<FaultRequest>,
    /// Things that it has marked by calls and not unmarked.
    marks: u32,
    transactions: Transactions,
    idle: Rc<Idle>,
    /// Why its person gives up, and where, as it has said.
    given_up: Option<Box<(String, Option<String>)>>,
    once: Option<types::Once>,
}

impl OpenSession {
    /// Begins as soon as there is memory for it. `Err` says how long to wait after a crash.
    pub(crate) async fn begin(
        worker: &Rc<WorkerState>,
        vu: &VuState,
        ordinal: u32,
    ) -> Result<Self, Duration> {
        let archetype = vu.archetype;
        let archetype_state = worker.archetype_state(archetype);
        let config = &archetype_state.config;
        let setup = match vu.once {
            None => identity::journey(&worker.plan, vu.index, ordinal, config),
            Some(what) => identity::once(&worker.plan, what, config),
        };
        let drawn = unit(vu.seed, Stream::Version, u64::from(ordinal));
        let runtime = loop {
            let drawn = archetype_state.versions.draw(drawn);
            if drawn.slot.borrow_mut().has_room() {
                drawn.room.begun();
                break drawn;
            }
            if worker.is_leaving(vu) || worker.quarantined(archetype) {
                return Err(Duration::ZERO);
            }
            worker.wait_for_room(&drawn).await;
        };
        let begun = runtime.slot.borrow_mut().begin(setup, vu.feeder.clone());
        let role = runtime.role();
        worker.recorder.borrow_mut().session_started(role);
        let (session, ending) = match begun {
            Ok(begun) => {
                if begun.built {
                    worker.recorder.borrow_mut().instance_built(role);
                }
                (Ok(begun.session), Ending::Cut)
            }
            Err(crash) => (Err(worker.crashed(&runtime, &crash)), Ending::Crashed),
        };
        let began = worker.clock.now();
        let mut open = Self {
            worker: Rc::clone(worker),
            archetype,
            runtime,
            session: None,
            began,
            ending,
            well: false,
            asked: None,
            marks: 0,
            transactions: Transactions::default(),
            idle: Rc::clone(&vu.idle),
            given_up: None,
            once: vu.once,
        };
        open.session = Some(session?);
        open.take_events();
        Ok(open)
    }

    /// Ask the session for its next step. `Err` also says how long its user should wait after a crash.
    pub(crate) fn next(
        &mut self,
        requests_left: u32,
        outcomes: Vec<types::Outcome>,
    ) -> Result<types::Step, (SessionEnd, Duration)> {
        let worker = Rc::clone(&self.worker);
        let Some(session) = &mut self.session else {
            return Err((SessionEnd::Cut, Duration::ZERO));
        };
        if let Some(crash) = session.lost() {
            // It was counted as the trap of the session that it happened to.
            return Err((SessionEnd::Crashed(crash), Duration::ZERO));
        }
        if let Some(mut ask) = self.asked.take() {
            match ask.again() {
                true => self.asked = Some(ask),
                false => worker.ignored(self.archetype, ask),
            }
        }
        // One that a swap ends has no more requests for it.
        if self.asked.is_none() && !self.runtime.is_over() {
            self.asked = worker.request_fault(self.archetype);
        }
        let mix = worker.wanted(&self.runtime);
        let context = types::Context {
            elapsed_ms: worker.clock.since(self.began).as_millis() as u64,
            requests_left,
            mix,
            fault: self.asked.map(|ask| ask.kind),
        };
        let answer = session.next(context, outcomes);
        worker
            .recorder
            .borrow_mut()
            .guest_call(self.runtime.role(), session.took());
        // Of a call that crashed too: what it marked may exist.
        self.take_events();
        if self.marks > MAX_MARKS {
            let why = format!("it has marked more than {MAX_MARKS} things: unmark what is gone");
            return Err((SessionEnd::Refused(why), Duration::ZERO));
        }
        if let Some(why) = self.transactions.complaint.take() {
            return Err((SessionEnd::Refused(why), Duration::ZERO));
        }
        match answer {
            Ok(Ok(step)) => Ok(step),
            Ok(Err(message)) => Err((SessionEnd::Failed(message), Duration::ZERO)),
            Err(crash) => {
                let wait = worker.crashed(&self.runtime, &crash);
                Err((SessionEnd::Crashed(crash), wait))
            }
        }
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        !self.transactions.is_empty()
    }

    /// The session wants to send these. Counted now and not when they leave: a pause in between would let all users
    /// run after the same category.
    pub(crate) fn decided<'a>(
        &self,
        requests: impl Iterator<Item = &'a types::Request>,
        left: u32,
    ) {
        let labels = &self.runtime.labels;
        for request in requests.take(left as usize) {
            self.worker.decided(labels.category(request.category));
        }
    }

    /// The session goes on where another version has taken over, with its state; the step in hand is dropped.
    pub(crate) fn moves(&mut self, vu: &VuState, ordinal: u32) -> bool {
        let (Some(successor), Some(session)) = (self.runtime.successor(), &mut self.session) else {
            return false;
        };
        if !successor.slot.borrow_mut().has_room() {
            return false;
        }
        let worker = Rc::clone(&self.worker);
        let state = match session.save() {
            Ok(Some(state)) => state,
            Ok(None) => return false,
            Err(crash) => {
                worker.crashed(&self.runtime, &crash);
                return false;
            }
        };
        let config = &worker.archetype_state(self.archetype).config;
        let setup = identity::journey(&worker.plan, vu.index, ordinal, config);
        let elapsed_ms = worker.clock.since(self.began).as_millis() as u64;
        let feeder = vu.feeder.clone();
        let restored = successor
            .slot
            .borrow_mut()
            .restore(setup, feeder, elapsed_ms, state);
        match restored {
            Ok(Ok(begun)) => {
                if begun.built {
                    let mut recorder = worker.recorder.borrow_mut();
                    recorder.instance_built(successor.role());
                }
                let left = self.session.replace(begun.session);
                if let Some(Err(crash)) = left.map(Session::end) {
                    worker.crashed(&self.runtime, &crash);
                }
                if let Some(ask) = self.asked.take() {
                    worker.ignored(self.archetype, ask);
                }
                self.runtime = successor;
                self.take_events();
                true
            }
            Ok(Err(message)) => {
                worker.log(self.archetype, Level::Warn, &message);
                false
            }
            Err(crash) => {
                worker.crashed(&successor, &crash);
                false
            }
        }
    }

    /// The outcomes of the requests that were wrong on purpose.
    pub(crate) fn committed<'a>(&mut self, outcomes: impl Iterator<Item = &'a types::Outcome>) {
        let mut outcomes = outcomes.peekable();
        if outcomes.peek().is_none() {
            return;
        }
        if let Some(ask) = self.asked.take() {
            let met = outcomes.any(|outcome| match outcome {
                types::Outcome::Response(response) => {
                    let grpc = response.grpc.as_ref();
                    let status = Outcome::Status(response.status);
                    ask.kind
                        .is_met_by(grpc.map_or(status, |grpc| Outcome::Grpc(grpc.code)))
                }
                _ => false,
            });
            self.worker.committed(self.archetype, ask, met);
        }
    }

    fn take_events(&mut self) {
        let (worker, archetype) = (&self.worker, self.archetype);
        if let Some(session) = &mut self.session {
            let (marks, transactions, idle) = (&mut self.marks, &mut self.transactions, &self.idle);
            let (given_up, once) = (&mut self.given_up, self.once);
            session.events(|event| {
                match &event {
                    GuestEvent::Mark(_) => *marks = marks.saturating_add(1),
                    GuestEvent::Unmark(_) => *marks = marks.saturating_sub(1),
                    GuestEvent::Abandoned { reason, place } => {
                        *given_up = Some(Box::new((reason.clone(), place.clone())));
                    }
                    GuestEvent::Share(value) => match once {
                        Some(types::Once::Prepare) => {
                            worker.shared.replace(Some(value.clone()));
                        }
                        _ => transactions.complain(SHARES_TOO_LATE.into()),
                    },
                    GuestEvent::Begin(name) => {
                        transactions.begin(name, moment(worker, idle));
                        return worker.show_transaction(name, None);
                    }
                    GuestEvent::End {
                        transaction,
                        passed,
                    } => {
                        if let Some(span) = transactions.end(transaction, moment(worker, idle)) {
                            worker.transaction(archetype, transaction, *passed, span);
                        }
                        return;
                    }
                    _ => {}
                }
                worker.event(archetype, event);
            });
            worker.keep_journal();
        }
    }

    /// What was open when it ended has not passed; it had no chance to where the host has ended it.
    fn close_transactions(&mut self) {
        if self.transactions.is_empty() {
            return;
        }
        let worker = &self.worker;
        for (name, span) in self.transactions.close(moment(worker, &self.idle)) {
            match self.ending {
                Ending::Cut => {
                    let mut recorder = worker.recorder.borrow_mut();
                    recorder.transaction_cut(self.archetype, &name);
                }
                _ => worker.transaction(self.archetype, &name, false, span),
            }
        }
    }

    /// It has come to this end.
    pub(crate) fn end(mut self, ended: &SessionEnd) {
        self.ending = match ended {
            SessionEnd::Completed => Ending::Completed,
            SessionEnd::Abandoned => Ending::Abandoned,
            SessionEnd::Cut => Ending::Cut,
            SessionEnd::Failed(message) => {
                self.worker.log(self.archetype, Level::Warn, message);
                Ending::Failed
            }
            SessionEnd::Refused(why) => {
                self.worker.refused(self.archetype, why);
                Ending::Failed
            }
            SessionEnd::Crashed(_) => Ending::Crashed,
        };
        self.well = matches!(
            ended,
            SessionEnd::Completed | SessionEnd::Abandoned | SessionEnd::Cut
        );
    }
}

fn moment(worker: &WorkerState, idle: &Idle) -> Moment {
    let now = worker.clock.now();
    Moment {
        at: worker.time(now),
        idle: idle.sum(now),
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        if let Some(ask) = self.asked.take() {
            self.worker.ignored(self.archetype, ask);
        }
        let ended = self.session.take().map(Session::end);
        if let Some(Err(crash)) = ended {
            self.ending = Ending::Crashed;
            self.worker.crashed(&self.runtime, &crash);
        }
        let room = &self.runtime.room;
        if room.is_awaited() && self.runtime.slot.borrow_mut().has_room() {
            room.wake();
        }
        self.close_transactions();
        // Not before its destructor has come through too.
        let fate = match self.ending {
            Ending::Crashed => SessionFate::Lost,
            _ if self.well => SessionFate::Well,
            _ => SessionFate::Failed,
        };
        let now = self.worker.now();
        self.runtime.record().borrow_mut().ended(now, fate);
        let lasted = self.worker.clock.since(self.began);
        let mut recorder = self.worker.recorder.borrow_mut();
        if self.ending == Ending::Abandoned
            && let Some((reason, place)) = self.given_up.as_deref()
        {
            recorder.abandoned(self.archetype, reason, place.as_deref());
        }
        recorder.session_ended(self.runtime.role(), self.ending, lasted);
    }
}
