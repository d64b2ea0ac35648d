//! The batch script that `vespeiro slurm` prints, on a real Slurm of three nodes: what it plays, what it says, and what it leaves.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::determinism::assert_same;
use crate::shards::{FLAGS, SHARDS, of_requests, plan, read, start};
use crate::support::{Ended, Recording, Service, Slurm, eventually, vespeiro};

/// The script for three shards with these flags for each.
fn script(plan: &Path, flags: &[&str]) -> String {
    let plan = plan.to_str().unwrap();
    let own = ["slurm", "--shards=3", "--cpus=1", plan, "--"];
    let Ended { stdout, .. } = vespeiro(&[&own[..], flags].concat()).fine();
    stdout
}

#[test]
fn three_nodes_play_what_one_process_plays_alone_and_the_job_ends_with_the_verdict() {
    let Some(slurm) = Slurm::start() else { return };
    let folder = TempDir::new().unwrap();
    let file = plan(folder.path());
    let alone = Recording::start();
    let judged = start(&alone.url, folder.path(), "--max-connections=2").ended();
    assert_eq!(judged.code, Some(99), "{}", judged.stderr);

    let together = Recording::start();
    let own = ["--max-connections=6", "--base-url", &together.url];
    let job = slurm.submit(&script(file.as_ref(), &[&FLAGS[..], &own].concat()));
    let ended = slurm.ended(&job);
    assert_eq!(ended.exit_code, "99:0", "{}", ended.log);
    assert_same(&alone.seen(), &together.seen());

    let whole = read(&folder.path().join("results/summary.json"));
    let merged = read(&slurm.results(&job).join("summary.json"));
    assert_eq!(of_requests(&merged), of_requests(&whole));
    let states = |of: &serde_json::Value| [0, 1].map(|at| of["thresholds"][at]["state"].clone());
    assert_eq!(states(&merged), ["ok", "crossed"]);
    for index in 0..SHARDS {
        let journal = format!("run-{index}-of-{SHARDS}.journal");
        let journal = slurm.results(&job).join(journal);
        // As the plan has it: nothing is cleaned up.
        assert!(journal.is_file(), "{}\n{}", journal.display(), ended.log);
    }
}

/// What the service holds.
fn held(service: &Service) -> [u64; 3] {
    let gauges = ["users", "profiles", "roles"];
    gauges.map(|gauge| service.samples(&format!("user_service_{gauge}"))[0].value as u64)
}

/// The processes of a job's shards.
fn shards(results: &Path) -> Vec<String> {
    let found = Command::new("pgrep")
        .args(["--full", "--exact"])
        .arg(format!("[^ ]*vespeiro run .*{} .*", results.display()))
        .output()
        .unwrap();
    let pids = String::from_utf8(found.stdout).unwrap();
    pids.lines().map(str::to_owned).collect()
}

#[test]
fn a_shard_that_is_killed_ends_the_others_at_once_and_what_it_made_is_removed() {
    let Some(slurm) = Slurm::start() else { return };
    let service = Service::start();
    let before = held(&service);
    let file = slurm.folder().join("it's $HOME \"here\".toml");
    std::fs::write(&file, "users = 9\ndelay_min = 10\ndelay_max = 50\n").unwrap();
    let job = slurm.submit(&script(
        &file,
        &[
            "--base-url",
            &service.url,
            // Longer than anybody waits here.
            "--duration=5m",
            "--min-request-count=100000",
            "--max-request-count=100000",
            "--ramp-up=0",
            "--cleanup-rate=5000",
            "--archetype=newcomer",
        ],
    ));
    let results = slurm.results(&job);
    let journal = |index: usize| results.join(format!("run-{index}-of-3.journal"));
    eventually("something to remove for each shard", || {
        let kept = |index| std::fs::read_to_string(journal(index)).unwrap_or_default();
        let has_some = |index| kept(index).contains("\n+ ");
        let log = slurm.log(&job);
        assert!(!log.contains("error:"), "{log}");
        (0..3).all(has_some).then_some(())
    });
    assert!(held(&service)[0] > before[0]);
    let pids = shards(&results);
    assert_eq!(pids.len(), 3, "{pids:?}");
    let killed = Command::new("kill").args(["-s", "KILL", &pids[0]]).status();
    assert!(killed.unwrap().success());

    let ended = slurm.ended(&job);
    assert_eq!(ended.exit_code, "137:0", "{}", ended.log);
    assert_eq!(shards(&results), [""; 0]);
    // The others had their time to stop in order, and the script saw to what the dead one had made.
    let summaries = (0..3).filter(|i| results.join(format!("summary-{i}-of-3.json")).is_file());
    assert_eq!(summaries.count(), 2, "{}", ended.log);
    assert!(
        !(0..3).any(|index| journal(index).exists()),
        "{}",
        ended.log
    );
    assert_eq!(held(&service), before, "{}", ended.log);
}
