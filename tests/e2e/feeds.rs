//! Data feeds: which row comes out where, on any number of workers; and what is said of a feed that is not there.

mod swaps;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Counts, Recording, RunOf, Service, example, vespeiro};

/// Rows that the user service would take, each another person.
fn people(folder: &TempDir, rows: usize) -> PathBuf {
    let mut text = "username,email,password,name\r\n".to_owned();
    for row in 0..rows {
        text.push_str(&format!(
            "person{row},person{row}@example.test,Secret{row}!x,\"Silva, Ana \"\"{row}\"\"\"\r\n"
        ));
    }
    let path = folder.path().join("people.csv");
    std::fs::write(&path, text).unwrap();
    path
}

/// A plan of users who register people, two to a worker and more, with these settings before its tables.
fn plan(folder: &TempDir, settings: &str, feed: &str) -> String {
    let text = format!(
        "delay_min = 0\ndelay_max = 1\n{settings}\n[[archetype]]\nname = \"mine\"\nmodule = {:?}\n\
         config = {{ feed = \"people\" }}\n[feeds.people]\nfile = \"people.csv\"\n{feed}\n",
        example("registrar")
    );
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, text).unwrap();
    format!("--plan {}", path.display())
}

/// The rows that a server has seen, by user and session.
fn registered(server: Recording) -> BTreeMap<(u64, u64), usize> {
    let mut rows = BTreeMap::new();
    for line in server.seen().into_values().flatten() {
        let (head, body) = line.split_at(line.find('{').unwrap());
        assert_eq!(head, "POST /api/v1/users ");
        let said: Value = serde_json::from_str(body).unwrap();
        let row: usize = said["username"].as_str().unwrap()["person".len()..]
            .parse()
            .unwrap();
        assert_eq!(said["name"], format!("Silva, Ana \"{row}\""));
        let who = (
            said["by"].as_u64().unwrap(),
            said["session"].as_u64().unwrap(),
        );
        assert_eq!(rows.insert(who, row), None, "{who:?}");
    }
    rows
}

/// What the service's ledger has people under that it has taken.
fn registered_people() -> (String, String, u16) {
    ("POST".into(), "/api/v1/users".into(), 201)
}

/// The same of those who have had all of their rows.
fn without_rows() -> (String, String, u16) {
    ("GET".into(), "/health".into(), 200)
}

/// The service refuses whom it knows already.
fn nobody_twice(answered: &Counts) -> bool {
    !answered.keys().any(|(.., status)| *status == 409)
}

fn rows_of(settings: &str, feed: &str, rows: usize) -> BTreeMap<(u64, u64), usize> {
    let folder = TempDir::new().unwrap();
    people(&folder, rows);
    let server = Recording::start();
    RunOf::fine(&server.url, &plan(&folder, settings, feed));
    registered(server)
}

#[test]
fn each_row_comes_out_where_the_rule_says_on_any_number_of_workers() {
    let settings = |workers| {
        format!(
            "workers = {workers}\nusers = 6\nseed = 5\nmin_request_count = 12\nmax_request_count = 12"
        )
    };
    let in_turn = |user: u64, had: u64| ((user + had * 6 + had / 5 % 2) % 10) as usize;
    let expected: BTreeMap<(u64, u64), usize> = (0..6)
        .flat_map(|user| (0..12).map(move |had| ((user, had), in_turn(user, had))))
        .collect();
    for workers in [1, 4] {
        assert_eq!(
            rows_of(&settings(workers), "", 10),
            expected,
            "{workers} workers"
        );
    }
    let random = "order = \"random\"";
    let drawn = rows_of(&settings(1), random, 10);
    assert_eq!(drawn.len(), 6 * 12);
    assert_eq!(drawn, rows_of(&settings(4), random, 10));
    assert_ne!(drawn, expected);
}

#[test]
fn a_service_that_takes_each_person_once_gets_each_row_once() {
    let folder = TempDir::new().unwrap();
    people(&folder, 27);
    let service = Service::start();
    let settings = "workers = 3\nusers = 10\nmin_request_count = 5\nmax_request_count = 5";
    let arguments = plan(&folder, settings, "order = \"once\"");
    let played = RunOf::fine(&service.url, &arguments);
    let answered = played.answered();
    assert_eq!(answered, service.ledger(1));
    assert_eq!(answered[&registered_people()], 27);
    // Who has had its rows sends something else for the rest of its budget.
    assert_eq!(answered[&without_rows()], 10 * 5 - 27);
    assert_eq!(played.errors(), 0);
    let said = "a user of archetype mine has had all of its rows of the feed \"people\"";
    assert_eq!(
        played.ended.stderr.matches(said).count(),
        1,
        "{}",
        played.ended.stderr
    );
}

#[test]
fn a_feed_that_the_plan_lacks_is_told_once() {
    let folder = TempDir::new().unwrap();
    people(&folder, 3);
    let service = Service::start();
    let settings = "workers = 4\nusers = 8\nmin_request_count = 3\nmax_request_count = 3";
    let arguments = plan(&folder, settings, "");
    let path = folder.path().join("plan.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replace("feed = \"people\"", "feed = \"poeple\\u001b[2J\""),
    )
    .unwrap();
    let played = RunOf::fine(&service.url, &arguments);
    let said = "archetype mine asks for the feed \"poeple\\u{1b}[2J\", which the plan lacks, and gets no row; the plan has people";
    assert_eq!(
        played.ended.stderr.matches(said).count(),
        1,
        "{}",
        played.ended.stderr
    );
    assert_eq!(played.answered()[&without_rows()], 24);
}

#[test]
fn a_feed_is_for_those_that_it_names() {
    let folder = TempDir::new().unwrap();
    people(&folder, 4);
    let module = example("registrar");
    let server = Recording::start();
    let text = format!(
        "users = 4\nmin_request_count = 2\nmax_request_count = 2\ndelay_min = 0\ndelay_max = 1\n\
         [feeds.people]\nfile = \"people.csv\"\norder = \"once\"\narchetypes = [\"reader\"]\n\
         [[archetype]]\nname = \"other\"\nmodule = {module:?}\nconfig = {{ feed = \"people\" }}\n\
         [[archetype]]\nname = \"reader\"\nmodule = {module:?}\nconfig = {{ feed = \"people\" }}\n"
    );
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, text).unwrap();
    let played = RunOf::fine(&server.url, &format!("--plan {}", path.display()));
    assert_eq!(played.sent_by("other"), 4);
    let rows = registered(server);
    // Two of the four users, in turns with the others: theirs are the users 1 and 3.
    let expected = [((1, 0), 0), ((1, 1), 2), ((3, 0), 1), ((3, 1), 3)];
    assert_eq!(rows, BTreeMap::from(expected));
    let said = "archetype other asks for the feed \"people\", which is for others";
    assert_eq!(
        played.ended.stderr.matches(said).count(),
        1,
        "{}",
        played.ended.stderr
    );
}

#[test]
fn plan_check_and_trace_know_feeds() {
    let folder = TempDir::new().unwrap();
    let rows = people(&folder, 2);
    let arguments = plan(&folder, "users = 2", "");
    let (flag, plan) = arguments.split_once(' ').unwrap();
    let shown = vespeiro(&["plan", flag, plan]).fine().stdout;
    let line = |start: &str| {
        let found = shown.lines().find(|line| line.starts_with(start));
        found.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(
        line("feeds.people "),
        Some(format!("feeds.people 2 rows {plan}:8"))
    );
    let file = format!("feeds.people.file {} {plan}:9", rows.display());
    assert_eq!(line("feeds.people.file"), Some(file));
    let again = folder.path().join("again.toml");
    std::fs::write(
        &again,
        vespeiro(&["plan", flag, plan, "--format", "toml"])
            .fine()
            .stdout,
    )
    .unwrap();
    let json = vespeiro(&["plan", flag, again.to_str().unwrap(), "--format", "json"]).fine();
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let feed = &json["feeds"][0];
    assert_eq!(
        (&feed["name"], &feed["rows"]),
        (&"people".into(), &2.into())
    );
    assert_eq!(feed["file"]["value"], rows.to_str().unwrap());

    let module = example("registrar");
    let module = module.to_str().unwrap();
    let config = ["--config", "{\"feed\": \"people\"}"];
    let given = format!("people={}:once", rows.display());
    let sessions = ["--sessions", "3"];
    let traced = vespeiro(
        &[
            &["rehearse", module, "--feed", &given],
            &config[..],
            &sessions,
        ]
        .concat(),
    )
    .fine();
    for said in [
        "person0@",
        "person1@",
        "feed \"people\": it has no more rows",
    ] {
        assert_eq!(traced.stdout.matches(said).count(), 1, "{}", traced.stdout);
    }
    let checked = vespeiro(&[&["check", module], &config[..]].concat()).fine();
    let note =
        "note        it asks for the feed \"people\" and gets no row: name its file with --feed";
    assert!(checked.stdout.contains(note), "{}", checked.stdout);
    let checked = vespeiro(&[&["check", module, "--feed", &given], &config[..]].concat()).fine();
    assert!(!checked.stdout.contains("note"), "{}", checked.stdout);
}
