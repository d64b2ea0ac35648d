//! Users and sessions as metric families; part of [`super::families`].

use super::table::{
    SESSION_DURATION, SESSIONS_ACTIVE, SESSIONS_ENDED, SESSIONS_STARTED, USERS_ACTIVE,
    USERS_PLANNED,
};
use super::{Page, RunInfo, Snapshot, named};
use vespeiro_model::Ending;

pub(super) fn tell<'a>(s: &'a Snapshot, about: &RunInfo, page: &mut Page<'a>) {
    page.single(&USERS_PLANNED, f64::from(about.users));
    page.family(&USERS_ACTIVE, |f| {
        for (archetype, counts) in named(s) {
            f.count(&[archetype], counts.users_active());
        }
    });
    page.family(&SESSIONS_ACTIVE, |f| {
        for (archetype, counts) in named(s) {
            let ended = Ending::ALL.map(|ending| counts.sessions.ended(ending).count());
            let ended = ended.iter().sum();
            f.count(&[archetype], counts.sessions.started.saturating_sub(ended));
        }
    });
    page.family(&SESSIONS_STARTED, |f| {
        for (archetype, counts) in named(s) {
            f.count(&[archetype], counts.sessions.started);
        }
    });
    page.family(&SESSIONS_ENDED, |f| {
        for (archetype, counts) in named(s) {
            for ending in Ending::ALL {
                let count = counts.sessions.ended(ending).count();
                f.count(&[archetype, ending.as_str()], count);
            }
        }
    });
    page.family(&SESSION_DURATION, |f| {
        for (archetype, counts) in named(s) {
            for ending in Ending::ALL {
                f.histogram(&[archetype, ending.as_str()], counts.sessions.ended(ending));
            }
        }
    });
}
