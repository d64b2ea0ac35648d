//! `vespeiro import` of Postman collections: what it asks for reaches the target, with what variables and answers say.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::import::{Got, LANGUAGES, import, shop};
use crate::support::vespeiro;

/// Somebody else's collection: folders in folders, and one request outside of them.
const FOLDERS: &str = include_str!("documents/folders.postman.json");

/// One session of each of these archetypes.
fn play(folder: &TempDir, archetypes: &[&str], base_url: &str) {
    let plan = folder.path().join("out/plan.toml");
    let users = archetypes.len().to_string();
    let mut all = vec!["run", "--no-panel", "--plan", plan.to_str().unwrap()];
    all.extend(archetypes.iter().flat_map(|name| ["--archetype", name]));
    all.extend([
        "--users",
        &users,
        "--base-url",
        base_url,
        "--profile",
        "user-budget",
    ]);
    all.extend(
        "--delay-min 0 --delay-max 0 --min-request-count 4 --max-request-count 4".split(' '),
    );
    vespeiro(&all).fine();
}

#[test]
fn a_collection_of_somebody_elses_plays_in_its_order() {
    let (server, log) = shop();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("folders.json");
    fs::write(&file, FOLDERS).unwrap();
    let told = import(&folder, file.to_str().unwrap(), &[]).fine();
    assert!(
        told.stdout.contains("4 journeys with 10 requests"),
        "{told:?}"
    );
    assert!(
        told.stderr
            .contains("not taken over: bodies that are files (1)"),
        "{told:?}"
    );
    let plan = fs::read_to_string(folder.path().join("out/plan.toml")).unwrap();
    assert!(plan.contains("base_url = \"https://api.io\""), "{plan}");
    play(
        &folder,
        &["users", "posts", "folder_1", "folder_collection"],
        &server.url,
    );
    let lines: Vec<String> = log
        .lock()
        .unwrap()
        .iter()
        .map(|got| got.line.clone())
        .collect();
    for wanted in [
        &["GET /users/admin/roles", "POST /users", "POST /customer"][..],
        &["GET /posts/admin/settings", "POST /posts"],
        &["POST /req4", "POST /req3", "POST /req2", "POST /req1"],
        &["POST /info"],
    ] {
        let places: Vec<_> = wanted
            .iter()
            .map(|line| lines.iter().position(|one| one == line))
            .collect();
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{wanted:?}: {lines:?}"
        );
    }
}

/// A service behind a login, as people keep it: addresses and names as variables, the token taken out by a script.
fn collection(base_url: &str) -> Value {
    let script = |listen: &str, line: &str| json!({"listen": listen, "script": {"exec": [line]}});
    json!({
        "info": {"name": "Shop", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "variable": [
            {"key": "host", "value": base_url}, {"key": "baseUrl", "value": "{{host}}/v1"},
            {"key": "full", "value": "yes"}, {"key": "rank", "value": "3"},
        ],
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "item": [
            {"name": "Auth", "item": [{
                "name": "Login",
                "request": {
                    "method": "POST", "auth": {"type": "noauth"},
                    "header": [{"key": "X-Old", "value": "1", "disabled": true}],
                    "body": {"mode": "raw", "raw": "{\"password\": \"{{password}}\"}", "options": {"raw": {"language": "json"}}},
                    "url": {"raw": "{{baseUrl}}/login", "host": ["{{baseUrl}}"], "path": ["login"]},
                },
                "event": [script("test", "pm.environment.set(\"token\", pm.response.json().token);")],
            }]},
            {"name": "Items", "item": [
                {
                    "name": "Create",
                    "request": {
                        "method": "POST", "url": "{{baseUrl}}/items",
                        "header": [{"key": "Content-Type", "value": "application/json"}],
                        "body": {"mode": "raw", "raw": "{\"name\": \"a ${b}\", \"rank\": {{rank}}}"},
                    },
                    "event": [script("test", "const made = pm.response.json();\npm.collectionVariables.set('itemId', made.data.id)")],
                },
                {"name": "One", "item": [{
                    "name": "Read",
                    "request": {"method": "GET", "url": {
                        "raw": "{{baseUrl}}/items/:id?full={{full}}&old=1",
                        "query": [{"key": "full", "value": "{{full}}"}, {"key": "old", "value": "1", "disabled": true}],
                        "variable": [{"key": "id", "value": "{{itemId}}"}],
                    }},
                }]},
                {"name": "Elsewhere", "request": {"method": "GET", "url": "https://elsewhere.test/x"}},
            ]},
        ],
    })
}

#[test]
fn variables_logins_and_what_scripts_keep_are_taken_over() {
    for language in LANGUAGES {
        let (server, log) = shop();
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("shop.json");
        fs::write(&file, collection(&server.url).to_string()).unwrap();
        let told = import(&folder, file.to_str().unwrap(), &["--lang", language]).fine();
        assert!(
            told.stdout.contains("fill in `password` in plan.toml"),
            "{told:?}"
        );
        assert!(
            told.stderr
                .contains("1 requests to https://elsewhere.test: a journey has one host"),
            "{told:?}"
        );
        let plan = folder.path().join("out/plan.toml");
        let filled = fs::read_to_string(&plan)
            .unwrap()
            .replace("password = \"\"", "password = \"k3y\"");
        fs::write(&plan, filled).unwrap();
        // What logs in is another folder's request: it comes first.
        play(&folder, &["items"], &server.url);
        let log: Vec<Got> = log.lock().unwrap().clone();
        let told: Vec<(&str, &str)> = log
            .iter()
            .map(|got| (got.line.as_str(), got.bearer.as_str()))
            .collect();
        let token = "Bearer secret-1000";
        assert_eq!(
            told[..3],
            [
                ("POST /v1/login", ""),
                ("POST /v1/items", token),
                ("GET /v1/items/1001?full=yes", token)
            ],
            "{language}"
        );
        assert_eq!(log[0].body, json!({"password": "k3y"}));
        assert_eq!(log[1].body["name"], "a ${b}");
        assert_eq!(log[1].body["rank"], 3);
    }
}
