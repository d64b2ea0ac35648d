//! `vespeiro plan`: prints the resolved plan and where each value came from. Secrets are never printed: not the admin
//! password, and nothing in an archetype's config whose key sounds like one.

use std::io::Write;

use serde_json::{Map, Value, json};

use super::settings::PlanFlags;
use crate::exit::{Exit, Misuse};
use vespeiro_engine::feeds::{Rows, read_all};
use vespeiro_plan::{Archetype, Cast, Fed, Line, Module, Resolved};

/// A wider value, a long config for instance, may push its origin to the right: the other lines stay readable.
const WIDEST_VALUE: usize = 48;

/// Print the resolved plan and where each value came from
#[derive(Debug, clap::Args)]
pub(super) struct PrintPlan {
    /// How to print: a table with origins, TOML that `--plan` takes back, or JSON with origins
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    plan: PlanFlags,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Table,
    Toml,
    Json,
}

impl PrintPlan {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let resolved = super::resolve_here(self.plan.0, None)?;
        let rows = read_all(&resolved.plan.feeds).map_err(|errors| Misuse(errors.to_string()))?;
        let text = match self.format {
            Format::Table => table(&resolved, &rows),
            Format::Toml => toml(&resolved),
            Format::Json => json(&resolved, &rows),
        };
        // A reader that has seen enough may close the pipe.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        Ok(Exit::Fine)
    }
}

fn table(resolved: &Resolved, rows: &[Rows]) -> String {
    let settings = resolved.origins.settings.iter().map(|line| {
        [
            line.setting.key.to_owned(),
            line.value.clone(),
            line.origin.to_string(),
        ]
    });
    let archetypes = resolved.origins.archetypes.iter().flat_map(|cast| {
        let Archetype {
            name,
            weight,
            module,
            config,
            own,
        } = &cast.archetype;
        let config = match veiled(config) {
            Value::Object(config) if config.is_empty() => String::new(),
            config => format!(", {config}"),
        };
        let part = match &own.profile {
            Some(profile) => profile.name().to_owned(),
            None => format!("weight {weight}"),
        };
        let head = [
            format!("archetype.{name}"),
            format!("{part}, {}{config}", written(module)),
            cast.origin.to_string(),
        ];
        let own = cast.own.iter().map(move |line| {
            [
                format!("archetype.{name}.{}", line.setting.key),
                line.value.clone(),
                line.origin.to_string(),
            ]
        });
        std::iter::once(head).chain(own)
    });
    let feeds = resolved.origins.feeds.iter().zip(rows);
    let feeds = feeds.flat_map(
        |(
            Fed {
                feed,
                lines,
                origin,
            },
            rows,
        )| {
            let key = format!("feeds.{}", feed.name);
            let head = [
                key.clone(),
                format!("{} rows", rows.len()),
                origin.to_string(),
            ];
            let own = lines.iter().map(move |line| {
                [
                    format!("{key}.{}", line.setting.key),
                    line.value.clone(),
                    line.origin.to_string(),
                ]
            });
            std::iter::once(head).chain(own)
        },
    );
    let rows: Vec<[String; 3]> = settings.chain(archetypes).chain(feeds).collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let (keys, values) = (width(0), width(1).min(WIDEST_VALUE));
    rows.iter()
        .map(|[key, value, origin]| format!("{key:keys$}  {value:values$}  {origin}\n"))
        .collect()
}

/// A plan file that makes the same plan, secrets apart.
fn toml(resolved: &Resolved) -> String {
    let mut text = String::new();
    for Line { setting, value, .. } in &resolved.origins.settings {
        match setting.kind {
            // Its path is not relative to the new file, and its settings are all here.
            _ if setting.key == "scenario" && value.ends_with(".toml") => {
                text.push_str(&format!("# scenario {value}, spelled out\n"));
            }
            kind if kind.is_secret() => {
                text.push_str(&format!("# {} is not printed\n", setting.key))
            }
            _ => text.push_str(&format!("{} = {}\n", setting.key, toml_value(typed(value)))),
        }
    }
    for Cast { archetype, own, .. } in &resolved.origins.archetypes {
        text.push_str("\n[[archetype]]\n");
        for (key, value) in described(archetype) {
            text.push_str(&format!("{key} = {}\n", toml_value(value)));
        }
        for Line { setting, value, .. } in own {
            text.push_str(&format!("{} = {}\n", setting.key, toml_value(typed(value))));
        }
    }
    for Fed { feed, lines, .. } in &resolved.origins.feeds {
        text.push_str(&format!("\n[feeds.{}]\n", feed.name));
        for Line { setting, value, .. } in lines {
            text.push_str(&format!("{} = {}\n", setting.key, toml_value(typed(value))));
        }
    }
    text
}

fn json(resolved: &Resolved, rows: &[Rows]) -> String {
    let shown = resolved
        .origins
        .settings
        .iter()
        .filter(|line| !line.setting.kind.is_secret());
    let settings: Map<String, Value> = shown.map(told_of).collect();
    let archetypes: Vec<Value> = resolved
        .origins
        .archetypes
        .iter()
        .map(|cast| {
            let described = described(&cast.archetype).into_iter();
            let mut told: Map<String, Value> = described
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
            told.insert("origin".to_owned(), json!(cast.origin.to_string()));
            if !cast.own.is_empty() {
                let own: Map<String, Value> = cast.own.iter().map(told_of).collect();
                told.insert("own".to_owned(), Value::Object(own));
            }
            Value::Object(told)
        })
        .collect();
    let feeds = resolved.origins.feeds.iter().zip(rows);
    let feeds: Vec<Value> = feeds
        .map(|(Fed { feed, lines, .. }, rows)| {
            let mut told: Map<String, Value> = lines.iter().map(told_of).collect();
            told.insert("name".to_owned(), json!(feed.name));
            told.insert("rows".to_owned(), json!(rows.len()));
            Value::Object(told)
        })
        .collect();
    format!(
        "{:#}\n",
        json!({ "settings": settings, "archetypes": archetypes, "feeds": feeds })
    )
}

/// A setting with its value and where that came from.
fn told_of(line: &Line) -> (String, Value) {
    (
        line.setting.key.to_owned(),
        json!({ "value": typed(&line.value), "origin": line.origin.to_string() }),
    )
}

/// An archetype in the words of the plan file; what must not be printed is left out.
fn described(archetype: &Archetype) -> [(&'static str, Value); 4] {
    [
        ("name", json!(archetype.name)),
        ("weight", json!(archetype.weight)),
        ("module", json!(written(&archetype.module))),
        ("config", without_secrets(&archetype.config)),
    ]
}

/// The module as a plan file in any folder would write it.
fn written(module: &Module) -> String {
    match module {
        Module::BuiltIn(name) => format!("builtin:{name}"),
        Module::File(path) => std::path::absolute(path)
            .unwrap_or_else(|_| path.clone())
            .display()
            .to_string(),
    }
}

/// A number or truth value where the text is exactly one, so that it needs no quotes.
fn typed(text: &str) -> Value {
    let number = text
        .parse::<i64>()
        .ok()
        .filter(|number| number.to_string() == text)
        .map(Value::from);
    number
        .or_else(|| text.parse::<bool>().ok().map(Value::from))
        .unwrap_or_else(|| Value::from(text))
}

fn toml_value(value: Value) -> String {
    // A config comes from TOML, so it has no null, the one thing that TOML cannot say.
    toml::Value::try_from(value).map_or_else(|_| "{}".to_owned(), |value| value.to_string())
}

/// Whether a key of an archetype's config sounds like something that nobody may see.
fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["password", "secret", "token"]
        .iter()
        .any(|word| key.contains(word))
}

/// The config with a veil over its secrets.
fn veiled(config: &Value) -> Value {
    rewrite(config, &|key, value| {
        Some(if is_secret(key) {
            json!("(hidden)")
        } else {
            value
        })
    })
}

fn without_secrets(config: &Value) -> Value {
    rewrite(config, &|key, value| (!is_secret(key)).then_some(value))
}

/// Rebuilds a value, asking about every key in it on the way up; `None` drops the key.
fn rewrite(value: &Value, keep: &dyn Fn(&str, Value) -> Option<Value>) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), keep(key, rewrite(value, keep))?)));
            Value::Object(entries.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| rewrite(item, keep)).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use vespeiro_plan::{Plan, Sources, resolve};

    const SECRET: &str = "hunter2-never-shown";

    fn resolved(plan_file: PathBuf) -> Resolved {
        let mut flags = vespeiro_plan::Settings::default();
        flags.plan = Some(plan_file);
        flags.set("duration", "90", "--duration");
        let env = [("VESPEIRO_ADMIN_PASSWORD".to_owned(), SECRET.to_owned())];
        resolve(Sources {
            base: None,
            flags,
            env,
        })
        .unwrap()
    }

    fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn rich_plan(folder: &tempfile::TempDir) -> Resolved {
        file(folder, "mine.wasm", "");
        let text = format!(
            "users = 7\nrun_id = \"01234567\"\nseed = 18446744073709551615\ncache = false\n\
             [[archetype]]\nname = \"mine\"\nweight = 3\nmodule = \"mine.wasm\"\n\
             config = {{ \"odd key\" = [1, {{ apiToken = \"{SECRET}\", depth = 1.5 }}], admin = {{ email = \"a\", password = \"{SECRET}\" }} }}\n\
             [[archetype]]\nname = \"active\"\n"
        );
        resolved(file(folder, "plan.toml", &text))
    }

    #[test]
    fn the_table_is_aligned_and_names_each_origin() {
        let folder = tempfile::tempdir().unwrap();
        let resolved = rich_plan(&folder);
        let table = table(&resolved, &[]);
        assert_eq!(table.lines().count(), resolved.origins.settings.len() + 2);
        let words: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert!(
            words.contains(&vec!["duration", "90s", "--duration"]),
            "{table}"
        );
        assert!(
            words.contains(&vec!["delay_max", "2s", "default"]),
            "{table}"
        );
        assert!(
            words.contains(&vec![
                "admin_password",
                "(hidden)",
                "VESPEIRO_ADMIN_PASSWORD"
            ]),
            "{table}"
        );
        let users = table
            .lines()
            .find(|line| line.starts_with("users "))
            .unwrap();
        assert!(users.ends_with("plan.toml:1"), "{users}");
        let column = table.lines().map(|line| {
            line.find("  ")
                .map(|_| line.len() - line.trim_start().len())
        });
        assert!(column.clone().all(|indent| indent == Some(0)), "{table}");
    }

    #[test]
    fn no_format_prints_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let resolved = rich_plan(&folder);
        assert_eq!(resolved.plan.target.admin.password, SECRET);
        for text in [
            table(&resolved, &[]),
            toml(&resolved),
            json(&resolved, &[]),
            format!("{:?}", resolved.plan),
        ] {
            assert!(!text.contains(SECRET), "{text}");
        }
    }

    #[test]
    fn the_printed_toml_makes_the_same_plan() {
        let folder = tempfile::tempdir().unwrap();
        let first = rich_plan(&folder);
        let elsewhere = tempfile::tempdir().unwrap();
        let second = resolved(file(&elsewhere, "again.toml", &toml(&first)));
        let told = |plan: &Plan| format!("{plan:#?}");
        assert_eq!(told(&first.plan), told(&second.plan));
        let configs = |resolved: &Resolved| -> Vec<Value> {
            resolved
                .origins
                .archetypes
                .iter()
                .map(|cast| without_secrets(&cast.archetype.config))
                .collect()
        };
        assert_eq!(configs(&first), configs(&second));
    }

    #[test]
    fn the_printed_json_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let document: Value = serde_json::from_str(&json(&rich_plan(&folder), &[])).unwrap();
        assert_eq!(document["settings"]["users"]["value"], 7);
        assert_eq!(document["settings"]["run_id"]["value"], "01234567");
        assert_eq!(
            document["settings"]["duration"],
            json!({"value": "90s", "origin": "--duration"})
        );
        assert_eq!(document["archetypes"][1]["module"], "builtin:active");
    }
}
