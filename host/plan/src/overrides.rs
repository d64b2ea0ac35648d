//! The load that an archetype has of its own, beside the run's: the settings that may stand in its `[[archetype]]` table
//! or in a flag with its name (`--rate power=20/s`), and the profile that they make. Used by `resolve.rs`.
//!
//! What must stay true: they mean what the run's settings of the same names mean, and what would do nothing is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use super::errors::{Origin, PlanError, ValueError};
use super::layers::{Layer, Reader, ResolvedSetting};
use super::profile::{PROFILE_KINDS, ProfileSettings, rate, stages};
use super::settings::{A_MOMENT, ARRIVALS, LONGEST, LONGEST_PAUSE};
use super::units::DefaultUnit::Seconds;
use super::{ArrivalPool, LoadSettings, Profile};
use crate::value_types::{choice, count, duration};

/// The settings that an archetype may have of its own.
pub(super) const KEYS: [&str; 11] = [
    "profile",
    "users",
    "requests",
    "rate",
    "stage",
    "max_users",
    "arrivals",
    "max_wait",
    "duration",
    "min_request_count",
    "max_request_count",
];

/// What only a rate has a use for.
const OF_A_RATE: [&str; 3] = ["max_users", "arrivals", "max_wait"];

/// Whether an archetype may have a setting of its own.
pub fn can_override(key: &str) -> bool {
    KEYS.contains(&key)
}

/// What an archetype has of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadOverrides {
    /// Played by this archetype alone. `None`: it shares the run's, by its weight.
    pub profile: Option<Profile>,
    /// When its own profile ends, if the run goes on longer.
    pub duration: Option<Duration>,
    /// Fewest and most requests of one of its users, where they are not the run's.
    pub budget: Option<(u32, u32)>,
}

/// The texts of an archetype's own settings, by key.
#[derive(Debug, Clone, Default)]
pub(super) struct Overrides(BTreeMap<String, (String, Origin)>);

impl Overrides {
    pub(super) fn set(&mut self, key: &str, text: impl Into<String>, origin: Origin) {
        self.0.insert(key.to_owned(), (text.into(), origin));
    }

    /// Behind what the key has already.
    pub(super) fn add(&mut self, key: &str, text: &str, origin: Origin) {
        let (texts, _) = self
            .0
            .entry(key.to_owned())
            .or_insert((String::new(), origin));
        if !texts.is_empty() {
            texts.push_str("; ");
        }
        texts.push_str(text);
    }

    /// Take what is missing from a lower source.
    pub(super) fn fill(&mut self, lower: &Overrides) {
        for (key, value) in &lower.0 {
            self.0.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }

    /// Let a higher source have its say.
    pub(super) fn cover(&mut self, higher: &Overrides) {
        let higher = higher.0.iter();
        self.0.extend(higher.map(|(k, v)| (k.clone(), v.clone())));
    }

    /// A key that there is, and where it comes from.
    pub(super) fn any(&self) -> Option<(&str, &Origin)> {
        self.0
            .iter()
            .next()
            .map(|(key, (_, origin))| (key.as_str(), origin))
    }

    /// What the settings of the archetype `name` make beside those of the run, and each of them as it would be printed.
    pub(super) fn resolve(
        &self,
        name: &str,
        run: &LoadSettings,
        errors: &mut Vec<PlanError>,
    ) -> (LoadOverrides, Vec<ResolvedSetting>) {
        let layers = [Layer {
            entries: self.0.clone(),
        }];
        let mut reader = Reader::new(&layers);
        let (load, refused) = read(&mut reader, name, run);
        let Reader {
            mut lines,
            errors: mut wrong,
            ..
        } = reader;
        lines.retain(|line| self.0.contains_key(line.setting.key));
        // What follows from a text that is wrong by itself is no second mistake.
        if let (true, Some((key, bad))) = (wrong.is_empty(), refused) {
            let of = |key: &str| self.0.get(key).map(|(_, origin)| origin);
            let origin = of(key)
                .or_else(|| of("profile"))
                .or(self.any().map(|(_, o)| o));
            wrong.extend(origin.map(|origin| bad.at(key, origin)));
        }
        errors.extend(wrong.into_iter().map(|error| PlanError {
            key: format!("archetype.{name}.{}", error.key),
            ..error
        }));
        (load, lines)
    }
}

type Refused = (&'static str, ValueError);

fn read(r: &mut Reader<'_>, name: &str, run: &LoadSettings) -> (LoadOverrides, Option<Refused>) {
    let pool = run.pool;
    let users = r.read("users", "none", count(1..=u32::MAX).or_none(), "");
    let parts = ProfileSettings {
        name: r.read("profile", "auto", choice("NAME", PROFILE_KINDS), ""),
        // With a rate, somebody is called in for the first arrival that finds nobody.
        users: users.unwrap_or(1),
        requests: r.read("requests", "none", count(1..=u64::MAX).or_none(), ""),
        rate: r.read("rate", "none", rate().or_none(), ""),
        stages: r.read("stage", "none", stages(), ""),
        pool: ArrivalPool {
            users: 0,
            max_users: r
                .read("max_users", "none", count(1..=u32::MAX).or_none(), "")
                .unwrap_or(pool.max_users),
            arrivals: r
                .read("arrivals", "none", choice("WHAT", ARRIVALS).or_none(), "")
                .unwrap_or(pool.arrivals),
            max_wait: r
                .read(
                    "max_wait",
                    "none",
                    duration(Seconds, Duration::ZERO..=LONGEST_PAUSE).or_none(),
                    "",
                )
                .unwrap_or(pool.max_wait),
        },
    };
    let lasts = r.read(
        "duration",
        "none",
        duration(Seconds, A_MOMENT..=LONGEST).or_none(),
        "",
    );
    let least = r.read(
        "min_request_count",
        "none",
        count(1..=u32::MAX).or_none(),
        "",
    );
    let most = r.read(
        "max_request_count",
        "none",
        count(1..=u32::MAX).or_none(),
        "",
    );

    let mut own = LoadOverrides {
        profile: None,
        duration: lasts,
        budget: (least.is_some() || most.is_some()).then_some((
            least.unwrap_or(run.min_request_count),
            most.unwrap_or(run.max_request_count),
        )),
    };
    let has = |key: &str| {
        let said = |line: &&ResolvedSetting| line.setting.key == key && line.value != "none";
        r.lines
            .iter()
            .find(said)
            .is_some_and(|line| line.origin != Origin::Default(""))
    };
    let refused = match profile(&parts, users, name) {
        Ok(profile) => {
            own.profile = profile;
            fits(&own, users, name, has)
        }
        Err(refused) => Some(refused),
    };
    (own, refused)
}

/// The profile, if there is a say in one.
fn profile(
    parts: &ProfileSettings,
    users: Option<u32>,
    name: &str,
) -> Result<Option<Profile>, Refused> {
    let says = parts.name.is_some() || parts.rate.is_some() || !parts.stages.is_empty();
    if !says && users.is_none() && parts.requests.is_none() {
        return Ok(None);
    }
    parts.profile(&format!("{name}=")).map(Some)
}

/// What is said and would do nothing, or is missing beside what is said.
fn fits(
    own: &LoadOverrides,
    users: Option<u32>,
    name: &str,
    has: impl Fn(&str) -> bool,
) -> Option<Refused> {
    let refuse = |key, problem: &str, fix: String| Some((key, ValueError::new(problem, fix)));
    if let Some((least, most)) = own.budget
        && least > most
    {
        let key = if has("min_request_count") {
            "min_request_count"
        } else {
            "max_request_count"
        };
        let problem = format!("its users would have at least {least} and at most {most} requests");
        return refuse(key, &problem, "lower the one or raise the other".into());
    }
    let rate_only = OF_A_RATE.into_iter().find(|key| has(key));
    match &own.profile {
        Some(Profile::Rate { .. }) => None,
        _ if rate_only.is_some() => refuse(
            rate_only.unwrap_or_default(),
            "only a rate of its own has a use for it",
            format!("leave it out, or give --rate {name}=100/s"),
        ),
        None if own.duration.is_some() => refuse(
            "duration",
            "it shares the run's load profile, which has one duration",
            format!("leave it out, or give it a profile of its own, as with --users {name}=10"),
        ),
        Some(Profile::RampingUsers { .. }) if users.is_some() => refuse(
            "users",
            "ramping-users begins without any and follows its stages",
            "leave it out, or begin with the stage 0s:10".into(),
        ),
        Some(Profile::SharedTotal { .. }) if own.budget.is_some() => refuse(
            if has("min_request_count") {
                "min_request_count"
            } else {
                "max_request_count"
            },
            "of a total each user sends as much as there is",
            "leave it out".into(),
        ),
        Some(Profile::RampingUsers { .. }) | None => None,
        Some(profile) if users.is_none() => refuse(
            "users",
            &format!("{} needs users of its own", profile.name()),
            format!("give --users {name}=10"),
        ),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Flags, Profile, Resolved, Sources, resolve};
    use super::*;

    fn flags(own: &[(&str, &str)]) -> Flags {
        let mut flags = Flags::default();
        for (key, text) in own {
            let flag = format!("--{}", key.replace('_', "-"));
            flags.set_override("admin", key, text, flag);
        }
        flags
    }

    fn resolved(flags: Flags) -> Result<Resolved, String> {
        let sources = Sources {
            base: None,
            flags,
            env: [],
        };
        resolve(sources).map_err(|errors| errors.to_string())
    }

    fn refused(own: &[(&str, &str)]) -> String {
        resolved(flags(own)).unwrap_err()
    }

    #[test]
    fn an_archetype_has_a_profile_of_its_own_beside_the_runs() {
        let mut flags = flags(&[("rate", "5/s"), ("stage", "10s:20"), ("stage", "5s:0")]);
        flags.set("max_users", "7", "--max-users");
        flags.set_override("power", "min_request_count", "3", "--min-request-count");
        let Resolved { plan, origins } = resolved(flags).unwrap();
        let workloads = plan.workloads();
        let who: Vec<_> = workloads
            .iter()
            .map(|workload| workload.archetypes.clone())
            .collect();
        assert_eq!(who, [vec![0, 1, 3], vec![2]]);
        let Profile::Rate { rate, pool } = &workloads[1].profile else {
            panic!("{workloads:?}")
        };
        assert_eq!(
            (rate.at(Duration::from_secs(10)), pool.max_users),
            (20.0, 7)
        );
        assert_eq!(workloads[1].ends, Some(Duration::from_secs(15)));
        // The others go on until their budgets are spent.
        assert_eq!((workloads[0].ends, plan.load.duration), (None, None));
        assert_eq!(plan.profile_name(), "per-archetype");
        assert_eq!(plan.usual_users(), 101);
        assert_eq!(plan.archetypes[3].overrides.budget, Some((3, 1000)));
        let own: Vec<_> = origins.archetypes[2]
            .overrides
            .iter()
            .map(|line| &*line.value)
            .collect();
        assert_eq!(own, ["5/s", "10s:20; 5s:0"]);
    }

    #[test]
    fn a_run_whose_profiles_all_end_by_themselves_ends_with_the_last() {
        let mut all = flags(&[("users", "2"), ("duration", "3s")]);
        all.set("stage", "2s:9", "--stage");
        let ends = |flags| resolved(flags).unwrap().plan.load.duration;
        assert_eq!(ends(all.clone()), Some(Duration::from_secs(3)));
        all.set("duration", "1s", "--duration");
        assert_eq!(ends(all), Some(Duration::from_secs(1)));
    }

    #[test]
    fn what_nobody_would_play_is_refused() {
        let mut alone = flags(&[("users", "2")]);
        alone.archetypes.push("admin".into());
        assert_eq!(resolved(alone.clone()).unwrap().plan.usual_users(), 2);
        alone.set("rate", "5/s", "--rate");
        let said = resolved(alone).unwrap_err();
        assert!(
            said.starts_with("rate (--rate): every archetype has a load profile of its own"),
            "{said}"
        );
        let mut stranger = Flags::default();
        stranger.set_override("admn", "users", "3", "--users");
        let said = resolved(stranger).unwrap_err();
        assert_eq!(
            said,
            "users (--users): no archetype named \"admn\" plays; did you mean \"admin\"?"
        );
    }

    #[test]
    fn what_would_do_nothing_or_is_missing_is_refused_in_one_line() {
        for (flags, said) in [
            (
                &[("max_users", "5")][..],
                "archetype.admin.max_users (--max-users): only a rate of its own has a use for it; leave it out, or give --rate admin=100/s",
            ),
            (
                &[("duration", "5s")],
                "archetype.admin.duration (--duration): it shares the run's load profile",
            ),
            (
                &[("requests", "5")],
                "archetype.admin.users (--requests): shared-total needs users of its own; give --users admin=10",
            ),
            (
                &[("profile", "constant-rate")],
                "archetype.admin.rate (--profile): constant-rate needs one; give --rate admin=100/s",
            ),
            (
                &[("stage", "1s:5"), ("users", "3")],
                "archetype.admin.users (--users): ramping-users begins without any",
            ),
            (
                &[("min_request_count", "5000")],
                "archetype.admin.min_request_count (--min-request-count): its users would have at least 5000 and at most 1000 requests",
            ),
            (
                &[("rate", "x")],
                "archetype.admin.rate (--rate): \"x\" is no rate",
            ),
            (
                &[("users", "2"), ("rate", "5/s"), ("requests", "9")],
                "archetype.admin.requests (--requests): constant-rate has none",
            ),
        ] {
            let errors = refused(flags);
            assert!(errors.starts_with(said), "{errors}");
            assert_eq!(errors.lines().count(), 1, "{errors}");
        }
    }
}
