//! What the tests of people share: the four archetypes, lives of users in a town, and what a request is to a person.

#![allow(dead_code)] // no test uses all of it
#![allow(clippy::unwrap_used, reason = "a helper may fail as its test does")]

use std::cell::RefCell;
use std::rc::Rc;

use user_service_client::routes;
use user_service_client::scripted::Town;
use vespeiro_guest::harness::{Harness, Played, Sent};
use vespeiro_guest::{Behavior, Method, Route};

pub const ARCHETYPES: [&Behavior; 4] = [
    &newcomer::BEHAVIOR,
    &active::BEHAVIOR,
    &admin::BEHAVIOR,
    &power::BEHAVIOR,
];

/// A town with some people in it: those who came before `index`.
pub fn town(index: u32) -> Rc<RefCell<Town>> {
    let town = Town::new();
    for before in 0..index {
        let played = Town::plays(&town, &newcomer::BEHAVIOR)
            .user(before)
            .seed(u64::from(before))
            .run();
        assert!(played.ending.is_ok(), "{:?}", played.ending);
    }
    town.borrow_mut().log.clear();
    town
}

/// The session of a user.
pub fn session(
    town: &Rc<RefCell<Town>>,
    behavior: &'static Behavior,
    index: u32,
    ordinal: u32,
) -> Harness {
    let seed = (u64::from(index) << 32) + u64::from(ordinal) * 7 + 1;
    Town::plays(town, behavior)
        .user(index)
        .ordinal(ordinal)
        .seed(seed)
}

/// The sessions of a user until the budget is spent, as the host plays them.
pub fn life(
    town: &Rc<RefCell<Town>>,
    behavior: &'static Behavior,
    index: u32,
    budget: u32,
) -> Vec<Played> {
    let mut sessions: Vec<Played> = Vec::new();
    let mut left = budget;
    while left > 0 {
        let ordinal = sessions.len() as u32;
        let played = session(town, behavior, index, ordinal).budget(left).run();
        assert!(
            !played.requests.is_empty(),
            "{} sends nothing with {left} left",
            behavior.name()
        );
        left -= played.requests.len() as u32;
        sessions.push(played);
    }
    sessions
}

pub fn is(request: &Sent, route: Route) -> bool {
    request.method == route.method && request.route == route.path
}

/// Something that is filled in and sent: registrations, logins, and whatever else has fields.
pub fn is_form(request: &Sent) -> bool {
    let writes = matches!(request.method, Method::Post | Method::Put);
    writes && request.body.is_some() && !is(request, routes::REFRESH)
}
