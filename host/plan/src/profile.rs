//! Load profiles: how many users play, or how much arrives, at each moment of a run. Resolved from the settings by
//! `settings/load.rs`; `run` plays by them, `report` tells them.
//!
//! What must stay true: a profile is a pure function of time, and settings that do not go together are refused.

use std::time::Duration;

use super::curve::{Curve, Stage};
use super::errors::ValueError;
use super::layers::SettingKind;
use super::units::{DefaultUnit, parse_duration, show_duration};
use crate::value_types::ValueType;

/// Most arrivals per second.
const MAX_RATE: f64 = 1_000_000.0;
/// Most stages of a profile.
const MAX_STAGES: usize = 100;

/// The load profiles by the names that people know them by.
#[derive(Debug, Clone, PartialEq)]
pub enum Profile {
    /// So many users, until each has spent a budget of its own.
    UserBudget { users: u32 },
    /// So many users, until they have sent so many requests together.
    SharedTotal { users: u32, requests: u64 },
    /// Always so many users: whoever has spent its budget is replaced.
    ConstantUsers { users: u32 },
    /// The same, with a number that follows stages.
    RampingUsers { users: Curve },
    /// So many arrivals per second, however slow the target is: the open model.
    Rate { rate: Curve, pool: ArrivalPool },
}

/// Who takes the arrivals of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivalPool {
    /// Users that are there from the start.
    pub users: u32,
    /// Users that may be there when the others are busy.
    pub max_users: u32,
    pub arrivals: ArrivalKind,
    /// Longest that an arrival waits for a free user, before it is dropped.
    pub max_wait: Duration,
}

/// What arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrivalKind {
    /// Single requests: the rate is the pace, and users do not think.
    Requests,
    /// People, each of whom plays a session at a person's pace.
    Sessions,
}

impl Profile {
    /// The profile's name: what `profile` takes.
    pub fn name(&self) -> &'static str {
        match self {
            Profile::UserBudget { .. } => "user-budget",
            Profile::SharedTotal { .. } => "shared-total",
            Profile::ConstantUsers { .. } => "constant-users",
            Profile::RampingUsers { .. } => "ramping-users",
            Profile::Rate { rate, .. } if rate.is_constant() => "constant-rate",
            Profile::Rate { .. } => "ramping-rate",
        }
    }

    /// Users that are to play so long after the start; of a rate, those that are there at least.
    pub fn users_at(&self, time: Duration) -> u32 {
        match self {
            Profile::UserBudget { users }
            | Profile::SharedTotal { users, .. }
            | Profile::ConstantUsers { users } => *users,
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

    /// When its last stage ends; `None` where there are none.
    pub fn lasts(&self) -> Option<Duration> {
        match self {
            Profile::RampingUsers { users: curve } | Profile::Rate { rate: curve, .. } => {
                (!curve.is_constant()).then(|| curve.lasts())
            }
            _ => None,
        }
    }
}

/// What the settings say of a profile.
#[derive(Debug, Clone)]
pub(super) struct ProfileSettings {
    /// `None`: the other parts tell which.
    pub(super) name: Option<ProfileKind>,
    pub(super) users: u32,
    pub(super) requests: Option<u64>,
    pub(super) rate: Option<f64>,
    pub(super) stages: Vec<Stage>,
    pub(super) pool: ArrivalPool,
}

/// The names that `profile` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProfileKind {
    UserBudget,
    SharedTotal,
    ConstantUsers,
    RampingUsers,
    ConstantRate,
    RampingRate,
}

pub(super) const PROFILE_KINDS: &[(&str, Option<ProfileKind>)] = &[
    ("auto", None),
    ("user-budget", Some(ProfileKind::UserBudget)),
    ("shared-total", Some(ProfileKind::SharedTotal)),
    ("constant-users", Some(ProfileKind::ConstantUsers)),
    ("ramping-users", Some(ProfileKind::RampingUsers)),
    ("constant-rate", Some(ProfileKind::ConstantRate)),
    ("ramping-rate", Some(ProfileKind::RampingRate)),
];

impl ProfileSettings {
    /// The profile that these make, or the key that stands against it and why.
    /// `whose` is an archetype's name and `=` where they are its own: as a flag would have it.
    pub(super) fn profile(&self, whose: &str) -> Result<Profile, (&'static str, ValueError)> {
        let staged = !self.stages.is_empty();
        let name = self.name.unwrap_or(match (self.rate, self.requests) {
            (Some(_), _) if staged => ProfileKind::RampingRate,
            (Some(_), _) => ProfileKind::ConstantRate,
            (None, _) if staged => ProfileKind::RampingUsers,
            (None, Some(_)) => ProfileKind::SharedTotal,
            (None, None) => ProfileKind::UserBudget,
        });
        let word = PROFILE_KINDS
            .iter()
            .find(|(_, known)| *known == Some(name))
            .map_or("", |(word, _)| *word);
        let open = matches!(name, ProfileKind::ConstantRate | ProfileKind::RampingRate);
        let ramps = matches!(name, ProfileKind::RampingUsers | ProfileKind::RampingRate);
        let stray = |key, fix: &str| Err((key, ValueError::new(format!("{word} has none"), fix)));
        let missing = |key: &'static str, example: &str| {
            let bad = ValueError::new(
                format!("{word} needs one"),
                format!("give --{key} {whose}{example}"),
            );
            Err((key, bad))
        };
        if self.rate.is_some() && !open {
            return stray(
                "rate",
                "leave it out, or use the profile constant-rate or ramping-rate",
            );
        }
        if staged && !ramps {
            return stray(
                "stage",
                "leave it out, or use the profile ramping-users or ramping-rate",
            );
        }
        if self.requests.is_some() && name != ProfileKind::SharedTotal {
            return stray(
                "requests",
                "leave it out; duration and stages end other profiles",
            );
        }
        let (users, stages) = (self.users, &self.stages);
        let pool = ArrivalPool {
            users,
            max_users: self.pool.max_users.max(users),
            ..self.pool
        };
        Ok(match name {
            ProfileKind::UserBudget => Profile::UserBudget { users },
            ProfileKind::ConstantUsers => Profile::ConstantUsers { users },
            ProfileKind::SharedTotal => match self.requests {
                Some(requests) => Profile::SharedTotal { users, requests },
                None => return missing("requests", "10000"),
            },
            ProfileKind::ConstantRate => match self.rate {
                Some(rate) => Profile::Rate {
                    rate: Curve::constant(rate),
                    pool,
                },
                None => return missing("rate", "100/s"),
            },
            ProfileKind::RampingUsers | ProfileKind::RampingRate if !staged => {
                return missing("stage", "30s:100");
            }
            ProfileKind::RampingUsers => Profile::RampingUsers {
                users: Curve::new(0.0, stages),
            },
            ProfileKind::RampingRate => Profile::Rate {
                rate: Curve::new(self.rate.unwrap_or(0.0), stages),
                pool,
            },
        })
    }
}

/// Arrivals in a time: `500/s`, `90/m`, or bare per second.
pub(super) fn rate() -> ValueType<f64> {
    ValueType::new("RATE", parse_rate, |rate| format!("{rate}/s"))
}

fn parse_rate(text: &str) -> Result<f64, ValueError> {
    let bad = || {
        ValueError::new(
            format!("{text:?} is no rate"),
            format!("write it as 500/s, 90/m or 500; more than 0, at most {MAX_RATE}/s"),
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
    if rate > 0.0 && rate <= MAX_RATE {
        Ok(rate)
    } else {
        Err(bad())
    }
}

/// Stages one after the other: `30s:100; 1m:0`.
pub(super) fn stages() -> ValueType<Vec<Stage>> {
    let form = ValueType::new(
        "TIME:N",
        |text: &str| {
            if text.trim() == "none" {
                return Ok(Vec::new());
            }
            let stages: Vec<Stage> = text
                .split([';', ','])
                .map(parse_stage)
                .collect::<Result<_, _>>()?;
            if stages.len() > MAX_STAGES {
                let problem = format!("{} stages are too many", stages.len());
                return Err(ValueError::new(
                    problem,
                    format!("give at most {MAX_STAGES}"),
                ));
            }
            Ok(stages)
        },
        |stages: &Vec<Stage>| {
            if stages.is_empty() {
                return "none".to_owned();
            }
            let show = |s: &Stage| format!("{}:{}", show_duration(s.lasts), s.target);
            stages.iter().map(show).collect::<Vec<_>>().join("; ")
        },
    );
    ValueType {
        kind: SettingKind::List,
        ..form
    }
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
    if lasts > Duration::from_secs(366 * 24 * 3600) {
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
        name: Option<ProfileKind>,
        rate: Option<f64>,
        stages: bool,
        requests: Option<u64>,
    ) -> ProfileSettings {
        let stage = Stage {
            lasts: secs(1.0),
            target: 5.0,
        };
        ProfileSettings {
            name,
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
            let profile = parts(None, rate, stages, requests).profile("").unwrap();
            assert_eq!(profile.name(), name);
        }
        let named = parts(Some(ProfileKind::ConstantUsers), None, false, None);
        assert_eq!(named.profile("").unwrap().name(), "constant-users");
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        for (parts, key) in [
            (
                parts(Some(ProfileKind::ConstantUsers), Some(1.0), false, None),
                "rate",
            ),
            (
                parts(Some(ProfileKind::ConstantRate), Some(1.0), true, None),
                "stage",
            ),
            (
                parts(Some(ProfileKind::ConstantRate), None, false, None),
                "rate",
            ),
            (
                parts(Some(ProfileKind::RampingUsers), None, false, None),
                "stage",
            ),
            (
                parts(Some(ProfileKind::SharedTotal), None, false, None),
                "requests",
            ),
            (parts(None, Some(1.0), false, Some(5)), "requests"),
        ] {
            assert_eq!(parts.profile("").unwrap_err().0, key);
        }
    }

    #[test]
    fn rates_and_stages_as_people_write_them() {
        for (text, rate) in [("500/s", 500.0), ("90/m", 1.5), ("7", 7.0), ("0.5", 0.5)] {
            assert_eq!(parse_rate(text), Ok(rate), "{text}");
        }
        for text in [
            "", "0", "-1", "1e3", "5/x", "inf", "NaN", "2000000", "1/", "/s",
        ] {
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
