//! The JSON schemas of plan files and journeys: what the binary takes they accept, and what it refuses of keys they refuse.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use boon::{Compiler, Schemas};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ended, vespeiro};

fn schema(format: &str) -> Value {
    let printed = vespeiro(&["plan", "--format", format]).fine();
    serde_json::from_str(&printed.stdout).unwrap()
}

/// What is wrong with a file by a schema; empty where nothing is.
fn wrong(schema: &Value, file: &str) -> String {
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    let place = "file:///schema.json";
    compiler.add_resource(place, schema.clone()).unwrap();
    let index = compiler.compile(place, &mut schemas).unwrap();
    let table: toml::Table = file.parse().unwrap();
    let value = serde_json::to_value(table).unwrap();
    let judged = schemas.validate(&value, index);
    judged.map_or_else(|error| format!("{error:#}"), |()| String::new())
}

fn journey(text: &str) -> Ended {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("journey.toml");
    fs::write(&path, text).unwrap();
    vespeiro(&["check", path.to_str().unwrap()])
}

/// The names that stand in backquotes behind `expected one of`.
fn expected(told: &str) -> BTreeSet<String> {
    let list = told.split("expected one of ").nth(1).unwrap();
    let list = list.lines().next().unwrap().split(": ").next().unwrap();
    list.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

const PLAN: &str = r#"
users = 20
rate = "20/s"
delay_max = 500
duration = "1h30m"
breaker = "off"
error_mix = "off"
insecure = false
header = { accept = "text/html" }
threshold = ["p95<500ms", "error_rate<1%"]
stage = ["30s:100/s", "5m:100/s"]

[mix]
auth = 20
browse = 80.5

[feeds]
people = "people.csv"

[feeds.cards]
file = "cards.csv"
order = "once"
per_user = 2
archetypes = ["mine"]

[[archetype]]
name = "mine"
module = "builtin:active"
config = { greeting = "hello" }
min_request_count = 5
"#;

#[test]
fn what_a_plan_may_say_its_schema_takes_and_nothing_else() {
    let schema = schema("schema");
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds/plans");
    let mut files = vec![PLAN.to_owned()];
    for seed in fs::read_dir(seeds).unwrap() {
        files.push(fs::read_to_string(seed.unwrap().path()).unwrap());
    }
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("imported");
    let line = "curl -X POST http://localhost:8080/login -d '{\"user\":\"ada\"}'";
    vespeiro(&["import", line, "--out", out.to_str().unwrap()]).fine();
    files.push(fs::read_to_string(out.join("plan.toml")).unwrap());
    for preset in ["mixed", "load_test"] {
        let printed = vespeiro(&[
            "plan",
            "--format",
            "toml",
            "--preset",
            preset,
            "--abort-on",
            "error_rate>5%",
        ]);
        files.push(printed.fine().stdout);
    }
    assert!(files.len() >= 6);
    for file in &files {
        assert_eq!(wrong(&schema, file), "", "{file}");
    }
    // What is refused by its key or its kind, a run refuses too.
    for (file, part) in [
        ("usres = 5", "usres"),
        ("users = true", "users"),
        ("breaker = \"maybe\"", "breaker"),
        ("[[archetype]]\nweight = 5", "name"),
        ("[[archetype]]\nname = \"active\"\nwieght = 5", "wieght"),
        (
            "[feeds.people]\nfile = \"a.csv\"\nodrer = \"once\"",
            "odrer",
        ),
        ("[mix.requests]\na = 1\n[mix.odd]\na = 1", "odd"),
    ] {
        let told = wrong(&schema, file);
        assert!(told.contains(part), "{file}: {told}");
        let path = folder.path().join("plan.toml");
        fs::write(&path, file).unwrap();
        let refused = vespeiro(&["plan", "--plan", path.to_str().unwrap()]).orderly();
        assert_eq!(refused.code, Some(2), "{file}: {refused:?}");
    }
    // Every setting has its line of help.
    for (key, about) in schema["properties"].as_object().unwrap() {
        assert!(
            about["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{key}"
        );
    }
    assert_eq!(schema["properties"]["http"]["enum"][0], "auto");
}

#[test]
fn a_journeys_schema_has_the_keys_that_its_player_knows() {
    let schema = schema("journey-schema");
    let (step, choice) = (
        &schema["definitions"]["step"],
        &schema["definitions"]["choice"],
    );
    for (place, file) in [
        (&schema, "nope = 1\n"),
        (step, "[[step]]\nget = \"/\"\nnope = 1\n"),
        (choice, "[[step]]\n[[step.choose]]\nnope = 1\nstep = []\n"),
    ] {
        let refused = journey(file).orderly();
        assert_ne!(refused.code, Some(0), "{refused:?}");
        assert_eq!(
            keys(&place["properties"]),
            expected(&refused.stderr),
            "{refused:?}"
        );
        assert!(wrong(&schema, file).contains("nope"), "{file}");
    }
    let expects = |status: &str| format!("[[step]]\nget = \"/\"\nexpect = {status}\n");
    for (status, fits) in [
        ("200", true),
        ("\"any\"", true),
        ("[200, 404]", true),
        ("700", false),
        ("\"all\"", false),
    ] {
        let file = expects(status);
        assert_eq!(wrong(&schema, &file).is_empty(), fits, "{file}");
        assert_eq!(journey(&file).orderly().code == Some(0), fits, "{file}");
    }
}

#[test]
fn what_new_and_import_write_names_its_schema_and_keeps_to_it() {
    let folder = TempDir::new().unwrap();
    let written = std::process::Command::new(env!("CARGO_BIN_EXE_vespeiro"))
        .args(["new", "shop", "--lang", "toml"])
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(written.success());
    let file = |name: &str| fs::read_to_string(folder.path().join("shop").join(name)).unwrap();
    let text = file("journey.toml");
    let named = text
        .lines()
        .next()
        .unwrap()
        .strip_prefix("#:schema ./")
        .unwrap();
    let own: Value = serde_json::from_str(&file(named)).unwrap();
    assert_eq!(own, schema("journey-schema"));
    let out = folder.path().join("imported");
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/documents");
    let mut journeys = vec![text];
    for (at, document) in fs::read_dir(documents).unwrap().enumerate() {
        let (document, out) = (document.unwrap().path(), out.join(at.to_string()));
        let imported = vespeiro(&[
            "import",
            document.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ]);
        if imported.code != Some(0) {
            continue;
        }
        for file in fs::read_dir(out).unwrap() {
            let path = file.unwrap().path();
            if !path.ends_with("plan.toml") {
                journeys.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    assert!(journeys.len() >= 2, "{}", journeys.len());
    for journey in &journeys {
        assert_eq!(wrong(&own, journey), "", "{journey}");
    }
}
