//! What the load profile wants and what came of its arrivals, as metric families; part of [`super::families`].

use super::table::{
    ARCHETYPE_RATE_TARGET, ARCHETYPE_USERS_TARGET, ARRIVAL_RATE_TARGET, ARRIVALS, ARRIVALS_DROPPED,
    PAUSED, SERVICE_DURATION, USERS_TARGET,
};
use super::{Page, Snapshot};

pub(super) fn tell<'a>(s: &'a Snapshot, page: &mut Page<'a>) {
    page.single(&USERS_TARGET, f64::from(s.desired.users));
    page.family(&ARRIVAL_RATE_TARGET, |f| {
        s.desired.rate.iter().for_each(|rate| f.number(&[], *rate));
    });
    let name = |archetype: u16| s.catalog.archetype(archetype);
    page.family(&ARCHETYPE_USERS_TARGET, |f| {
        for own in &s.desired.archetypes {
            f.count(&[name(own.archetype)], u64::from(own.users));
        }
    });
    page.family(&ARCHETYPE_RATE_TARGET, |f| {
        for own in &s.desired.archetypes {
            own.rate
                .iter()
                .for_each(|rate| f.number(&[name(own.archetype)], *rate));
        }
    });
    page.single(&ARRIVALS, s.arrivals.due as f64);
    page.single(&ARRIVALS_DROPPED, s.arrivals.dropped as f64);
    page.family(&SERVICE_DURATION, |f| f.histogram(&[], &s.arrivals.service));
    page.single(&PAUSED, f64::from(u8::from(s.desired.paused)));
}
