//! Swaps, and the versions of a behavior side by side, as metric families; part of [`super::families`]. Their number is
//! bounded by what the catalog remembers of an archetype.

use super::table::{
    SWAPS, VERSION_REQUEST_DURATION, VERSION_REQUESTS, VERSION_SESSIONS_ENDED, VERSION_SHARE,
    VERSION_TRAPS,
};
use super::{Page, Snapshot};
use crate::VersionCounts;
use vespeiro_model::{Ending, SwapResult};

/// What the versions that were forgotten are called, together.
const OLDER: &str = "older";

pub(super) fn tell<'a>(s: &'a Snapshot, page: &mut Page<'a>) {
    page.family(&VERSION_SHARE, |f| {
        for v in &s.catalog.versions {
            let archetype = s.catalog.archetype(v.archetype);
            f.number(&[archetype, &v.version, &v.hash], v.share);
        }
    });
    page.family(&VERSION_REQUESTS, |f| {
        for ([archetype, version, hash], counts) in each(s) {
            let group = counts.group();
            let mut told = |result, count| f.count(&[archetype, version, hash, result], count);
            told("good", group.successes() - group.injected());
            told("injected", group.injected());
            told("error", group.errors());
        }
    });
    page.family(&VERSION_REQUEST_DURATION, |f| {
        for (labels, counts) in each(s) {
            f.histogram(&labels, &counts.requests.latency);
        }
    });
    page.family(&VERSION_SESSIONS_ENDED, |f| {
        for ([archetype, version, hash], counts) in each(s) {
            for ending in Ending::ALL {
                let ended = counts.sessions.ended(ending).count();
                f.count(&[archetype, version, hash, ending.as_str()], ended);
            }
        }
    });
    page.family(&VERSION_TRAPS, |f| {
        for (labels, counts) in each(s) {
            f.count(&labels, counts.traps);
        }
    });
    page.family(&SWAPS, |f| {
        for (labels, counts) in s.catalog.archetypes.iter().zip(&s.swaps) {
            for (result, count) in SwapResult::ALL.iter().zip(counts) {
                f.count(&[&labels.name, result.as_str()], *count);
            }
        }
    });
}

/// Archetype, version and hash, and what was counted for them.
fn each(s: &Snapshot) -> impl Iterator<Item = ([&str; 3], &VersionCounts)> {
    s.versions.iter().map(|total| {
        let labels = s.catalog.version(total.role.version);
        let (version, hash) = labels.map_or((OLDER, "-"), |v| (&v.version, &v.hash));
        let archetype = s.catalog.archetype(total.role.archetype);
        ([archetype, version, hash], &*total.counts)
    })
}
