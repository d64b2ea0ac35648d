//! Stacks the layers (defaults < the command's own preset < preset < plan file < environment < flags) and makes one
//! checked [`Plan`] of them, or the list of all that is wrong. Called once, by the command line, before anything starts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use vespeiro_model::Word as _;

use crate::archetypes::{Entry, ResolvedArchetype, built_in, parse_flag, playing, with_run};
use crate::common::common;
use crate::environment::Environment;
use crate::errors::{Origin, PlanError, PlanErrors, ValueError, nearest};
use crate::feeds::{self, ResolvedFeed};
use crate::file::{self, PlanFile};
use crate::files::{self, BodyFile};
use crate::layers::{Flags, Layer, Reader, ResolvedSetting, Setting, nearest_setting, variable};
use crate::overrides;
use crate::plan::{Plan, read_plan, settings};
use crate::preset::{self, Preset};
use crate::secrets::{self, SecretPlace};
use crate::settings::output::{Language, of_locale};
use crate::targets::{self, ResolvedTarget};

/// The setting that names the archetype of the cleanup.
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
    /// In the order of [`Plan::files`], with where each is named.
    pub files: Vec<(BodyFile, Origin)>,
    /// In the order of [`Plan::targets`].
    pub targets: Vec<ResolvedTarget>,
    /// Where the secrets are, by their names.
    pub secrets: Vec<SecretPlace>,
}

impl ResolvedArchetype {
    /// Whether somebody named it; the built-in ones play where nobody did.
    pub fn is_given(&self) -> bool {
        self.origin.is_given()
    }
}

impl Origins {
    /// Whether `key` was given as a flag.
    pub fn by_flag(&self, key: &str) -> bool {
        self.origin(key)
            .is_some_and(|origin| matches!(origin, Origin::Flag(_)))
    }

    /// Whether somebody said what `key` is to be: a flag, the environment or the plan file.
    pub fn is_given(&self, key: &str) -> bool {
        self.origin(key).is_some_and(Origin::is_given)
    }

    fn origin(&self, key: &str) -> Option<&Origin> {
        let mut settings = self.settings.iter();
        settings
            .find(|one| one.setting.key == key)
            .map(|one| &one.origin)
    }
}

/// Resolves a plan.
///
/// # Errors
/// All mistakes at once, each with its key, its origin and the way out.
pub fn resolve<E>(sources: Sources<'_, E>) -> Result<Resolved, PlanErrors>
where
    E: IntoIterator<Item = (String, String)>,
{
    resolve_for(sources, true)
}

/// Resolves a plan that is played elsewhere: its secrets are there alone.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_elsewhere(flags: Flags) -> Result<Resolved, PlanErrors> {
    let sources = Sources {
        base: None,
        flags,
        env: [],
    };
    resolve_for(sources, false)
}

fn resolve_for<E>(sources: Sources<'_, E>, here: bool) -> Result<Resolved, PlanErrors>
where
    E: IntoIterator<Item = (String, String)>,
{
    let Sources { base, flags, env } = sources;
    let mut errors = Vec::new();
    let known = settings();
    let variables: Vec<_> = env.into_iter().collect();
    let env = Environment::read(variables.iter().cloned(), &known);

    let given = flags
        .plan
        .clone()
        .map(|path| (path, Origin::Flag("--plan".to_owned())))
        .or(env.plan.clone());
    let plan_file = given
        .map(|(path, origin)| file::read(&path, "plan", &origin, &mut errors))
        .unwrap_or_default();
    let (texts, origin) = if flags.archetypes.is_empty() {
        (env.archetypes.clone(), Origin::Env(variable("archetype")))
    } else {
        (
            flags.archetypes.clone(),
            Origin::Flag("--archetype".to_owned()),
        )
    };
    let parse = |text: &String| parse_flag(text, origin.clone(), &mut errors);
    let specs: Vec<Entry> = texts.iter().filter_map(parse).collect();

    let (texts, origin) = (&env.feeds, Origin::Env(variable("feed")));
    let feeds_by_env = feeds::by_flags(texts, &origin, &mut errors);
    let origin = Origin::Flag("--feed".to_owned());
    let feeds_by_flag = feeds::by_flags(&flags.feeds, &origin, &mut errors);
    let (texts, origin) = (&env.files, Origin::Env(variable("file")));
    let files_by_env = files::by_flags(texts, &origin, &mut errors);
    let origin = Origin::Flag("--file".to_owned());
    let files_by_flag = files::by_flags(&flags.files, &origin, &mut errors);

    let mut base = base.map(preset_layer).unwrap_or_default();
    let preset = chosen_preset(
        &[&base, &plan_file.layer, &env.layer, &flags.layer],
        &mut errors,
    );
    let mut playing = playing(
        vec![preset.archetypes, plan_file.archetypes, specs],
        &mut errors,
    );
    if !playing.iter().any(Entry::is_of_the_user_service) {
        base.fill(&for_strangers());
    }
    let mut layers = [
        base,
        preset.layer,
        plan_file.layer,
        env.layer.clone(),
        flags.layer,
    ];
    for layer in &mut layers {
        one_name(layer, &mut errors);
    }
    give_way(&mut layers);
    for (key, origin) in layers.iter().flat_map(Layer::origins) {
        if !known.iter().any(|setting| setting.key == key) {
            errors.push(unknown(key, &known).at(key, origin));
        }
    }

    let mut reader = Reader::new(&layers);
    let mut plan = read_plan(&mut reader, &env);
    errors.append(&mut reader.errors);

    give_overrides(&mut playing, &flags.overrides, &mut errors);
    if !can_clean_up(&plan.cleanup.archetype.name, &playing) {
        let setting = reader.find(CLEANER);
        let bad = ValueError::new(
            format!("no archetype is named {:?}", plan.cleanup.archetype.name),
            "name one that plays, or a built-in one: admin",
        );
        errors.extend(setting.map(|one| bad.at(CLEANER, &one.origin)));
    }
    let archetypes: Vec<ResolvedArchetype> = playing
        .iter()
        .filter_map(|entry| {
            let (load, identity, overrides) =
                overrides::resolve(&entry.overrides, &entry.name, &reader.settings, &mut errors);
            let mut archetype = entry.archetype()?;
            archetype.overrides = load;
            archetype.identity = identity;
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
            .all(|one| one.archetype.overrides.profile.is_some())
    {
        errors.extend(reader.settings.iter().filter_map(unplayed));
    }
    plan.archetypes = archetypes
        .iter()
        .map(|one| with_run(one.archetype.clone(), &plan.target.admin, &plan.load))
        .collect();
    let said = vec![preset.feeds, plan_file.feeds, feeds_by_env, feeds_by_flag];
    let feeds = feeds::resolve(said, &plan.load.profile, &plan.archetypes, &mut errors);
    let said = vec![preset.files, plan_file.files, files_by_env, files_by_flag];
    let files = files::resolve(said, &mut errors);
    let said = vec![preset.targets, plan_file.targets];
    let targets = targets::resolve(said, &layers, &plan, &mut errors);
    let said = vec![preset.secrets, plan_file.secrets];
    let known = here.then_some(&*variables);
    let (values, places) = secrets::resolve(said, known, &mut errors);
    plan.secrets = values;
    if !errors.is_empty() {
        return Err(PlanErrors(errors));
    }
    plan.feeds = feeds.iter().map(|one| one.feed.clone()).collect();
    plan.files = files.iter().map(|(file, _)| file.clone()).collect();
    plan.targets = targets.iter().map(|one| one.target.clone()).collect();
    let cleaner = &plan.cleanup.archetype;
    let of_the_plan = plan.archetypes.iter().find(|a| a.name == cleaner.name);
    plan.cleanup.archetype = of_the_plan
        .cloned()
        .unwrap_or_else(|| with_run(cleaner.clone(), &plan.target.admin, &plan.load));
    plan.load.limit = plan.load.duration;
    plan.load.duration = plan.ends(plan.load.limit);
    let origins = Origins {
        settings: reader.settings,
        archetypes,
        feeds,
        files,
        targets,
        secrets: places,
    };
    plan.common = common(&origins);
    Ok(Resolved { plan, origins })
}

/// The language of what is said before there is a plan: of help, and of mistakes. `flag` is what `--lang` says, which some
/// commands have for languages to program in; a plan file is not read for it.
pub fn language(flag: Option<&str>, env: impl IntoIterator<Item = (String, String)>) -> Language {
    let env = Environment::read(env, &settings());
    let variable = env.layer.get("lang").map(|(text, _)| text.as_str());
    let words = [flag, variable].into_iter().flatten();
    words
        .filter_map(Language::from_word)
        .next()
        .unwrap_or_else(|| of_locale(env.locale.as_deref()))
}

/// Gives each archetype what flags say of it alone.
fn give_overrides(
    playing: &mut [Entry],
    flags: &BTreeMap<String, Layer>,
    errors: &mut Vec<PlanError>,
) {
    for (name, overrides) in flags {
        if let Some(entry) = playing.iter_mut().find(|entry| entry.name == *name) {
            entry.overrides.cover(overrides);
            continue;
        }
        let names = playing.iter().map(|entry| entry.name.as_str());
        let error = ValueError::not_playing(name, names);
        let first = overrides.origins().next();
        errors.extend(first.map(|(key, origin)| error.at(key, origin)));
    }
}

/// What the run's profile is asked to be, though nobody plays by it.
fn unplayed(line: &ResolvedSetting) -> Option<PlanError> {
    let key = line.setting.key;
    let asks = match key {
        "rate" | "stage" | "requests" => line.value != "none",
        "profile" => line.value != "auto",
        // A printed plan file always contains the users.
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

/// A preset's profile gives way where somebody asks for a load that implies another.
fn give_way(layers: &mut [Layer; 5]) {
    let [_, preset, given @ ..] = layers;
    let asks = |layer: &Layer, key| layer.get(key).is_some_and(|(text, _)| text != "none");
    let implied = ["requests", "rate", "stage"];
    if given
        .iter()
        .any(|layer| implied.iter().any(|key| asks(layer, key)))
    {
        preset.remove(preset::PROFILE);
    }
}

/// The mixes are those of the user service's specification: nobody else's service gets errors on purpose unasked.
fn for_strangers() -> Layer {
    let mut layer = Layer::default();
    for key in ["mix", "error_mix"] {
        let origin = Origin::Default("no archetype of the user service plays");
        layer.set(key, "off", origin);
    }
    layer
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
        names.find_map(|key| Some((key, layer.get(key)?)))
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
    let mut file = file::read(&origin.folder().join(name), key, origin, errors);
    // A preset that starts from another would make the order of the layers hard to tell.
    for key in [preset::NAME, preset::OTHER_NAME] {
        if let Some((_, origin)) = file.layer.remove(key) {
            let bad = ValueError::new(
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
    let Some((name, origin)) = layer.remove(preset::OTHER_NAME) else {
        return;
    };
    if layer.get(preset::NAME).is_some() {
        let bad = ValueError::new(
            "is another name of preset, and both are given",
            "keep one of them",
        );
        errors.push(bad.at(preset::OTHER_NAME, &origin));
    } else {
        layer.set(preset::NAME, name, origin);
    }
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
