//! Where a value came from and what is wrong with it: how a bad plan is refused. Made by every file of this room, printed
//! by the command line.
//!
//! What must stay true: one mistake is one line, and no line ever contains a secret.

use std::fmt;
use std::path::{Path, PathBuf};

use vespeiro_model::text::harmless;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it. The text says what the default was made from (`random`, `cores`); empty for a constant.
    Default(&'static str),
    /// A preset: one of the table, or the command's own.
    Preset(String),
    /// A plan file, or a TOML file given as the preset; the line counts from 1.
    File { path: PathBuf, line: usize },
    /// An environment variable, by its name.
    Env(String),
    /// A flag, as it is written: `--users`.
    Flag(String),
}

impl Origin {
    /// The folder that a path of this origin is relative to.
    pub(crate) fn folder(&self) -> &Path {
        match self {
            Origin::File { path, .. } => path.parent().unwrap_or(Path::new("")),
            _ => Path::new(""),
        }
    }

    /// Somebody said it for this run: not a default, nor a preset.
    pub(crate) fn is_given(&self) -> bool {
        !matches!(self, Origin::Default(_) | Origin::Preset(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default("") => write!(f, "default"),
            Origin::Default(made_from) => write!(f, "default, {made_from}"),
            Origin::Preset(name) => write!(f, "preset {name}"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Env(name) | Origin::Flag(name) => write!(f, "{name}"),
        }
    }
}

/// A text that is no value of its type, and what to do about it. It does not know yet which setting it was meant for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {fix}")]
pub struct ValueError {
    /// What is wrong.
    pub problem: String,
    /// What to do instead.
    pub fix: String,
}

impl ValueError {
    pub(crate) fn new(problem: impl Into<String>, fix: impl Into<String>) -> ValueError {
        ValueError {
            problem: problem.into(),
            fix: fix.into(),
        }
    }

    /// A key that is none of `known`; `hint` follows their names.
    pub(crate) fn no_such_key<'a>(
        key: &str,
        known: impl Iterator<Item = &'a str> + Clone,
        hint: &str,
    ) -> ValueError {
        let fix = nearest(key, known.clone()).map_or_else(
            || format!("use {}{hint}", known.collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        ValueError::new("no such key", fix)
    }

    /// An archetype that is none of those that play.
    pub(crate) fn not_playing<'a>(
        name: &str,
        playing: impl Iterator<Item = &'a str> + Clone,
    ) -> ValueError {
        let fix = nearest(name, playing.clone()).map_or_else(
            || {
                let playing: Vec<_> = playing.collect();
                format!("those that play are {}", playing.join(", "))
            },
            |near| format!("did you mean {near:?}?"),
        );
        ValueError::new(format!("no archetype named {name:?} plays"), fix)
    }

    pub(crate) fn at(self, key: impl Into<String>, origin: &Origin) -> PlanError {
        PlanError {
            key: key.into(),
            origin: origin.clone(),
            problem: self.problem,
            fix: self.fix,
        }
    }
}

/// One mistake in a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", one_line(&format!("{key} ({origin}): {problem}; {fix}", key = .key.escape_debug())))]
pub struct PlanError {
    /// Path of the key: `users`, `archetype.admin.weight`.
    pub key: String,
    pub origin: Origin,
    /// What is wrong.
    pub problem: String,
    /// What to do instead.
    pub fix: String,
}

impl PlanError {
    /// The same, of a key within a table.
    pub(crate) fn under(mut self, table: &str) -> PlanError {
        self.key = format!("{table}.{}", self.key);
        self
    }
}

/// All mistakes of a plan, in the order in which they were found; at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(PlanError::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PlanErrors(pub Vec<PlanError>);

/// A foreign text as it may stand in a message: without line ends, and with what is hidden in it made visible.
pub fn one_line(text: &impl fmt::Display) -> String {
    let line = text.to_string().replace(['\n', '\r', '\t'], " ");
    harmless(&line).into_owned()
}

/// The candidate that a misspelt word was most likely meant to be.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 4).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_forgives_a_slip_but_not_another_word() {
        let keys = ["users", "http", "min_request_count", "cache"];
        assert_eq!(nearest("usres", keys), Some("users"));
        assert_eq!(
            nearest("min-request-count", keys),
            Some("min_request_count")
        );
        assert_eq!(
            nearest("MIN_REQUESTS_COUNT", keys),
            Some("min_request_count")
        );
        assert_eq!(nearest("port", keys), None);
        assert_eq!(nearest("service_host", keys), None);
    }

    #[test]
    fn what_a_file_says_cannot_steer_the_terminal() {
        let bad = ValueError::new("module \u{1b}[2J\n.wasm is not there", "give a path");
        let error = bad.at("archetype.\t.module", &Origin::Flag("--plan".into()));
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }

    #[test]
    fn an_error_names_key_place_problem_and_mend() {
        let origin = Origin::File {
            path: "plan.toml".into(),
            line: 3,
        };
        let error = ValueError::new("0 is too few", "give 1 or more").at("users", &origin);
        assert_eq!(
            error.to_string(),
            "users (plan.toml:3): 0 is too few; give 1 or more"
        );
        assert_eq!(
            PlanErrors(vec![error.clone(), error])
                .to_string()
                .lines()
                .count(),
            2
        );
    }
}
