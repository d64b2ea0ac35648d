//! Shards that meet begin together, and whoever does not fit is told why.

use std::path::Path;

use tempfile::TempDir;

use crate::support::{Counting, Running, eventually, example, free_address, vespeiro};

/// Start one shard of a run of 40 requests, which logs what it hears of the others.
fn shard(target: &Counting, folder: &Path, place: &str, own: &str) -> Running {
    let journal = folder.join("run.journal");
    let archetype = format!("--archetype=one={}", example("first").display());
    let mut all = vec![
        "run",
        "--no-panel",
        "--no-preflight",
        "--log=info",
        "--base-url",
    ];
    all.extend([
        &*target.url,
        "--meet",
        place,
        "--journal",
        journal.to_str().unwrap(),
    ]);
    all.extend([
        "--cleanup=never",
        "--run-id=e2emeets",
        "--seed=7",
        "--workers=1",
        &archetype,
    ]);
    all.extend([
        "--requests=40",
        "--delay-min=0",
        "--delay-max=2ms",
        "--ramp-up=0",
    ]);
    all.extend(own.split_whitespace());
    Running::start(&all)
}

fn said(by: &Running, what: &str) {
    eventually(what, || by.stderr().contains(what).then_some(()));
}

#[test]
fn shards_that_meet_begin_together_and_whoever_does_not_fit_is_told_why() {
    let (folder, place) = (TempDir::new().unwrap(), free_address());
    let target = Counting::start();
    let start = |own: &str| shard(&target, folder.path(), &place, own);
    // Whoever comes first waits for shard 0.
    let second = start("--shard=1/3");
    said(&second, "3 shards meet at");
    let first = start("--shard=0/3");
    said(&first, "shard 1 is there");
    for (own, why) in [
        ("--shard=2/3 --users=7", "by its users:"),
        ("--shard=3/4", "shard 3 is one of 4, and shard 0 one of 3"),
        ("--shard=1/3", "shard 1 is there already"),
    ] {
        // On a machine of its own.
        let elsewhere = TempDir::new().unwrap();
        let refused = shard(&target, elsewhere.path(), &place, own);
        let refused = refused.ended().orderly();
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
        assert!(first.stderr().contains(why), "{}", first.stderr());
    }
    assert_eq!(target.requests(), 0, "somebody began alone");
    let last = start("--shard=2/3");
    let told = first.ended().fine().stderr;
    drop((second.ended().fine(), last.ended().fine()));
    assert_eq!(target.requests(), 40);
    let (_, apart) = told.split_once("all 3 shards began within ").unwrap();
    let apart: f64 = apart.split_once(" ms").unwrap().0.parse().unwrap();
    // 20 ms and less on a machine that has nothing else to do.
    assert!(apart < 500.0, "{apart} ms apart");
}

#[test]
fn whoever_is_missing_is_named_and_a_meeting_that_comes_to_nothing_leaves_nothing() {
    let (folder, place) = (TempDir::new().unwrap(), free_address());
    let target = Counting::start();
    let start = |own: &str| shard(&target, folder.path(), &place, own);
    let others = ["--shard=0/3 --meet-timeout=2s", "--shard=1/3"].map(start);
    for waited in others.map(Running::ended) {
        assert_eq!(waited.code, Some(1), "{}", waited.stderr);
        let missing = "shards 2 of 3 did not come to";
        assert!(waited.orderly().stderr.contains(missing));
    }
    let alone = start("--shard=1/3 --meet-timeout=1s").ended().orderly();
    assert_eq!(alone.code, Some(1), "{}", alone.stderr);
    assert!(
        alone.stderr.contains("shard 0 did not answer at"),
        "{}",
        alone.stderr
    );
    // A signal is heard while shards wait, and those who have met hear of it.
    let [first, second] = ["--shard=0/3", "--shard=1/3"].map(start);
    said(&first, "shard 1 is there");
    first.signal("INT");
    let stopped = first.ended().fine();
    assert!(
        stopped.stderr.contains("stopped before the run began"),
        "{}",
        stopped.stderr
    );
    let called_off = second.ended().orderly();
    assert_eq!(called_off.code, Some(1), "{}", called_off.stderr);
    assert!(
        called_off.stderr.contains("shard 0 was stopped before"),
        "{}",
        called_off.stderr
    );
    assert_eq!(target.requests(), 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // Others could join it.
    let open = shard(&target, folder.path(), "0.0.0.0:7072", "--shard=0/3");
    let open = open.ended().orderly();
    assert_eq!(open.code, Some(2), "{}", open.stderr);
    assert!(open.stderr.contains("set control_token"), "{}", open.stderr);
    let nobody = vespeiro(&["run", "--meet=127.0.0.1:1"]);
    assert_eq!(nobody.code, Some(2), "{}", nobody.stderr);
    assert!(
        nobody.stderr.contains("there is nobody to meet"),
        "{}",
        nobody.stderr
    );
}
