//! The handle to a run that goes on: hold its requests back, let them go, change the number of its users. The command
//! line hands one to [`super::execute`]; whoever holds a clone steers the same run. Ending it is the stopper's part.
//!
//! What must stay true: only the latest wish counts, so that a caller in a hurry fills no queue.

use tokio::sync::watch;

/// What a run is wished to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wish {
    /// No request leaves.
    pub paused: bool,
    /// So many users play, whatever the plan says; `None` while nobody has asked for a number.
    pub users: Option<u32>,
    /// How often a number was asked for: asking twice for the same one replaces those who have finished since.
    pub(super) turn: u64,
}

/// Steers a run. Clones steer the same run; without one it does what its plan says.
#[derive(Debug, Clone)]
pub struct Control {
    wish: watch::Sender<Wish>,
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl Control {
    /// For a run that nobody has steered yet.
    pub fn new() -> Self {
        Self {
            wish: watch::Sender::new(Wish::default()),
        }
    }

    /// Let no new request leave. What is in flight comes to its end; the clock and the plan's duration go on.
    pub fn pause(&self) {
        self.wish.send_modify(|wish| wish.paused = true);
    }

    /// Let the held requests go.
    pub fn resume(&self) {
        self.wish.send_modify(|wish| wish.paused = false);
    }

    /// Have so many users play from now on. New ones begin at once. The youngest go first: at once when they think,
    /// else with the end of their requests.
    pub fn users(&self, users: u32) {
        self.wish.send_modify(|wish| {
            wish.users = Some(users);
            wish.turn += 1;
        });
    }

    /// The latest wish.
    pub fn wish(&self) -> Wish {
        *self.wish.borrow()
    }

    /// Tells of every change, one that was made before included.
    pub(super) fn watch(&self) -> watch::Receiver<Wish> {
        let mut wish = self.wish.subscribe();
        if *wish.borrow() != Wish::default() {
            wish.mark_changed();
        }
        wish
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_wish_counts_and_the_same_number_again_is_a_new_one() {
        let control = Control::new();
        let other = control.clone();
        control.users(5);
        other.pause();
        let mut seen = control.watch();
        assert!(seen.has_changed().unwrap());
        let first = *seen.borrow_and_update();
        assert_eq!((first.paused, first.users), (true, Some(5)));
        other.users(5);
        control.resume();
        assert!(seen.has_changed().unwrap());
        let second = *seen.borrow_and_update();
        assert_eq!((second.paused, second.users), (false, Some(5)));
        assert!(second.turn > first.turn);
    }

    #[test]
    fn a_run_that_nobody_steers_is_told_nothing() {
        assert!(!Control::new().watch().has_changed().unwrap());
    }
}
