//! Who plays: the built-in archetypes, those of plan files and those of `--archetype`. Used by `resolve.rs`.
//!
//! What must stay true: the highest source that names anyone decides alone who plays. Lower ones only supply the weight,
//! the config and the overrides that an archetype of the same name lacks.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::connections::Identity;
use crate::errors::{Origin, PlanError, ValueError, nearest};
use crate::layers::{Layer, ResolvedSetting};
use crate::profile::Profile;
use crate::settings::load::LoadSettings;
use crate::settings::target::Admin;

/// The embedded archetypes and their default weights.
const BUILT_IN: [(&str, u32); 4] = [
    ("newcomer", 20),
    ("active", 50),
    ("admin", 10),
    ("power", 20),
];

/// Archetypes that one source may name: each is a row in every output.
pub(super) const MAX_ARCHETYPES: usize = 1_000;

/// Keeps sums of weights far from overflow.
const MAX_WEIGHT: u32 = 1_000_000;

/// A kind of user.
#[derive(Clone)]
pub struct Archetype {
    pub name: String,
    pub weight: u32,
    pub module: Module,
    /// A JSON object, given to each session. Holds the admin account under `admin`: never print it.
    pub config: Value,
    pub overrides: LoadOverrides,
    /// Its users' own certificate, in place of the run's.
    pub identity: Option<Identity>,
}

impl Archetype {
    /// One without a config and without a load of its own.
    pub fn new(name: &str, weight: u32, module: Module) -> Archetype {
        Archetype {
            name: name.to_owned(),
            weight,
            module,
            config: json!({}),
            overrides: LoadOverrides::default(),
            identity: None,
        }
    }
}

// A config contains the admin account, so it is left out.
impl fmt::Debug for Archetype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archetype")
            .field("name", &self.name)
            .field("weight", &self.weight)
            .field("module", &self.module)
            .field("overrides", &self.overrides)
            .finish_non_exhaustive()
    }
}

/// The load that an archetype has of its own, beside the run's. Made by `overrides.rs`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadOverrides {
    /// Played by this archetype alone. `None`: it shares the run's, by its weight.
    pub profile: Option<Profile>,
    /// When its own profile ends, if the run goes on longer.
    pub duration: Option<Duration>,
    /// Fewest and most requests of one of its users, where they are not the run's.
    pub budget: Option<(u32, u32)>,
}

/// Where a behavior comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    /// Embedded in the binary under this name: `newcomer`, `active`, `admin`, `power`.
    BuiltIn(String),
    /// A file, resolved against the plan file's folder: a module, or a program by the end of its name.
    File(PathBuf),
    /// What an embedded player plays, made by a command.
    Program {
        player: &'static str,
        /// For messages.
        name: String,
        source: Arc<[u8]>,
    },
}

/// One archetype and who put it into the plan.
#[derive(Debug)]
pub struct ResolvedArchetype {
    /// As it was written: its config does not hold the plan's admin account yet.
    pub archetype: Archetype,
    /// The settings that it overrides.
    pub overrides: Vec<ResolvedSetting>,
    pub origin: Origin,
}

/// An archetype as one source has it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Its own weight, or that of the same name in a lower source, or 1.
    pub(super) weight: Option<u32>,
    /// `None`: the one of the same name in a lower source.
    pub(super) module: Option<Module>,
    /// `None`: the one of the same name in a lower source.
    pub(super) config: Option<Map<String, Value>>,
    /// What it has of its own; each setting that it lacks is that of the same name in a lower source.
    pub(super) overrides: Layer,
    pub(super) origin: Origin,
}

/// The archetypes that play when nobody names any.
pub(super) fn built_in() -> Vec<Entry> {
    BUILT_IN
        .iter()
        .map(|(name, weight)| Entry {
            name: (*name).to_owned(),
            weight: Some(*weight),
            module: Some(Module::BuiltIn((*name).to_owned())),
            config: None,
            overrides: Layer::default(),
            origin: Origin::Default(""),
        })
        .collect()
}

/// Reads `NAME`, `NAME=MODULE` or `NAME=MODULE:WEIGHT`.
pub(super) fn parse_flag(text: &str, origin: Origin, errors: &mut Vec<PlanError>) -> Option<Entry> {
    let (name, module) = text
        .split_once('=')
        .map_or((text, None), |(name, module)| (name, Some(module)));
    let (module, weight) = match module.and_then(|module| module.rsplit_once(':')) {
        Some((module, weight)) if weight.bytes().all(|b| b.is_ascii_digit()) => {
            (Some(module), Some(weight))
        }
        _ => (module, None),
    };
    let key = format!("archetype.{name}");
    let weight = weight.map(|weight| parse_weight(weight.parse().ok()));
    let module = module.map(|module| parse_module(module, Path::new("")));
    let mut keep = |bad: ValueError| errors.push(bad.at(&key, &origin));
    let name = check_name(name, "an archetype").map_err(&mut keep).ok();
    let weight = weight.transpose().map_err(&mut keep).ok();
    let module = module.transpose().map_err(&mut keep).ok();
    Some(Entry {
        name: name?,
        weight: weight?,
        module: module?,
        config: None,
        overrides: Layer::default(),
        origin,
    })
}

/// A name is a metric label and a part of the command line. `whose` is what it names: `an archetype`.
pub(super) fn check_name(name: &str, whose: &str) -> Result<String, ValueError> {
    let fits = (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if fits {
        Ok(name.to_owned())
    } else {
        Err(ValueError::new(
            format!("{name:?} is no valid name of {whose}"),
            "use 1 to 32 letters, digits, - and _",
        ))
    }
}

pub(super) fn parse_weight(number: Option<i128>) -> Result<u32, ValueError> {
    number
        .and_then(|number| u32::try_from(number).ok())
        .filter(|weight| *weight <= MAX_WEIGHT)
        .ok_or_else(|| {
            ValueError::new(
                "this is no weight",
                format!("give a whole number, 0 to {MAX_WEIGHT}"),
            )
        })
}

/// Reads `builtin:NAME` or a path relative to `folder`. The file has to be there.
pub(super) fn parse_module(text: &str, folder: &Path) -> Result<Module, ValueError> {
    if let Some(name) = text.strip_prefix("builtin:") {
        if BUILT_IN.iter().any(|(known, _)| *known == name) {
            return Ok(Module::BuiltIn(name.to_owned()));
        }
        let names = BUILT_IN.map(|(name, _)| name);
        let hint = nearest(name, names)
            .map_or_else(String::new, |near| format!("did you mean {near:?}? "));
        return Err(ValueError::new(
            format!("no built-in behavior is named {name:?}"),
            format!("{hint}use one of {}", names.join(", ")),
        ));
    }
    let path: PathBuf = folder.join(text);
    if path.is_file() {
        return Ok(Module::File(path));
    }
    let what = if path.is_dir() {
        "is a folder"
    } else {
        "is not there"
    };
    Err(ValueError::new(
        format!("module {} {what}", path.display()),
        "give the path of a .wasm, .js, .ts or .toml file, or builtin:<name>",
    ))
}

pub(super) fn too_many(named: usize) -> ValueError {
    ValueError::new(
        format!("{named} archetypes are more than the {MAX_ARCHETYPES} that a plan may have"),
        "combine some in one archetype, and let its config tell them apart",
    )
}

/// Chooses who plays. `sources` lists the entries of each source, lowest first, the built-ins not included.
pub(super) fn playing(sources: Vec<Vec<Entry>>, errors: &mut Vec<PlanError>) -> Vec<Entry> {
    let mut known = built_in();
    let mut playing = known.clone();
    for source in sources.into_iter().filter(|source| !source.is_empty()) {
        playing.clear();
        if let Some(over) = source.get(MAX_ARCHETYPES) {
            errors.push(too_many(source.len()).at("archetype", &over.origin));
        }
        for mut entry in source.into_iter().take(MAX_ARCHETYPES) {
            if let Some(twin) = playing
                .iter()
                .find(|other: &&Entry| other.name == entry.name)
            {
                let problem = format!("the name {:?} is taken ({})", entry.name, twin.origin);
                let bad = ValueError::new(problem, "give each archetype its own name");
                errors.push(bad.at(format!("archetype.{}", entry.name), &entry.origin));
                continue;
            }
            if let Some(lower) = known.iter().find(|other| other.name == entry.name) {
                entry.weight = entry.weight.or(lower.weight);
                entry.module = entry.module.or_else(|| lower.module.clone());
                entry.config = entry.config.or_else(|| lower.config.clone());
                entry.overrides.fill(&lower.overrides);
            }
            if entry.module.is_none() {
                let names = known.iter().map(|other| other.name.as_str());
                let hint = nearest(&entry.name, names)
                    .map_or_else(String::new, |near| format!(", or did you mean {near:?}?"));
                let fix = format!("name its .wasm file{hint}");
                let bad =
                    ValueError::new("this archetype is not built in, and it has no module", fix);
                errors.push(bad.at(format!("archetype.{}", entry.name), &entry.origin));
            }
            playing.push(entry);
        }
        known.retain(|lower| playing.iter().all(|entry| entry.name != lower.name));
        known.extend(playing.iter().cloned());
    }
    if let Some(first) = playing.first()
        && playing.iter().all(|entry| entry.weight == Some(0))
    {
        let bad = ValueError::new(
            "all weights are 0, so nobody would play",
            "give at least one archetype a weight above 0",
        );
        errors.push(bad.at("archetype.weight", &first.origin));
    }
    // A weight of 0 is how one archetype is switched off.
    playing.retain(|entry| entry.weight != Some(0));
    playing
}

impl Entry {
    /// Whether it is a built-in one, or stands in for one: those are made for the user service.
    pub(super) fn is_of_the_user_service(&self) -> bool {
        let is_ours = BUILT_IN.iter().any(|(name, _)| *name == self.name);
        is_ours || matches!(self.module, Some(Module::BuiltIn(_)))
    }

    /// The archetype as its source has it: without the admin account, and without a load of its own. `None` if it has no module.
    pub(super) fn archetype(&self) -> Option<Archetype> {
        let weight = self.weight.unwrap_or(1);
        Some(Archetype {
            config: Value::Object(self.config.clone().unwrap_or_default()),
            ..Archetype::new(&self.name, weight, self.module.clone()?)
        })
    }
}

/// Hands the archetype what the run says to behaviors, unless its own config speaks of it: the admin account, how long forms
/// take, how much users differ.
pub(super) fn with_run(mut archetype: Archetype, admin: &Admin, load: &LoadSettings) -> Archetype {
    if let Value::Object(config) = &mut archetype.config {
        config
            .entry("admin")
            .or_insert_with(|| json!({ "email": admin.email, "password": admin.password }));
        config
            .entry("form_delay")
            .or_insert_with(|| json!(load.form_delay));
        load.behavior_config.give_to(config);
    }
    archetype
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(text: &str) -> (Option<Entry>, Vec<PlanError>) {
        let mut errors = Vec::new();
        let entry = parse_flag(text, Origin::Flag("--archetype".into()), &mut errors);
        (entry, errors)
    }

    fn play(flags: &[&str]) -> (Vec<(String, u32)>, Vec<PlanError>) {
        let mut errors = Vec::new();
        let entries = flags.iter().filter_map(|text| flag(text).0).collect();
        let playing = playing(vec![entries], &mut errors);
        (
            playing
                .iter()
                .filter_map(Entry::archetype)
                .map(|a| (a.name, a.weight))
                .collect(),
            errors,
        )
    }

    #[test]
    fn a_flag_may_name_a_module_and_a_weight() {
        let entry = flag("vip=builtin:power:7").0.unwrap();
        assert_eq!(entry.module, Some(Module::BuiltIn("power".into())));
        assert_eq!(entry.weight, Some(7));
        assert_eq!(flag("vip=builtin:power").0.unwrap().weight, None);
        assert_eq!(flag("active").0.unwrap().module, None);
        for text in [
            "=builtin:power",
            "a b=builtin:power",
            "vip=nowhere.wasm",
            "vip=builtin:powr",
            "vip=builtin:power:9999999",
        ] {
            assert_eq!(flag(text).1.len(), 1, "{text}");
        }
    }

    #[test]
    fn only_those_named_by_flag_play() {
        assert_eq!(
            play(&["active", "vip=builtin:power"]).0,
            [("active".into(), 50), ("vip".into(), 1)]
        );
        assert_eq!(play(&["admin=builtin:power:3"]).0, [("admin".into(), 3)]);
    }

    #[test]
    fn nobody_named_means_the_four_built_ins() {
        let names: Vec<_> = play(&[])
            .0
            .into_iter()
            .map(|(name, weight)| format!("{name} {weight}"))
            .collect();
        assert_eq!(names, ["newcomer 20", "active 50", "admin 10", "power 20"]);
    }

    #[test]
    fn a_weight_of_zero_switches_off_but_not_everybody() {
        let (playing, errors) = play(&["active=builtin:active:0", "power"]);
        assert_eq!(playing, [("power".into(), 20)]);
        assert!(errors.is_empty());
        let (_, errors) = play(&["active=builtin:active:0"]);
        assert!(
            errors[0].to_string().contains("all weights are 0"),
            "{errors:?}"
        );
    }

    #[test]
    fn twins_and_strangers_are_refused() {
        let (_, errors) = play(&["active", "active", "powr"]);
        assert_eq!(errors.len(), 2);
        assert!(errors[0].to_string().contains("\"active\" is taken"));
        assert!(errors[1].to_string().contains("did you mean \"power\"?"));
    }
}
