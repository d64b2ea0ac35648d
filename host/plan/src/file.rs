//! Reads a plan file (TOML): settings at the top level, `[[archetype]]` and `[feeds.NAME]` tables. Used by `resolve.rs`
//! for `--plan` and for a scenario that is a file. Every value keeps its line; the values themselves are judged by their
//! forms, as text.

mod archetype;
mod feeds;
mod values;

use std::path::Path;

use toml::de::{DeTable, DeValue};

use self::archetype::archetype;
use self::values::{lines, listed, staged, text_of};
use super::archetypes::Entry;
use super::errors::{Bad, Origin, PlanError};
use super::feeds::Feedings;
use super::layers::Layer;

/// What one plan file says.
#[derive(Default)]
pub(super) struct PlanFile {
    pub(super) layer: Layer,
    pub(super) archetypes: Vec<Entry>,
    pub(super) feeds: Feedings,
}

/// Reads the file; `key` and `origin` say who asked for it. What is wrong goes to `errors`, the rest is returned.
pub(super) fn read(
    path: &Path,
    key: &str,
    origin: &Origin,
    errors: &mut Vec<PlanError>,
) -> PlanFile {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, path, errors),
        Err(error) => {
            let problem = format!("cannot read {}: {error}", path.display());
            errors.push(Bad::new(problem, "give the path of a TOML plan file").at(key, origin));
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

    fn refuse(&mut self, key: impl Into<String>, offset: usize, bad: Bad) {
        let origin = self.origin(offset);
        self.errors.push(bad.at(key, &origin));
    }
}

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
                Bad::new(problem, "mend this line"),
            );
            return file;
        }
    };
    for (key, value) in table.get_ref() {
        let (name, at) = (key.get_ref().as_ref(), key.span().start);
        if let ("mix", Some(parts)) = (name, mixes(value.get_ref())) {
            for (part, value) in parts {
                let at = part.span().start;
                match part.get_ref().as_ref() {
                    "requests" => file
                        .layer
                        .set("mix", text_of(value.get_ref()), place.origin(at)),
                    "errors" => {
                        file.layer
                            .set("error_mix", text_of(value.get_ref()), place.origin(at))
                    }
                    odd => {
                        let bad = Bad::new("no such key", "write [mix.requests] and [mix.errors]");
                        place.refuse(format!("mix.{odd}"), at, bad);
                    }
                }
            }
            continue;
        }
        if name == "stage" {
            file.layer
                .set(name, staged(value.get_ref()), place.origin(at));
            continue;
        }
        if name == "header" {
            file.layer
                .set(name, lines(value.get_ref()), place.origin(at));
            continue;
        }
        if let Some(setting) = list(name) {
            file.layer
                .set(setting, listed(value.get_ref()), place.origin(at));
            continue;
        }
        if name == "feeds" {
            file.feeds = feeds::feeds(value.get_ref(), at, &mut place);
            continue;
        }
        if name != "archetype" {
            file.layer
                .set(name, text_of(value.get_ref()), place.origin(at));
            continue;
        }
        let tables = value.get_ref().as_array().map(|array| {
            array.iter().filter_map(|item| {
                item.get_ref()
                    .as_table()
                    .map(|table| (table, item.span().start))
            })
        });
        match (value.get_ref().as_array(), tables) {
            (Some(array), Some(tables)) if tables.clone().count() == array.len() => {
                file.archetypes
                    .extend(tables.filter_map(|(table, at)| archetype(table, at, &mut place)));
            }
            _ => place.refuse(
                name,
                at,
                Bad::new(
                    "this is no list of tables",
                    "write [[archetype]] above each of them",
                ),
            ),
        }
    }
    file
}

/// The setting that a list belongs to whose items have commas of their own.
fn list(key: &str) -> Option<&'static str> {
    match key {
        "thresholds" | "threshold" => Some("threshold"),
        "abort_on" => Some("abort_on"),
        "resolve" => Some("resolve"),
        "ca_cert" => Some("ca_cert"),
        _ => None,
    }
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

    pub(super) fn read_text(text: &str) -> (PlanFile, Vec<String>) {
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
            let (text, origin) = &file.layer.entries[key];
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
            ["mix.other (folder/plan.toml:6): no such key; write [mix.requests] and [mix.errors]"]
        );
        let text = |key: &str| {
            let (text, origin) = &file.layer.entries[key];
            format!("{text} @ {origin}")
        };
        assert_eq!(text("mix"), "auth=40,x=60 @ folder/plan.toml:1");
        assert_eq!(text("error_mix"), "success=100.0 @ folder/plan.toml:4");
        let (file, _) = read_text("mix.errors = \"off\"\n");
        assert_eq!(file.layer.entries["error_mix"].0, "off");
    }

    #[test]
    fn stages_are_tables_or_texts() {
        let text = |file: &str| read_text(file).0.layer.entries["stage"].0.clone();
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
        let text = |key: &str| file.layer.entries[key].0.as_str();
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
        assert_eq!(file.layer.entries["threshold"].0, "none");
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
