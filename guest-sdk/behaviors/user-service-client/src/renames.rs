//! How often somebody has written their name in another way, over all their sessions: the oftener, the less reason there is
//! for another time. Sessions know nothing of each other, so it is remembered outside of them. Used by `account`.
//!
//! What must stay true: nobody does so [`MOST`] times within [`SESSIONS`] sessions, but where the mix has nobody else for it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use vespeiro_guest::Me;

/// Sessions after which nobody remembers.
const SESSIONS: u32 = 24;
/// As often within so many sessions is too often.
const MOST: usize = 10;
/// So many points short of its share a mix is only where nobody sees to others' names.
const SHORT: f32 = 15.0;

thread_local! {
    /// By user.
    static RENAMED: RefCell<BTreeMap<u32, Renames>> = const { RefCell::new(BTreeMap::new()) };
}

#[derive(Debug, Default)]
struct Renames {
    times: u32,
    /// In which sessions the last ones were, one less than [`MOST`] at most.
    lately: Vec<u32>,
}

impl Renames {
    fn note(&mut self, session: u32) {
        self.times += 1;
        if self.lately.len() + 1 == MOST {
            self.lately.remove(0);
        }
        self.lately.push(session);
    }

    fn since(&self, session: u32) -> usize {
        self.lately.iter().filter(|at| **at >= session).count()
    }

    /// As [`reason`], in this session.
    fn reason(&self, session: u32, short: f32) -> f32 {
        let is_enough = self.since(session.saturating_sub(SESSIONS - 1)) + 1 >= MOST;
        if is_enough && short < SHORT {
            return 0.0;
        }
        // Each session forgets one time, or a long run would end without any.
        reason_after(self.since(session), self.times.saturating_sub(session))
    }
}

/// Begins a life with a first session.
pub(crate) fn begin(me: &Me) {
    if me.ordinal() == 0 {
        RENAMED.with_borrow_mut(|renamed| renamed.remove(&me.user().index));
    }
}

/// So often so far.
pub(crate) fn so_far(me: &Me) -> u32 {
    RENAMED.with_borrow(|renamed| renamed.get(&me.user().index).map_or(0, |of| of.times))
}

/// Once more.
pub(crate) fn note(me: &Me) {
    RENAMED.with_borrow_mut(|renamed| {
        let of = renamed.entry(me.user().index).or_default();
        of.note(me.ordinal());
    });
}

/// How much reason there is for another time: around 1.0 at first, nearly none where nobody would do it once more, but for a
/// mix that has nothing else, and 0.0 where it is enough for this session or for long.
pub(crate) fn reason(me: &Me) -> f32 {
    let short = me.wanted("user-mutation");
    RENAMED.with_borrow(|renamed| match renamed.get(&me.user().index) {
        Some(of) => of.reason(me.ordinal(), short),
        None => Renames::default().reason(0, short),
    })
}

fn reason_after(in_session: usize, of_late: u32) -> f32 {
    let today = match in_session {
        0 => 1.0,
        1 | 2 => 0.25,
        _ => 0.0,
    };
    let ever = match of_late {
        0..=2 => 2.0,
        3..=5 => 0.5,
        6 | 7 => 0.06,
        _ => 0.02,
    };
    today * ever
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oftener_the_less() {
        for in_session in 0..5 {
            for of_late in in_session as u32..20 {
                let now = reason_after(in_session, of_late);
                assert!(now >= reason_after(in_session, of_late + 1));
                assert!(now >= reason_after(in_session + 1, of_late));
            }
        }
        assert!(reason_after(3, 3) == 0.0);
    }

    /// In which sessions somebody does so who takes every chance.
    fn taken(short: f32) -> Vec<u32> {
        let mut renames = Renames::default();
        let mut sessions = Vec::new();
        for session in 0..100 {
            while renames.reason(session, short) > 0.0 {
                renames.note(session);
                sessions.push(session);
            }
        }
        sessions
    }

    #[test]
    fn nobody_does_so_ten_times_within_a_life_of_a_hundred_requests_and_a_long_life_has_more() {
        let sessions = taken(SHORT - 1.0);
        for first in 0..100 {
            let within = |session: &&u32| (first..first + SESSIONS).contains(*session);
            assert!(
                sessions.iter().filter(within).count() < MOST,
                "{sessions:?}"
            );
        }
        assert!(sessions.len() > 3 * MOST);
    }

    #[test]
    fn where_the_mix_has_nobody_else_there_is_a_chance_in_every_session() {
        let sessions = taken(SHORT);
        assert!((0..100).all(|session| sessions.contains(&session)));
    }
}
