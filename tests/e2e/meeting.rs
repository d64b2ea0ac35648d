//! Shards that meet begin together, whoever does not fit is told why, and what they do is one run: judged, steered and ended at
//! shard 0.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use serde_json::Value;

use crate::support::{
    Counting, Running, binary, command, eventually, example, get, post, vespeiro,
};

/// Start one shard of a run, of 40 requests where it has no duration, which logs what it hears of the others.
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
    all.extend(["--delay-min=0", "--delay-max=2ms", "--ramp-up=0"]);
    if !own.contains("--duration") {
        all.push("--requests=40");
    }
    all.extend(own.split_whitespace());
    Running::start(&all)
}

pub(crate) fn said(by: &Running, what: &str) {
    eventually(what, || {
        let stderr = by.stderr();
        assert!(!stderr.contains("error: "), "{stderr}");
        stderr.contains(what).then_some(())
    });
}

/// An address that no other test has, nor anybody who connects from 127.0.0.1: shards ask there before it is listened on.
pub(crate) fn own_place() -> String {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let (process, taken) = (std::process::id(), TAKEN.fetch_add(1, Ordering::Relaxed));
    let [_, one, two, three] = process.wrapping_mul(256).wrapping_add(taken).to_be_bytes();
    format!("127.{}.{two}.{three}:7072", one | 128)
}

#[test]
fn shards_that_meet_begin_together_and_whoever_does_not_fit_is_told_why() {
    let (folder, place) = (TempDir::new().unwrap(), own_place());
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
    let (folder, place) = (TempDir::new().unwrap(), own_place());
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

pub(crate) fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn what_shards_do_that_meet_is_judged_and_written_as_one_run_at_shard_0() {
    let (folder, place) = (TempDir::new().unwrap(), own_place());
    let target = Counting::start();
    let results = folder.path().join("results");
    let start = |index: usize| {
        // What the whole holds and no shard alone does, and what nothing holds.
        let own = format!(
            "--shard={index}/3 --results={} --users=9 --threshold=requests>30 --threshold=requests<10",
            results.display()
        );
        shard(&target, folder.path(), &place, &own)
    };
    let [first, second, third] = [0, 1, 2].map(start);
    let (judged, others) = (
        first.ended().orderly(),
        [second, third].map(|one| one.ended().fine()),
    );
    assert_eq!(judged.code, Some(99), "{}", judged.stderr);
    let whole = read(&results.join("summary.json"));
    let number = |of: &Value, pointer: &str| of.pointer(pointer).unwrap().as_u64().unwrap();
    let told = [
        "/total/requests",
        "/run/users",
        "/run/workers",
        "/sessions/started",
    ];
    let whole_told = told.map(|pointer| number(&whole, pointer));
    assert_eq!(whole_told[..3], [40, 9, 3], "{}", judged.stderr);
    assert_eq!(target.requests(), 40);
    assert_eq!(whole["run"]["shard"], Value::Null);
    let states: Vec<&Value> = (0..2).map(|at| &whole["thresholds"][at]["state"]).collect();
    assert_eq!(states, ["ok", "crossed"]);
    let points = whole["timeline"]["points"].as_array().unwrap();
    let sent: u64 = points.iter().map(|point| number(point, "/sent")).sum();
    assert_eq!(sent, 40, "{points:?}");
    // Each of the others keeps its part, and shows nothing.
    let parts: Vec<Value> = [1, 2]
        .map(|index| read(&results.join(format!("summary-{index}-of-3.json"))))
        .into();
    assert!(
        parts
            .iter()
            .all(|part| (1..40).contains(&number(part, "/total/requests")))
    );
    assert!(
        others.iter().all(|other| other.stdout.is_empty()),
        "{others:?}"
    );
    let files = std::fs::read_dir(&results).unwrap().count();
    assert_eq!(
        files, 5,
        "summary, page and time series of the whole, and two parts"
    );
}

#[test]
fn shards_that_meet_are_steered_at_shard_0_and_none_outlives_another() {
    let target = Counting::start();
    let folders = [(); 2].map(|()| TempDir::new().unwrap());
    let long = "--duration=60s --profile=constant-users --users=6 --grace=2s";
    let run = |folder: &TempDir, more: &str| {
        let place = own_place();
        [0, 1, 2].map(|index| {
            let own = format!(
                "--shard={index}/3 {long} {more} --summary-json={}/sum.json",
                folder.path().display()
            );
            shard(&target, folder.path(), &place, &own)
        })
    };
    // One loses shard 2, the other shard 0, while a third is steered.
    let [first, second, third] = run(&folders[0], "");
    let [leader, follower, other] = run(&folders[1], "");
    for one in [&first, &leader] {
        said(one, "all 3 shards began within");
    }
    third.signal("KILL");
    leader.signal("KILL");

    let (folder, control) = (TempDir::new().unwrap(), own_place());
    let steered = run(&folder, &format!("--control={control}"));
    let status = |what: &str, is_so: &dyn Fn(&Value) -> bool| {
        eventually(what, || {
            let status = get(&control, "/status").ok()?;
            let status: Value = serde_json::from_str(&status).ok()?;
            is_so(&status).then_some(())
        });
    };
    status("six users of three shards", &|now| now["users"] == 6);
    assert_eq!(post(&control, "/users", b"{\"users\": 12}").status, 200);
    status("twelve users of three shards", &|now| now["users"] == 12);
    assert_eq!(post(&control, "/stop", b"").status, 200);
    steered.into_iter().for_each(|one| drop(one.ended().fine()));
    let whole = read(&folder.path().join("sum.json"));
    assert_eq!(whole["run"]["workers"], 3);

    let aborted = first.ended().orderly();
    assert_eq!(aborted.code, Some(1), "{}", aborted.stderr);
    assert!(
        aborted.stderr.contains("lost: shards 2"),
        "{}",
        aborted.stderr
    );
    drop(second.ended().fine());
    for left in [follower, other].map(Running::ended) {
        assert_eq!(left.code, Some(1), "{}", left.stderr);
        assert!(left.orderly().stderr.contains("shard 0 has been lost"));
    }
    let kept = read(&folders[1].path().join("sum-1-of-3.json"));
    assert!(kept["total"]["requests"].as_u64().unwrap() > 0);
}

/// The script is what the figures of docs/distributed.md come from; a million users take it eight minutes.
#[test]
fn the_script_that_measures_many_shards_does() {
    let mut script = command(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/scale"));
    script.env("PATH", std::env::var_os("PATH").unwrap());
    script.args(["--users=300", "--shards=3", "--starts=300"]);
    // Other tests have these cores as well.
    script.args(["--apart=2000", "--binary", &binary()]);
    let ended = script.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    let error = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}{error}");
    for row in [
        "users of a shard",
        "all shards began within",
        "merging 2 summaries",
    ] {
        assert!(said.contains(row), "{said}");
    }
    let row = said
        .lines()
        .find(|line| line.trim_start().starts_with("admin"));
    assert!(row.is_some_and(|row| row.ends_with(" 10 to 10")), "{said}");
}
