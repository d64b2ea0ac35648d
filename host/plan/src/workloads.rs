//! The load profiles that a plan plays side by side: the run's, for all archetypes that share it, and those that
//! archetypes have of their own. `run` plays them, `report` sums them up.
//!
//! What must stay true: every archetype plays in exactly one of them.

use std::time::Duration;

use super::{Plan, Profile};

/// One load profile and who plays by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    pub profile: Profile,
    /// When it ends by itself, if the run goes on longer.
    pub ends: Option<Duration>,
    /// Of the plan's archetypes; at least one.
    pub archetypes: Vec<u16>,
    /// It is the run's own, not that of one archetype.
    pub is_shared: bool,
}

impl Workload {
    /// When it is over: by itself, or with a run that lasts so long.
    pub fn is_over_at(&self, run: Option<Duration>) -> Option<Duration> {
        self.ends.into_iter().chain(run).min()
    }
}

impl Plan {
    /// The run's profile first, if anybody shares it, then the archetypes' own in their order.
    pub fn workloads(&self) -> Vec<Workload> {
        let mut shared = Workload {
            profile: self.load.profile.clone(),
            ends: self.load.profile.lasts(),
            archetypes: Vec::new(),
            is_shared: true,
        };
        let mut workloads = Vec::new();
        for (archetype, index) in self.archetypes.iter().zip(0..) {
            match &archetype.overrides.profile {
                None => shared.archetypes.push(index),
                Some(profile) => workloads.push(Workload {
                    profile: profile.clone(),
                    ends: archetype
                        .overrides
                        .duration
                        .into_iter()
                        .chain(profile.lasts())
                        .min(),
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

    /// Users to reckon with, of all profiles together.
    pub fn usual_users(&self) -> u32 {
        self.users_when(None)
    }

    /// The same when somebody has asked for so many users of the run's own profile.
    pub fn users_when(&self, asked: Option<u32>) -> u32 {
        let users = self.workloads().into_iter().map(|workload| match asked {
            Some(asked) if workload.is_shared => asked,
            _ => workload.profile.usual_users(),
        });
        users.fold(0, u32::saturating_add)
    }

    /// The load profile's name; `per-archetype` where there are several.
    pub fn profile_name(&self) -> &'static str {
        match self.workloads().as_slice() {
            [workload] => workload.profile.name(),
            _ => "per-archetype",
        }
    }

    /// The name of the load profile that an archetype has of its own.
    pub fn own_profile(&self, archetype: &str) -> Option<String> {
        let archetype = self.archetypes.iter().find(|a| a.name == archetype)?;
        Some(archetype.overrides.profile.as_ref()?.name().to_owned())
    }

    /// When the run ends at the latest: after `duration`, or when the last of its profiles ends by itself.
    pub(super) fn ends(&self, duration: Option<Duration>) -> Option<Duration> {
        let ends = self.workloads().into_iter().map(|workload| workload.ends);
        let last = ends.reduce(|a, b| Some(a?.max(b?))).flatten();
        duration.into_iter().chain(last).min()
    }
}
