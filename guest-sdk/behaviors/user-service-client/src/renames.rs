//! How often somebody has written their name in another way, over all their sessions: the oftener, the less reason there is
//! for another time. Sessions know nothing of each other, so it is remembered outside of them. Used by `account`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use vespeiro_guest::Me;

thread_local! {
    /// By user.
    static RENAMED: RefCell<BTreeMap<u32, u32>> = const { RefCell::new(BTreeMap::new()) };
}

/// Begins a life with a first session.
pub(crate) fn begin(me: &Me) {
    if me.ordinal() == 0 {
        RENAMED.with_borrow_mut(|renamed| renamed.remove(&me.user().index));
    }
}

/// As often as still counts: each session forgets one time, or a long run would end without any.
pub(crate) fn of_late(me: &Me) -> u32 {
    so_far(me).saturating_sub(me.ordinal())
}

/// So often so far.
pub(crate) fn so_far(me: &Me) -> u32 {
    RENAMED.with_borrow(|renamed| renamed.get(&me.user().index).copied().unwrap_or(0))
}

/// Once more.
pub(crate) fn note(me: &Me) {
    RENAMED.with_borrow_mut(|renamed| *renamed.entry(me.user().index).or_default() += 1);
}

/// How much reason there is for another time, after so many in this session and so many of late: around 1.0 at first, and
/// nearly none where nobody would do it once more. A little is left for a mix that has nothing else.
pub(crate) fn reason(in_session: u32, of_late: u32) -> f32 {
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
    use super::reason;

    #[test]
    fn the_oftener_the_less() {
        for in_session in 0..5 {
            for of_late in in_session..20 {
                let now = reason(in_session, of_late);
                assert!(now >= reason(in_session, of_late + 1));
                assert!(now >= reason(in_session + 1, of_late));
            }
        }
        assert!(reason(0, 9) < 0.05 && reason(3, 3) == 0.0);
    }
}
