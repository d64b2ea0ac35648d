//! `vespeiro plan`: prints the resolved plan and where each value came from. Secrets are never printed: not the admin
//! password, and nothing in an archetype's config whose key sounds like one.

use serde_json::{Map, Value, json};

use super::settings::PlanFlags;
use crate::exit::{Exit, Misuse};
use vespeiro_engine::feeds::{Rows, read_all};
use vespeiro_output::{Console, stdout};
use vespeiro_plan::{
    Archetype, BodyFile, Module, Origin, Resolved, ResolvedArchetype, ResolvedFeed,
    ResolvedSetting, ResolvedTarget,
};

/// What stands for a secret.
const HIDDEN: &str = "(hidden)";
/// A wider value, a long config for instance, may push its origin to the right: the other lines stay readable.
const WIDEST_VALUE: usize = 48;

/// Print the resolved plan and where each value came from
#[derive(Debug, clap::Args)]
pub(super) struct PrintPlan {
    /// How to print: a table with origins, TOML that `--plan` takes back, JSON with origins, or the JSON schema of plan
    /// files and that of journey files, whatever the plan
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
    Schema,
    JourneySchema,
}

impl PrintPlan {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        match self.format {
            Format::Schema => stdout::print_exactly(pretty(&vespeiro_plan::schema()))?,
            Format::JourneySchema => stdout::print_exactly(JOURNEY.to_owned())?,
            Format::Table => stdout::print(&self.resolved(console)?)?,
            Format::Toml | Format::Json => stdout::print_exactly(self.resolved(console)?)?,
        }
        Ok(Exit::Fine)
    }

    fn resolved(self, console: &Console) -> anyhow::Result<String> {
        let resolved = super::resolve_here(self.plan.0, None)?;
        let rows = read_all(&resolved.plan.feeds).map_err(|errors| Misuse(errors.to_string()))?;
        Ok(match self.format {
            Format::Toml => toml(&resolved, |text| console.translated(text)),
            Format::Json => json(&resolved, &rows),
            _ => table(&resolved, &rows, |text| console.translated(text)),
        })
    }
}

/// The JSON schema of a journey file: what `vespeiro new` writes beside one.
const JOURNEY: &str = include_str!("../../../guest-sdk/toml/template/journey.schema.json");

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// With what is said of the values put into the user's language by `say`; the values are what a plan file takes.
fn table(resolved: &Resolved, rows: &[Rows], say: impl Fn(&str) -> String) -> String {
    let origins = &resolved.origins;
    let mut table: Vec<[String; 3]> = Vec::new();
    let hidden = say(HIDDEN);
    let hidden_in = |value: &str| value.replace(HIDDEN, &hidden);
    let settings = |prefix: &str, lines: &[ResolvedSetting]| -> Vec<[String; 3]> {
        let row = |line: &ResolvedSetting| {
            let key = format!("{prefix}{}", line.setting.key);
            [key, hidden_in(&line.value), say(&line.origin.to_string())]
        };
        lines.iter().map(row).collect()
    };
    table.extend(settings("", &origins.settings));
    for cast in &origins.archetypes {
        let Archetype { name, weight, .. } = &cast.archetype;
        let config = match masked(&cast.archetype.config) {
            Value::Object(config) if config.is_empty() => String::new(),
            config => format!(", {}", hidden_in(&config.to_string())),
        };
        let part = match &cast.archetype.overrides.profile {
            Some(profile) => profile.name().to_owned(),
            None => say(&format!("weight {weight}")),
        };
        let value = format!("{part}, {}{config}", module_text(&cast.archetype.module));
        let key = format!("archetype.{name}");
        table.push([key.clone(), value, say(&cast.origin.to_string())]);
        table.extend(settings(&format!("{key}."), &cast.overrides));
    }
    for (fed, rows) in origins.feeds.iter().zip(rows) {
        let key = format!("feeds.{}", fed.feed.name);
        let value = say(&format!("{} rows", rows.len()));
        table.push([key.clone(), value, say(&fed.origin.to_string())]);
        table.extend(settings(&format!("{key}."), &fed.settings));
    }
    for (file, origin) in &origins.files {
        let value = say(&format!("{} bytes", file.size));
        table.push([
            format!("files.{}", file.name),
            value,
            say(&origin.to_string()),
        ]);
    }
    for named in &origins.targets {
        let key = format!("targets.{}", named.target.name);
        table.extend(settings(&format!("{key}."), &named.settings));
    }
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max();
    let keys = width(0).unwrap_or(0);
    let values = width(1).unwrap_or(0).min(WIDEST_VALUE);
    let line =
        |[key, value, origin]: &[String; 3]| format!("{key:keys$}  {value:values$}  {origin}\n");
    table.iter().map(line).collect()
}

/// A plan file that makes the same plan, secrets apart, with comments as `say` puts them.
fn toml(resolved: &Resolved, say: impl Fn(&str) -> String) -> String {
    let entry = |key: &str, value| format!("{key} = {}\n", toml_value(value));
    let setting = |line: &ResolvedSetting| match line.setting.kind {
        // Its path is not relative to the new file, and its settings are all here.
        _ if line.setting.key == "preset" && line.value.ends_with(".toml") => {
            say(&format!("# preset {}, spelled out", line.value)) + "\n"
        }
        kind if kind.is_secret() => say(&format!("# {} is not printed", line.setting.key)) + "\n",
        _ => entry(line.setting.key, typed(&line.value)),
    };
    let origins = &resolved.origins;
    let mut text: String = origins.settings.iter().map(setting).collect();
    for ResolvedArchetype {
        archetype,
        overrides,
        ..
    } in &origins.archetypes
    {
        text += "\n[[archetype]]\n";
        let fields = archetype_fields(archetype).into_iter();
        text.extend(fields.map(|(key, value)| entry(key, value)));
        text.extend(overrides.iter().map(setting));
    }
    for ResolvedFeed {
        feed,
        settings: lines,
        ..
    } in &origins.feeds
    {
        text += &format!("\n[feeds.{}]\n", feed.name);
        text.extend(lines.iter().map(setting));
    }
    for (file, _) in &origins.files {
        let path = json!(file.path.display().to_string());
        text += &format!("\n[files.{}]\n{}", file.name, entry("path", path));
    }
    for named in &origins.targets {
        text += &format!("\n[targets.{}]\n", named.target.name);
        text.extend(named.settings.iter().map(setting));
    }
    text
}

fn json(resolved: &Resolved, rows: &[Rows]) -> String {
    let origins = &resolved.origins;
    let settings = |lines: &[ResolvedSetting]| -> Map<String, Value> {
        let shown = lines.iter().filter(|line| !line.setting.kind.is_secret());
        shown.map(setting_json).collect()
    };
    let archetype = |cast: &ResolvedArchetype| {
        let fields = archetype_fields(&cast.archetype).into_iter();
        let mut object: Map<String, Value> =
            fields.map(|(key, value)| (key.to_owned(), value)).collect();
        object.insert("origin".to_owned(), json!(cast.origin.to_string()));
        if !cast.overrides.is_empty() {
            object.insert("own".to_owned(), Value::Object(settings(&cast.overrides)));
        }
        Value::Object(object)
    };
    let feed = |(fed, rows): (&ResolvedFeed, &Rows)| {
        let mut object = settings(&fed.settings);
        object.insert("name".to_owned(), json!(fed.feed.name));
        object.insert("rows".to_owned(), json!(rows.len()));
        Value::Object(object)
    };
    let target = |named: &ResolvedTarget| {
        let mut object = settings(&named.settings);
        object.insert("name".to_owned(), json!(named.target.name));
        Value::Object(object)
    };
    let file = |(file, origin): &(BodyFile, Origin)| {
        json!({
            "name": file.name,
            "path": file.path.display().to_string(),
            "bytes": file.size,
            "origin": origin.to_string(),
        })
    };
    let document = json!({
        "settings": settings(&origins.settings),
        "archetypes": origins.archetypes.iter().map(archetype).collect::<Vec<_>>(),
        "feeds": origins.feeds.iter().zip(rows).map(feed).collect::<Vec<_>>(),
        "files": origins.files.iter().map(file).collect::<Vec<_>>(),
        "targets": origins.targets.iter().map(target).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

/// A setting with its value and where that came from.
fn setting_json(line: &ResolvedSetting) -> (String, Value) {
    (
        line.setting.key.to_owned(),
        json!({ "value": typed(&line.value), "origin": line.origin.to_string() }),
    )
}

/// An archetype in the words of the plan file; what must not be printed is left out.
fn archetype_fields(archetype: &Archetype) -> [(&'static str, Value); 4] {
    [
        ("name", json!(archetype.name)),
        ("weight", json!(archetype.weight)),
        ("module", json!(module_text(&archetype.module))),
        ("config", without_secrets(&archetype.config)),
    ]
}

/// The module as a plan file in any folder would write it.
fn module_text(module: &Module) -> String {
    match module {
        Module::BuiltIn(name) => format!("builtin:{name}"),
        Module::File(path) => std::path::absolute(path)
            .unwrap_or_else(|_| path.clone())
            .display()
            .to_string(),
        Module::Program { name, .. } => name.clone(),
    }
}

/// The text as a number or boolean if it is exactly one, so that it is printed without quotes.
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

/// The config with its secrets masked.
fn masked(config: &Value) -> Value {
    rewrite(config, &|key, value| {
        Some(if is_secret(key) { json!(HIDDEN) } else { value })
    })
}

/// Whether something in it sounds like a secret.
pub(super) fn has_secrets(config: &Value) -> bool {
    masked(config) != *config
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
        let mut flags = vespeiro_plan::Flags::default();
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
        let table = table(&resolved, &[], str::to_owned);
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
            table(&resolved, &[], str::to_owned),
            toml(&resolved, str::to_owned),
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
        let second = resolved(file(&elsewhere, "again.toml", &toml(&first, str::to_owned)));
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
