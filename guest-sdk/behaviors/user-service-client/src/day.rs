//! How long somebody stays: in a first session, as long as its parts take; later for so many errands, but never for so few
//! that what is left of the user's requests is too little for another session. Journeys go by it.
//!
//! What must stay true: a session that can send anything beside its login and its logout does.

use vespeiro_guest::Me;

use crate::client::Client;
use crate::who::Who;

/// The fewest requests that make a session of their own: a login, two errands, a logout.
pub const SHORTEST: u32 = 4;

/// With so few requests in all, a login and a logout are as much of them as there should be of the kind.
const ENOUGH_AUTH: u32 = 12;

/// The errands of a session.
#[derive(Debug)]
pub struct Day {
    /// Errands so far, the one that is under way included.
    begun: u32,
    errands: u32,
    is_only: bool,
    asks_for_itself: bool,
}

impl Day {
    /// About so many errands; the more patient, the more.
    #[must_use]
    pub fn of(me: &Me, who: &Who, errands: std::ops::RangeInclusive<u32>) -> Day {
        let drawn = me.range(errands) as f32 * who.temper.patience();
        Day {
            begun: 0,
            errands: (drawn.round() as u32).max(2),
            is_only: false,
            asks_for_itself: true,
        }
    }

    /// As many errands as there are requests: that of somebody whose `budget` is too small for a whole first session.
    #[must_use]
    pub fn only(budget: u32) -> Day {
        Day {
            begun: 0,
            errands: u32::MAX,
            is_only: true,
            asks_for_itself: budget > ENOUGH_AUTH,
        }
    }

    /// No errand that is not needed to leave nothing over.
    #[must_use]
    pub fn over() -> Day {
        Day {
            begun: 1,
            errands: 0,
            is_only: false,
            asks_for_itself: true,
        }
    }

    /// Whether there is no other for this person.
    #[must_use]
    pub fn is_only(&self) -> bool {
        self.is_only
    }

    /// Whether there is room for requests about the session itself, beside the login and the logout.
    #[must_use]
    pub fn has_room_for_auth(&self) -> bool {
        self.asks_for_itself
    }

    /// Whether there has been an errand before this one: nobody comes to stay logged in alone.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.begun > 1
    }

    /// Whether another errand follows, and how many requests it may send when so many have to be left for the end.
    pub fn goes_on(&mut self, me: &Me, reserve: u32) -> Option<u32> {
        let left = me.requests_left();
        // A login that failed may have taken what was kept: better one thing and no logout than the other way round.
        let spare = match self.begun {
            0 => left.saturating_sub(reserve).max(left.min(1)),
            _ => left.saturating_sub(reserve),
        };
        if spare == 0 || (self.errands == 0 && spare >= SHORTEST) {
            return None;
        }
        self.begun = self.begun.saturating_add(1);
        self.errands = self.errands.saturating_sub(1);
        Some(spare)
    }
}

/// The parts of a first session, in their order. Whoever has too few requests left plays those that fit.
#[derive(Debug, Default)]
pub struct Parts {
    played: u32,
}

impl Parts {
    /// Whether there is room for the next part, which takes at least so many requests, and how many it may send when what
    /// follows takes at least `after`, the logout included.
    pub fn next(&mut self, client: Client<'_>, least: u32, after: u32) -> Option<u32> {
        let left = client.me().requests_left();
        // Better one thing and no logout than the other way round.
        let logout = u32::from(self.played > 0).min(after);
        if left < least + logout {
            return None;
        }
        self.played += 1;
        Some(client.spare(after).max(least))
    }
}
