//! The settings of the load: how many users or arrivals over time, their budgets and pauses. Read by `settings.rs`.

use std::time::Duration;

use super::{A_MOMENT, ARRIVALS, LONGEST, LONGEST_PAUSE};
use crate::layers::Reader;
use crate::profile::{PROFILE_KINDS, ProfileSettings, rate, stages};
use crate::start_at::start_at;
use crate::units::DefaultUnit::{Milliseconds, Seconds};
use crate::value_types::{choice, count, duration};
use crate::{ArrivalPool, LoadSettings, Profile};

pub(super) fn read(r: &mut Reader<'_>) -> LoadSettings {
    let parts = ProfileSettings {
        name: r.read(
            "profile",
            "auto",
            choice("NAME", PROFILE_KINDS),
            "Load profile; auto: what rate, stage and requests make of it",
        ),
        users: r.read(
            "users",
            "100",
            count(1..=u32::MAX),
            "Virtual users, all at the same time",
        ),
        requests: r.read(
            "requests",
            "none",
            count(1..=u64::MAX).or_none(),
            "Send so many requests in all, whoever sends them",
        ),
        rate: r.read(
            "rate",
            "none",
            rate().or_none(),
            "Arrivals in a time, however slow the target is: 500/s, 90/m",
        ),
        stages: r.read(
            "stage",
            "none",
            stages(),
            "Go to so many users, or to such a rate, within this time; repeatable, one after the other",
        ),
        pool: ArrivalPool {
            users: 0,
            max_users: r.read(
                "max_users",
                "1000",
                count(1..=u32::MAX),
                "With a rate: most users that may be there to take arrivals",
            ),
            arrivals: r.read(
                "arrivals",
                "requests",
                choice("WHAT", ARRIVALS),
                "With a rate: what arrives, single requests or whole sessions",
            ),
            max_wait: r.read(
                "max_wait",
                "10s",
                duration(Seconds, Duration::ZERO..=LONGEST_PAUSE),
                "With a rate: longest that an arrival waits for a free user before it is dropped",
            ),
        },
    };
    let start_at = r.read(
        "start_at",
        "none",
        start_at().or_none(),
        "Begin at this moment, or so long from now, so that several generators begin together",
    );
    let profile = match parts.profile("") {
        Ok(profile) => profile,
        Err((key, bad)) => {
            r.refuse(key, bad);
            Profile::UserBudget { users: parts.users }
        }
    };
    LoadSettings {
        profile,
        pool: parts.pool,
        start_at,
        users: parts.users,
        min_request_count: r.read(
            "min_request_count",
            "10",
            count(1..=u32::MAX),
            "Fewest requests of a user",
        ),
        max_request_count: r.read(
            "max_request_count",
            "1000",
            count(1..=u32::MAX),
            "Most requests of a user",
        ),
        duration: r.read(
            "duration",
            "none",
            duration(Seconds, A_MOMENT..=LONGEST).or_none(),
            "End the run after this long; bare numbers are seconds",
        ),
        ramp_up: r.read(
            "ramp_up",
            "0s",
            duration(Seconds, Duration::ZERO..=LONGEST),
            "Spread the users' starts over this long; bare numbers are seconds",
        ),
        grace: r.read(
            "grace",
            "30s",
            duration(Seconds, Duration::ZERO..=LONGEST_PAUSE),
            "How long requests under way may take to finish when the run stops",
        ),
        delay_min: r.read(
            "delay_min",
            "100ms",
            duration(Milliseconds, Duration::ZERO..=LONGEST_PAUSE),
            "Shortest pause between two steps of a user; bare numbers are milliseconds",
        ),
        delay_max: r.read(
            "delay_max",
            "2s",
            duration(Milliseconds, Duration::ZERO..=LONGEST_PAUSE),
            "Longest pause between two steps of a user; bare numbers are milliseconds",
        ),
    }
}
