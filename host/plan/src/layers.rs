//! The layers that a plan is made of, and the [`Reader`] that takes each setting from the highest layer that has it. The
//! declarations in `settings/` read through it, `resolve.rs` stacks the layers.
//!
//! What must stay true: a wrong value is reported from whichever layer it is in, even where a higher one overrides it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::path::PathBuf;

use vespeiro_model::words;

use crate::errors::{Origin, PlanError, ValueError, nearest};
use crate::value_types::{SettingKind, ValueType};

words! {
    /// The heading under which a setting appears in help texts.
    pub enum Section {
        Plan => "Plan",
        Load => "Load",
        Target => "Target",
        Connections => "Connections",
        Behaviors => "Behaviors",
        Guard => "Guard",
        Cleanup => "Cleanup",
        Output => "Output",
    }
}

/// One setting, as it is declared.
#[derive(Debug, Clone)]
pub struct Setting {
    /// As in the plan file: `min_request_count`. The flag and the variable follow from it.
    pub key: &'static str,
    pub section: Section,
    pub kind: SettingKind,
    /// Stands for the value in help texts.
    pub value_name: &'static str,
    /// The only texts that it may have; empty where it may have any.
    pub words: Vec<&'static str>,
    /// The default's text, or what it is made from; `none` when there is none.
    pub default: String,
    pub help: Cow<'static, str>,
}

impl Setting {
    /// The long flag without its dashes: `min-request-count`.
    pub fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    /// The environment variable: `VESPEIRO_MIN_REQUEST_COUNT`.
    pub fn variable(&self) -> String {
        variable(self.key)
    }
}

/// The environment variable of a key.
pub(crate) fn variable(key: &str) -> String {
    format!("VESPEIRO_{}", key.to_uppercase())
}

/// The setting that a misspelt key was most likely meant to be, as one would write it.
pub(crate) fn nearest_setting(key: &str, known: &[Setting]) -> Option<String> {
    let plain = key.to_lowercase().replace('-', "_");
    let is_switch = |setting: &&Setting| setting.kind == SettingKind::Switch;
    let switch = plain.strip_prefix("no_").and_then(|positive| {
        let mut switches = known.iter().filter(is_switch);
        switches.find(|setting| setting.key == positive)
    });
    switch
        .map(|setting| format!("{} = false", setting.key))
        .or_else(|| nearest(&plain, known.iter().map(|setting| setting.key)).map(str::to_owned))
}

/// The texts of one source by key, each with where it comes from.
#[derive(Clone, Default)]
pub(crate) struct Layer(BTreeMap<String, (String, Origin)>);

// One of the texts may be a password, so that none is shown.
impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Layer {
    pub(crate) fn set(&mut self, key: &str, text: impl Into<String>, origin: Origin) {
        self.0.insert(key.to_owned(), (text.into(), origin));
    }

    /// Appends to what the key has already.
    pub(crate) fn add(&mut self, key: &str, text: &str, origin: Origin) {
        match self.0.entry(key.to_owned()) {
            Entry::Occupied(mut entry) => {
                let (texts, _) = entry.get_mut();
                texts.push_str("; ");
                texts.push_str(text);
            }
            Entry::Vacant(entry) => {
                entry.insert((text.to_owned(), origin));
            }
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&(String, Origin)> {
        self.0.get(key)
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<(String, Origin)> {
        self.0.remove(key)
    }

    pub(crate) fn origins(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.0
            .iter()
            .map(|(key, (_, origin))| (key.as_str(), origin))
    }

    /// Takes what is missing from a lower source.
    pub(crate) fn fill(&mut self, lower: &Layer) {
        for (key, value) in &lower.0 {
            self.0.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }

    /// Takes everything from a higher source.
    pub(crate) fn cover(&mut self, higher: &Layer) {
        self.0.extend(higher.0.clone());
    }
}

/// What one source says of things with names, feeds for instance.
pub(crate) type NamedLayers = BTreeMap<String, NamedLayer>;

/// What one source says of one of them.
pub(crate) struct NamedLayer {
    pub(crate) layer: Layer,
    pub(crate) origin: Origin,
}

impl NamedLayer {
    pub(crate) fn new(origin: Origin) -> Self {
        let layer = Layer::default();
        Self { layer, origin }
    }
}

/// Puts together what the sources say, lowest first.
pub(crate) fn stacked(sources: Vec<NamedLayers>) -> NamedLayers {
    let mut all = NamedLayers::new();
    for (name, higher) in sources.into_iter().flatten() {
        let one = all
            .entry(name)
            .or_insert_with(|| NamedLayer::new(higher.origin.clone()));
        one.layer.cover(&higher.layer);
        one.origin = higher.origin;
    }
    all
}

/// What the command line said: the highest layer.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--plan FILE`.
    pub plan: Option<PathBuf>,
    /// Each `--archetype NAME[=MODULE[:WEIGHT]]`, unparsed.
    pub archetypes: Vec<String>,
    /// Each `--feed NAME=FILE[:ORDER]`, unparsed.
    pub feeds: Vec<String>,
    /// Each `--file NAME=PATH`, unparsed.
    pub files: Vec<String>,
    pub(crate) layer: Layer,
    /// What flags say of one archetype, by its name.
    pub(crate) overrides: BTreeMap<String, Layer>,
}

impl Flags {
    /// Sets `key` to the text of a value, as if it had been given as `flag` (`--users`, `--no-cache`).
    pub fn set(&mut self, key: &str, text: impl Into<String>, flag: impl Into<String>) {
        self.layer.set(key, text, Origin::Flag(flag.into()));
    }

    /// Whether `key` was given as a flag.
    pub fn has(&self, key: &str) -> bool {
        self.layer.get(key).is_some()
    }

    /// The same for one archetype alone, as if it had been given as `NAME=VALUE`; may be repeated where it is a list.
    pub fn set_override(
        &mut self,
        archetype: &str,
        key: &str,
        text: &str,
        flag: impl Into<String>,
    ) {
        let layer = self.overrides.entry(archetype.to_owned()).or_default();
        layer.add(key, text, Origin::Flag(flag.into()));
    }
}

/// One setting's value in a resolved plan, ready to print.
#[derive(Debug, Clone)]
pub struct ResolvedSetting {
    pub setting: Setting,
    /// In canonical form; `(hidden)` for a secret.
    pub value: String,
    pub origin: Origin,
}

/// What a setting is when no layer has it.
pub(crate) enum Fallback {
    Constant(&'static str),
    /// Made on the spot; the word says from what.
    Made {
        text: String,
        from: &'static str,
    },
}

impl From<&'static str> for Fallback {
    fn from(text: &'static str) -> Fallback {
        Fallback::Constant(text)
    }
}

/// Takes settings from a stack of layers, and keeps the resolved settings and the errors that it met.
pub(crate) struct Reader<'a> {
    /// Lowest first.
    layers: &'a [Layer],
    section: Section,
    pub(crate) settings: Vec<ResolvedSetting>,
    pub(crate) errors: Vec<PlanError>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(layers: &'a [Layer]) -> Reader<'a> {
        Reader {
            layers,
            section: Section::Plan,
            settings: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// The settings that follow belong under this heading.
    pub(crate) fn under(&mut self, section: Section) {
        self.section = section;
    }

    /// Declares a setting and returns its value: that of the highest layer where it is right, else the default.
    pub(crate) fn read<T: 'static>(
        &mut self,
        key: &'static str,
        fallback: impl Into<Fallback>,
        value_type: ValueType<T>,
        help: impl Into<Cow<'static, str>>,
    ) -> T {
        let (default, text, made_from) = match fallback.into() {
            Fallback::Constant(text) => (text.to_owned(), text.to_owned(), ""),
            Fallback::Made { text, from } => (from.to_owned(), text, from),
        };
        let mut best = None;
        for (text, origin) in self.layers.iter().filter_map(|layer| layer.get(key)) {
            match (value_type.parse)(text) {
                Ok(value) => best = Some((value, origin.clone())),
                Err(error) => self.errors.push(error.at(key, origin)),
            }
        }
        let (value, origin) = best.unwrap_or_else(|| {
            let value = (value_type.parse)(&text)
                .unwrap_or_else(|error| panic!("the default of {key} is wrong: {error}"));
            (value, Origin::Default(made_from))
        });
        let kind = value_type.kind;
        let shown = |text: String| match kind.is_secret() {
            true => "(hidden)".to_owned(),
            false => text,
        };
        let text = (value_type.show)(&value);
        let setting = Setting {
            key,
            section: self.section,
            kind,
            value_name: value_type.value_name,
            words: value_type.words,
            default: shown(default),
            help: help.into(),
        };
        self.settings.push(ResolvedSetting {
            setting,
            value: shown(text),
            origin,
        });
        value
    }

    /// A setting that was read.
    pub(crate) fn find(&self, key: &str) -> Option<&ResolvedSetting> {
        self.settings.iter().find(|one| one.setting.key == key)
    }

    /// Refuses what is right by itself and wrong beside other settings; silent where it is wrong by itself.
    pub(crate) fn refuse(&mut self, key: &str, error: ValueError) {
        if !self.errors.iter().any(|error| error.key == key) {
            let origin = self.find(key).map(|one| one.origin.clone());
            self.errors
                .extend(origin.map(|origin| error.at(key, &origin)));
        }
    }

    /// Refuses two settings that are in the wrong order; silent where one of them is wrong by itself.
    pub(crate) fn in_order(&mut self, low: &str, high: &str, holds: bool) {
        let is_wrong = |error: &PlanError| error.key == low || error.key == high;
        if holds || self.errors.iter().any(is_wrong) {
            return;
        }
        if let (Some(lower), Some(higher)) = (self.find(low), self.find(high)) {
            let (value, most, origin) = (&lower.value, &higher.value, &higher.origin);
            let error = ValueError::new(
                format!("{value} is more than {high} {most} ({origin})"),
                format!("lower {low} or raise {high}"),
            );
            self.refuse(low, error);
        }
    }
}

/// Declares a part of the plan: a struct, and for each field the setting that it is read from, as key, default, value type
/// and help. A field in braces is computed. To add a setting, add one field.
macro_rules! section {
    (
        $(#[$meta:meta])*
        pub struct $name:ident ($reader:ident $(, $arg:ident: $arg_type:ty)*) {
            $($(#[$doc:meta])* $field:ident: $type:ty = $how:tt;)+
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)+
        }

        impl $name {
            /// Reads its settings in the order of the fields.
            pub(crate) fn read($reader: &mut $crate::layers::Reader<'_> $(, $arg: $arg_type)*) -> Self {
                Self {
                    $($field: $crate::layers::section!(@ $reader $how),)+
                }
            }
        }
    };
    (@ $reader:ident { $($value:tt)* }) => {{ $($value)* }};
    (@ $reader:ident ($key:literal, $default:expr, $type:expr, $help:expr)) => {
        $reader.read($key, $default, $type, $help)
    };
}
pub(crate) use section;
