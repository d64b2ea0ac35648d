//! The one source of time. Handed down from the commands to whatever has to know when it is, so that tests decide it.
//!
//! What must stay true: this is the only file that reads the machine's clocks (`.clippy.toml` holds it), and what is handed a
//! clock reads no other.

// The one file that reads the machine's clocks.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, SystemTime};

pub use tokio::time::Instant;

/// Reads the time: monotonic for measuring and waiting, wall time for what people read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    /// The instant at which the wall showed this time; `None`: the machine's wall clock.
    anchor: Option<(Instant, SystemTime)>,
}

impl Clock {
    /// The machine's clocks. Under tokio's paused time the monotonic one stands still too.
    pub const fn system() -> Clock {
        Clock { anchor: None }
    }

    /// A clock whose wall shows this time now, and goes on with the monotonic one: for tests.
    pub fn starting_at(wall: SystemTime) -> Clock {
        Clock {
            anchor: Some((Instant::now(), wall)),
        }
    }

    /// For measuring and waiting.
    pub fn now(self) -> Instant {
        Instant::now()
    }

    /// How long ago an instant was.
    pub fn since(self, then: Instant) -> Duration {
        self.now().saturating_duration_since(then)
    }

    /// For what people read and for other programs.
    pub fn wall(self) -> SystemTime {
        match self.anchor {
            Some((began, wall)) => wall + self.since(began),
            None => SystemTime::now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_test_decides_what_time_it_is() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_741_091_600);
        let clock = Clock::starting_at(start);
        let before = clock.now();
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now() - before, Duration::from_secs(90));
        assert_eq!(clock.wall(), start + Duration::from_secs(90));
    }

    #[test]
    fn the_systems_wall_clock_is_the_machines() {
        let clock = Clock::system();
        let (a, b) = (clock.wall(), clock.wall());
        assert!(a > SystemTime::UNIX_EPOCH && b >= a);
        assert!(clock.now() <= clock.now());
    }
}
