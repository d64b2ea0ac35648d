//! A session under way: calls into its behavior, the fault it was asked for, its move to another version. Used by
//! `user.rs`.
//!
//! What must stay true: however its user leaves it, a session is counted with one ending.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::identity;
use crate::governor::Ask;
use crate::rollout::runtime::Player;
use crate::seed::{Stream, unit};
use crate::vu::pool::Badge;
use crate::vu::task::User;
use crate::worker::state::Floor;
use vespeiro_behavior::{Session, types};
use vespeiro_model::{Ending, FaultKind, Outcome};

/// A session under way. However its user leaves it, it is counted with one ending.
pub(crate) struct Open {
    floor: Rc<Floor>,
    archetype: u16,
    pub(crate) player: Rc<Player>,
    session: Option<Session>,
    began: Instant,
    ending: Ending,
    /// It came to its end by its own decision or the host's.
    well: bool,
    /// A fault that the session has been asked for and has not committed yet.
    asked: Option<Ask>,
}

impl Open {
    /// `Err` says how long to wait after a crash.
    pub(crate) fn begin(
        floor: &Rc<Floor>,
        user: User,
        ordinal: u32,
        badge: &Badge,
    ) -> Result<Self, Duration> {
        let archetype = user.archetype;
        let room = floor.room(archetype);
        let setup = identity::journey(&floor.plan, user.index, ordinal, &room.config);
        let seed = identity::user_seed(&floor.plan, user.index);
        let drawn = unit(seed, Stream::Version, u64::from(ordinal));
        let player = room.players.draw(drawn);
        let begun = player.slot.borrow_mut().begin(&setup, badge.feeder.clone());
        let role = player.role();
        floor.recorder.borrow_mut().session_started(role);
        let (session, ending) = match begun {
            Ok(begun) => {
                if begun.built {
                    floor.recorder.borrow_mut().instance_built(role);
                }
                (Ok(begun.session), Ending::Cut)
            }
            Err(crash) => (Err(floor.crashed(&player, &crash)), Ending::Crashed),
        };
        let began = Instant::now();
        let mut open = Self {
            floor: Rc::clone(floor),
            archetype,
            player,
            session: None,
            began,
            ending,
            well: false,
            asked: None,
        };
        open.session = Some(session?);
        open.take_events();
        Ok(open)
    }

    pub(crate) fn next(
        &mut self,
        floor: &Floor,
        requests_left: u32,
        outcomes: &[types::Outcome],
    ) -> Result<types::Step, Duration> {
        let Some(session) = &mut self.session else {
            return Err(Duration::ZERO);
        };
        if session.lost() {
            // Another session of the instance crashed meanwhile: that one was counted as the trap.
            self.ending = Ending::Crashed;
            return Err(Duration::ZERO);
        }
        if self.asked.as_mut().is_some_and(|ask| !ask.again()) {
            self.asked = None;
            floor.ignored(self.archetype);
        }
        // One that a swap ends has no more requests for it.
        if self.asked.is_none() && !self.player.is_over() {
            self.asked = floor.ask(self.archetype);
        }
        let mix = floor.wanted(&self.player);
        let called = Instant::now();
        let context = types::Context {
            elapsed_ms: (called - self.began).as_millis() as u64,
            requests_left,
            mix,
            fault: self.asked.and_then(|ask| to_contract(ask.kind)),
        };
        let answer = session.next(&context, outcomes);
        floor
            .recorder
            .borrow_mut()
            .guest_call(self.player.role(), called.elapsed());
        // Of a call that crashed too: what it marked may exist.
        self.take_events();
        match answer {
            Ok(Ok(step)) => Ok(step),
            Ok(Err(message)) => {
                self.fail(floor, &message);
                Err(Duration::ZERO)
            }
            Err(crash) => {
                self.ending = Ending::Crashed;
                Err(floor.crashed(&self.player, &crash))
            }
        }
    }

    /// The session wants to send these. Counted now and not when they leave: a pause in between would let all users
    /// run after the same category.
    pub(crate) fn decided(&self, requests: &[types::Request], left: u32) {
        let labels = &self.player.labels;
        for request in requests.iter().take(left as usize) {
            self.floor.decided(labels.category(&request.category));
        }
    }

    /// The session goes on where another version has taken over, with its state; the step in hand is dropped.
    pub(crate) fn moves(&mut self, user: User, ordinal: u32, badge: &Badge) -> bool {
        let (Some(successor), Some(session)) = (self.player.successor(), &mut self.session) else {
            return false;
        };
        let floor = Rc::clone(&self.floor);
        let state = match session.save() {
            Ok(Some(state)) => state,
            Ok(None) => return false,
            Err(crash) => {
                floor.crashed(&self.player, &crash);
                return false;
            }
        };
        let config = &floor.room(self.archetype).config;
        let setup = identity::journey(&floor.plan, user.index, ordinal, config);
        let elapsed_ms = self.began.elapsed().as_millis() as u64;
        let feeder = badge.feeder.clone();
        let restored = successor
            .slot
            .borrow_mut()
            .restore(&setup, feeder, elapsed_ms, &state);
        match restored {
            Ok(Ok(begun)) => {
                if begun.built {
                    let mut recorder = floor.recorder.borrow_mut();
                    recorder.instance_built(successor.role());
                }
                let left = self.session.replace(begun.session);
                if let Some(Err(crash)) = left.map(Session::end) {
                    floor.crashed(&self.player, &crash);
                }
                if self.asked.take().is_some() {
                    floor.ignored(self.archetype);
                }
                self.player = successor;
                self.take_events();
                true
            }
            Ok(Err(message)) => {
                floor.log(self.archetype, vespeiro_behavior::Level::Warn, &message);
                false
            }
            Err(crash) => {
                floor.crashed(&successor, &crash);
                false
            }
        }
    }

    /// What came of the requests that were wrong on purpose.
    pub(crate) fn committed<'a>(&mut self, outcomes: impl Iterator<Item = &'a types::Outcome>) {
        let mut outcomes = outcomes.peekable();
        if outcomes.peek().is_none() {
            return;
        }
        if let Some(ask) = self.asked.take() {
            let met = outcomes.any(|outcome| match outcome {
                types::Outcome::Response(response) => {
                    ask.kind.is_met_by(Outcome::Status(response.status))
                }
                types::Outcome::Failed(_) => false,
            });
            self.floor.committed(self.archetype, ask, met);
        }
    }

    fn take_events(&mut self) {
        let (floor, archetype) = (&self.floor, self.archetype);
        if let Some(session) = &mut self.session {
            session.events(|event| floor.event(archetype, event));
            floor.keep_journal();
        }
    }

    /// The session did something wrong: say so, and end it as failed.
    pub(crate) fn fail(&mut self, floor: &Floor, message: &str) {
        self.ending = Ending::Failed;
        floor.log(self.archetype, vespeiro_behavior::Level::Warn, message);
    }

    pub(crate) fn end(&mut self, ending: Ending) {
        self.ending = ending;
        self.well = true;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.asked.take().is_some() {
            self.floor.ignored(self.archetype);
        }
        let ended = self.session.take().map(Session::end);
        if let Some(Err(crash)) = ended {
            self.ending = Ending::Crashed;
            self.floor.crashed(&self.player, &crash);
        } else if self.well {
            // Not before its destructor has come through too.
            self.player.ended_well();
        }
        let lasted = self.began.elapsed();
        self.floor
            .recorder
            .borrow_mut()
            .session_ended(self.player.role(), self.ending, lasted);
    }
}

/// What the contract calls a fault; `None` for those that the host makes itself.
fn to_contract(kind: FaultKind) -> Option<types::Fault> {
    Some(match kind {
        FaultKind::BadCredentials => types::Fault::BadCredentials,
        FaultKind::Forbidden => types::Fault::Forbidden,
        FaultKind::InvalidData => types::Fault::InvalidData,
        FaultKind::NotFound => types::Fault::NotFound,
        FaultKind::RateLimit => types::Fault::RateLimit,
        FaultKind::Timeout | FaultKind::ServerError => return None,
    })
}
