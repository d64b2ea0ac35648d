//! The versions of a behavior side by side: those that one worker has met, and one version's part of a snapshot.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::merge::Merge as _;
use super::{OLDER, Role, VersionCounts};

/// The versions that one worker's interval has met: few, so that a search is quicker than a map.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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

    pub(super) fn get(&self, role: Role) -> Option<&VersionCounts> {
        let mut known = self.0.iter().filter(|(known, _)| *known == role);
        known.next().map(|(_, counts)| counts)
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
    pub counts: Arc<VersionCounts>,
}

impl VersionTotal {
    pub(super) fn new(role: Role) -> VersionTotal {
        VersionTotal {
            role,
            counts: Arc::default(),
        }
    }

    /// Stands for those that the catalog has forgotten.
    pub fn is_older(&self) -> bool {
        self.role.version == OLDER
    }
}
