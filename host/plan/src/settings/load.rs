//! The settings of the load: how many users or arrivals over time, their budgets and pauses. Read by `plan.rs`, and by
//! `overrides.rs` for what an archetype has of its own.

use std::time::Duration;

use crate::layers::{Fallback, Reader, section};
use crate::profile::{Profile, ProfileSettings};
use crate::start_at::{StartAt, start_at};
use crate::units::DefaultUnit::{Milliseconds, Seconds};
use crate::units::{LONGEST_PAUSE, LONGEST_RUN, MILLISECOND, show_duration};
use crate::value_types::{count, duration};
use crate::ways::{BehaviorConfig, behavior_config, form_delay};

/// Longest ramp-up that nobody has asked for, in time and in requests of a user.
const USUAL_RAMP_UP: Duration = Duration::from_secs(60);
const USUAL_REQUESTS: f64 = 100.0;

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
        /// How long requests under way may take to finish once the run is stopping.
        grace: Duration = ("grace", "30s", duration(Seconds, Duration::ZERO..=LONGEST_PAUSE),
            "How long requests under way may take to finish when the run stops");
        /// Bounds of a human pause, both included.
        delay_min: Duration = ("delay_min", "100ms", duration(Milliseconds, Duration::ZERO..=LONGEST_PAUSE),
            "Shortest pause between two steps of a user; bare numbers are milliseconds");
        delay_max: Duration = ("delay_max", "2s", duration(Milliseconds, Duration::ZERO..=LONGEST_PAUSE),
            "Longest pause between two steps of a user; bare numbers are milliseconds");
        /// Factor of the pause before a form.
        form_delay: f64 = ("form_delay", "2", form_delay(),
            "Pauses before forms last up to this many times delay_max, 1 to 100");
        /// How much users differ.
        behavior_config: BehaviorConfig = ("behavior_config", "pace=0.5,taste=0.3,patience=0.3", behavior_config(),
            "How much users differ in pace, taste and patience: deviations of what is drawn for each, 0 to 1");
        /// Spread the users' starts evenly over this long. Read last: what suits them follows from the others.
        ramp_up: Duration = { Duration::ZERO };
    }
}

/// Reads them all; settings of the profile that do not go together are refused.
pub(crate) fn load(r: &mut Reader<'_>) -> LoadSettings {
    let parts = ProfileSettings::read(r);
    let profile = parts.profile("").unwrap_or_else(|(key, error)| {
        r.refuse(key, error);
        Profile::UserBudget { users: parts.users }
    });
    let mut load = LoadSettings::read(r, profile, parts.users);
    let suits = Fallback::Made {
        text: show_duration(suiting_ramp_up(&load)),
        from: "as long as users take for 100 requests, or all of theirs; at most 60s",
    };
    load.ramp_up = r.read(
        "ramp_up",
        suits,
        duration(Seconds, Duration::ZERO..=LONGEST_RUN),
        "Spread the users' starts over this long; bare numbers are seconds",
    );
    load
}

/// The time in which somebody with a middling budget sends it at the usual pause, or 100 requests of it, so that people are at
/// different points of their lives: at most a minute, and a tenth of the run. To 100 ms.
fn suiting_ramp_up(load: &LoadSettings) -> Duration {
    let requests = match &load.profile {
        Profile::SharedTotal { users, requests } => *requests as f64 / f64::from(*users),
        _ => f64::midpoint(
            f64::from(load.min_request_count),
            f64::from(load.max_request_count),
        ),
    };
    // The median of a log-normal pause; without any there is none.
    let [least, most] = [load.delay_min, load.delay_max].map(|delay| delay.as_millis() as f64);
    let pause = match most {
        0.0 => 0.0,
        most => (least.max(1.0) * most).sqrt(),
    };
    let most = load.duration.map_or(USUAL_RAMP_UP, |run| run / 10);
    let most = most.min(USUAL_RAMP_UP).as_millis() as f64;
    let millis = (requests.min(USUAL_REQUESTS) * pause).min(most);
    Duration::from_millis((millis / 100.0) as u64 * 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Origin;
    use crate::layers::Layer;

    fn ramp_up(settings: &[(&str, &str)]) -> Duration {
        let mut layer = Layer::default();
        for (key, text) in settings {
            layer.set(key, *text, Origin::Default(""));
        }
        let layers = [layer];
        let mut reader = Reader::new(&layers);
        load(&mut reader).ramp_up
    }

    #[test]
    fn users_come_within_the_time_of_their_requests_a_hundred_at_most() {
        // 100 of 505 requests at 447 ms each.
        assert_eq!(ramp_up(&[]), Duration::from_millis(44_700));
        assert_eq!(
            ramp_up(&[("delay_min", "2s"), ("delay_max", "5s")]),
            Duration::from_secs(60)
        );
        assert_eq!(ramp_up(&[("duration", "20s")]), Duration::from_secs(2));
        // 27.5 requests.
        let development = [("min_request_count", "5"), ("max_request_count", "50")];
        assert_eq!(ramp_up(&development), Duration::from_millis(12_200));
        // 20 requests of each.
        let total = [("requests", "2000")];
        assert_eq!(ramp_up(&total), Duration::from_millis(8_900));
        assert_eq!(
            ramp_up(&[("delay_min", "0"), ("delay_max", "0")]),
            Duration::ZERO
        );
        assert_eq!(ramp_up(&[("ramp_up", "7s")]), Duration::from_secs(7));
    }
}
