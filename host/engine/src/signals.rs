//! How a run is asked to end: by the terminal's or the system's signals, or by whoever holds a [`Stopper`].

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How urgently a run should end. Each further request raises it by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum StopLevel {
    #[default]
    None,
    /// No new requests; what is under way may finish.
    Graceful,
    /// End what is under way too; the report is still written.
    Halt,
}

/// Asks a run to end. Clones ask the same run.
#[derive(Debug, Clone)]
pub struct Stopper {
    level: watch::Sender<StopLevel>,
}

impl Default for Stopper {
    fn default() -> Self {
        Self::new()
    }
}

impl Stopper {
    /// For a run that nobody has asked to end yet.
    pub fn new() -> Self {
        Self {
            level: watch::Sender::new(StopLevel::None),
        }
    }

    /// Ask once more. `false` when the run was asked to halt before: there is nothing left to wait for.
    pub fn raise(&self) -> bool {
        self.level.send_if_modified(|level| {
            let next = match level {
                StopLevel::None => StopLevel::Graceful,
                _ => StopLevel::Halt,
            };
            std::mem::replace(level, next) != next
        })
    }

    /// Somebody has asked.
    pub fn is_stop_requested(&self) -> bool {
        *self.level.borrow() != StopLevel::None
    }

    /// Tells of every request to end, one that was made before included.
    pub(super) fn watch(&self) -> watch::Receiver<StopLevel> {
        let mut level = self.level.subscribe();
        if self.is_stop_requested() {
            level.mark_changed();
        }
        level
    }

    /// Ask once, if nobody has: a terminal that vanishes may say so twice, by itself and by its shell.
    fn hang_up(&self) {
        if !self.is_stop_requested() {
            self.raise();
        }
    }

    /// Wait until the run is asked to end.
    pub async fn stop_requested(&self) {
        let _ = self
            .watch()
            .wait_for(|level| *level != StopLevel::None)
            .await;
    }

    /// Wait until somebody asks once more; returns at once when there is nothing left to ask for.
    pub async fn raised(&self) {
        let mut level = self.level.subscribe();
        if *level.borrow_and_update() != StopLevel::Halt {
            // The sender is `self`: it cannot be gone.
            let _ = level.changed().await;
        }
    }

    /// Wait until the run is asked to end at once.
    pub(super) async fn halted(&self) {
        // The sender is `self`: it cannot be gone.
        let _ = self
            .watch()
            .wait_for(|level| *level == StopLevel::Halt)
            .await;
    }

    /// From now on, raise the level at each SIGINT and SIGTERM, and end the process at the third; a SIGHUP asks once, unless
    /// `nohup` has it ignored. Needs a runtime; what comes while it is busy is acted on at its next pause.
    pub fn on_signals(&self) -> std::io::Result<JoinHandle<()>> {
        // Taken here and not in the task: before that, a signal would end the process or be ignored.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = match is_ignored(SIGHUP) {
            true => None,
            false => Some(signal(SignalKind::hangup())?),
        };
        let stopper = self.clone();
        Ok(tokio::spawn(async move {
            loop {
                let number = tokio::select! {
                    _ = interrupt.recv() => 2,
                    _ = terminate.recv() => 15,
                    _ = next(&mut hangup) => {
                        stopper.hang_up();
                        continue;
                    }
                };
                if !stopper.raise() {
                    // What a shell reports for a process that the signal ended.
                    std::process::exit(128 + number);
                }
            }
        }))
    }
}

const SIGHUP: u32 = 1;

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether whoever started this process has a signal ignored.
fn is_ignored(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_request_has_nothing_left_to_raise() {
        let stopper = Stopper::new();
        assert!(stopper.raise());
        assert_eq!(*stopper.watch().borrow(), StopLevel::Graceful);
        assert!(stopper.raise());
        assert_eq!(*stopper.watch().borrow(), StopLevel::Halt);
        assert!(!stopper.raise());
    }

    #[test]
    fn a_terminal_that_vanishes_twice_asks_once() {
        let stopper = Stopper::new();
        stopper.hang_up();
        stopper.hang_up();
        assert_eq!(*stopper.watch().borrow(), StopLevel::Graceful);
    }

    #[test]
    fn who_watches_late_is_told_of_what_came_before() {
        let stopper = Stopper::new();
        assert!(!stopper.watch().has_changed().unwrap());
        stopper.raise();
        assert!(stopper.watch().has_changed().unwrap());
    }
}
