//! What `vespeiro new` writes is what it says: for each language the project is built from scratch with the tools of
//! that language's own registry, plays against the reference service, and decides the same for the same seed. A target
//! of its own, for it needs those tools: where one is missing its test says so and passes, unless
//! `VESPEIRO_REQUIRE_TOOLS` is 1.

// Tests measure by the machine's clock.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

mod project;
#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;
mod without_sdk;

use std::sync::Arc;

use project::{Project, java, node, python, rust};
use support::{Played, Recording, RunOf, Seen, Server, Service, Talked, eventually, talkative};

/// Plays a module against the service; long enough that users come back, so that both ways in are walked.
fn play(project: &Project) {
    let service = Service::start();
    let arguments = format!(
        "--archetype mine={} --seed 7 --log info {LOAD}",
        project.module()
    );
    let played = patiently(RunOf::start(&service.url, &arguments));
    assert_eq!(played.archetype("mine")["behavior"], project.name);
    assert_eq!(
        (played.sent(), played.errors()),
        (300, 0),
        "{:?}",
        played.ended
    );
    assert!(
        played.sessions("mine", "completed") > 20,
        "{:?}",
        played.summary["sessions"]
    );
    assert_eq!(
        played.sessions("mine", "failed"),
        0,
        "{}",
        played.ended.stderr
    );
    assert_eq!(
        played.sessions("mine", "crashed"),
        0,
        "{}",
        played.ended.stderr
    );
    assert_eq!(played.answered(), service.ledger(1));
    let check = &played.summary["checks"][0];
    assert_eq!(
        (&check["name"], check["failed"].as_u64()),
        (&"a new name reads as written".into(), Some(0))
    );
    if let Some(line) = project.prints {
        assert!(
            played.ended.stderr.contains(line),
            "{}",
            played.ended.stderr
        );
    }
    decides(project);
}

const LOAD: &str = "--users 5 --min-request-count 60 --max-request-count 60 --delay-min 0 --delay-max 2 --workers 2 \
                    --guest-timeout 5s";

/// The same seed makes the same decisions, and another seed makes others.
fn decides(project: &Project) {
    let seen = |seed: u32| -> Seen {
        let recording = Recording::start();
        let arguments = format!(
            "--archetype mine={} --run-id abcdefgh --seed {seed} {LOAD}",
            project.module()
        );
        patiently(RunOf::start(&recording.url, &arguments));
        let mut seen = recording.seen();
        // Of two requests that leave together, either may arrive first.
        for lines in seen.values_mut() {
            lines.sort_by_key(|line| line.ends_with("/roles "));
        }
        seen
    };
    let first = seen(7);
    assert_eq!(first, seen(7));
    assert_ne!(first, seen(8));
}

/// An administrator's project stands in for the built-in one: it plays as the plan's administrator, and tidies up.
fn play_as_administrator(project: &Project) {
    let service = Service::start();
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (summary, journal) = (path("summary.json"), path("run.journal"));
    let archetype = format!("admin={}", project.module());
    let mut arguments = vec![
        "run",
        "--no-panel",
        "--base-url",
        &service.url,
        "--archetype",
        &archetype,
    ];
    arguments.extend(["--summary-json", &summary, "--journal", &journal]);
    arguments.extend(["--mix=off", "--error-mix=off"]);
    arguments.extend(LOAD.split_whitespace());
    let mut process = support::Running::start(&arguments);
    eventually("the end of an administrators' run", || process.has_ended());
    process.ended().fine();
    let summary: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(summary).unwrap()).unwrap();
    assert_eq!(summary["total"]["errors"], 0, "{summary}");
    assert!(
        summary["sessions"]["endings"][0]["count"].as_u64().unwrap() > 20,
        "{}",
        summary["sessions"]
    );
    assert_eq!(summary["cleanup"]["left"], 0, "{}", summary["cleanup"]);
    assert!(!std::path::Path::new(&journal).exists());
}

/// What sessions leave behind is used again: in little memory, hundreds of them play in the instances that began. One that
/// filled up would be replaced, or trap.
fn stays_small(project: &Project, memory: &str) {
    let service = Service::start();
    let arguments = format!(
        "--archetype mine={} --guest-memory {memory} --users 5 --min-request-count 800 --max-request-count 800 \
         --delay-min 0 --delay-max 0 --workers 1 --guest-timeout 5s",
        project.module()
    );
    let played = patiently(RunOf::start(&service.url, &arguments));
    assert_eq!(
        (played.sent(), played.sessions("mine", "crashed")),
        (4000, 0)
    );
    let behaviors = played
        .ended
        .stdout
        .lines()
        .find(|line| line.starts_with("behaviors "));
    assert!(
        behaviors.is_some_and(|line| line.ends_with("instances 1")),
        "{}",
        played.ended.stdout
    );
}

/// A module of 18 MB takes a debug build on a busy machine long to compile, the first time.
#[track_caller]
fn patiently(mut run: RunOf) -> Played {
    let deadline = std::time::Instant::now() + 5 * support::PATIENCE;
    while run.process.has_ended().is_none() && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let mut played = run.played();
    played.ended = played.ended.fine();
    played
}

/// A module that talks over channels, and keeps what it is to keep: what it counts is what the other side has counted.
fn talks(project: &Project) {
    let talked = Arc::new(Talked::default());
    let server = Server::start(talkative(&talked));
    let load = "--users 5 --workers 2 --min-request-count 9 --max-request-count 9 --delay-min 0 --delay-max 0 --guest-timeout 5s";
    let arguments = format!("--archetype mine={} {load}", project.module());
    let played = patiently(RunOf::start(&server.url, &arguments));
    assert_eq!(
        (played.sent(), played.errors()),
        (45, 0),
        "{:?}",
        played.ended
    );
    assert_eq!(played.sessions("mine", "completed"), 15);
    for (check, count) in [
        ("what was shared", 15),
        ("what was remembered", 15),
        ("the answer is what was said", 60),
        ("the stream tells all", 15),
        ("names and ids", 15),
        ("a status that is no error", 15),
    ] {
        assert_eq!(played.check(check), (count, 0), "{check}");
    }
    let transactions = &played.summary["transactions"];
    assert_eq!(transactions[0]["name"], "look", "{transactions}");
    talked.agrees(&played);
}

/// What people write without a thought: it works, follows the seed, or is a Python error with its line, and no trap.
fn is_ordinary_python(project: &Project) {
    let rehearse = |seed: &str| {
        let mut command = support::command(&support::binary());
        let command = command.args(["rehearse", &project.module(), "--seed", seed]);
        let rehearsed = command.output().unwrap();
        let [told, errors] =
            [rehearsed.stdout, rehearsed.stderr].map(|text| String::from_utf8(text).unwrap());
        assert_eq!(errors, "");
        told
    };
    let told = rehearse("7");
    for said in [
        "check \"digests\": passed",
        "check \"dates\": passed",
        "check \"codecs\": passed",
        "check \"a file is an error\": passed",
        "UserWarning: careful",
        "failed: behavior: ModuleNotFoundError: No module named",
        "colorsys",
        " at behavior.py:36",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(!told.contains("crashed"), "{told}");
    let drawn = |told: &str| {
        let line = told.lines().find(|line| line.contains("drawn "));
        line.unwrap().to_owned()
    };
    assert_eq!(drawn(&rehearse("7")), drawn(&told));
    assert_ne!(drawn(&rehearse("8")), drawn(&told));
}

#[test]
fn rust_builds_and_plays() {
    if rust() {
        let project = Project::built("rust", None);
        play(&project);
        let more = (
            "health.status == 200);\n",
            "me.call(HEALTH).query(\"again\", 1).send().await?;\n",
        );
        project.becomes_blank("rust", ["src/lib.rs", "src/tests.rs"], more);
        project.run("cargo", &["test", "--locked", "--quiet"]);
        play_as_administrator(&Project::built("rust", Some("admin")));
    }
}

#[test]
fn javascript_builds_and_plays() {
    if node() {
        let project = Project::built("javascript", None);
        play(&project);
        let more = ("health.status === 200);\n", "yield get('/health');\n");
        project.becomes_blank("javascript", ["behavior.js", "behavior.test.js"], more);
        project.run("npm", &["test"]);
        play_as_administrator(&Project::built("javascript", Some("admin")));
    }
}

/// An error in a module that was bundled is told with the line that its author wrote.
fn tells_the_authors_line(project: &Project) {
    let journey = "import { behavior, get, type Me } from 'vespeiro';
import { fill } from './lib/cart';

interface Visit { page: string }

function* journey(me: Me) {
  const visit: Visit = { page: '/health' };
  yield* get(visit.page);
  if (me.ordinal === 0) {
    fill({} as { items: string[] });
  }
}

export default behavior({ name: 'lost', version: '1.0.0', routes: { watch: ['GET /health'] }, journey });
";
    let helper = "// What a cart holds.\nexport function fill(cart: { items: string[] }): number {\n  return cart.items.length;\n}\n";
    std::fs::create_dir(project.path("lib")).unwrap();
    std::fs::write(project.path("lib/cart.ts"), helper).unwrap();
    std::fs::write(project.path("behavior.ts"), journey).unwrap();
    let module = format!("{}.wasm", project.name);
    project.run("node", &["vespeiro/build.mjs", "behavior.ts", &module]);
    let mut command = support::command(&support::binary());
    let told = command
        .args(["rehearse", &project.module()])
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.contains("TypeError") && told.contains(" at lib/cart.ts:3"),
        "{told}"
    );
}

#[test]
fn typescript_builds_and_plays() {
    if node() {
        let project = Project::built("typescript", None);
        play(&project);
        let more = ("health.status === 200);\n", "yield* get('/health');\n");
        project.becomes_blank("typescript", ["behavior.ts", "behavior.test.ts"], more);
        project.run("npm", &["test"]);
        tells_the_authors_line(&project);
        play_as_administrator(&Project::built("typescript", Some("admin")));
    }
}

/// Of the administrator's project the test alone: it would take its module as long to build and compile once more.
#[test]
fn python_builds_and_plays() {
    if python() {
        let project = Project::built("python", None);
        play(&project);
        let more = ("health.status == 200)\n", "    yield get(\"/health\")\n");
        project.becomes_blank("python", ["behavior.py", "test_behavior.py"], more);
        project.run("python3", &["-m", "unittest"]);
        let module = format!("{}.wasm", project.name);
        std::fs::write(project.path("behavior.py"), include_str!("talker.py")).unwrap();
        project.run(".venv/bin/python", &["vespeiro/build.py", &module]);
        talks(&project);
        std::fs::write(project.path("behavior.py"), include_str!("ordinary.py")).unwrap();
        project.run(".venv/bin/python", &["vespeiro/build.py", &module]);
        is_ordinary_python(&project);
        Project::begun("python", Some("admin")).run("python3", &["-m", "unittest"]);
    }
}

#[test]
fn c_builds_and_plays() {
    if python() {
        let project = Project::built("c", None);
        play(&project);
        stays_small(&project, "384KiB");
        let more = ("reply->status == 200);\n", "VS_SEND(me, &HEALTH);\n");
        project.becomes_blank("c", ["behavior.c", "test.c"], more);
        project.run("./test", &[]);
        play_as_administrator(&Project::built("c", Some("admin")));
        project::in_sdk("c", "tests/run", &[&project::sharing()]);
    }
}

/// Its SDK is that of C, whose tests are above; here its own words are tried.
#[test]
fn zig_builds_and_plays() {
    if python() {
        let project = Project::built("zig", None);
        play(&project);
        stays_small(&project, "512KiB");
        let more = (".status == 200);\n", "me.think();\n");
        project.becomes_blank("zig", ["behavior.zig", "test.zig"], more);
        project.run("./test", &[]);
        play_as_administrator(&Project::built("zig", Some("admin")));
    }
}

#[test]
fn assemblyscript_builds_and_plays() {
    if node() {
        let project = Project::built("assemblyscript", None);
        play(&project);
        stays_small(&project, "1MiB");
        play_as_administrator(&Project::built("assemblyscript", Some("admin")));
        project.add_tests_of_sdk("assemblyscript");
        let build = [
            "vespeiro/build.mjs",
            "tests/journeys.ts",
            "tests/journeys.wasm",
        ];
        project.run("node", &build);
        project.run("node", &["--test", "tests/"]);
        let more = ("status === 200);\n", "this.thinkLong();\n");
        project.becomes_blank("assemblyscript", ["behavior.ts", "behavior.test.mjs"], more);
        project.run("npm", &["run", "build"]);
        project.run("npm", &["test"]);
    }
}

/// Of the administrator's project the test alone, as with Python: its module is large.
#[test]
fn go_builds_and_plays() {
    if python() {
        let project = Project::built("go", None);
        play(&project);
        stays_small(&project, "24MiB");
        project.add_tests_of_sdk("go");
        project.run("./test", &[]);
        let more = ("reply.Status == 200)\n", "me.Send(health.With())\n");
        project.becomes_blank("go", ["behavior.go", "behavior_test.go"], more);
        project.run("./test", &[]);
        Project::begun("go", Some("admin")).run("./test", &[]);
    }
}

/// Its module has a collected heap and throws exceptions.
#[test]
fn kotlin_builds_and_plays() {
    if java() && node() {
        let project = Project::built("kotlin", None);
        play(&project);
        stays_small(&project, "8MiB");
        project::in_sdk(
            "kotlin",
            "tests/run",
            &[&project.path("node_modules/kotlin-compiler/lib")],
        );
        let more = ("reply.status == 200)\n", "    me.send(HEALTH())\n");
        project.becomes_blank("kotlin", ["behavior.kt", "test.kt"], more);
        project.run("./test", &[]);
        Project::begun("kotlin", Some("admin")).run("./test", &[]);
    }
}

#[test]
fn the_javascript_sdk_keeps_its_promises() {
    if node() {
        project::in_sdk("javascript", "node", &["--test", "tests/"]);
    }
}

#[test]
fn the_python_sdk_keeps_its_promises() {
    if python() {
        project::in_sdk(
            "python",
            "python3",
            &["-m", "unittest", "discover", "--start-directory", "tests"],
        );
    }
}
