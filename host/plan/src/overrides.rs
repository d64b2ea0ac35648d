//! What an archetype has of its own, beside the run's: the settings that may stand in its `[[archetype]]` table or in a flag
//! with its name (`--rate power=20/s`), and the profile and the identity that they make. Used by `resolve.rs`.
//!
//! What must stay true: they mean what the run's settings of the same names mean, for they are read by the same
//! declarations; and a setting that would have no effect is refused.

use crate::archetypes::LoadOverrides;
use crate::connections::Identity;
use crate::errors::{Origin, PlanError, ValueError};
use crate::layers::{Layer, Reader, ResolvedSetting};
use crate::profile::{Profile, ProfileKind, ProfileSettings};
use crate::settings::connections::{half, identity};
use crate::settings::load::LoadSettings;

/// The settings that an archetype may override.
pub(crate) const OVERRIDABLE: [&str; 13] = [
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
    "client_cert",
    "client_key",
];

/// Those that have an effect beside a rate only.
const OF_A_RATE: [&str; 3] = ["max_users", "arrivals", "max_wait"];
/// Those that an archetype has from the run where it does not override them.
const OF_THE_RUN: [&str; 5] = [
    "max_users",
    "arrivals",
    "max_wait",
    "min_request_count",
    "max_request_count",
];

/// Whether an archetype may have a setting of its own.
pub fn can_override(key: &str) -> bool {
    OVERRIDABLE.contains(&key)
}

type Refused = (&'static str, ValueError);

/// What the settings of the archetype `name` make beside those of the run, and each of them as it is printed.
pub(crate) fn resolve(
    overrides: &Layer,
    name: &str,
    run: &[ResolvedSetting],
    errors: &mut Vec<PlanError>,
) -> (LoadOverrides, Option<Identity>, Vec<ResolvedSetting>) {
    let mut base = Layer::default();
    // With a rate, further users are called in as soon as an arrival finds nobody.
    base.set("users", "1", Origin::Default(""));
    for one in run
        .iter()
        .filter(|one| OF_THE_RUN.contains(&one.setting.key))
    {
        base.set(one.setting.key, one.value.as_str(), one.origin.clone());
    }
    let layers = [base, overrides.clone()];
    let mut reader = Reader::new(&layers);
    let (load, refused) = read(&mut reader, overrides, name);
    let (cert, key) = identity(&mut reader);
    let refused = refused.or_else(|| half(cert.is_some(), key.is_some()));
    let identity = cert.zip(key).map(|(cert, key)| Identity { cert, key });
    let Reader {
        mut settings,
        errors: mut wrong,
        ..
    } = reader;
    settings.retain(|one| overrides.get(one.setting.key).is_some());
    // What follows from a text that is wrong by itself is no second mistake.
    if let (true, Some((key, error))) = (wrong.is_empty(), refused) {
        let of = |key: &str| overrides.get(key).map(|(_, origin)| origin);
        let any = || overrides.origins().next().map(|(_, origin)| origin);
        let origin = of(key).or_else(|| of("profile")).or_else(any);
        wrong.extend(origin.map(|origin| error.at(key, origin)));
    }
    errors.extend(
        wrong
            .into_iter()
            .map(|error| error.under(&format!("archetype.{name}"))),
    );
    (load, identity, settings)
}

fn read(r: &mut Reader<'_>, overrides: &Layer, name: &str) -> (LoadOverrides, Option<Refused>) {
    let parts = ProfileSettings::read(r);
    let users = parts.users;
    let load = LoadSettings::read(r, Profile::UserBudget { users }, users);
    let has = |key: &str| {
        let is_set = |one: &ResolvedSetting| one.value != "none";
        overrides.get(key).is_some() && r.find(key).is_some_and(is_set)
    };
    let budgeted = has("min_request_count") || has("max_request_count");
    let mut own = LoadOverrides {
        profile: None,
        duration: load.duration,
        budget: budgeted.then_some((load.min_request_count, load.max_request_count)),
    };
    let profiled = parts.kind != ProfileKind::Auto
        || ["users", "requests", "rate", "stage"].into_iter().any(has);
    if profiled {
        match parts.profile(&format!("{name}=")) {
            Ok(profile) => own.profile = Some(profile),
            Err(refused) => return (own, Some(refused)),
        }
    }
    let refused = fits(&own, name, has);
    (own, refused)
}

/// A setting that would have no effect, or that is missing beside the others.
fn fits(overrides: &LoadOverrides, name: &str, has: impl Fn(&str) -> bool) -> Option<Refused> {
    let refuse = |key, problem: &str, fix: String| Some((key, ValueError::new(problem, fix)));
    if let Some((least, most)) = overrides.budget
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
    match &overrides.profile {
        Some(Profile::Rate { .. }) => None,
        _ if rate_only.is_some() => refuse(
            rate_only.unwrap_or_default(),
            "it has an effect beside a rate of its own only",
            format!("leave it out, or give --rate {name}=100/s"),
        ),
        None if overrides.duration.is_some() => refuse(
            "duration",
            "it shares the run's load profile, which has one duration",
            format!("leave it out, or give it a profile of its own, as with --users {name}=10"),
        ),
        Some(Profile::RampingUsers { .. }) if has("users") => refuse(
            "users",
            "ramping-users begins without any and follows its stages",
            "leave it out, or begin with the stage 0s:10".into(),
        ),
        Some(Profile::SharedTotal { .. }) if overrides.budget.is_some() => refuse(
            if has("min_request_count") {
                "min_request_count"
            } else {
                "max_request_count"
            },
            "of a total each user sends as much as there is",
            "leave it out".into(),
        ),
        Some(Profile::RampingUsers { .. }) | None => None,
        Some(profile) if !has("users") => refuse(
            "users",
            &format!("{} needs users of its own", profile.name()),
            format!("give --users {name}=10"),
        ),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{Flags, Profile, Resolved, Sources, resolve};

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
                "archetype.admin.max_users (--max-users): it has an effect beside a rate of its own only; leave it out, or give --rate admin=100/s",
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
                "archetype.admin.rate (--profile): constant-rate needs `rate`; give --rate admin=100/s",
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
                "archetype.admin.requests (--requests): `requests` cannot be combined with constant-rate; drop one",
            ),
        ] {
            let errors = refused(flags);
            assert!(errors.starts_with(said), "{errors}");
            assert_eq!(errors.lines().count(), 1, "{errors}");
        }
    }
}
