//! The load profiles that a plan plays side by side: the run's, for all archetypes that share it, and those that
//! archetypes have of their own. Made by `plan.rs`, played by the engine.
//!
//! What must stay true: every archetype plays in exactly one of them.

use std::time::Duration;

use crate::archetypes::Archetype;
use crate::profile::Profile;

/// One load profile and who plays by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    pub profile: Profile,
    /// When it ends by itself, if the run goes on longer.
    pub ends: Option<Duration>,
    /// Of the plan's archetypes; at least one.
    pub archetypes: Vec<u16>,
    /// It is the run's profile, not one archetype's.
    pub is_shared: bool,
}

impl Workload {
    /// When it is over: by itself, or with a run that lasts so long.
    pub fn is_over_at(&self, run: Option<Duration>) -> Option<Duration> {
        self.ends.into_iter().chain(run).min()
    }
}

/// The run's profile first, if anybody shares it, then the archetypes' own in their order.
pub(crate) fn workloads(profile: &Profile, archetypes: &[Archetype]) -> Vec<Workload> {
    let mut shared = Workload {
        profile: profile.clone(),
        ends: profile.lasts(),
        archetypes: Vec::new(),
        is_shared: true,
    };
    let mut workloads = Vec::new();
    for (archetype, index) in archetypes.iter().zip(0..) {
        let overrides = &archetype.overrides;
        match &overrides.profile {
            None => shared.archetypes.push(index),
            Some(profile) => workloads.push(Workload {
                profile: profile.clone(),
                ends: overrides.duration.into_iter().chain(profile.lasts()).min(),
                archetypes: vec![index],
                is_shared: false,
            }),
        }
    }
    if !shared.archetypes.is_empty() {
        workloads.insert(0, shared);
    }
    workloads
}
