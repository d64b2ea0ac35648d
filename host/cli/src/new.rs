//! `vespeiro new`: writes a small, complete project for a behavior in one of the languages of the table. Everything is
//! embedded, the SDK too, so that it works where there is no clone.

mod languages;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use clap::builder::PossibleValuesParser;

use crate::exit::{Exit, Misuse};
use languages::{File, LANGUAGES, Language, below};
use vespeiro_output::{Console, stdout};

/// What the templates call the behavior; they are projects of that name themselves.
const TEMPLATE_NAME: &str = "my-behavior";
/// What the templates call the archetype that plays it.
const TEMPLATE_ARCHETYPE: &str = "my-archetype";
/// Names that the project's own dependencies have.
const TAKEN: [&str; 15] = [
    "assemblyscript",
    "binaryen",
    "componentize-qjs",
    "core-js",
    "esbuild",
    "fastrand",
    "kotlin-compiler",
    "prost",
    "serde",
    "serde-json",
    "thiserror",
    "typescript",
    "vespeiro",
    "vespeiro-guest",
    "ziglang",
];
const MAX_NAME: usize = 40;

/// Create a project for a behavior of your own
#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// Name of the behavior and of its folder: lower-case letters, digits and hyphens
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// Language to write it in
    #[arg(long, value_name = "LANG", value_parser = PossibleValuesParser::new(LANGUAGES.iter().map(|language| language.name)))]
    lang: String,
    /// Archetype that it replaces; admin and power act as the plan's administrator and clean up
    #[arg(long, value_name = "NAME", value_parser = ["newcomer", "active", "admin", "power"])]
    archetype: Option<String>,
    /// Begin with one request and a test that plays whatever the journey becomes, for a service of your own
    #[arg(long, conflicts_with = "archetype")]
    blank: bool,
}

impl New {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        let New {
            name,
            lang,
            archetype,
            blank,
        } = self;
        let language = LANGUAGES
            .iter()
            .find(|language| language.name == lang)
            .context("a language of the table")?;
        let files = project(language, archetype.as_deref(), blank);
        write(Path::new(&name), &files, |text| {
            adapt(text, &name, archetype.as_deref())
        })?;
        let plays = archetype.as_deref().unwrap_or(&name);
        let title = language.title;
        let about = match language.needs {
            "" => format!("{name}/: a behavior in {title}; README.md says more"),
            _ => format!(
                "{name}/: a behavior in {title}, with its test and its SDK; README.md says more"
            ),
        };
        let (build, module) = match language.plays {
            Some(file) => (format!("cd {name}"), file.to_owned()),
            None => {
                let needs = language.needs;
                let needs = console.translated(&format!("needs {needs}"));
                (
                    format!("cd {name} && ./build    # {needs}"),
                    format!("{name}.wasm"),
                )
            }
        };
        let about = console.translated(&about);
        stdout::print(&format!(
            "{about}\n\n    \
             {build}\n    \
             vespeiro run --base-url http://127.0.0.1:9501 --users 5 --duration 10s --archetype {plays}={module}\n"
        ))?;
        Ok(Exit::Fine)
    }
}

/// A project's files by their path: the SDK, the template over it, and what the archetype or a blank journey changes over both.
fn project(language: &Language, archetype: Option<&str>, blank: bool) -> BTreeMap<String, File> {
    let mut files = BTreeMap::new();
    let own = |part: &str| format!("{}/{part}", language.name);
    for (from, to) in language.sdk {
        files.extend(below(from).map(|(path, file)| (format!("{to}/{path}"), file)));
    }
    let mut lay = |folder: String| {
        files.extend(below(&folder).map(|(path, file)| (path.to_owned(), file)));
    };
    lay(own("template"));
    if matches!(archetype, Some("admin" | "power")) {
        lay(own("admin"));
    }
    if blank {
        lay(own("blank"));
    }
    files
}

/// A template's text for this project.
fn adapt(text: &str, name: &str, archetype: Option<&str>) -> String {
    text.replace(TEMPLATE_NAME, name)
        .replace(&TEMPLATE_NAME.replace('-', "_"), &name.replace('-', "_"))
        .replace(TEMPLATE_ARCHETYPE, archetype.unwrap_or(name))
}

fn write(
    folder: &Path,
    files: &BTreeMap<String, File>,
    adapt: impl Fn(&str) -> String,
) -> anyhow::Result<()> {
    let shown = folder.display();
    fs::create_dir(folder).map_err(|error| {
        Misuse(match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("{shown} is there already: choose another name, or remove it")
            }
            _ => format!("{shown}: {error}: go to a folder that you may write to"),
        })
    })?;
    for (path, file) in files {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).with_context(|| format!("{}", parent.display()))?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(if file.executable { 0o777 } else { 0o666 })
            .open(&path)
            .and_then(|mut open| open.write_all(adapt(file.text).as_bytes()))
            .with_context(|| format!("{}", path.display()))?;
    }
    Ok(())
}

/// Checks a name: it has to be valid as a folder, as a package in each registry, and as an archetype.
fn name(text: &str) -> Result<String, String> {
    let form = text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.ends_with('-');
    if !form || text.len() > MAX_NAME {
        return Err(format!(
            "write it with lower-case letters, digits and hyphens, a letter first, at most {MAX_NAME}: my-behavior"
        ));
    }
    if TAKEN.contains(&text) {
        return Err("a library of the project has that name: choose another".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_a_whole_project_for_every_archetype() {
        for language in LANGUAGES {
            for (archetype, blank) in [
                (None, false),
                (Some("newcomer"), false),
                (Some("admin"), false),
                (None, true),
            ] {
                let files = project(language, archetype, blank);
                let has = |path: &str| {
                    files
                        .get(path)
                        .unwrap_or_else(|| panic!("{language:?} lacks {path}"))
                };
                let is_built = !language.needs.is_empty();
                if is_built {
                    assert!(has("build").executable);
                    assert!(
                        has("vespeiro/wit/behavior.wit")
                            .text
                            .contains("resource session")
                    );
                    has(".gitignore");
                }
                let module = language.plays.unwrap_or("night-shift.wasm");
                assert!(language.plays.is_none_or(|file| files.contains_key(file)));
                let readme = adapt(has("README.md").text, "night-shift", archetype);
                assert!(readme.lines().count() <= 12, "{readme}");
                let plays = archetype.unwrap_or("night-shift");
                assert!(
                    readme.contains(&format!("--archetype {plays}={module}")),
                    "{readme}"
                );
                let admin = files
                    .values()
                    .any(|file| file.text.contains("`admin` is missing"));
                // A journey file has no cleanup of its own.
                assert_eq!(
                    admin,
                    archetype == Some("admin") && is_built,
                    "{language:?}"
                );
                let own = |path: &str| !path.starts_with("vespeiro/");
                let mut own = files.iter().filter(|(path, _)| own(path));
                let users = own.any(|(_, file)| file.text.contains("/api/v1/users"));
                assert_eq!(users, !blank, "{language:?}");
                for (path, file) in &files {
                    let text = adapt(file.text, "night-shift", archetype);
                    assert!(
                        ["my-behavior", "my-archetype", "my_behavior"]
                            .iter()
                            .all(|left| !text.contains(left)),
                        "{path}"
                    );
                }
            }
        }
    }

    /// The vendored crate has a manifest of its own, outside of the SDK's workspace.
    #[test]
    fn the_vendored_rust_sdk_has_all_that_the_sdk_needs() {
        let sdk: toml::Table = include_str!("../../../guest-sdk/rust/Cargo.toml")
            .parse()
            .unwrap();
        let workspace: toml::Table = include_str!("../../../guest-sdk/Cargo.toml")
            .parse()
            .unwrap();
        let (_, vendored) = below("rust/template")
            .find(|(path, _)| *path == "vespeiro/rust/Cargo.toml")
            .unwrap();
        let vendored: toml::Table = vendored.text.parse().unwrap();
        let dependencies = |table: &toml::Table| table["dependencies"].as_table().unwrap().clone();
        for (name, own) in dependencies(&sdk) {
            let mut declared = workspace["workspace"]["dependencies"][&name].clone();
            if let (Some(optional), Some(table)) = (own.get("optional"), declared.as_table_mut()) {
                table.insert("optional".into(), optional.clone());
            }
            assert_eq!(
                dependencies(&vendored).get(&name),
                Some(&declared),
                "{name}"
            );
        }
        assert_eq!(vendored.get("features"), sdk.get("features"));
    }

    #[test]
    fn names_are_names_everywhere() {
        for good in ["a", "night-shift", "b2b"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "2b",
            "Night",
            "a/b",
            "..",
            "a b",
            "a-",
            "-a",
            "é",
            "vespeiro",
            &"a".repeat(41),
        ] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_there_is_left_alone() {
        let folder = tempfile::TempDir::new().unwrap();
        let error = write(folder.path(), &BTreeMap::new(), str::to_owned).unwrap_err();
        assert_eq!(Exit::of(&error), Exit::Usage);
        assert!(error.to_string().contains("choose another name"), "{error}");
    }
}
