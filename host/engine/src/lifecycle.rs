//! The life of a run as a state machine: it alone decides what the workers are told, what the next deadline is, and why the
//! run ends. Owned by the orchestrator, which tells it what has happened.
//!
//! What must stay true: it is a pure function of the signals and instants that it was told; the first reason to end stands,
//! and nothing prolongs the grace period once that has begun.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::clock::ProfileClock;
use crate::signals::StopLevel;

/// Where a run is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its workers are not told to play yet.
    Waiting,
    Running,
    /// No request leaves, and the load profile's time stands still.
    Paused,
    /// No new requests; what is under way may come to its end within the grace period.
    Draining,
    /// What is under way is ended too.
    Halting,
    Ended,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndReason {
    /// Every user spent its budget, or gave up.
    Finished,
    /// The plan's duration is over, or the last stage of its profile.
    Duration,
    /// It was asked to.
    Stopped,
    /// Its own guard stopped it; the snapshot's watch tells why.
    Aborted,
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The workers are there. Nobody plays if the run was asked to end before.
    Begin,
    Pause,
    Resume,
    /// Somebody asked for the end, for the first time or more urgently.
    Asked(StopLevel),
    /// The deadline that was given last has passed.
    Deadline,
    GuardTripped,
    /// Nobody plays any more, and nobody will come.
    Idle,
    /// What the run creates cannot be recorded any more.
    JournalBroke,
    /// All workers have ended.
    Finished,
}

/// What to tell the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Pause,
    Resume,
    Stop,
    Halt,
}

/// How long a run may last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LifecycleLimits {
    /// The plan's duration: goes on in a pause.
    pub(crate) duration: Option<Duration>,
    /// When the last stage of its load profiles ends, in the profile's time: stands still in a pause.
    pub(crate) profile: Option<Duration>,
    /// How long what is under way may take once the run is to end.
    pub(crate) grace: Duration,
}

#[derive(Debug)]
pub(crate) struct Lifecycle {
    phase: Phase,
    reason: Option<EndReason>,
    limits: LifecycleLimits,
    began: Instant,
    clock: ProfileClock,
    /// When what is under way is ended.
    halts: Option<Instant>,
}

impl Lifecycle {
    pub(crate) fn new(began: Instant, limits: LifecycleLimits) -> Self {
        Self {
            phase: Phase::Waiting,
            reason: None,
            limits,
            began,
            clock: ProfileClock::new(began),
            halts: None,
        }
    }

    pub(crate) fn clock(&self) -> &ProfileClock {
        &self.clock
    }

    /// Whether requests may leave.
    pub(crate) fn is_sending(&self) -> bool {
        matches!(self.phase, Phase::Waiting | Phase::Running)
    }

    /// Whether its figures are those of its plan: nothing has asked it to end.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Paused)
    }

    /// Whether something has asked it to end before its users had finished.
    pub(crate) fn is_stopping(&self) -> bool {
        matches!(self.phase, Phase::Draining | Phase::Halting)
            && self.reason != Some(EndReason::Finished)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    pub(crate) fn reason(&self) -> EndReason {
        self.reason.unwrap_or(EndReason::Finished)
    }

    /// When it wants to hear [`Signal::Deadline`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let duration = self.limits.duration.map(|duration| self.began + duration);
        match self.phase {
            Phase::Running => {
                let profile = self.limits.profile.map(|ends| self.clock.at(ends));
                duration.into_iter().chain(profile).min()
            }
            Phase::Paused => duration,
            Phase::Draining => self.halts,
            Phase::Waiting | Phase::Halting | Phase::Ended => None,
        }
    }

    /// Take in what has happened; tells what the workers have to hear of it.
    pub(crate) fn on(&mut self, now: Instant, signal: Signal) -> Option<Command> {
        match (self.phase, signal) {
            (Phase::Ended, _) => None,
            (_, Signal::Finished) => {
                self.phase = Phase::Ended;
                None
            }
            (Phase::Halting, _) => None,
            (_, Signal::Asked(StopLevel::Halt)) => {
                self.reason.get_or_insert(EndReason::Stopped);
                self.phase = Phase::Halting;
                Some(Command::Halt)
            }
            (Phase::Waiting, Signal::Begin) => {
                self.phase = Phase::Running;
                None
            }
            (Phase::Draining, Signal::Deadline) => {
                self.phase = Phase::Halting;
                Some(Command::Halt)
            }
            (Phase::Draining, _) => None,
            (Phase::Running, Signal::Pause) => {
                self.clock.pause(now);
                self.phase = Phase::Paused;
                Some(Command::Pause)
            }
            (Phase::Paused, Signal::Resume) => {
                self.clock.resume(now);
                self.phase = Phase::Running;
                Some(Command::Resume)
            }
            // What is under way is heard: the answer to a login holds the token that the cleanup logs out.
            (_, Signal::JournalBroke | Signal::Asked(StopLevel::Graceful)) => {
                self.drain(now, EndReason::Stopped)
            }
            (_, Signal::Deadline) => self.drain(now, EndReason::Duration),
            (_, Signal::GuardTripped) => self.drain(now, EndReason::Aborted),
            (_, Signal::Idle) => self.drain(now, EndReason::Finished),
            (
                _,
                Signal::Begin | Signal::Pause | Signal::Resume | Signal::Asked(StopLevel::None),
            ) => None,
        }
    }

    fn drain(&mut self, now: Instant, reason: EndReason) -> Option<Command> {
        self.reason = Some(reason);
        self.halts = Some(now + self.limits.grace);
        self.phase = Phase::Draining;
        Some(Command::Stop)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::time::sleep;

    use super::*;
    use crate::worker::thread::until;
    use vespeiro_model::Clock;

    const SECOND: Duration = Duration::from_secs(1);
    const GRACEFUL: Signal = Signal::Asked(StopLevel::Graceful);
    const HALT: Signal = Signal::Asked(StopLevel::Halt);

    fn limits(duration: Option<u32>, profile: Option<u32>) -> LifecycleLimits {
        LifecycleLimits {
            duration: duration.map(|seconds| SECOND * seconds),
            profile: profile.map(|seconds| SECOND * seconds),
            grace: 30 * SECOND,
        }
    }

    /// A run that has begun at `now`, in this phase.
    fn in_phase(phase: Phase, now: Instant) -> Lifecycle {
        let mut run = Lifecycle::new(now, limits(None, None));
        let signals: &[Signal] = match phase {
            Phase::Waiting => &[],
            Phase::Running => &[Signal::Begin],
            Phase::Paused => &[Signal::Begin, Signal::Pause],
            Phase::Draining => &[Signal::Begin, Signal::Idle],
            Phase::Halting => &[Signal::Begin, HALT],
            Phase::Ended => &[Signal::Finished],
        };
        for signal in signals {
            run.on(now, *signal);
        }
        assert_eq!(run.phase, phase);
        run
    }

    #[test]
    fn every_signal_in_every_phase() {
        use Phase::{Draining, Ended, Halting, Paused, Running, Waiting};
        let stop = Some(Command::Stop);
        let halt = Some(Command::Halt);
        let table = [
            (Waiting, Signal::Begin, Running, None),
            (Waiting, Signal::Pause, Waiting, None),
            (Waiting, GRACEFUL, Draining, stop),
            (Waiting, HALT, Halting, halt),
            (Running, Signal::Pause, Paused, Some(Command::Pause)),
            (Running, Signal::Resume, Running, None),
            (Running, GRACEFUL, Draining, stop),
            (Running, HALT, Halting, halt),
            (Running, Signal::Deadline, Draining, stop),
            (Running, Signal::GuardTripped, Draining, stop),
            (Running, Signal::Idle, Draining, stop),
            (Running, Signal::JournalBroke, Draining, stop),
            (Paused, Signal::Pause, Paused, None),
            (Paused, Signal::Resume, Running, Some(Command::Resume)),
            (Paused, GRACEFUL, Draining, stop),
            (Paused, Signal::Deadline, Draining, stop),
            (Paused, Signal::GuardTripped, Draining, stop),
            (Draining, GRACEFUL, Draining, None),
            (Draining, HALT, Halting, halt),
            (Draining, Signal::Deadline, Halting, halt),
            (Draining, Signal::Pause, Draining, None),
            (Draining, Signal::GuardTripped, Draining, None),
            (Draining, Signal::Idle, Draining, None),
            (Draining, Signal::JournalBroke, Draining, None),
            (Halting, HALT, Halting, None),
            (Halting, Signal::JournalBroke, Halting, None),
            (Halting, Signal::Deadline, Halting, None),
            (Halting, Signal::Finished, Ended, None),
            (Draining, Signal::Finished, Ended, None),
            (Ended, GRACEFUL, Ended, None),
            (Ended, Signal::Deadline, Ended, None),
        ];
        let now = Instant::now();
        for (phase, signal, next, command) in table {
            let mut run = in_phase(phase, now);
            assert_eq!(run.on(now, signal), command, "{phase:?} {signal:?}");
            assert_eq!(run.phase, next, "{phase:?} {signal:?}");
        }
    }

    #[test]
    fn the_first_reason_to_end_stands() {
        let now = Instant::now();
        for (signal, reason) in [
            (Signal::Deadline, EndReason::Duration),
            (Signal::GuardTripped, EndReason::Aborted),
            (Signal::Idle, EndReason::Finished),
            (GRACEFUL, EndReason::Stopped),
            (HALT, EndReason::Stopped),
        ] {
            let mut run = in_phase(Phase::Running, now);
            run.on(now, signal);
            run.on(now, GRACEFUL);
            run.on(now, HALT);
            assert_eq!(run.reason(), reason, "{signal:?}");
        }
    }

    #[test]
    fn a_signal_during_the_drain_does_not_begin_the_grace_period_anew() {
        let now = Instant::now();
        let mut run = Lifecycle::new(now, limits(Some(10), None));
        run.on(now, Signal::Begin);
        assert_eq!(run.deadline(), Some(now + 10 * SECOND));
        run.on(now + 10 * SECOND, Signal::Deadline);
        assert_eq!(run.deadline(), Some(now + 40 * SECOND));
        run.on(now + 35 * SECOND, GRACEFUL);
        assert_eq!(run.deadline(), Some(now + 40 * SECOND));
    }

    #[test]
    fn a_pause_moves_the_end_of_the_stages_and_not_that_of_the_duration() {
        let now = Instant::now();
        let mut run = Lifecycle::new(now, limits(Some(20), Some(8)));
        run.on(now, Signal::Begin);
        assert_eq!(run.deadline(), Some(now + 8 * SECOND));
        run.on(now + 2 * SECOND, Signal::Pause);
        assert_eq!(run.deadline(), Some(now + 20 * SECOND));
        run.on(now + 5 * SECOND, Signal::Resume);
        assert_eq!(run.deadline(), Some(now + 11 * SECOND));
        run.on(now + 6 * SECOND, Signal::Pause);
        run.on(now + 18 * SECOND, Signal::Resume);
        assert_eq!(run.deadline(), Some(now + 20 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_waits_for_its_deadlines_ends_when_it_should() {
        let clock = Clock::system();
        let began = clock.now();
        let mut run = Lifecycle::new(began, limits(None, Some(8)));
        run.on(clock.now(), Signal::Begin);
        sleep(2 * SECOND).await;
        run.on(clock.now(), Signal::Pause);
        sleep(3 * SECOND).await;
        run.on(clock.now(), Signal::Resume);
        until(run.deadline()).await;
        assert_eq!(clock.since(began), 11 * SECOND);
        assert_eq!(run.on(clock.now(), Signal::Deadline), Some(Command::Stop));
        // Somebody asks again during the drain, and the last of it is cut.
        sleep(10 * SECOND).await;
        run.on(clock.now(), GRACEFUL);
        until(run.deadline()).await;
        assert_eq!(clock.since(began), 41 * SECOND);
        assert_eq!(run.on(clock.now(), Signal::Deadline), Some(Command::Halt));
    }

    fn signal() -> impl Strategy<Value = Signal> {
        prop::sample::select(vec![
            Signal::Begin,
            Signal::Pause,
            Signal::Resume,
            GRACEFUL,
            HALT,
            Signal::Deadline,
            Signal::GuardTripped,
            Signal::Idle,
            Signal::JournalBroke,
        ])
    }

    proptest! {
        #[test]
        fn whatever_happens_it_ends_in_time(
            signals in prop::collection::vec((signal(), 0u32..9), 0..30),
        ) {
            let began = Instant::now();
            let mut now = began;
            let mut run = Lifecycle::new(now, limits(Some(100), None));
            let mut asked = None;
            for (signal, passed) in signals {
                now += SECOND * passed;
                // Deadlines come when they are due, and not otherwise.
                let due = run.deadline().is_some_and(|at| at <= now);
                if signal != Signal::Deadline || due {
                    run.on(now, signal);
                }
                if asked.is_none() && !matches!(run.phase, Phase::Waiting) && !run.is_live() {
                    asked = Some(now);
                }
                if let (Some(asked), Some(halts)) = (asked, run.deadline()) {
                    prop_assert!(halts <= asked + 30 * SECOND, "{run:?}");
                }
            }
        }
    }
}
