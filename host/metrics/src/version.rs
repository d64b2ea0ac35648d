//! What is counted for one version of a behavior, beside the counts of its archetype: enough to compare two versions
//! side by side. Written by the recorder, read through [`super::Snapshot`]. Over an archetype's versions, requests and
//! sessions add up to those of the archetype.

use super::{Group, OLDER, Role, Scale, Series, Sessions, Timing};
use vespeiro_model::Ending;

/// Everything that is counted for one version.
#[derive(Debug, Clone)]
pub struct VersionCounts {
    pub requests: Series,
    pub sessions: Sessions,
    /// Time of each call into the behavior.
    pub guest_calls: Timing,
    pub instances_built: u64,
    pub traps: u64,
}

impl Default for VersionCounts {
    fn default() -> VersionCounts {
        VersionCounts {
            requests: Series::default(),
            sessions: Sessions::default(),
            guest_calls: Timing::new(Scale::Nanos),
            instances_built: 0,
            traps: 0,
        }
    }
}

impl VersionCounts {
    /// Its requests, over all routes.
    pub fn group(&self) -> Group {
        let mut group = Group::default();
        group.add(&self.requests);
        group
    }

    pub(super) fn merge(&mut self, other: &VersionCounts) {
        self.requests.merge(&other.requests);
        self.sessions.merge(&other.sessions);
        self.guest_calls.merge(&other.guest_calls);
        self.instances_built += other.instances_built;
        self.traps += other.traps;
    }

    fn reset(&mut self) {
        self.requests.reset();
        self.sessions.reset();
        self.guest_calls.reset();
        self.instances_built = 0;
        self.traps = 0;
    }

    fn is_empty(&self) -> bool {
        let ended = |ending: Ending| self.sessions.ended(ending).count();
        self.requests.requests() == 0
            && self.sessions.started == 0
            && Ending::ALL.into_iter().map(ended).sum::<u64>() == 0
            && self.guest_calls.is_empty()
            && self.instances_built + self.traps == 0
    }
}

/// The versions that one worker's interval has met: few, so that a search is quicker than a map.
#[derive(Debug, Default)]
pub(super) struct Versions(Vec<(Role, VersionCounts)>);

impl Versions {
    /// A version's counts; empty ones at first.
    pub(super) fn of(&mut self, role: Role) -> &mut VersionCounts {
        let at = self.0.iter().position(|(known, _)| *known == role);
        let at = at.unwrap_or_else(|| {
            self.0.push((role, VersionCounts::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Role, &VersionCounts)> {
        self.0.iter().map(|(role, counts)| (*role, counts))
    }

    /// Forget the values, keep the memory of those that are in use.
    pub(super) fn reset(&mut self) {
        self.0.retain_mut(|(_, counts)| {
            let used = !counts.is_empty();
            counts.reset();
            used
        });
    }
}

/// One version's part of a snapshot.
#[derive(Debug, Clone)]
pub struct VersionTotal {
    /// Its version is [`OLDER`] for all those together that the catalog has forgotten.
    pub role: Role,
    pub counts: std::sync::Arc<VersionCounts>,
}

impl VersionTotal {
    pub(super) fn new(role: Role) -> VersionTotal {
        VersionTotal {
            role,
            counts: std::sync::Arc::default(),
        }
    }

    /// Stands for those that the catalog has forgotten.
    pub fn is_older(&self) -> bool {
        self.role.version == OLDER
    }
}
