//! Reads a plan file (TOML): settings at the top level, `[[archetype]]`, `[feeds.NAME]`, `[files.NAME]`,
//! `[targets.NAME]` and `[secrets.NAME]` tables. Used by `resolve.rs` for `--plan` and for a preset that is a file. The values become text, and are checked by their value types.
//!
//! What must stay true: every value keeps its line, so that an error can name it.

mod archetype;
mod named;
mod values;

use std::path::Path;

use toml::de::{DeTable, DeValue};
use vespeiro_model::Word as _;

use self::archetype::archetype;
use self::named::{Kind, named};
use self::values::{lines, listed, staged, text_of};
use crate::archetypes::{Entry, MAX_ARCHETYPES, too_many};
use crate::bounded;
use crate::errors::{Origin, PlanError, ValueError};
use crate::feeds;
use crate::files;
use crate::layers::{Layer, NamedLayers};
use crate::secrets;
use crate::settings::guard::Judging;
use crate::targets;

/// What one plan file says.
#[derive(Default)]
pub(crate) struct PlanFile {
    pub(crate) layer: Layer,
    pub(crate) archetypes: Vec<Entry>,
    pub(crate) feeds: NamedLayers,
    pub(crate) files: NamedLayers,
    pub(crate) targets: NamedLayers,
    pub(crate) secrets: NamedLayers,
}

const FEEDS: Kind = Kind {
    table: "feeds",
    one: "a feed",
    example: "write [feeds.people] above file = \"people.csv\"",
    keys: &feeds::KEYS,
    short: "file",
};

const FILES: Kind = Kind {
    table: "files",
    one: "a file",
    example: "write [files] above photo = \"photo.jpg\"",
    keys: &files::KEYS,
    short: "path",
};

const TARGETS: Kind = Kind {
    table: "targets",
    one: "a target",
    example: "write [targets.billing] above base_url = \"http://localhost:9601\"",
    keys: &targets::KEYS,
    short: "base_url",
};

/// Reads the file; `key` and `origin` say who asked for it. What is wrong goes to `errors`, the rest is returned.
pub(crate) fn read(
    path: &Path,
    key: &str,
    origin: &Origin,
    errors: &mut Vec<PlanError>,
) -> PlanFile {
    match bounded::read_text(path, bounded::MAX_PLAN) {
        Ok(text) => parse(&text, path, errors),
        Err(error) => {
            let problem = format!("cannot read {}: {error}", path.display());
            errors.push(
                ValueError::new(problem, "give the path of a TOML plan file").at(key, origin),
            );
            PlanFile::default()
        }
    }
}

/// Where things are in a file, and what is wrong there.
struct Place<'a> {
    text: &'a str,
    path: &'a Path,
    errors: &'a mut Vec<PlanError>,
}

impl Place<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.get(..offset).unwrap_or(self.text);
        Origin::File {
            path: self.path.to_owned(),
            line: 1 + before.matches('\n').count(),
        }
    }

    fn refuse(&mut self, key: impl Into<String>, offset: usize, bad: ValueError) {
        let origin = self.origin(offset);
        self.errors.push(bad.at(key, &origin));
    }
}

const SECRETS: Kind = Kind {
    table: "secrets",
    one: "a secret",
    example: "write [secrets] above api-key = \"API_KEY\", which names an environment variable",
    keys: &secrets::KEYS,
    short: "env",
};

fn parse(text: &str, path: &Path, errors: &mut Vec<PlanError>) -> PlanFile {
    let mut place = Place { text, path, errors };
    let mut file = PlanFile::default();
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let problem = error
                .message()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            place.refuse(
                "TOML",
                error.span().map_or(0, |span| span.start),
                ValueError::new(problem, "correct this line"),
            );
            return file;
        }
    };
    for (key, value) in table.get_ref() {
        let (name, value, at) = (key.get_ref().as_ref(), value.get_ref(), key.span().start);
        match name {
            "mix" if let Some(parts) = mixes(value) => {
                for (part, value) in parts {
                    let at = part.span().start;
                    let key = match part.get_ref().as_ref() {
                        "requests" => "mix",
                        "errors" => "error_mix",
                        "faults" => "faults",
                        odd => {
                            let fix = "write [mix.requests], [mix.errors] and [mix.faults]";
                            let error = ValueError::new("no such key", fix);
                            place.refuse(format!("mix.{odd}"), at, error);
                            continue;
                        }
                    };
                    file.layer
                        .set(key, text_of(value.get_ref()), place.origin(at));
                }
            }
            // The table's name is that of the setting which says how it is judged.
            "thresholds" if value.as_str().and_then(Judging::from_word).is_some() => {
                file.layer.set(name, text_of(value), place.origin(at));
            }
            "thresholds" | "threshold" => {
                file.layer.set("threshold", listed(value), place.origin(at));
            }
            "feeds" => file.feeds = named(&FEEDS, value, at, &mut place),
            "files" => file.files = named(&FILES, value, at, &mut place),
            "secrets" => file.secrets = named(&SECRETS, value, at, &mut place),
            "targets" => file.targets = named(&TARGETS, value, at, &mut place),
            "archetype" => match tables(value) {
                Some(tables) if tables.len() > MAX_ARCHETYPES => {
                    place.refuse(name, at, too_many(tables.len()));
                }
                Some(tables) => {
                    let entries = tables.into_iter();
                    file.archetypes
                        .extend(entries.filter_map(|(table, at)| archetype(table, at, &mut place)));
                }
                None => {
                    let fix = "write [[archetype]] above each of them";
                    place.refuse(name, at, ValueError::new("this is no list of tables", fix));
                }
            },
            _ => file
                .layer
                .set(name, text_for(name, value), place.origin(at)),
        }
    }
    file
}

/// The text of a setting's value.
fn text_for(key: &str, value: &DeValue<'_>) -> String {
    match key {
        "stage" => staged(value),
        "header" => lines(value),
        "abort_on" | "resolve" | "ca_cert" => listed(value),
        _ => text_of(value),
    }
}

/// The tables of a list that contains nothing else, and where each begins.
fn tables<'a, 'i>(value: &'a DeValue<'i>) -> Option<Vec<(&'a DeTable<'i>, usize)>> {
    let items = value.as_array()?.iter();
    items
        .map(|item| Some((item.get_ref().as_table()?, item.span().start)))
        .collect()
}

/// The parts of `[mix]`, where it is not itself a list of shares.
fn mixes<'a, 'i>(value: &'a DeValue<'i>) -> Option<&'a DeTable<'i>> {
    let table = value.as_table()?;
    let parts = ["requests", "errors"];
    parts
        .iter()
        .any(|part| table.contains_key(*part))
        .then_some(table)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn read_text(text: &str) -> (PlanFile, Vec<String>) {
        let mut errors = Vec::new();
        let file = parse(text, Path::new("folder/plan.toml"), &mut errors);
        (file, errors.iter().map(PlanError::to_string).collect())
    }

    #[test]
    fn every_value_keeps_its_line_and_becomes_text() {
        let (file, errors) = read_text(
            "# plan\nusers = 1_000\n\nduration = \"5m\"\ninsecure = true\n[mix]\nauth = 0x14\nuser-query = 80.5\n",
        );
        assert_eq!(errors, [""; 0]);
        let entry = |key: &str| {
            let (text, origin) = file.layer.get(key).unwrap();
            format!("{text} @ {origin}")
        };
        assert_eq!(entry("users"), "1000 @ folder/plan.toml:2");
        assert_eq!(entry("duration"), "5m @ folder/plan.toml:4");
        assert_eq!(entry("insecure"), "true @ folder/plan.toml:5");
        assert_eq!(entry("mix"), "auth=20,user-query=80.5 @ folder/plan.toml:6");
    }

    #[test]
    fn the_two_mixes_are_tables_of_one_name() {
        let (file, errors) = read_text(
            "[mix.requests]\nauth = 40\nx = 60\n[mix.errors]\nsuccess = 100.0\n[mix.other]\na = 1\n",
        );
        assert_eq!(
            errors,
            [
                "mix.other (folder/plan.toml:6): no such key; write [mix.requests], [mix.errors] and [mix.faults]"
            ]
        );
        let text = |key: &str| {
            let (text, origin) = file.layer.get(key).unwrap();
            format!("{text} @ {origin}")
        };
        assert_eq!(text("mix"), "auth=40,x=60 @ folder/plan.toml:1");
        assert_eq!(text("error_mix"), "success=100.0 @ folder/plan.toml:4");
        let (file, _) = read_text("mix.errors = \"off\"\n");
        assert_eq!(file.layer.get("error_mix").unwrap().0, "off");
    }

    #[test]
    fn stages_are_tables_or_texts() {
        let text = |file: &str| read_text(file).0.layer.get("stage").unwrap().0.clone();
        let tables =
            "[[stage]]\nduration = \"30s\"\nusers = 100\n[[stage]]\nduration = 60\nrate = 2.5\n";
        assert_eq!(text(tables), "30s:100; 60:2.5");
        assert_eq!(text("stage = [\"30s:100\", \"1m:0\"]\n"), "30s:100; 1m:0");
        assert_eq!(text("stage = \"30s:100\"\n"), "30s:100");
        assert_eq!(text("stage = []\n"), "none");
        assert_eq!(text("[[stage]]\nuser = 1\n"), ":");
    }

    #[test]
    fn conditions_stand_in_lists_or_in_a_table_by_metric() {
        let (file, errors) = read_text(
            "abort_on = [\"error_rate>50%:30s\", \"p99>5s:1m\"]\n[thresholds]\np95 = \"<500ms\"\n\
             \"error_rate{archetype=admin}\" = [\"<1%\", \"<5%:30s abort\"]\n",
        );
        assert_eq!(errors, [""; 0]);
        let text = |key: &str| file.layer.get(key).unwrap().0.as_str();
        assert_eq!(text("abort_on"), "error_rate>50%:30s; p99>5s:1m");
        let mut parts: Vec<&str> = text("threshold").split("; ").collect();
        parts.sort_unstable();
        assert_eq!(
            parts,
            [
                "error_rate{archetype=admin}<1%",
                "error_rate{archetype=admin}<5%:30s abort",
                "p95<500ms"
            ]
        );
        let (file, _) = read_text("thresholds = []\n");
        assert_eq!(file.layer.get("threshold").unwrap().0, "none");
    }

    #[test]
    fn broken_toml_is_one_line_that_names_its_place() {
        for text in [
            "users = 1\nusers = 2\n",
            "users = 1\n= 2\n",
            "users = 1\nbase_url = \"x\nlang = 1",
        ] {
            let (_, errors) = read_text(text);
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(
                errors[0].starts_with("TOML (folder/plan.toml:2): "),
                "{errors:?}"
            );
            assert_eq!(errors[0].lines().count(), 1);
        }
        for text in [
            "archetype = 1",
            "archetype = [1]",
            "[archetype]\nname = \"a\"",
        ] {
            assert!(read_text(text).1[0].contains("[[archetype]]"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*", lines in "([a-z\\[\\]]{1,9} ?=? ?[0-9a-z\"{}\\[\\],.]{0,9}\n){0,6}") {
            read_text(&text);
            read_text(&lines);
        }
    }
}
