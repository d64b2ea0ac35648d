//! Lines of the log about the state of the whole run: what changed since the last snapshot and calls for an explanation.
//! Called by the orchestrator with each snapshot, so that a hundred workers say it once.

use std::time::Duration;

use vespeiro_metrics::{LimitKind, Snapshot};
use vespeiro_model::BreakerState;

/// Before this a run's own start weighs too much to call the generator the limit.
const SETTLED: Duration = Duration::from_secs(5);
/// A run that is slowed down by less than this is not worth a line.
const SLOW: f64 = 1.5;

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct StateLog {
    opened: u64,
    open: bool,
    slow: bool,
    pauses: u64,
    paused: bool,
    limits: [bool; 2],
}

impl StateLog {
    pub(super) fn log_changes(&mut self, snapshot: &Snapshot) {
        for line in self.changes(snapshot) {
            tracing::warn!("{line}");
        }
    }

    fn changes(&mut self, snapshot: &Snapshot) -> Vec<String> {
        let (stands, holds) = (&snapshot.worker_statuses, &snapshot.run.resilience);
        let mut lines = Vec::new();
        let workers = snapshot.workers;

        let opened = holds.transitions_to(BreakerState::Open);
        let closed = stands.breakers(BreakerState::Closed);
        let open = stands.breaker().is_some() && closed < workers;
        if opened > self.opened && !self.open {
            lines.push(format!(
                "the target fails: the circuit breaker opened on {} of {workers} workers; users wait, and a few requests will try whether it is back (--breaker off loads it all the same)",
                workers.saturating_sub(closed).max(1),
            ));
            self.open = true;
        }
        if self.open && !open {
            lines.push("the target is back: the circuit breaker is closed".into());
            self.open = false;
        }
        self.opened = opened;

        let pace = stands.pace();
        if pace >= SLOW && !self.slow {
            lines.push(format!(
                "the target turns many requests away with 429: the run goes {pace:.1} times slower (--backoff off does not)"
            ));
            self.slow = true;
        }
        if self.slow && pace <= 1.0 {
            lines.push(
                "the target turns few requests away: the run goes at its own pace again".into(),
            );
            self.slow = false;
        }

        let paused = stands.logins_paused();
        if holds.login_pauses > self.pauses && !self.paused {
            lines.push(format!(
                "logins are paused on {} of {workers} workers: {} were refused, as many as --max-auth-failures allows in a minute; check admin_email, VESPEIRO_ADMIN_PASSWORD and the users' own credentials",
                paused.max(1),
                holds.refused_logins,
            ));
            self.paused = true;
        }
        if self.paused && paused == 0 {
            lines.push("logins go out again".into());
            self.paused = false;
        }
        self.pauses = holds.login_pauses;

        for (gauge, told) in snapshot.generator_limits().iter().zip(&mut self.limits) {
            if gauge.is_over() && !*told && snapshot.now >= SETTLED {
                *told = true;
                lines.push(match gauge.kind {
                    LimitKind::Cpu => format!(
                        "the generator is the limit: it takes {:.0} % of its cores (bound: {:.0} %)",
                        gauge.value * 100.0,
                        gauge.bound * 100.0
                    ),
                    LimitKind::SchedulingLag => format!(
                        "the generator is late: p99 of its scheduling lag is {:.0} ms (bound: {:.0} ms)",
                        gauge.value * 1e3,
                        gauge.bound * 1e3
                    ),
                });
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vespeiro_metrics::testing::snapshot;
    use vespeiro_metrics::{WorkerStatus, WorkerStatuses};

    fn with(breaker: BreakerState, opened: u64) -> Snapshot {
        let mut snapshot = snapshot();
        let standing = WorkerStatus {
            breaker: Some(breaker),
            ..WorkerStatus::default()
        };
        snapshot.worker_statuses = WorkerStatuses(vec![standing; snapshot.workers]);
        std::sync::Arc::make_mut(&mut snapshot.run)
            .resilience
            .transitions[BreakerState::Open as usize] = opened;
        snapshot
    }

    #[test]
    fn an_outage_is_told_once_however_often_the_breaker_tries() {
        let mut state_log = StateLog::default();
        let mut said = Vec::new();
        for (state, opened) in [
            (BreakerState::Closed, 0),
            (BreakerState::Open, 2),
            (BreakerState::Open, 2),
            (BreakerState::HalfOpen, 2),
            (BreakerState::Open, 4),
            (BreakerState::Closed, 4),
            (BreakerState::Closed, 4),
        ] {
            said.extend(state_log.changes(&with(state, opened)));
        }
        let starts: Vec<&str> = said.iter().map(|l| l.split(':').next().unwrap()).collect();
        assert_eq!(starts, ["the target fails", "the target is back"]);
    }

    #[test]
    fn an_outage_between_two_looks_is_told_too() {
        let mut state_log = StateLog::default();
        assert_eq!(state_log.changes(&with(BreakerState::Closed, 1)).len(), 2);
        assert_eq!(state_log.changes(&with(BreakerState::Closed, 1)).len(), 0);
    }

    #[test]
    fn a_generator_at_its_limit_is_told_once() {
        let mut state_log = StateLog::default();
        let mut snapshot = with(BreakerState::Closed, 0);
        snapshot.cpu.cores = 1;
        let lines = state_log.changes(&snapshot);
        assert!(
            lines[0].starts_with("the generator is the limit"),
            "{lines:?}"
        );
        assert!(state_log.changes(&snapshot).is_empty());
    }
}
