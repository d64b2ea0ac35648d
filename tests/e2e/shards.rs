//! Several processes that play one plan together do what one process does alone: the same users, in the same order, with the same
//! rows of a feed.

use std::io::Write as _;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::determinism::{PLAN, assert_same};
use crate::support::{Recording, Running, example, vespeiro};

pub const SHARDS: usize = 3;

/// What is played, as every process is told.
pub const FLAGS: [&str; 13] = [
    "--run-id",
    "e2eshard",
    "--seed",
    "7",
    "--mix=off",
    "--error-mix=off",
    "--cleanup=never",
    "--min-request-count=15",
    "--max-request-count=40",
    // The whole holds the first by all it sends and no shard alone does; nothing holds the second.
    "--threshold",
    "requests>200",
    "--threshold",
    "errors>0",
];

/// The plan of `determinism`, with people who come from rows of a feed, each of which is one person's alone.
pub fn plan(folder: &Path) -> String {
    let mut rows = std::fs::File::create(folder.join("people.csv")).unwrap();
    writeln!(rows, "username,email,password,name").unwrap();
    for row in 0..20 {
        writeln!(rows, "p{row},p{row}@example.test,Secret{row}!x,Ana {row}").unwrap();
    }
    let text = format!(
        "{PLAN}\n[[archetype]]\nname = \"mine\"\nmodule = {:?}\nweight = 6\nconfig = {{ feed = \"people\" }}\n\
         [feeds.people]\nfile = \"people.csv\"\norder = \"once\"\n",
        example("registrar")
    );
    let path = folder.join("plan.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Start one process; `own` says which part it plays.
pub fn start(url: &str, folder: &Path, own: &str) -> Running {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (plan, results, journal) = (path("plan.toml"), path("results"), path("run.journal"));
    let mut all = vec!["run", "--no-panel", "--base-url", url, "--plan", &plan];
    all.extend(["--results", &results, "--journal", &journal]);
    all.extend(FLAGS);
    all.extend(own.split_whitespace());
    Running::start(&all)
}

pub fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn three_shards_do_together_what_one_process_does_alone() {
    let folder = TempDir::new().unwrap();
    plan(folder.path());
    // One request at a time per worker: the server sees a batch in the order that the behavior gave it.
    let alone = Recording::start();
    let judged = start(&alone.url, folder.path(), "--max-connections=2")
        .ended()
        .orderly();
    assert_eq!(judged.code, Some(99), "{}", judged.stderr);
    let alone = alone.seen();

    let together = Recording::start();
    let shards: Vec<Running> = (0..SHARDS)
        .map(|index| {
            start(
                &together.url,
                folder.path(),
                &format!("--shard {index}/{SHARDS} --max-connections=6"),
            )
        })
        .collect();
    shards
        .into_iter()
        .for_each(|shard| drop(shard.ended().fine()));
    // 7 by themselves, 2 administrators, and the rows of the others, of which each has every twelfth.
    assert_eq!(alone.len(), 7 + 2 + 6, "{:?}", alone.keys());
    assert_same(&alone, &together.seen());

    let results = folder.path().join("results");
    let whole = read(&results.join("summary.json"));
    let parts: Vec<Value> = (0..SHARDS)
        .map(|index| read(&results.join(format!("summary-{index}-of-{SHARDS}.json"))))
        .collect();
    for (pointer, least) in [("/run/users", 3), ("/total/requests", 50)] {
        let of = |summary: &Value| summary.pointer(pointer).unwrap().as_u64().unwrap();
        assert!(
            parts.iter().all(|part| of(part) >= least),
            "{pointer}: {parts:?}"
        );
        assert_eq!(parts.iter().map(of).sum::<u64>(), of(&whole), "{pointer}");
    }
    assert_judged_as_one(&results, of_requests(&whole));
    for (index, part) in parts.iter().enumerate() {
        assert_eq!(part["run"]["shard"]["index"], index);
        assert_eq!(
            part["thresholds"][0]["state"],
            "crossed",
            "{}",
            of_requests(part)
        );
        let journal = folder
            .path()
            .join(format!("run-{index}-of-{SHARDS}.journal"));
        assert!(journal.is_file(), "{}", journal.display());
    }
}

pub fn of_requests(summary: &Value) -> u64 {
    summary["total"]["requests"].as_u64().unwrap()
}

/// What no shard comes to by itself holds for the whole, and a shard that is missing is missed.
fn assert_judged_as_one(results: &Path, requests: u64) {
    let file = |index: usize| {
        let name = format!("summary-{index}-of-{SHARDS}.json");
        results.join(name).to_str().unwrap().to_owned()
    };
    let files: Vec<String> = (0..SHARDS).map(file).collect();
    let merged = results.join("merged.json");
    let report = |files: &[String]| {
        let files = files.iter().map(String::as_str);
        let all: Vec<&str> = ["report", "--json", merged.to_str().unwrap()]
            .into_iter()
            .chain(files)
            .collect();
        vespeiro(&all)
    };
    let judged = report(&files);
    // Crossed by the errors that nobody made, and held by what all of them sent.
    assert_eq!(
        judged.code,
        Some(99),
        "{}\n{}",
        judged.stderr,
        judged.stdout
    );
    let whole = read(&merged);
    let thresholds = whole["thresholds"].as_array().unwrap();
    let states: Vec<&Value> = thresholds
        .iter()
        .map(|threshold| &threshold["state"])
        .collect();
    assert_eq!(states, ["ok", "crossed"], "{thresholds:?}");
    assert_eq!(thresholds[0]["achieved"].as_f64(), Some(requests as f64));
    let lacking = report(&files[..2]);
    assert_eq!(lacking.code, Some(2), "{}", lacking.stderr);
    assert!(
        lacking.stderr.contains("shards 2 of the 3"),
        "{}",
        lacking.stderr
    );
    let twice = report(&[&files[..], &files[..1]].concat());
    assert_eq!(twice.code, Some(2), "{}", twice.stderr);
    assert!(
        twice.stderr.contains("shard 0 of run e2eshard"),
        "{}",
        twice.stderr
    );
}

#[test]
fn who_has_not_said_which_shard_it_is_is_told_that_the_load_is_several_times_the_plans() {
    let folder = TempDir::new().unwrap();
    let journal = folder.path().join("run.journal");
    let server = Recording::start();
    let of_ci = |arguments: &[&str]| {
        let fixed = [
            "run",
            "--no-panel",
            "--users=2",
            "--max-request-count=10",
            "--delay-max=1",
            "--delay-min=0",
        ];
        let own = [
            "--base-url",
            &server.url,
            "--cleanup=never",
            "--journal",
            journal.to_str().unwrap(),
        ];
        let all = [&fixed[..], &own, arguments].concat();
        let env = [
            ("CI_NODE_INDEX", "2"),
            ("CI_NODE_TOTAL", "2"),
            ("CI_PIPELINE_ID", "5"),
        ];
        Running::start_in(&all, &env).ended().fine()
    };
    let told = of_ci(&["--run-id=e2eshar0"]).stderr;
    assert!(told.contains("2 times the plan's"), "{told}");
    let silent = of_ci(&["--run-id=e2eshar0", "--shard=none"]).stderr;
    assert!(!silent.contains("the plan's"), "{silent}");
    // The run's name and seed follow from the pipeline.
    let auto = of_ci(&["--shard=auto"]);
    assert!(!auto.stderr.contains("the plan's"), "{}", auto.stderr);
    assert!(folder.path().join("run-1-of-2.journal").is_file());
    let refused = vespeiro(&["run", "--shard=auto"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("none of JOB_COMPLETION_INDEX"),
        "{}",
        refused.stderr
    );
}
