//! A behavior is swapped while the run goes on: nothing is lost or counted twice, a bad module changes nothing, one that
//! crashes is taken back, and a file that changes is taken up by itself.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Answer, RunOf, Running, Service, eventually, example, get, post, samples, send, vespeiro,
};

/// People who never come to an end, on two workers.
const PEOPLE: &str =
    "--control 127.0.0.1:0 --workers 2 --min-request-count 10000000 --max-request-count 10000000";
/// They hardly stop to think.
const BUSY: &str = "--users 40 --delay-min 0 --delay-max 2ms";
/// They leave the machine to the other tests.
const CALM: &str = "--users 10 --delay-min 5ms --delay-max 30ms";

struct Steered {
    run: RunOf,
    authority: String,
}

impl Steered {
    fn start(url: &str, arguments: &str) -> Steered {
        let run = RunOf::start(url, arguments);
        let authority = run.authority("control: ");
        let steered = Steered { run, authority };
        eventually("the first requests", || {
            (steered.status()["requests"].as_u64()? > 50).then_some(())
        });
        steered
    }

    fn status(&self) -> Value {
        let answer = send(&self.authority, "GET", "/status", &[], b"").unwrap();
        serde_json::from_str(&answer.body).unwrap()
    }

    fn mine(&self) -> Value {
        self.status()["archetypes"][0].clone()
    }

    fn swap(&self, query: &str, module: &[u8]) -> Answer {
        post(&self.authority, &format!("/swap/mine?{query}"), module)
    }

    /// New requests come in, from all users: nobody is stuck.
    fn goes_on(&self, users: u64) {
        let before = self.status()["requests"].as_u64().unwrap();
        eventually("the run goes on", || {
            let status = self.status();
            let all_play = status["users"] == users;
            (all_play && status["requests"].as_u64()? > before + 100).then_some(())
        });
    }

    fn stop(self) -> crate::support::Played {
        assert_eq!(post(&self.authority, "/stop", b"").status, 200);
        let mut played = self.run.played();
        played.ended = played.ended.fine();
        played
    }
}

/// The same module with other content: it has one more custom section.
fn variant(module: &Path, number: u32) -> Vec<u8> {
    let mut bytes = fs::read(module).unwrap();
    let name = b"build";
    let content = number.to_le_bytes();
    let length = (1 + name.len() + content.len()) as u8;
    bytes.extend([0, length, name.len() as u8]);
    bytes.extend(name);
    bytes.extend(content);
    bytes
}

fn mine(module: &Path, pace: &str) -> String {
    format!("{PEOPLE} {pace} --archetype mine={}", module.display())
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn forty_swaps_under_load_lose_nothing_and_leave_nobody_stuck() {
    let service = Service::start();
    let first = example("first");
    let run = Steered::start(&service.url, &mine(&first, BUSY));
    for number in 0..40 {
        let mode = if number % 2 == 0 { "drain" } else { "now" };
        let answer = match number % 5 {
            // Other routes, other categories, longer sessions. A newcomer would be refused: it has not registered.
            3 => run.swap(&format!("mode={mode}&builtin=admin"), b""),
            // A version that comes back is the same one.
            _ => run.swap(&format!("mode={mode}"), &variant(&first, number % 6)),
        };
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    run.goes_on(40);
    let played = run.stop();
    let answered = played.answered();
    assert_eq!(answered, service.ledger(1));
    assert_eq!(answered.values().sum::<u64>(), played.sent());
    played.adds_up();
    let swaps = &played.summary["swaps"][0];
    assert_eq!(swaps["published"], 40);
    assert_eq!(count(&swaps["refused"]) + count(&swaps["rolled_back"]), 0);
    let versions = played.summary["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 1 + 6 + 1);
    let of_versions: u64 = versions.iter().map(|v| count(&v["requests"])).sum();
    assert_eq!(of_versions, played.sent());
    let started: u64 = versions
        .iter()
        .map(|v| count(&v["sessions"]["started"]))
        .sum();
    assert_eq!(started, count(&played.summary["sessions"]["started"]));
}

/// Pieces of compiled code that a process holds: mappings that can be run and are of no file.
pub(crate) fn compiled(pid: u32) -> usize {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let runs = |line: &&str| line.split(' ').nth(1).is_some_and(|may| may.contains('x'));
    let of_no_file = |line: &&str| !line.contains(['/', '[']);
    maps.lines().filter(runs).filter(of_no_file).count()
}

#[test]
fn the_code_of_versions_that_are_gone_is_freed() {
    const SWAPS: u32 = 30;
    let service = Service::start();
    let first = example("first");
    let run = Steered::start(&service.url, &(mine(&first, CALM) + " --no-cache"));
    let pid = run.run.process.id();
    let before = compiled(pid);
    assert!(before > 0, "there is a version that plays");
    for number in 0..SWAPS {
        // No content comes twice, so that each is compiled.
        let answer = run.swap("mode=now", &variant(&first, number));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    // The version of now, the one to go back to while it is on probation, and what their last sessions hold.
    eventually("old code is freed", || {
        (compiled(pid) <= 2 * before + 2).then_some(())
    });
    run.goes_on(10);
    let played = run.stop();
    assert_eq!(played.answered(), service.ledger(1));
    assert_eq!(
        played.answered().values().sum::<u64>(),
        played.sent(),
        "nothing is lost"
    );
    played.adds_up();
    assert_eq!(played.summary["swaps"][0]["published"], SWAPS);
}

#[test]
fn a_bad_module_changes_nothing_and_a_good_one_plays_beside_the_old() {
    let service = Service::start();
    let first = example("first");
    let run = Steered::start(&service.url, &mine(&first, CALM));
    let folder = TempDir::new().unwrap();
    let before = run.mine()["versions"][0]["hash"].clone();

    let broken = folder.path().join("broken.wasm");
    fs::write(&broken, b"\0asm no module").unwrap();
    let by_command = |arguments: &[&str]| {
        let all = [&["swap", "--control", &run.authority], arguments].concat();
        vespeiro(&all)
    };
    let refused = by_command(&["mine", broken.to_str().unwrap()]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("broken.wasm"), "{}", refused.stderr);
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    let unknown = by_command(&["nobody", first.to_str().unwrap()]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("mine"), "{}", unknown.stderr);
    let crashing = example("trap_describe");
    assert_eq!(
        by_command(&["mine", crashing.to_str().unwrap()]).code,
        Some(1)
    );
    let nowhere = by_command(&["mine", "no-such-file.wasm"]);
    assert_eq!(nowhere.code, Some(2), "{}", nowhere.stderr);
    eventually("two refusals are counted", || {
        (run.mine()["swaps_refused"] == 2).then_some(())
    });
    let mine = run.mine();
    assert_eq!(mine["versions"].as_array().unwrap().len(), 1, "{mine}");
    assert_eq!(mine["versions"][0]["hash"], before);
    run.goes_on(10);

    let new = folder.path().join("new.wasm");
    fs::write(&new, variant(&first, 7)).unwrap();
    let swapped = by_command(&["mine", new.to_str().unwrap(), "--share", "25%"]);
    assert_eq!(swapped.code, Some(0), "{}", swapped.stderr);
    assert!(swapped.stdout.contains("25.0%"), "{}", swapped.stdout);
    let versions = eventually("sessions of both versions", || {
        let versions = run.mine()["versions"].clone();
        (versions[1]["sessions"].as_u64()? > 20).then_some(versions)
    });
    assert_eq!(versions[0]["share"], 0.75);
    assert_eq!(versions[1]["share"], 0.25);
    let again = run.swap("", &variant(&first, 7));
    assert!(again.body.contains("\"share\":1.0"), "{}", again.body);
    let played = run.stop();
    assert_eq!(played.answered(), service.ledger(1));
    assert!(
        played.ended.stdout.contains("refused 2"),
        "{}",
        played.ended.stdout
    );
    assert!(played.ended.stderr.contains("swap of mine refused"));
}

#[test]
fn a_behavior_that_crashes_once_it_plays_is_taken_back() {
    let service = Service::start();
    let folder = TempDir::new().unwrap();
    let plan = folder.path().join("plan.toml");
    let first = example("first");
    // The first one does not look at it; the rehearsal does not get that far.
    let text = format!(
        "[[archetype]]\nname = \"mine\"\nmodule = {first:?}\nconfig = {{ mode = \"trap\", after = 30 }}\n"
    );
    fs::write(&plan, text).unwrap();
    let run = Steered::start(
        &service.url,
        &format!("{PEOPLE} {CALM} --plan {}", plan.display()),
    );
    let good = run.mine()["versions"][0]["hash"].clone();
    let answer = run.swap("", &fs::read(example("misbehaving")).unwrap());
    assert_eq!(answer.status, 200, "{}", answer.body);
    eventually("the swap is rolled back", || {
        (run.mine()["swaps_rolled_back"] == 1).then_some(())
    });
    let versions = run.mine()["versions"].clone();
    assert_eq!(versions[0]["hash"], good);
    assert_eq!(
        (&versions[0]["share"], &versions[1]["share"]),
        (&1.0.into(), &0.0.into())
    );
    run.goes_on(10);
    let played = run.stop();
    assert_eq!(played.answered(), service.ledger(1));
    let said = &played.ended.stderr;
    assert!(said.contains("swap of mine rolled back"), "{said}");
    assert!(!said.contains("quarantined"), "{said}");
}

#[test]
fn users_of_a_quarantined_archetype_come_back_to_a_module_that_works() {
    const BUDGET: u64 = 30;
    let service = Service::start();
    let folder = TempDir::new().unwrap();
    let plan = folder.path().join("plan.toml");
    let (bad, first) = (example("misbehaving"), example("first"));
    // The others keep the run going, as long as nobody stops it.
    let text = format!(
        "workers = 2\ncontrol = \"127.0.0.1:0\"\ndelay_min = 1\ndelay_max = 5\n\
         [[archetype]]\nname = \"mine\"\nmodule = {bad:?}\nusers = 20\nconfig = {{ mode = \"trap\", after = 1 }}\n\
         min_request_count = {BUDGET}\nmax_request_count = {BUDGET}\n\
         [[archetype]]\nname = \"others\"\nmodule = {first:?}\nusers = 3\nprofile = \"constant-users\"\n"
    );
    fs::write(&plan, text).unwrap();
    let run = Steered::start(&service.url, &format!("--plan {}", plan.display()));
    eventually("nobody is left", || {
        (run.mine()["users"] == 0).then_some(())
    });
    let answer = run.swap("", &fs::read(&first).unwrap());
    assert_eq!(answer.status, 200, "{}", answer.body);
    let all = 20 * BUDGET;
    eventually("their budgets are spent", || {
        (count(&run.mine()["requests"]) >= all && run.mine()["users"] == 0).then_some(())
    });
    run.goes_on(3);
    let played = run.stop();
    // Each goes on with what it had left.
    assert_eq!(played.sent_by("mine"), all);
    assert!(count(&played.archetype("mine")["traps"]) >= 20);
    assert_eq!(played.answered(), service.ledger(1));
    let said = &played.ended.stderr;
    assert!(
        said.contains("archetype mine is quarantined after"),
        "{said}"
    );
    assert!(said.contains("quarantined no more"), "{said}");
    played.adds_up();
}

#[test]
fn sessions_in_a_long_pause_end_at_once_with_a_swap_that_says_so() {
    let service = Service::start();
    let first = example("first");
    let pace = "--users 6 --delay-min 20m --delay-max 30m --metrics 127.0.0.1:0 --log info";
    let run = RunOf::start(&service.url, &mine(&first, pace));
    let (page, authority) = (run.authority("metrics at "), run.authority("control: "));
    let active = || -> Option<u64> {
        let page = get(&page, "/metrics").ok()?;
        let all = samples(&page, "vespeiro_sessions_active");
        Some(all.iter().map(|sample| sample.value as u64).sum())
    };
    // One request each; then they think.
    eventually("everybody thinks", || {
        (service.answered_at_all() == 1 + 6 && active() == Some(6)).then_some(())
    });
    let swapped = post(&authority, "/swap/mine?mode=now", &variant(&first, 1));
    assert_eq!(swapped.status, 200, "{}", swapped.body);
    eventually("the pauses are over", || {
        (active() == Some(0)).then_some(())
    });
    run.process.signal("INT");
    let played = run.played();
    assert_eq!(played.sent(), 6);
    assert_eq!(played.answered(), service.ledger(1));
    played.adds_up();
}

#[test]
fn a_file_that_changes_is_taken_up_and_so_is_a_link_that_does() {
    let service = Service::start();
    let first = example("first");
    let folder = TempDir::new().unwrap();
    // As a ConfigMap is mounted: the file is a link into a link to a folder, and that one is replaced.
    for (version, number) in [("v1", 1), ("v2", 2)] {
        let data = folder.path().join(version);
        fs::create_dir(&data).unwrap();
        fs::write(data.join("mine.wasm"), variant(&first, number)).unwrap();
    }
    let link = |to: &str, name: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::os::unix::fs::symlink(to, &path).unwrap();
        path
    };
    link("v1", "..data");
    let module = link("..data/mine.wasm", "mine.wasm");
    let run = Steered::start(&service.url, &mine(&module, CALM));
    let published = |count: u64| {
        eventually("the swap", || {
            (run.mine()["swaps_published"] == count).then_some(())
        });
    };
    fs::rename(link("v2", "..next"), folder.path().join("..data")).unwrap();
    published(1);
    // An editor writes another file and puts it in the place of the old one.
    let draft = folder.path().join("draft");
    fs::write(&draft, variant(&first, 3)).unwrap();
    fs::rename(&draft, &module).unwrap();
    published(2);
    // A compiler writes into it.
    fs::write(&module, variant(&first, 4)).unwrap();
    published(3);
    // The same again is no swap, and neither is a file that is gone.
    fs::write(&module, variant(&first, 4)).unwrap();
    fs::remove_file(&module).unwrap();
    fs::write(&module, variant(&first, 5)).unwrap();
    published(4);
    assert_eq!(run.mine()["swaps_refused"], 0);
    let played = run.stop();
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn a_run_is_steered_by_those_who_may() {
    let service = Service::start();
    let arguments = mine(&example("first"), CALM) + " --control-token hush-hush";
    let run = RunOf::start(&service.url, &arguments);
    let authority = run.authority("control: ");
    let asked = |method, path, headers: &[&str], body: &str| {
        send(&authority, method, path, headers, body.as_bytes()).unwrap()
    };
    let token = "Authorization: Bearer hush-hush";
    for wrong in [vec![], vec!["Authorization: Bearer hush"]] {
        assert_eq!(asked("POST", "/stop", &wrong, "").status, 401);
    }
    let page = [token, "Origin: http://evil.test"];
    assert_eq!(asked("POST", "/stop", &page, "").status, 403);
    assert_eq!(asked("GET", "/nothing", &[token], "").status, 404);
    assert_eq!(asked("POST", "/users", &[token], "many").status, 400);

    let requests = || {
        let answer = asked("GET", "/status", &[token], "");
        let status: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        (
            status["requests"].as_u64().unwrap_or(0),
            status["users"].as_u64(),
        )
    };
    eventually("requests", || (requests().0 > 50).then_some(()));
    assert_eq!(
        asked("POST", "/users", &[token], "{\"users\": 5}").status,
        200
    );
    eventually("fewer users", || (requests().1 == Some(5)).then_some(()));
    assert_eq!(asked("POST", "/pause", &[token], "").status, 200);
    let held = eventually("silence", || {
        let before = service.answered_at_all();
        std::thread::sleep(std::time::Duration::from_millis(300));
        (service.answered_at_all() == before).then_some(before)
    });
    assert_eq!(asked("POST", "/resume", &[token], "").status, 200);
    eventually("requests again", || {
        (service.answered_at_all() > held + 50).then_some(())
    });
    assert_eq!(asked("POST", "/stop", &[token], "").status, 200);
    let played = run.played();
    assert_eq!(played.answered(), service.ledger(1));
    assert!(!played.ended.stderr.contains("hush"));
}

#[test]
fn an_endpoint_for_all_the_world_wants_a_token() {
    let refused = vespeiro(&[
        "run",
        "--control",
        "0.0.0.0:0",
        "--base-url",
        "http://127.0.0.1:9",
    ]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("control_token"),
        "{}",
        refused.stderr
    );
    let nobody =
        Running::start(&["swap", "--control", "127.0.0.1:9", "mine", "builtin:admin"]).ended();
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.stderr.contains("--control"), "{}", nobody.stderr);
}

#[test]
fn sessions_move_to_the_new_version_with_their_state() {
    let service = Service::start();
    let rounds = example("rounds");
    let run = Steered::start(&service.url, &mine(&rounds, CALM));
    for number in 1..=3 {
        let before = count(&run.status()["requests"]);
        eventually("a round of everybody", || {
            (count(&run.status()["requests"]) > before + 40).then_some(())
        });
        let answer = run.swap("mode=migrate", &variant(&rounds, number));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    eventually("requests of the last version", || {
        let versions = run.mine()["versions"].clone();
        (versions[3]["requests"].as_u64()? > 40).then_some(())
    });
    run.goes_on(10);
    let played = run.stop();
    assert_eq!(played.answered(), service.ledger(1));
    // Ten journeys from the first to the last, whatever they were played by.
    assert_eq!(count(&played.summary["sessions"]["started"]), 10);
    assert_eq!(played.sessions("mine", "cut"), 10);
    let check = &played.summary["checks"][0];
    assert_eq!(check["name"], "moved with its rounds");
    assert_eq!((count(&check["passed"]), count(&check["failed"])), (30, 0));
}
