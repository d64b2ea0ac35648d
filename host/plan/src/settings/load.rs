//! The settings of the load: how many users or arrivals over time, their budgets and pauses. Read by `plan.rs`, and by
//! `overrides.rs` for what an archetype has of its own.

use std::time::Duration;

use crate::layers::Reader;
use crate::layers::section;
use crate::profile::{Profile, ProfileSettings};
use crate::start_at::{StartAt, start_at};
use crate::units::DefaultUnit::{Milliseconds, Seconds};
use crate::units::{LONGEST_PAUSE, LONGEST_RUN, MILLISECOND};
use crate::value_types::{count, duration};

section! {
    /// How much traffic, and how it is spread.
    #[derive(Debug, Clone)]
    pub struct LoadSettings(r, profile: Profile, users: u32) {
        /// How many users, or how much arrives, over time: played by all archetypes that have no profile of their own.
        profile: Profile = { profile };
        /// The plan's plain number of users; who plays when is up to the profile.
        users: u32 = { users };
        /// When to begin; at once where nothing is said.
        start_at: Option<StartAt> = ("start_at", "none", start_at().or_none(),
            "Begin at this moment, or this long from now, so that several generators begin together");
        /// Each user's request budget is drawn from `min_request_count..=max_request_count`.
        min_request_count: u32 = ("min_request_count", "10", count(1..=u32::MAX), "Fewest requests of a user");
        max_request_count: u32 = ("max_request_count", "1000", count(1..=u32::MAX), "Most requests of a user");
        /// End the run after this long even if budgets are left. Where all that is played ends by stages, that is the end
        /// of the last one, or earlier.
        duration: Option<Duration> = ("duration", "none", duration(Seconds, MILLISECOND..=LONGEST_RUN).or_none(),
            "End the run after this long; bare numbers are seconds");
        /// The duration as it was given, whatever the profiles end by themselves. It goes on while the run is paused.
        limit: Option<Duration> = { None };
        /// Spread the users' starts evenly over this long.
        ramp_up: Duration = ("ramp_up", "0s", duration(Seconds, Duration::ZERO..=LONGEST_RUN),
            "Spread the users' starts over this long; bare numbers are seconds");
        /// How long requests under way may take to finish once the run is stopping.
        grace: Duration = ("grace", "30s", duration(Seconds, Duration::ZERO..=LONGEST_PAUSE),
            "How long requests under way may take to finish when the run stops");
        /// Bounds of a human pause, both included.
        delay_min: Duration = ("delay_min", "100ms", duration(Milliseconds, Duration::ZERO..=LONGEST_PAUSE),
            "Shortest pause between two steps of a user; bare numbers are milliseconds");
        delay_max: Duration = ("delay_max", "2s", duration(Milliseconds, Duration::ZERO..=LONGEST_PAUSE),
            "Longest pause between two steps of a user; bare numbers are milliseconds");
    }
}

/// Reads them all; settings of the profile that do not go together are refused.
pub(crate) fn load(r: &mut Reader<'_>) -> LoadSettings {
    let parts = ProfileSettings::read(r);
    let profile = parts.profile("").unwrap_or_else(|(key, error)| {
        r.refuse(key, error);
        Profile::UserBudget { users: parts.users }
    });
    LoadSettings::read(r, profile, parts.users)
}
