//! What sessions tell their worker during a call: checks, observations, log lines, marks, feeds without a row; and the tape
//! of the one user whose replies are recorded.
//!
//! What must stay true: a mark is in the journal before the request leaves that creates the thing.

use std::time::Duration;

use super::state::WorkerState;
use crate::feeds::cursor::MAX_UNFED;
use crate::rehearsal::{Asked, Tape};
use crate::rollout::runtime::VersionRuntime;
use crate::witness::Seen;
use vespeiro_behavior::{GuestEvent, Level, NoRow, TOKEN, types};
use vespeiro_metrics::Span;

/// Lines that the guests of one archetype may log in a second, on each worker.
const LOG_LINES_PER_SECOND: u32 = 50;

impl WorkerState {
    /// Take what a session told the host during its last call.
    pub(crate) fn event(&self, archetype: u16, event: GuestEvent) {
        if let Some(witness) = &self.witness {
            witness.saw(Seen::Said(&event));
        }
        match event {
            GuestEvent::Check { name, passed } => {
                self.recorder.borrow_mut().check(archetype, &name, passed);
            }
            GuestEvent::Observe { metric, value } => {
                self.recorder
                    .borrow_mut()
                    .observe(archetype, &metric, value);
            }
            GuestEvent::Log { level, message } => self.log(archetype, level, &message),
            GuestEvent::Mark(thing) => self.claim(archetype, &thing),
            GuestEvent::Unmark(thing) if thing.starts_with(TOKEN) => {
                self.tokens.borrow_mut().unmark(&thing);
            }
            GuestEvent::Unmark(thing) => self.journal.borrow_mut().unmark(&thing),
            GuestEvent::NoRow { feed, why } => self.unfed(archetype, feed, why),
            // Its session measures it. A cleanup has none to measure.
            GuestEvent::Begin(_) | GuestEvent::End { .. } => {}
            // Counted with its session, should it end so.
            GuestEvent::Abandoned { .. } | GuestEvent::Share(_) => {}
        }
    }

    /// A transaction of a session has ended.
    pub(crate) fn transaction(&self, archetype: u16, name: &str, passed: bool, span: Span) {
        let mut recorder = self.recorder.borrow_mut();
        recorder.transaction(archetype, name, passed, span);
        drop(recorder);
        self.show_transaction(name, Some((passed, span)));
    }

    /// Show who looks on that a transaction begins or has ended.
    pub(crate) fn show_transaction(&self, name: &str, ended: Option<(bool, Span)>) {
        if let Some(witness) = &self.witness {
            witness.saw(Seen::Transaction { name, ended });
        }
    }

    /// A session got no row of a feed. Said once: first looked up here, so that workers seldom meet over it.
    fn unfed(&self, archetype: u16, feed: String, why: NoRow) {
        let mut said = self.unfed.borrow_mut();
        let key = (archetype, feed, why);
        if said.len() < MAX_UNFED && !said.contains(&key) {
            let (archetype, feed, why) = &key;
            let name = &self.plan.archetypes[usize::from(*archetype)].name;
            self.feeds.warn_once(name, feed, *why);
            said.insert(key);
        }
    }

    /// What of these requests to keep for the tape, if it is this user's.
    pub(crate) fn records(
        &self,
        user: u32,
        runtime: &VersionRuntime,
        requests: &[types::Request],
    ) -> Option<Vec<Asked>> {
        let output = &self.plan.output;
        let recorded = output.trace_record.is_some() && output.trace_user == user;
        recorded.then(|| {
            let slot = runtime.slot.borrow();
            let route = |request| slot.behavior().route_of(request);
            let each = requests.iter();
            each.map(|request| Asked::of(request, route(request)))
                .collect()
        })
    }

    /// Put the outcomes of requests onto the tape.
    pub(crate) fn record(&self, asked: Vec<Asked>, outcomes: &[types::Outcome]) {
        let mut tape = self.tape.borrow_mut();
        if tape.is_none()
            && let Some(path) = &self.plan.output.trace_record
        {
            *tape = Tape::create(path, &self.plan.secrets)
                .inspect_err(|error| tracing::warn!("{}: {error}", path.display()))
                .ok();
        }
        if let Some(tape) = &mut *tape {
            tape.keep(asked, outcomes);
        }
    }

    /// Put into the journal what requests are about to create, before they leave.
    pub(crate) fn mark_before_send<'a>(&self, things: impl Iterator<Item = &'a str>) {
        things.for_each(|thing| self.mark(thing));
        self.keep_journal();
    }

    /// A session says that something is there which is to be removed. Only the run's own name in it makes that believable:
    /// anybody's behavior could name an account that was there before, and have the administrator remove it.
    fn claim(&self, archetype: u16, thing: &str) {
        if thing.starts_with(TOKEN) || thing.contains(self.plan.run_id.as_str()) {
            self.mark(thing);
            return;
        }
        // Once: a flood of lines would leave no room for what else the behavior does wrong.
        let was_told = self.archetype_state(archetype).unkept_marks.replace(true);
        if !was_told && self.may_log(archetype) {
            let name = &self.plan.archetypes[usize::from(archetype)].name;
            let run = &self.plan.run_id;
            tracing::warn!(
                "archetype {name}: the mark {thing:?} is not kept: nothing shows that this run has made it: mark the request that creates it, or put the run's id, {run}, into its name; further ones are not told"
            );
        }
    }

    fn mark(&self, thing: &str) {
        match thing.starts_with(TOKEN) {
            true => self.tokens.borrow_mut().mark(thing),
            false => self.journal.borrow_mut().mark(thing),
        }
    }

    /// Write what sessions have marked and unmarked. Where that fails, no further request leaves.
    pub(crate) fn keep_journal(&self) {
        if self.journal.borrow_mut().flush().is_err() {
            self.stop();
        }
    }

    pub(crate) fn log(&self, archetype: u16, level: Level, message: &str) {
        // Who looks on has been told.
        if self.witness.is_some() || !self.may_log(archetype) {
            return;
        }
        let behavior = self.plan.archetypes[usize::from(archetype)].name.as_str();
        let message = &*self.plan.secrets.veil(message);
        // A guest's text goes to a terminal: quoted, so that it carries no control sequence. A field of its own, not the
        // event's message: that is ours, and put into the user's language.
        match level {
            Level::Debug => tracing::debug!(target: "guest", words = message, behavior),
            Level::Info => tracing::info!(target: "guest", words = message, behavior),
            Level::Warn => tracing::warn!(target: "guest", words = message, behavior),
            Level::Error => tracing::error!(target: "guest", words = message, behavior),
        }
    }

    /// A session asked for what it may not have.
    pub(crate) fn refused(&self, archetype: u16, why: &str) {
        if self.witness.is_some() || !self.may_log(archetype) {
            return;
        }
        let behavior = self.plan.archetypes[usize::from(archetype)].name.as_str();
        let why = self.plan.secrets.veil(why);
        let why = vespeiro_model::text::harmless(&why);
        tracing::warn!(target: "guest", behavior, "{why}");
    }

    pub(super) fn may_log(&self, archetype: u16) -> bool {
        let archetype_state = self.archetype_state(archetype);
        let (since, lines) = archetype_state.said.get();
        if self.clock.since(since) >= Duration::from_secs(1) {
            archetype_state.said.set((self.clock.now(), 1));
            let left_out = lines.saturating_sub(LOG_LINES_PER_SECOND);
            if left_out > 0 {
                let name = &self.plan.archetypes[usize::from(archetype)].name;
                tracing::warn!("archetype {name}: {left_out} more lines are left out");
            }
            return true;
        }
        archetype_state.said.set((since, lines.saturating_add(1)));
        lines < LOG_LINES_PER_SECOND
    }
}
