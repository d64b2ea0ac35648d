//! Stacks the layers (defaults < the command's own preset < preset < plan file < environment < flags) and makes one
//! checked [`Plan`] of them, or the list of all that is wrong. Called once, by the command line, before anything starts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use super::archetypes::{Entry, built_in, cast, parse_flag, with_admin};
use super::environment::Environment;
use super::errors::{Bad, Origin, PlanError, PlanErrors, nearest};
use super::feeds;
use super::file::{self, PlanFile};
use super::layers::{Layer, Line, Reader, Setting, Settings, nearest_setting, variable};
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
    pub flags: Settings,
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
    pub settings: Vec<Line>,
    /// Who plays, in the order of [`Plan::archetypes`].
    pub archetypes: Vec<Cast>,
    /// In the order of [`Plan::feeds`].
    pub feeds: Vec<Fed>,
}

impl Origins {
    /// Whether `key` was given as a flag.
    pub fn by_flag(&self, key: &str) -> bool {
        let given = |line: &&Line| matches!(line.origin, Origin::Flag(_));
        self.settings
            .iter()
            .filter(given)
            .any(|line| line.setting.key == key)
    }
}

/// One archetype and who put it into the plan.
#[derive(Debug)]
pub struct Cast {
    /// As it was written: its config does not hold the plan's admin account yet.
    pub archetype: Archetype,
    /// The settings that it has of its own.
    pub own: Vec<Line>,
    pub origin: Origin,
}

/// One data feed and what was said of it.
#[derive(Debug)]
pub struct Fed {
    pub feed: Feed,
    pub lines: Vec<Line>,
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
    let preset = chosen_preset(
        &[&base, &plan_file.layer, &env.layer, flags.layer()],
        &mut errors,
    );
    let mut layers = [
        base,
        preset.layer,
        plan_file.layer,
        env.layer,
        flags.layer().clone(),
    ];
    for layer in &mut layers {
        one_name(layer, &mut errors);
    }
    for (key, (_, origin)) in layers.iter().flat_map(|layer| &layer.entries) {
        if !known.iter().any(|setting| setting.key == key) {
            errors.push(unknown(key, &known).at(key, origin));
        }
    }

    let mut reader = Reader::new(&layers);
    let mut plan = read_plan(&mut reader, env.locale.as_deref(), env.state.as_deref());
    errors.append(&mut reader.errors);

    let mut playing = cast(
        vec![preset.archetypes, plan_file.archetypes, specs],
        &mut errors,
    );
    give_own(&mut playing, &flags.own, &mut errors);
    if !can_clean_up(&plan.cleanup.archetype.name, &playing) {
        let line = reader.lines.iter().find(|line| line.setting.key == CLEANER);
        let bad = Bad::new(
            format!("no archetype is named {:?}", plan.cleanup.archetype.name),
            "name one that plays, or a built-in one: admin",
        );
        errors.extend(line.map(|line| bad.at(CLEANER, &line.origin)));
    }
    let archetypes: Vec<Cast> = playing
        .iter()
        .filter_map(|entry| {
            let (load, own) = entry.own.resolve(&entry.name, &plan.load, &mut errors);
            let mut archetype = entry.archetype()?;
            archetype.own = load;
            Some(Cast {
                archetype,
                own,
                origin: entry.origin.clone(),
            })
        })
        .collect();
    if errors.is_empty()
        && archetypes
            .iter()
            .all(|cast| cast.archetype.own.profile.is_some())
    {
        errors.extend(reader.lines.iter().filter_map(unplayed));
    }
    plan.archetypes = archetypes
        .iter()
        .map(|cast| with_admin(cast.archetype.clone(), &plan.target.admin))
        .collect();
    let said = vec![preset.feeds, plan_file.feeds, feeds_by_env, feeds_by_flag];
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
    plan.load.limit = plan.load.duration;
    plan.load.duration = plan.ends(plan.load.limit);
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
            entry.own.cover(own);
            continue;
        }
        let names = playing.iter().map(|entry| entry.name.as_str());
        let bad = Bad::not_playing(name, names);
        errors.extend(own.any().map(|(key, origin)| bad.at(key, origin)));
    }
}

/// What the run's profile is asked to be, though nobody plays by it.
fn unplayed(line: &Line) -> Option<PlanError> {
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
        let mend = format!("leave it out, or give it to one of them, as in --{flag} admin=…");
        Bad::new("every archetype has a load profile of its own", mend)
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

/// The layer of the preset that the highest of `layers` names, under either name of the setting; empty if none does.
fn chosen_preset(layers: &[&Layer], errors: &mut Vec<PlanError>) -> PlanFile {
    let named = layers.iter().rev().find_map(|layer| {
        let mut names = [preset::NAME, preset::OTHER_NAME].into_iter();
        names.find_map(|key| Some((key, layer.entries.get(key)?)))
    });
    let Some((key, (name, origin))) = named else {
        return PlanFile::default();
    };
    if Path::new(name).extension() != Some(OsStr::new("toml")) {
        return match preset::find(name, key) {
            Ok(preset) => PlanFile {
                layer: preset_layer(preset),
                ..PlanFile::default()
            },
            Err(bad) => {
                errors.push(bad.at(key, origin));
                PlanFile::default()
            }
        };
    }
    let folder = match origin {
        Origin::File { path, .. } => path.parent().unwrap_or(Path::new("")),
        _ => Path::new(""),
    };
    let mut file = file::read(&folder.join(name), key, origin, errors);
    // A preset that starts from another would make the order of the layers hard to tell.
    for key in [preset::NAME, preset::OTHER_NAME] {
        if let Some((_, origin)) = file.layer.entries.remove(key) {
            let bad = Bad::new(
                format!("a {key} cannot name another {key}"),
                "remove it, or give this file to --plan",
            );
            errors.push(bad.at(key, &origin));
        }
    }
    file
}

/// Let `scenario` be `preset`; both in one place are a mistake.
fn one_name(layer: &mut Layer, errors: &mut Vec<PlanError>) {
    let Some(other) = layer.entries.remove(preset::OTHER_NAME) else {
        return;
    };
    if layer.entries.contains_key(preset::NAME) {
        let bad = Bad::new(
            "is another name of preset, and both are given",
            "keep one of them",
        );
        errors.push(bad.at(preset::OTHER_NAME, &other.1));
    } else {
        layer.entries.insert(preset::NAME.to_owned(), other);
    }
}

fn unknown(key: &str, known: &[Setting]) -> Bad {
    let key = if nearest(key, ["archetype"]).is_some() {
        Some("[[archetype]]".to_owned())
    } else if matches!(key, "feed" | "feeder" | "feeders") {
        Some("[feeds.NAME]".to_owned())
    } else {
        nearest_setting(key, known)
    };
    let mend = key.map_or_else(
        || "remove it; `vespeiro plan` prints all keys".to_owned(),
        |meant| format!("did you mean `{meant}`?"),
    );
    Bad::new("no such key", mend)
}
