//! The batch script that `vespeiro slurm` prints, on a real Slurm of three nodes: what it plays, what it says, and what it leaves.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::determinism::assert_same;
use crate::shards::{FLAGS, SHARDS, of_requests, plan, read, start};
use crate::support::{
    Counting, Ended, Recording, Service, Slurm, eventually, free_address, send, vespeiro,
};

/// The script for three shards with these flags for each; they meet at a port that no other test has.
fn script(plan: &Path, flags: &[&str]) -> String {
    let place = free_address();
    let port = format!("--port={}", place.rsplit_once(':').unwrap().1);
    printed(plan, &port, flags)
}

fn printed(plan: &Path, how: &str, flags: &[&str]) -> String {
    let plan = plan.to_str().unwrap();
    let own = ["slurm", "--shards=3", "--cpus=1", how, plan, "--"];
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

    let apart = Recording::start();
    let own = ["--max-connections=6", "--base-url", &apart.url];
    let flags = [&FLAGS[..], &own].concat();
    let job = slurm.submit(&printed(file.as_ref(), "--no-meet", &flags));
    let ended = slurm.ended(&job);
    assert_eq!(ended.exit_code, "99:0", "{}", ended.log);
    let alone = alone.seen();
    assert_same(&alone, &apart.seen());

    let together = Recording::start();
    let own = ["--max-connections=6", "--base-url", &together.url];
    let job = slurm.submit(&script(file.as_ref(), &[&FLAGS[..], &own].concat()));
    let ended = slurm.ended(&job);
    assert_eq!(ended.exit_code, "99:0", "{}", ended.log);
    assert_same(&alone, &together.seen());

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
    // Shard 0 is what the others end with.
    let is_last = |pid: &&String| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        let mut variables = environment.split(|byte| *byte == 0);
        variables.any(|one| one == b"SLURM_PROCID=2")
    };
    let last = pids.iter().find(is_last).unwrap();
    let killed = Command::new("kill").args(["-s", "KILL", last]).status();
    assert!(killed.unwrap().success());

    let ended = slurm.ended(&job);
    assert_eq!(ended.exit_code, "137:0", "{}", ended.log);
    assert_eq!(shards(&results), [""; 0]);
    // The others had their time to stop in order, and the script saw to what the dead one had made.
    for summary in ["summary.json", "summary-1-of-3.json"] {
        assert!(results.join(summary).is_file(), "{}", ended.log);
    }
    assert!(ended.log.contains("lost: shards 2"), "{}", ended.log);
    assert!(
        !(0..3).any(|index| journal(index).exists()),
        "{}",
        ended.log
    );
    assert_eq!(held(&service), before, "{}", ended.log);
}

#[test]
fn a_job_is_swapped_and_stopped_as_one_run() {
    let Some(slurm) = Slurm::start() else { return };
    let target = Counting::start();
    for (name, path) in [("old", "/old"), ("new", "/new")] {
        let text = format!("name = 'looks'\n[[step]]\nget = '{path}'\n");
        std::fs::write(slurm.folder().join(format!("{name}.toml")), text).unwrap();
    }
    let file = slurm.folder().join("plan.toml");
    let text = "users = 9\nduration = '5m'\nprofile = 'constant-users'\nramp_up = 0\ndelay_min = 1\ndelay_max = 5\n\
         [[archetype]]\nname = 'one'\nmodule = 'old.toml'\n";
    std::fs::write(&file, text).unwrap();
    let (control, page) = (free_address(), free_address());
    let own = [
        "--log=info",
        "--base-url",
        &target.url,
        "--control",
        &control,
        "--ui",
        &page,
    ];
    let job = slurm.submit(&script(&file, &own));
    let token = format!("Authorization: Bearer {}", Slurm::TOKEN);
    eventually("nine users of three nodes", || {
        let status = send(&control, "GET", "/status", &[&token], b"").ok()?;
        let status: serde_json::Value = serde_json::from_str(&status.body).ok()?;
        (status["users"] == 9).then_some(())
    });
    let new = std::fs::read(slurm.folder().join("new.toml")).unwrap();
    let swap = "/swap/one?name=new.toml&mode=now";
    // Whoever has no token changes nothing.
    assert_eq!(send(&control, "POST", swap, &[], &new).unwrap().status, 401);
    let swapped = send(&control, "POST", swap, &[&token], &new).unwrap();
    assert_eq!(swapped.status, 200, "{}\n{}", swapped.body, slurm.log(&job));
    let asked = |path: &str| {
        let heard = target.heard();
        let lines = heard
            .iter()
            .flat_map(|one| &one.heads)
            .filter_map(|head| head.first());
        lines.filter(|line| line.contains(path)).count()
    };
    eventually("all have left the old version", || {
        let (old, new) = (asked("get /old"), asked("get /new"));
        eventually("the new one plays", || {
            (asked("get /new") > new + 60).then_some(())
        });
        (asked("get /old") == old).then_some(())
    });
    let stopped = send(&page, "POST", "/stop", &[&token, crate::ui::MARK], b"").unwrap();
    assert_eq!(stopped.status, 200, "{}", stopped.body);
    let ended = slurm.ended(&job);
    assert_eq!(ended.exit_code, "0:0", "{}", ended.log);
    let whole = read(&slurm.results(&job).join("summary.json"));
    let versions = whole["versions"].as_array().unwrap();
    let sum: u64 = versions
        .iter()
        .map(|one| one["requests"].as_u64().unwrap())
        .sum();
    assert_eq!(
        (versions.len(), sum),
        (2, whole["total"]["requests"].as_u64().unwrap())
    );
    for index in 1..3 {
        let part = read(
            &slurm
                .results(&job)
                .join(format!("summary-{index}-of-3.json")),
        );
        let versions = part["versions"].as_array().unwrap();
        assert!(
            versions
                .iter()
                .all(|one| one["requests"].as_u64() > Some(0)),
            "{part}"
        );
    }
    // Each look before a run is a request that is not the run's.
    let requests = asked("get /old") + asked("get /new");
    assert_eq!(requests as u64, sum);
    let (_, apart) = ended.log.split_once("all 3 shards began within ").unwrap();
    let apart: f64 = apart.split_once(" ms").unwrap().0.parse().unwrap();
    // scripts/scale holds it to 20 ms, where nothing else is done.
    assert!(apart < 500.0, "{apart} ms");
}
