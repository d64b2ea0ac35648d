//! How a run ends that could not do all of its job: at once, and with a code that says so.

use std::time::{Duration, Instant};

use crate::support::{RunOf, Running, Service, eventually, example};

#[test]
fn users_of_a_quarantined_archetype_do_not_wait_for_their_next_session() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.toml");
    let module = example("misbehaving");
    // Between two of its sessions a user pauses for ten minutes at least.
    let text = format!(
        "users = 20\nworkers = 1\ndelay_min = \"10m\"\ndelay_max = \"10m\"\n\
         [[archetype]]\nname = \"trap\"\nmodule = {:?}\nweight = 1\nconfig = {{ mode = \"trap\", after = 0 }}\n",
        module.display().to_string()
    );
    std::fs::write(&plan, text).unwrap();
    let began = Instant::now();
    let played = RunOf::start(&service.url, &format!("--plan {}", plan.display())).played();
    assert!(began.elapsed() < Duration::from_secs(50));
    assert_eq!(played.ended.code, Some(1));
    assert!(
        played.ended.stderr.contains("quarantined"),
        "{}",
        played.ended.stderr
    );
}

#[test]
fn a_cleanup_that_could_not_do_its_work_is_no_success() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("run.journal");
    let run = Running::start(&[
        "run",
        "--no-panel",
        "--base-url",
        &service.url,
        "--archetype",
        "newcomer",
        "--users",
        "5",
        "--delay-min",
        "10",
        "--delay-max",
        "50",
        "--journal",
        journal.to_str().unwrap(),
        "--min-request-count",
        "10000",
        "--max-request-count",
        "10000",
        "--grace",
        "1s",
    ]);
    eventually("something to remove", || {
        (service.answered() > 20).then_some(())
    });
    service.process.signal("KILL");
    run.signal("TERM");
    let ended = run.ended().orderly();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("the cleanup could not remove"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("vespeiro cleanup"),
        "{}",
        ended.stderr
    );
    assert!(journal.is_file());
}
