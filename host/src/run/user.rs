//! One virtual user: it plays sessions until its budget is spent or the run stops. A coroutine on its worker.
//!
//! While it thinks, a user is a timer and little else: whatever is large is boxed and lives for one request only.
//! A user may be dropped at any of its pauses; the guards here then count what it leaves behind.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::crew::Badge;
use super::exchange::{Who, send};
use super::floor::{Floor, backoff};
use super::governor::Ask;
use super::identity;
use super::pause::rest;
use super::player::Player;
use super::prepare::{logins, prepare};
use super::restraint::{Patience, hold};
use super::seed::{Stream, log_normal, unit};
use crate::behavior::{MAX_DELAY_MS, MAX_IDLE_STEPS, Session, types};
use crate::metrics::{Ending, FaultKind, Outcome};

/// Sessions in a row without a single request, after which a user gives up.
const MAX_IDLE_SESSIONS: u32 = 10;

/// One user of a worker.
#[derive(Debug, Clone, Copy)]
pub(super) struct User {
    pub(super) index: u32,
    pub(super) archetype: u16,
    /// When to begin, after the start of the run.
    pub(super) starts: Duration,
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
/// played before goes on where its badge says.
pub(super) async fn play(
    floor: Rc<Floor>,
    user: User,
    began: tokio::time::Instant,
    badge: Rc<Badge>,
    _playing: Playing,
) {
    if !user.starts.is_zero() {
        tokio::time::sleep_until(began + user.starts).await;
    }
    let _active = Active::new(Rc::clone(&floor), user.archetype);
    let lane = floor.lane(&badge);
    let budget = identity::budget(&floor.plan, &lane.profile, user.archetype, user.index);
    let mut left = budget.saturating_sub(badge.sent.get());
    let patience = Patience::default();
    let mut ordinal = badge.sessions.get();
    let mut idle = 0;
    while left > 0
        && !lane.is_spent()
        && !leaves(&floor, &badge)
        && !floor.quarantined(user.archetype)
    {
        floor.arrival(&badge).await;
        badge.sessions.set(ordinal + 1);
        let played = session(&floor, user, ordinal, left, &badge, &patience).await;
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
            0 if lane.arrivals.is_some() => Duration::ZERO,
            0 => played.pause,
            _ => played.pause.max(backoff(idle)),
        };
        if left > 0 && !pause.is_zero() && !leaves(&floor, &badge) {
            think(&floor, pause).await;
        }
    }
    if left > 0 && !leaves(&floor, &badge) && floor.quarantined(user.archetype) {
        badge.dismissed.set(true);
    }
}

/// The user is to play no further step.
fn leaves(floor: &Floor, badge: &Badge) -> bool {
    floor.stopping.get() || badge.leaving.get()
}

async fn session(
    floor: &Rc<Floor>,
    user: User,
    ordinal: u32,
    budget: u32,
    badge: &Badge,
    patience: &Patience,
) -> Played {
    let mut played = Played {
        requests: 0,
        swapped: false,
        turned_away: false,
        pause: between_sessions(floor, user, ordinal),
    };
    let mut open = match Open::begin(floor, user, ordinal) {
        Ok(open) => open,
        Err(wait) => {
            played.pause = wait;
            return played;
        }
    };
    let lane = floor.lane(badge);
    let mut outcomes = Vec::new();
    let mut idle_steps = 0;
    loop {
        if open.player.is_over() {
            open.end(Ending::Cut);
            played.swapped = true;
            return played;
        }
        let left = lane.left(budget - played.requests);
        let step = match open.next(floor, left, &outcomes) {
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
                floor,
                &format!("a delay of {} ms is over {MAX_DELAY_MS}", step.delay_ms),
            );
            return played;
        }
        let waits = match &step.action {
            types::Action::Requests(requests) => requests.is_empty() || !lane.is_paced(),
            types::Action::Done(_) => !lane.is_paced(),
        };
        // Its worker ends whoever has nothing in flight when all are to leave, but not a second time.
        if step.delay_ms > 0 && waits && !leaves(floor, badge) {
            let delay = Duration::from_millis(u64::from(step.delay_ms));
            rest(floor, badge, &open.player, delay).await;
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
        if open.moves(user, ordinal) {
            continue;
        }
        played.swapped = open.player.is_over();
        if played.requests == budget || lane.is_spent() || leaves(floor, badge) || played.swapped {
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
                    floor,
                    "it asks for neither a request nor a delay, over and over",
                );
                return played;
            }
            continue;
        }
        idle_steps = 0;
        let faulty: Vec<usize> = faulty(&requests).collect();
        let asked = floor.records(user.index, &requests);
        let batch = match prepare(floor, &open.player, requests) {
            Ok(batch) => batch,
            Err(refused) => {
                open.fail(floor, &refused.to_string());
                return played;
            }
        };
        hold(floor, patience, user.index, logins(&batch, left)).await;
        let player = Rc::clone(&open.player);
        let who = Who {
            player: &player,
            user: user.index,
            badge,
            patience,
        };
        let sent = Box::pin(send(floor, who, batch, left)).await;
        played.requests += sent.requests;
        played.turned_away |= sent.turned_away;
        outcomes = sent.outcomes;
        if let Some(asked) = asked {
            floor.record(asked, &outcomes);
        }
        // Also of one that is to leave: it hears of its last requests, of a token for instance, and is ended by what it does next.
        open.committed(faulty.iter().filter_map(|at| outcomes.get(*at)));
    }
}

/// Where in a batch the requests stand that are wrong on purpose.
fn faulty(requests: &[types::Request]) -> impl Iterator<Item = usize> {
    let numbered = requests.iter().enumerate();
    numbered.filter_map(|(at, request)| request.fault.map(|_| at))
}

/// Wait, and measure by how much the wait was overrun: the worker's scheduling lag.
pub(super) async fn think(floor: &Floor, delay: Duration) {
    let due = tokio::time::Instant::now() + delay;
    tokio::time::sleep_until(due).await;
    floor.recorder.borrow_mut().lag(due.elapsed());
}

/// Longer than a pause within a session, and growing with the plan's own delays: log-normal between 1 and 3 times
/// `delay_max`, so that a user's requests come in clusters.
fn between_sessions(floor: &Floor, user: User, ordinal: u32) -> Duration {
    let seed = identity::user_seed(&floor.plan, user.index);
    let times = log_normal(seed, Stream::Pause, u64::from(ordinal), 1.0, 3.0);
    floor.plan.load.delay_max.mul_f64(times)
}

/// A session under way. However its user leaves it, it is counted with one ending.
struct Open {
    floor: Rc<Floor>,
    archetype: u16,
    player: Rc<Player>,
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
    fn begin(floor: &Rc<Floor>, user: User, ordinal: u32) -> Result<Self, Duration> {
        let archetype = user.archetype;
        let room = floor.room(archetype);
        let setup = identity::journey(&floor.plan, user.index, ordinal, &room.config);
        let seed = identity::user_seed(&floor.plan, user.index);
        let drawn = unit(seed, Stream::Version, u64::from(ordinal));
        let player = room.players.draw(drawn);
        let begun = player.slot.borrow_mut().begin(&setup);
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

    fn next(
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
        if self.asked.is_none() {
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
    fn decided(&self, requests: &[types::Request], left: u32) {
        let labels = &self.player.labels;
        for request in requests.iter().take(left as usize) {
            self.floor.decided(labels.category(&request.category));
        }
    }

    /// The session goes on where another version has taken over, with its state; the step in hand is dropped.
    fn moves(&mut self, user: User, ordinal: u32) -> bool {
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
        let restored = successor
            .slot
            .borrow_mut()
            .restore(&setup, elapsed_ms, &state);
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
                floor.log(self.archetype, crate::behavior::Level::Warn, &message);
                false
            }
            Err(crash) => {
                floor.crashed(&successor, &crash);
                false
            }
        }
    }

    /// What came of the requests that were wrong on purpose.
    fn committed<'a>(&mut self, outcomes: impl Iterator<Item = &'a types::Outcome>) {
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
    fn fail(&mut self, floor: &Floor, message: &str) {
        self.ending = Ending::Failed;
        floor.log(self.archetype, crate::behavior::Level::Warn, message);
    }

    fn end(&mut self, ending: Ending) {
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

/// Counts a user as not finished, and tells the worker when it was the last.
/// Made before its task: one that is ended before it has run at all has no chance to count itself.
pub(super) struct Playing(Rc<Floor>);

impl Playing {
    pub(super) fn new(floor: &Rc<Floor>) -> Self {
        floor.playing.set(floor.playing.get() + 1);
        Self(Rc::clone(floor))
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
    floor: Rc<Floor>,
    archetype: u16,
}

impl Active {
    fn new(floor: Rc<Floor>, archetype: u16) -> Self {
        floor.recorder.borrow_mut().user_started(archetype);
        Self { floor, archetype }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.floor
            .recorder
            .borrow_mut()
            .user_finished(self.archetype);
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
