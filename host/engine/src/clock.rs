//! The clock of a run's load profiles: it starts with the run and stands still while the run is paused, so that nothing
//! is due in a pause and nobody seems late after it. One per worker; pure but for the instants that it is handed.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

/// Time of a profile against time of the machine.
#[derive(Debug)]
pub(crate) struct ProfileClock {
    began: Instant,
    /// Length of all pauses that are over.
    paused: Cell<Duration>,
    /// Begin of a pause that goes on.
    since: Cell<Option<Instant>>,
}

impl ProfileClock {
    pub(crate) fn new(began: Instant) -> Self {
        Self {
            began,
            paused: Cell::new(Duration::ZERO),
            since: Cell::new(None),
        }
    }

    /// Time of the profile at an instant.
    pub(crate) fn time(&self, now: Instant) -> Duration {
        let now = self.since.get().unwrap_or(now);
        now.saturating_duration_since(self.began)
            .saturating_sub(self.paused.get())
    }

    /// When it is, or was, so late in the profile, as far as is known by now.
    pub(crate) fn at(&self, time: Duration) -> Instant {
        self.began + self.paused.get() + time
    }

    pub(crate) fn pause(&self, now: Instant) {
        self.since.set(Some(self.since.get().unwrap_or(now)));
    }

    pub(crate) fn resume(&self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.paused.set(self.paused.get() + (now - since));
        }
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.since.get().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_in_a_pause_and_nobody_is_late_after_it() {
        const SECOND: Duration = Duration::from_secs(1);
        let began = Instant::now();
        let clock = ProfileClock::new(began);
        clock.pause(began + 2 * SECOND);
        clock.pause(began + 3 * SECOND);
        assert!(clock.is_paused());
        assert_eq!(clock.time(began + 9 * SECOND), 2 * SECOND);
        clock.resume(began + 10 * SECOND);
        clock.resume(began + 11 * SECOND);
        assert_eq!(clock.time(began + 11 * SECOND), 3 * SECOND);
        assert_eq!(clock.at(3 * SECOND), began + 11 * SECOND);
        assert_eq!(clock.time(began - SECOND), Duration::ZERO);
    }
}
