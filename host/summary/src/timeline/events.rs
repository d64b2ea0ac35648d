//! What happened when: found by comparing each snapshot with the one before it. Called by `timeline.rs`.

use std::time::Duration;

use super::EVENTS;
use crate::json::Event;
use vespeiro_metrics::Snapshot;
use vespeiro_model::{AbortReason, BreakerState, EventKind, LimitKind, SwapResult};

/// Before this a run's own start weighs too much to call the generator the limit.
const SETTLED: Duration = Duration::from_secs(5);

/// What was seen last, and the events so far.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    events: Vec<Event>,
    lost: u64,
    swaps: Vec<[u64; SwapResult::ALL.len()]>,
    opened: u64,
    open: bool,
    login_pauses: u64,
    logins_paused: bool,
    paused: bool,
    limits: [bool; 2],
    stopping: bool,
    aborted: bool,
}

impl Watcher {
    pub(super) fn finish(self) -> (Vec<Event>, u64) {
        (self.events, self.lost)
    }

    pub(super) fn watch(&mut self, snapshot: &Snapshot) {
        let at = snapshot.now.as_secs_f64();
        self.swaps(snapshot);
        self.resilience(snapshot);
        if self.paused != snapshot.desired.paused {
            self.paused = snapshot.desired.paused;
            self.plain(
                at,
                [EventKind::Resumed, EventKind::Paused][usize::from(self.paused)],
            );
        }
        for (which, gauge) in snapshot.generator_limits().iter().enumerate() {
            if gauge.is_over() && !self.limits[which] && snapshot.now >= SETTLED {
                self.limits[which] = true;
                self.plain(
                    at,
                    match gauge.kind {
                        LimitKind::Cpu => EventKind::GeneratorLimit,
                        LimitKind::SchedulingLag => EventKind::GeneratorLate,
                    },
                );
            }
        }
        if let Some(alarm) = &snapshot.guard.abort
            && !self.aborted
        {
            self.aborted = true;
            let cause = match alarm.reason {
                AbortReason::AbortOn => "abort-on ",
                AbortReason::Degradation | AbortReason::Threshold => "",
            };
            self.push(Event {
                at: alarm.at.as_secs_f64(),
                kind: EventKind::Aborted,
                archetype: None,
                detail: Some(format!("{cause}{}", alarm.condition)),
            });
        }
        if snapshot.stopping && !self.stopping {
            self.stopping = true;
            self.plain(at, EventKind::Stopping);
        }
    }

    fn swaps(&mut self, snapshot: &Snapshot) {
        self.swaps.resize(snapshot.swaps.len(), Default::default());
        for (archetype, now) in snapshot.swaps.iter().enumerate() {
            let before = std::mem::replace(&mut self.swaps[archetype], *now);
            for result in SwapResult::ALL {
                if now[result as usize] <= before[result as usize] {
                    continue;
                }
                let kind = match result {
                    SwapResult::Published => EventKind::Swapped,
                    SwapResult::Refused => EventKind::SwapRefused,
                    SwapResult::RolledBack => EventKind::SwapRolledBack,
                };
                let published = || {
                    let own = |v: &&vespeiro_metrics::VersionLabels| {
                        usize::from(v.archetype) == archetype
                    };
                    let newest = snapshot
                        .catalog
                        .versions
                        .iter()
                        .filter(own)
                        .max_by_key(|v| v.number)?;
                    Some(match newest.share {
                        share if share < 1.0 => {
                            format!("{} ({:.0} %)", newest.short(), share * 100.0)
                        }
                        _ => newest.short(),
                    })
                };
                self.push(Event {
                    at: snapshot.now.as_secs_f64(),
                    kind,
                    archetype: Some(snapshot.catalog.archetype(archetype as u16).into()),
                    detail: (result == SwapResult::Published).then(published).flatten(),
                });
            }
        }
    }

    /// Breakers and pauses of logins: one event for the whole run, not one for each worker.
    fn resilience(&mut self, snapshot: &Snapshot) {
        let at = snapshot.now.as_secs_f64();
        let (stands, holds) = (&snapshot.worker_statuses, &snapshot.run.resilience);
        let opened = holds.transitions_to(BreakerState::Open);
        let open =
            stands.breaker().is_some() && stands.breakers(BreakerState::Closed) < snapshot.workers;
        if opened > self.opened && !self.open {
            self.open = true;
            self.plain(at, EventKind::BreakerOpened);
        }
        if self.open && !open {
            self.open = false;
            self.plain(at, EventKind::BreakerClosed);
        }
        self.opened = opened;
        let paused = stands.logins_paused() > 0;
        if holds.login_pauses > self.login_pauses && !self.logins_paused {
            self.logins_paused = true;
            self.plain(at, EventKind::LoginsPaused);
        }
        if self.logins_paused && !paused {
            self.logins_paused = false;
            self.plain(at, EventKind::LoginsResumed);
        }
        self.login_pauses = holds.login_pauses;
    }

    fn plain(&mut self, at: f64, kind: EventKind) {
        self.push(Event {
            at,
            kind,
            archetype: None,
            detail: None,
        });
    }

    fn push(&mut self, event: Event) {
        match self.events.len() < EVENTS {
            true => self.events.push(event),
            false => self.lost += 1,
        }
    }
}
