//! Which password the virtual user has: the one it was given, or another one. Some change it now and then, back and forth
//! between the two, and the next login uses what was set last. A session knows nothing of the one before, so when a change
//! is due follows from the user's seed; only what went otherwise is remembered, outside of the sessions. Used by `account`.
//!
//! What must stay true: whoever does not know it any more, because the module was swapped for instance, has it after one
//! wrong login.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use fastrand::Rng;
use vespeiro_guest::Me;

/// Keeps this draw from being those of a session.
const PASSWORD: u64 = 0x70_61_73_73;

thread_local! {
    /// Users whose changes did not come about as they were due, an odd number of times.
    static ASTRAY: RefCell<BTreeSet<u32>> = const { RefCell::new(BTreeSet::new()) };
}

/// Whether the people of an archetype change their passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passwords {
    /// They keep what they were given.
    Kept,
    /// They change it now and then.
    Changed,
}

/// The password of this session's user.
#[derive(Debug)]
pub(crate) struct Password {
    index: u32,
    /// It is the other one.
    is_other: Cell<bool>,
    is_due: Cell<bool>,
    /// This session has changed it.
    is_changed: Cell<bool>,
}

impl Password {
    pub(crate) fn of(me: &Me, habit: Passwords) -> Password {
        let (index, ordinal) = (me.user().index, me.ordinal());
        let (changed, is_due) = match habit {
            Passwords::Kept => (0, false),
            Passwords::Changed => Schedule::of(me.user().seed).at(ordinal),
        };
        ASTRAY.with_borrow_mut(|astray| {
            if ordinal == 0 {
                astray.remove(&index);
            }
            let is_other = (changed % 2 == 1) != astray.contains(&index);
            if is_due {
                toggle(astray, index); // until it has come about
            }
            Password {
                index,
                is_other: Cell::new(is_other),
                is_due: Cell::new(is_due),
                is_changed: Cell::new(false),
            }
        })
    }

    /// What it is now, as far as anybody knows.
    pub(crate) fn text(&self, me: &Me) -> String {
        text(me, self.is_other.get())
    }

    /// What it would be after a change.
    pub(crate) fn next(&self, me: &Me) -> String {
        text(me, !self.is_other.get())
    }

    /// Whether it is to be changed in this session.
    pub(crate) fn is_due(&self) -> bool {
        self.is_due.get()
    }

    /// Whether this session has changed it.
    pub(crate) fn is_changed(&self) -> bool {
        self.is_changed.get()
    }

    /// It has been changed, as was due or out of turn.
    pub(crate) fn changed(&self) {
        self.is_other.set(!self.is_other.get());
        self.is_due.set(false);
        self.is_changed.set(true);
        ASTRAY.with_borrow_mut(|astray| toggle(astray, self.index));
    }

    /// It turns out to be the other one than was thought.
    pub(crate) fn corrected(&self) {
        self.is_other.set(!self.is_other.get());
        ASTRAY.with_borrow_mut(|astray| toggle(astray, self.index));
    }

    /// The account is new, with the password that the user was given.
    pub(crate) fn is_given(&self) {
        if self.is_other.get() {
            self.corrected();
        }
    }
}

fn text(me: &Me, is_other: bool) -> String {
    let given = me.user().password.as_str();
    if is_other {
        format!("New{given}")
    } else {
        given.into()
    }
}

fn toggle(astray: &mut BTreeSet<u32>, index: u32) {
    if !astray.remove(&index) {
        astray.insert(index);
    }
}

/// In which of their sessions somebody changes it: the `first`, and each `every`th after that.
struct Schedule {
    first: u32,
    every: u32,
}

impl Schedule {
    fn of(seed: u64) -> Schedule {
        let mut rng = Rng::with_seed(PASSWORD ^ seed);
        let every = rng.u32(4..=8);
        // Half of them think nothing of what they were given.
        let first = if rng.bool() { 0 } else { rng.u32(1..every) };
        Schedule { first, every }
    }

    /// How many changes were due before this session, and whether one is in it.
    fn at(&self, ordinal: u32) -> (u32, bool) {
        let Some(since) = ordinal.checked_sub(self.first) else {
            return (0, false);
        };
        (since.div_ceil(self.every), since.is_multiple_of(self.every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_as_they_are_due() {
        for seed in 0..200 {
            let schedule = Schedule::of(seed);
            let mut changes = 0;
            for ordinal in 0..60 {
                let (before, is_due) = schedule.at(ordinal);
                assert_eq!(before, changes, "seed {seed}, session {ordinal}");
                changes += u32::from(is_due);
            }
            assert!((7..=15).contains(&changes), "{changes}");
        }
    }
}
