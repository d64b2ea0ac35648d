//! Stacks the layers (defaults < the command's own preset < scenario < plan file < environment < flags) and makes one
//! checked [`Plan`] of them, or the list of all that is wrong. Called once, by the command line, before anything starts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use super::archetypes::{Entry, built_in, cast, parse_flag, with_admin};
use super::environment::Environment;
use super::errors::{Origin, PlanError, PlanErrors, ValueError, nearest};
use super::feeds;
use super::file::{self, PlanFile};
use super::layers::{Flags, Layer, Reader, ResolvedSetting, Setting, nearest_setting, variable};
use super::settings::{read_plan, settings};
use super::{Archetype, Feed, Plan};
use crate::overrides::Overrides;
use crate::preset;
use crate::preset::Preset;

/// The setting that names who cleans up.
const CLEANER: &str = "cleanup_archetype";

/// Everything a plan can come from, apart from the files these name.
#[derive(Debug)]
pub struct Sources<'a, E> {
    /// The command's own defaults, just above the general ones.
    pub base: Option<&'a Preset>,
    pub flags: Flags,
    /// All variables of the environment, as names and values.
    pub env: E,
}

/// A checked plan, and how it came to be.
#[derive(Debug)]
pub struct Resolved {
    pub plan: Plan,
    pub origins: Origins,
}

/// What was resolved, in printable form and without secrets of its own.
#[derive(Debug)]
pub struct Origins {
    /// Every setting, in the order of the declarations.
    pub settings: Vec<ResolvedSetting>,
    /// Who plays, in the order of [`Plan::archetypes`].
    pub archetypes: Vec<ResolvedArchetype>,
    /// In the order of [`Plan::feeds`].
    pub feeds: Vec<ResolvedFeed>,
}

impl Origins {
    /// Whether `key` was given as a flag.
    pub fn by_flag(&self, key: &str) -> bool {
        let given = |line: &&ResolvedSetting| matches!(line.origin, Origin::Flag(_));
        self.settings
            .iter()
            .filter(given)
            .any(|line| line.setting.key == key)
    }
}

/// One archetype and who put it into the plan.
#[derive(Debug)]
pub struct ResolvedArchetype {
    /// As it was written: its config does not hold the plan's admin account yet.
    pub archetype: Archetype,
    /// The settings that it has of its own.
    pub overrides: Vec<ResolvedSetting>,
    pub origin: Origin,
}

/// One data feed and what was said of it.
#[derive(Debug)]
pub struct ResolvedFeed {
    pub feed: Feed,
    pub lines: Vec<ResolvedSetting>,
    /// The highest source that speaks of it.
    pub origin: Origin,
}

/// Resolves a plan.
///
/// # Errors
/// All mistakes at once, each with its key, its origin and the way out.
pub fn resolve<E>(sources: Sources<'_, E>) -> Result<Resolved, PlanErrors>
where
    E: IntoIterator<Item = (String, String)>,
{
    let Sources { base, flags, env } = sources;
    let mut errors = Vec::new();
    let known = settings();
    let env = Environment::read(env, &known);

    let given = flags
        .plan
        .clone()
        .map(|path| (path, Origin::Flag("--plan".to_owned())))
        .or(env.plan);
    let plan_file = given
        .map(|(path, origin)| file::read(&path, "plan", &origin, &mut errors))
        .unwrap_or_default();
    let mut specs: Vec<Entry> = Vec::new();
    let (texts, origin) = if flags.archetypes.is_empty() {
        (env.archetypes, Origin::Env(variable("archetype")))
    } else {
        (
            flags.archetypes.clone(),
            Origin::Flag("--archetype".to_owned()),
        )
    };
    specs.extend(
        texts
            .iter()
            .filter_map(|text| parse_flag(text, origin.clone(), &mut errors)),
    );

    let (texts, origin) = (&env.feeds, Origin::Env(variable("feed")));
    let feeds_by_env = feeds::by_flags(texts, &origin, &mut errors);
    let origin = Origin::Flag("--feed".to_owned());
    let feeds_by_flag = feeds::by_flags(&flags.feeds, &origin, &mut errors);

    let base = base.map(preset_layer).unwrap_or_default();
    let scenario = scenario_layer(
        &[&base, &plan_file.layer, &env.layer, flags.layer()],
        &mut errors,
    );
    let layers = [
        base,
        scenario.layer,
        plan_file.layer,
        env.layer,
        flags.layer().clone(),
    ];
    for (key, (_, origin)) in layers.iter().flat_map(|layer| &layer.entries) {
        if !known.iter().any(|setting| setting.key == key) {
            errors.push(unknown(key, &known).at(key, origin));
        }
    }

    let mut reader = Reader::new(&layers);
    let mut plan = read_plan(&mut reader, env.locale.as_deref(), env.state.as_deref());
    errors.append(&mut reader.errors);

    let mut playing = cast(
        vec![scenario.archetypes, plan_file.archetypes, specs],
        &mut errors,
    );
    give_own(&mut playing, &flags.overrides, &mut errors);
    if !can_clean_up(&plan.cleanup.archetype.name, &playing) {
        let line = reader.lines.iter().find(|line| line.setting.key == CLEANER);
        let bad = ValueError::new(
            format!("no archetype is named {:?}", plan.cleanup.archetype.name),
            "name one that plays, or a built-in one: admin",
        );
        errors.extend(line.map(|line| bad.at(CLEANER, &line.origin)));
    }
    let archetypes: Vec<ResolvedArchetype> = playing
        .iter()
        .filter_map(|entry| {
            let (load, overrides) = entry
                .overrides
                .resolve(&entry.name, &plan.load, &mut errors);
            let mut archetype = entry.archetype()?;
            archetype.overrides = load;
            Some(ResolvedArchetype {
                archetype,
                overrides,
                origin: entry.origin.clone(),
            })
        })
        .collect();
    if errors.is_empty()
        && archetypes
            .iter()
            .all(|cast| cast.archetype.overrides.profile.is_some())
    {
        errors.extend(reader.lines.iter().filter_map(unplayed));
    }
    plan.archetypes = archetypes
        .iter()
        .map(|cast| with_admin(cast.archetype.clone(), &plan.target.admin))
        .collect();
    let said = vec![scenario.feeds, plan_file.feeds, feeds_by_env, feeds_by_flag];
    let feeds = feeds::resolve(said, &plan, &mut errors);
    if !errors.is_empty() {
        return Err(PlanErrors(errors));
    }
    plan.feeds = feeds.iter().map(|fed| fed.feed.clone()).collect();
    let cleaner = &plan.cleanup.archetype;
    let of_the_plan = plan.archetypes.iter().find(|a| a.name == cleaner.name);
    plan.cleanup.archetype = of_the_plan
        .cloned()
        .unwrap_or_else(|| with_admin(cleaner.clone(), &plan.target.admin));
    plan.load.duration = plan.ends(plan.load.duration);
    Ok(Resolved {
        plan,
        origins: Origins {
            settings: reader.lines,
            archetypes,
            feeds,
        },
    })
}

/// Hands out what flags say of one archetype alone.
fn give_own(
    playing: &mut [Entry],
    flags: &BTreeMap<String, Overrides>,
    errors: &mut Vec<PlanError>,
) {
    for (name, own) in flags {
        if let Some(entry) = playing.iter_mut().find(|entry| entry.name == *name) {
            entry.overrides.cover(own);
            continue;
        }
        let names = playing.iter().map(|entry| entry.name.as_str());
        let bad = ValueError::not_playing(name, names);
        errors.extend(own.any().map(|(key, origin)| bad.at(key, origin)));
    }
}

/// What the run's profile is asked to be, though nobody plays by it.
fn unplayed(line: &ResolvedSetting) -> Option<PlanError> {
    let key = line.setting.key;
    let asks = match key {
        "rate" | "stage" | "requests" => line.value != "none",
        "profile" => line.value != "auto",
        // A plan file that is printed names the users in any case.
        "users" => matches!(line.origin, Origin::Flag(_)),
        _ => false,
    };
    let bad = || {
        let flag = line.setting.flag();
        let fix = format!("leave it out, or give it to one of them, as in --{flag} admin=…");
        ValueError::new("every archetype has a load profile of its own", fix)
    };
    asks.then(|| bad().at(key, &line.origin))
}

fn can_clean_up(name: &str, playing: &[Entry]) -> bool {
    playing
        .iter()
        .chain(&built_in())
        .any(|entry| entry.name == name)
}

fn preset_layer(preset: &Preset) -> Layer {
    let mut layer = Layer::default();
    for (key, text) in preset.settings {
        layer.set(key, *text, Origin::Preset(preset.name.to_owned()));
    }
    layer
}

/// The layer of the scenario that the highest of `layers` names; empty if none does.
fn scenario_layer(layers: &[&Layer], errors: &mut Vec<PlanError>) -> PlanFile {
    let Some((name, origin)) = layers
        .iter()
        .rev()
        .find_map(|layer| layer.entries.get("scenario"))
    else {
        return PlanFile::default();
    };
    if Path::new(name).extension() != Some(OsStr::new("toml")) {
        return match preset::find(name) {
            Ok(preset) => PlanFile {
                layer: preset_layer(preset),
                ..PlanFile::default()
            },
            Err(bad) => {
                errors.push(bad.at("scenario", origin));
                PlanFile::default()
            }
        };
    }
    let folder = match origin {
        Origin::File { path, .. } => path.parent().unwrap_or(Path::new("")),
        _ => Path::new(""),
    };
    let mut file = file::read(&folder.join(name), "scenario", origin, errors);
    // A scenario that starts from another would make the order of the layers hard to tell.
    if let Some((_, origin)) = file.layer.entries.remove("scenario") {
        let bad = ValueError::new(
            "a scenario cannot name another scenario",
            "remove it, or give this file to --plan",
        );
        errors.push(bad.at("scenario", &origin));
    }
    file
}

fn unknown(key: &str, known: &[Setting]) -> ValueError {
    let key = if nearest(key, ["archetype"]).is_some() {
        Some("[[archetype]]".to_owned())
    } else if matches!(key, "feed" | "feeder" | "feeders") {
        Some("[feeds.NAME]".to_owned())
    } else {
        nearest_setting(key, known)
    };
    let fix = key.map_or_else(
        || "remove it; `vespeiro plan` prints all keys".to_owned(),
        |meant| format!("did you mean `{meant}`?"),
    );
    ValueError::new("no such key", fix)
}
