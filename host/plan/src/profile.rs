//! Load profiles: how many users play, or how much arrives, at each moment of a run. Resolved from the settings by
//! `settings/load.rs` and `overrides.rs`; the engine plays by them, the summary names them.
//!
//! What must stay true: a profile is a pure function of time, and settings that do not go together are refused.

use std::time::Duration;

use vespeiro_model::words;

use crate::curve::{Curve, Stage};
use crate::errors::ValueError;
use crate::layers::section;
use crate::units::{DefaultUnit, LONGEST_PAUSE, LONGEST_RUN, parse_duration};
use crate::value_types::{SettingKind, ValueType, choice, count, duration};

/// Most arrivals per second.
const MAX_RATE: f64 = 1_000_000.0;
/// Most stages of a profile.
pub(crate) const MAX_STAGES: usize = 100;

/// The load profiles by the names that people know them by.
#[derive(Debug, Clone, PartialEq)]
pub enum Profile {
    /// So many users, until each has spent a budget of its own.
    UserBudget { users: u32 },
    /// So many users, until they have sent so many requests together.
    SharedTotal { users: u32, requests: u64 },
    /// Always so many users: whoever has spent its budget is replaced.
    ConstantUsers { users: u32 },
    /// The same, until the last of the first users has spent its own.
    SteadyUsers { users: u32 },
    /// The same, with a number that follows stages.
    RampingUsers { users: Curve },
    /// So many arrivals per second, however slow the target is: the open model.
    Rate { rate: Curve, pool: ArrivalPool },
}

section! {
    /// Who takes the arrivals of a rate.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ArrivalPool(r, users: u32) {
        /// Users that are there from the start.
        users: u32 = { users };
        /// Users that may be there when the others are busy.
        max_users: u32 = ("max_users", "1000", count(1..=u32::MAX), "With a rate: most users that may be there to take arrivals");
        arrivals: ArrivalKind = ("arrivals", "requests", choice("WHAT"), "With a rate: what arrives, single requests or whole sessions");
        /// Longest that an arrival waits for a free user, before it is dropped.
        max_wait: Duration = ("max_wait", "10s", duration(DefaultUnit::Seconds, Duration::ZERO..=LONGEST_PAUSE),
            "With a rate: longest that an arrival waits for a free user before it is dropped");
    }
}

words! {
    /// What arrives.
    pub enum ArrivalKind {
        /// Single requests: the rate is the pace, and users do not think.
        Requests => "requests",
        /// People, each of whom plays a session at a person's pace.
        Sessions => "sessions",
    }
}

impl Profile {
    /// The profile's name: what `profile` takes.
    pub fn name(&self) -> &'static str {
        self.kind().as_str()
    }

    fn kind(&self) -> ProfileKind {
        match self {
            Profile::UserBudget { .. } => ProfileKind::UserBudget,
            Profile::SharedTotal { .. } => ProfileKind::SharedTotal,
            Profile::ConstantUsers { .. } => ProfileKind::ConstantUsers,
            Profile::SteadyUsers { .. } => ProfileKind::SteadyUsers,
            Profile::RampingUsers { .. } => ProfileKind::RampingUsers,
            Profile::Rate { rate, .. } if rate.is_constant() => ProfileKind::ConstantRate,
            Profile::Rate { .. } => ProfileKind::RampingRate,
        }
    }

    /// Users that are to play so long after the start; of a rate, those that are there at least.
    pub fn users_at(&self, time: Duration) -> u32 {
        match self {
            Profile::UserBudget { users }
            | Profile::SharedTotal { users, .. }
            | Profile::ConstantUsers { users }
            | Profile::SteadyUsers { users } => *users,
            Profile::RampingUsers { users } => users.at(time).round() as u32,
            Profile::Rate { pool, .. } => pool.users,
        }
    }

    /// Arrivals per second so long after the start; `None` where users decide.
    pub fn rate_at(&self, time: Duration) -> Option<f64> {
        match self {
            Profile::Rate { rate, .. } => Some(rate.at(time)),
            _ => None,
        }
    }

    /// Most users that there are at a time, as far as the profile decides.
    pub fn most_users(&self) -> u32 {
        match self {
            Profile::Rate { pool, .. } => pool.max_users.max(pool.users),
            _ => self.usual_users(),
        }
    }

    /// Users to reckon with: those that play most of the time.
    pub fn usual_users(&self) -> u32 {
        match self {
            Profile::RampingUsers { users } => users.most().round() as u32,
            _ => self.users_at(Duration::ZERO),
        }
    }

    /// Whether somebody new comes for whoever has spent its budget.
    pub fn replaces(&self) -> bool {
        !matches!(
            self,
            Profile::UserBudget { .. } | Profile::SharedTotal { .. }
        )
    }

    /// Whether the run waits until the user with this number has spent its budget.
    pub fn awaits(&self, number: u32) -> bool {
        match self {
            Profile::SteadyUsers { users } => number < *users,
            _ => true,
        }
    }

    /// When its last stage ends; `None` where there are none.
    pub fn lasts(&self) -> Option<Duration> {
        let curve = self.curve().filter(|curve| !curve.is_constant())?;
        Some(curve.lasts())
    }

    /// The stages that it follows; none where it has none.
    pub fn stages(&self) -> &[Stage] {
        self.curve().map_or(&[], Curve::stages)
    }

    /// The stage, from 1, that plays so long after the start.
    pub fn stage_at(&self, time: Duration) -> Option<usize> {
        self.curve()?.stage_at(time)
    }

    fn curve(&self) -> Option<&Curve> {
        match self {
            Profile::RampingUsers { users: curve } | Profile::Rate { rate: curve, .. } => {
                Some(curve)
            }
            _ => None,
        }
    }
}

section! {
    /// What the settings say of a profile.
    #[derive(Debug, Clone)]
    pub struct ProfileSettings(r) {
        kind: ProfileKind = ("profile", "auto", choice("NAME"), "Load profile; auto: the one that rate, stage and requests imply");
        users: u32 = ("users", "100", count(1..=u32::MAX), "Virtual users, all at the same time");
        requests: Option<u64> = ("requests", "none", count(1..=u64::MAX).or_none(),
            "Send so many requests in all, whoever sends them");
        rate: Option<f64> = ("rate", "none", rate().or_none(), "Arrivals in a time, however slow the target is: 500/s, 90/m");
        stages: Vec<Stage> = ("stage", "none", stages(),
            "Go to so many users, or to such a rate, within this time; repeatable, one after the other");
        pool: ArrivalPool = { ArrivalPool::read(r, 0) };
    }
}

words! {
    /// The names that the setting `profile` takes.
    pub enum ProfileKind {
        /// The other settings imply which.
        Auto => "auto",
        UserBudget => "user-budget",
        SharedTotal => "shared-total",
        ConstantUsers => "constant-users",
        SteadyUsers => "steady-users",
        RampingUsers => "ramping-users",
        ConstantRate => "constant-rate",
        RampingRate => "ramping-rate",
    }
}

impl ProfileSettings {
    /// What `auto` stands for beside the other settings.
    fn kind(&self) -> ProfileKind {
        match (self.kind, self.rate, self.requests) {
            (ProfileKind::Auto, Some(_), _) if !self.stages.is_empty() => ProfileKind::RampingRate,
            (ProfileKind::Auto, Some(_), _) => ProfileKind::ConstantRate,
            (ProfileKind::Auto, None, _) if !self.stages.is_empty() => ProfileKind::RampingUsers,
            (ProfileKind::Auto, None, Some(_)) => ProfileKind::SharedTotal,
            (ProfileKind::Auto, None, None) => ProfileKind::UserBudget,
            (kind, ..) => kind,
        }
    }

    /// The profile that these make, or the key that does not fit it and why. `whose` is written before the value in a flag:
    /// an archetype's name and `=` where they are its own.
    pub(crate) fn profile(&self, whose: &str) -> Result<Profile, (&'static str, ValueError)> {
        use ProfileKind::{ConstantRate, RampingRate, RampingUsers, SharedTotal};
        let kind = self.kind();
        let staged = !self.stages.is_empty();
        let stray = |key: &'static str, fix: &str| {
            let problem = format!("`{key}` cannot be combined with {kind}");
            Err((key, ValueError::new(problem, fix)))
        };
        let missing = |key: &'static str, example: &str| {
            let problem = format!("{kind} needs `{key}`");
            Err((
                key,
                ValueError::new(problem, format!("give --{key} {whose}{example}")),
            ))
        };
        if self.rate.is_some() && !matches!(kind, ConstantRate | RampingRate) {
            return stray(
                "rate",
                "drop one, or use the profile constant-rate or ramping-rate",
            );
        }
        if staged && !matches!(kind, RampingUsers | RampingRate) {
            return stray(
                "stage",
                "drop one, or use the profile ramping-users or ramping-rate",
            );
        }
        if self.requests.is_some() && kind != SharedTotal {
            return stray(
                "requests",
                "drop one: duration and stages end other profiles",
            );
        }
        let (users, stages) = (self.users, &self.stages);
        let pool = ArrivalPool {
            users,
            max_users: self.pool.max_users.max(users),
            ..self.pool
        };
        Ok(match (kind, self.requests, self.rate) {
            (ProfileKind::UserBudget | ProfileKind::Auto, ..) => Profile::UserBudget { users },
            (ProfileKind::ConstantUsers, ..) => Profile::ConstantUsers { users },
            (ProfileKind::SteadyUsers, ..) => Profile::SteadyUsers { users },
            (SharedTotal, Some(requests), _) => Profile::SharedTotal { users, requests },
            (SharedTotal, None, _) => return missing("requests", "10000"),
            (ConstantRate, _, Some(0.0)) => {
                let problem = "nothing would ever be sent";
                let fix =
                    format!("give more than 0, or stages that begin there: --stage {whose}30s:100");
                return Err(("rate", ValueError::new(problem, fix)));
            }
            (ConstantRate, _, Some(rate)) => Profile::Rate {
                rate: Curve::constant(rate),
                pool,
            },
            (ConstantRate, _, None) => return missing("rate", "100/s"),
            (RampingUsers | RampingRate, ..) if !staged => return missing("stage", "30s:100"),
            (RampingUsers, ..) => Profile::RampingUsers {
                users: Curve::new(0.0, stages),
            },
            (RampingRate, _, rate) => Profile::Rate {
                rate: Curve::new(rate.unwrap_or(0.0), stages),
                pool,
            },
        })
    }
}

/// Arrivals in a time: `500/s`, `90/m`, or bare per second.
pub(crate) fn rate() -> ValueType<f64> {
    ValueType::new("RATE", parse_rate, |rate| format!("{rate}/s"))
}

fn parse_rate(text: &str) -> Result<f64, ValueError> {
    let bad = || {
        ValueError::new(
            format!("{text:?} is no rate"),
            format!("write it as 500/s, 90/m or 500; at most {MAX_RATE}/s"),
        )
    };
    let (number, per) = text.split_once('/').unwrap_or((text, "s"));
    let seconds = match per.trim() {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(bad()),
    };
    let rate = decimal(number).ok_or_else(bad)? / seconds;
    if rate <= MAX_RATE {
        Ok(rate)
    } else {
        Err(bad())
    }
}

/// Stages one after the other: `30s:100; 1m:0`.
pub(crate) fn stages() -> ValueType<Vec<Stage>> {
    ValueType::new("TIME:N", parse_stage, Stage::to_string)
        .list(|text| text.split([';', ',']).collect(), "; ", MAX_STAGES)
        .of_kind(SettingKind::List)
}

fn parse_stage(text: &str) -> Result<Stage, ValueError> {
    let bad = || {
        ValueError::new(
            format!("{:?} is no stage", text.trim()),
            "write it as 30s:100, a time and what to have at its end; 0s:100 is a jump",
        )
    };
    let (lasts, target) = text.trim().rsplit_once(':').ok_or_else(bad)?;
    let lasts = parse_duration(lasts, DefaultUnit::Seconds)?;
    let target = target.trim();
    let target = decimal(target.strip_suffix("/s").unwrap_or(target))
        .filter(|target| *target <= MAX_RATE)
        .ok_or_else(bad)?;
    if lasts > LONGEST_RUN {
        return Err(bad());
    }
    Ok(Stage { lasts, target })
}

/// A plain decimal number; no sign, no exponent, no word.
fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn parts(
        kind: ProfileKind,
        rate: Option<f64>,
        stages: bool,
        requests: Option<u64>,
    ) -> ProfileSettings {
        let stage = Stage {
            lasts: secs(1.0),
            target: 5.0,
        };
        ProfileSettings {
            kind,
            users: 3,
            requests,
            rate,
            stages: if stages { vec![stage] } else { Vec::new() },
            pool: ArrivalPool {
                users: 3,
                max_users: 9,
                arrivals: ArrivalKind::Requests,
                max_wait: secs(1.0),
            },
        }
    }

    #[test]
    fn what_is_given_tells_the_profile() {
        for (rate, stages, requests, name) in [
            (None, false, None, "user-budget"),
            (None, false, Some(9), "shared-total"),
            (None, true, None, "ramping-users"),
            (Some(5.0), false, None, "constant-rate"),
            (Some(5.0), true, None, "ramping-rate"),
        ] {
            let profile = parts(ProfileKind::Auto, rate, stages, requests)
                .profile("")
                .unwrap();
            assert_eq!(profile.name(), name);
        }
        let named = parts(ProfileKind::ConstantUsers, None, false, None);
        assert_eq!(named.profile("").unwrap().name(), "constant-users");
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        for (parts, key) in [
            (
                parts(ProfileKind::ConstantUsers, Some(1.0), false, None),
                "rate",
            ),
            (
                parts(ProfileKind::ConstantRate, Some(1.0), true, None),
                "stage",
            ),
            (parts(ProfileKind::ConstantRate, None, false, None), "rate"),
            (parts(ProfileKind::RampingUsers, None, false, None), "stage"),
            (
                parts(ProfileKind::SharedTotal, None, false, None),
                "requests",
            ),
            (
                parts(ProfileKind::Auto, Some(1.0), false, Some(5)),
                "requests",
            ),
        ] {
            assert_eq!(parts.profile("").unwrap_err().0, key);
        }
    }

    #[test]
    fn rates_and_stages_as_people_write_them() {
        for (text, rate) in [
            ("500/s", 500.0),
            ("90/m", 1.5),
            ("7", 7.0),
            ("0.5", 0.5),
            ("0/s", 0.0),
        ] {
            assert_eq!(parse_rate(text), Ok(rate), "{text}");
        }
        for text in ["", "-1", "1e3", "5/x", "inf", "NaN", "2000000", "1/", "/s"] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
        let form = stages();
        let read = (form.parse)("30s:100, 1m:0;0s:5/s").unwrap();
        assert_eq!((form.show)(&read), "30s:100; 1m:0; 0s:5");
        for text in ["", "30s", "30s:", ":5", "30s:x", "30s:-1", "x:5", "30s:1;"] {
            assert!((form.parse)(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_shown_reads_back(text in "\\PC*", number in "[0-9.]{1,9}(/[smh])?") {
            for text in [&text, &number] {
                if let Ok(rate) = parse_rate(text) {
                    prop_assert_eq!(parse_rate(&format!("{rate}/s")), Ok(rate));
                }
                let _ = (stages().parse)(text);
            }
        }
    }
}
