//! The layers a plan is made of, and the [`Reader`] that takes each setting from the highest layer that has it. The
//! declarations in `settings/` read through it, `resolve.rs` stacks the layers. A value that is wrong is reported from
//! whichever layer it is in, even where a higher one overrides it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::errors::{Bad, Origin, PlanError, nearest};
use crate::overrides::Overrides;
use crate::value_types::ValueType;

/// Under which heading a setting appears in help texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heading {
    Plan,
    Load,
    Target,
    Connections,
    Behaviors,
    Guard,
    Cleanup,
    Output,
}

impl Heading {
    /// As help texts have it.
    pub fn title(self) -> &'static str {
        match self {
            Heading::Plan => "Plan",
            Heading::Load => "Load",
            Heading::Target => "Target",
            Heading::Connections => "Connections",
            Heading::Behaviors => "Behaviors",
            Heading::Guard => "Guard",
            Heading::Cleanup => "Cleanup",
            Heading::Output => "Output",
        }
    }
}

/// How a setting behaves on the command line and in print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Value,
    /// True or false: `--key`, `--no-key`.
    Switch,
    /// Several values, separated by `;`: the flag may be given again and again.
    List,
    /// Never printed.
    Secret,
    /// Several that are never printed, one a line: the flag may be given again and again.
    SecretList,
}

impl Kind {
    /// Its values are never printed.
    pub fn is_secret(self) -> bool {
        matches!(self, Kind::Secret | Kind::SecretList)
    }

    /// What stands between several values in one text.
    pub fn separator(self) -> &'static str {
        match self {
            Kind::SecretList => "\n",
            _ => "; ",
        }
    }
}

/// One setting, as it is declared.
#[derive(Debug, Clone)]
pub struct Setting {
    /// As in the plan file: `min_request_count`. The flag and the variable follow from it.
    pub key: &'static str,
    pub heading: Heading,
    pub kind: Kind,
    /// Stands for the value in help texts.
    pub value_name: &'static str,
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
pub(super) fn variable(key: &str) -> String {
    format!("VESPEIRO_{}", key.to_uppercase())
}

/// The setting that an almost right key was meant to be, as one would write it.
pub(super) fn nearest_setting(key: &str, known: &[Setting]) -> Option<String> {
    let plain = key.to_lowercase().replace('-', "_");
    let switch = plain.strip_prefix("no_").and_then(|positive| {
        known
            .iter()
            .find(|setting| setting.kind == Kind::Switch && setting.key == positive)
    });
    switch
        .map(|setting| format!("{} = false", setting.key))
        .or_else(|| nearest(&plain, known.iter().map(|setting| setting.key)).map(str::to_owned))
}

/// What the command line said: the highest layer.
#[derive(Clone, Default)]
pub struct Settings {
    /// `--plan FILE`.
    pub plan: Option<PathBuf>,
    /// Each `--archetype NAME[=MODULE[:WEIGHT]]`, unparsed.
    pub archetypes: Vec<String>,
    /// Each `--feed NAME=FILE[:ORDER]`, unparsed.
    pub feeds: Vec<String>,
    layer: Layer,
    /// What flags say of one archetype, by its name.
    pub(super) own: BTreeMap<String, Overrides>,
}

impl Settings {
    /// Sets `key` to the text of a value, as if it had been given as `flag` (`--users`, `--no-cache`).
    pub fn set(&mut self, key: &str, text: impl Into<String>, flag: impl Into<String>) {
        self.layer.set(key, text, Origin::Flag(flag.into()));
    }

    /// The same for one archetype alone, as if it had been given as `NAME=VALUE`; again and again where it is a list.
    pub fn set_own(&mut self, archetype: &str, key: &str, text: &str, flag: impl Into<String>) {
        let own = self.own.entry(archetype.to_owned()).or_default();
        own.add(key, text, Origin::Flag(flag.into()));
    }

    pub(super) fn layer(&self) -> &Layer {
        &self.layer
    }
}

// One of the values is a password.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("plan", &self.plan)
            .field("archetypes", &self.archetypes)
            .field("feeds", &self.feeds)
            .field("keys", &self.layer.entries.keys())
            .field("own", &self.own)
            .finish()
    }
}

/// The texts of one source, by key.
#[derive(Clone, Default)]
pub(super) struct Layer {
    pub(super) entries: BTreeMap<String, (String, Origin)>,
}

impl Layer {
    pub(super) fn set(&mut self, key: &str, text: impl Into<String>, origin: Origin) {
        self.entries.insert(key.to_owned(), (text.into(), origin));
    }
}

/// One setting's value in a resolved plan, ready to print.
#[derive(Debug, Clone)]
pub struct Line {
    pub setting: Setting,
    /// In canonical form; `(hidden)` for a secret.
    pub value: String,
    pub origin: Origin,
}

/// What a setting is when no layer has it.
pub(super) enum Fallback {
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

/// Takes settings from a stack of layers, and keeps what it met: lines to print, errors to report.
pub(super) struct Reader<'a> {
    /// Lowest first.
    layers: &'a [Layer],
    heading: Heading,
    pub(super) lines: Vec<Line>,
    pub(super) errors: Vec<PlanError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layers: &'a [Layer]) -> Reader<'a> {
        Reader {
            layers,
            heading: Heading::Plan,
            lines: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// The settings that follow belong under this heading.
    pub(super) fn under(&mut self, heading: Heading) {
        self.heading = heading;
    }

    /// Declares a setting and returns its value: that of the highest layer where it is right, else the default.
    pub(super) fn read<T: 'static>(
        &mut self,
        key: &'static str,
        fallback: impl Into<Fallback>,
        form: ValueType<T>,
        help: impl Into<Cow<'static, str>>,
    ) -> T {
        let (default, text, made_from) = match fallback.into() {
            Fallback::Constant(text) => (text.to_owned(), text.to_owned(), ""),
            Fallback::Made { text, from } => (from.to_owned(), text, from),
        };
        let mut best = None;
        for (text, origin) in self
            .layers
            .iter()
            .filter_map(|layer| layer.entries.get(key))
        {
            match (form.parse)(text) {
                Ok(value) => best = Some((value, origin.clone())),
                Err(bad) => self.errors.push(bad.at(key, origin)),
            }
        }
        let (value, origin) = best.unwrap_or_else(|| {
            let value = (form.parse)(&text)
                .unwrap_or_else(|bad| panic!("the default of {key} is wrong: {bad}"));
            (value, Origin::Default(made_from))
        });
        let shown = if form.kind.is_secret() {
            "(hidden)".to_owned()
        } else {
            (form.show)(&value)
        };
        let default = if form.kind.is_secret() {
            "(hidden)".to_owned()
        } else {
            default
        };
        let ValueType {
            kind, value_name, ..
        } = form;
        let setting = Setting {
            key,
            heading: self.heading,
            kind,
            value_name,
            default,
            help: help.into(),
        };
        self.lines.push(Line {
            setting,
            value: shown,
            origin,
        });
        value
    }

    /// Refuses what is right by itself and wrong beside other settings; silent where it is wrong by itself.
    pub(super) fn refuse(&mut self, key: &str, bad: Bad) {
        if self.errors.iter().any(|error| error.key == key) {
            return;
        }
        let line = self.lines.iter().find(|line| line.setting.key == key);
        self.errors
            .extend(line.map(|line| bad.at(key, &line.origin)));
    }

    /// Refuses two settings that do not go in this order; silent where one of them is wrong by itself.
    pub(super) fn in_order(&mut self, low: &str, high: &str, holds: bool) {
        if holds
            || self
                .errors
                .iter()
                .any(|error| error.key == low || error.key == high)
        {
            return;
        }
        let find = |key| self.lines.iter().find(|line| line.setting.key == key);
        if let (Some(low), Some(high)) = (find(low), find(high)) {
            let (key, other) = (low.setting.key, high.setting.key);
            let bad = Bad::new(
                format!(
                    "{} is more than {other} {} ({})",
                    low.value, high.value, high.origin
                ),
                format!("lower {key} or raise {other}"),
            );
            let error = bad.at(key, &low.origin);
            self.errors.push(error);
        }
    }
}
