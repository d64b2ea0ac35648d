//! Whatever is wrong is told in one line that names the thing and the way out, with its exit code: 2 for what the
//! caller wrote, 1 for a run that cannot do its job.

use std::net::TcpListener;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::{example, vespeiro};

/// Run it, and expect this code and one line with all these parts.
#[track_caller]
fn refused(line: &str, code: i32, parts: &[&str]) {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let ended = vespeiro(&arguments).orderly();
    let said = ended.stderr.trim_end();
    assert_eq!(ended.code, Some(code), "{line}: {said}");
    assert_eq!(said.lines().count(), 1, "{line}: {said}");
    assert!(said.starts_with("error: "), "{line}: {said}");
    for part in parts {
        assert!(said.contains(part), "{line}: {part:?} is not in: {said}");
    }
    assert_eq!(ended.stdout, "", "{line}");
}

/// An address that nobody listens on.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A file for `--archetype` or `--plan`.
struct Given {
    _folder: TempDir,
    path: PathBuf,
}

fn given(name: &str, bytes: &[u8]) -> Given {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Given {
        _folder: folder,
        path,
    }
}

/// A module that cannot be used is refused before the target is asked for anything.
#[track_caller]
fn refused_module(name: &str, bytes: &[u8], parts: &[&str]) {
    let module = given(name, bytes);
    let line = format!("run --no-panel --archetype mine={}", module.path.display());
    refused(&line, 2, &[&[name], parts].concat());
}

#[test]
fn a_wrong_command_line() {
    refused("run --usres 5", 2, &["--usres", "--users", "--help"]);
    refused("rum", 2, &["rum", "run"]);
    refused("run --users", 2, &["--users", "a value is required"]);
    refused("serve --port many", 2, &["--port", "many"]);
    refused(
        "demo --base-url http://127.0.0.1:1",
        2,
        &["its own service", "vespeiro run"],
    );
}

#[test]
fn wrong_settings() {
    refused(
        "run --preset testing --scenario mixed",
        2,
        &[
            "scenario (--scenario): is another name of preset",
            "keep one of them",
        ],
    );
    refused(
        "run --scenario mixd",
        2,
        &["--scenario", "mixd", "did you mean \"mixed\"?"],
    );
    refused(
        "run --min-request-count 9 --max-request-count 3",
        2,
        &[
            "min_request_count",
            "9 is more than max_request_count 3",
            "lower",
            "raise",
        ],
    );
    refused(
        "run --users 0",
        2,
        &["--users", "0 is out of range", "give 1"],
    );
    refused("run --users many", 2, &["--users", "many"]);
    refused("run --duration soon", 2, &["--duration", "soon", "30s"]);
    refused(
        "run --abort-on error_rate=50%",
        2,
        &["--abort-on", "character 11", "use <, <=, > or >="],
    );
    refused(
        "run --threshold p95{archetype=admn}<1s",
        2,
        &["p95{archetype=admn}<1s", "an archetype that plays"],
    );
    for file in ["junit", "timeseries", "summary-json"] {
        let path = "/nowhere/run.csv";
        refused(&format!("run --{file} {path}"), 2, &[path, "folder"]);
    }
    refused(
        "run --base-url localhost:9501",
        2,
        &["--base-url", "no scheme", "http://localhost:9501"],
    );
    refused(
        "run --plan /nowhere/plan.toml",
        2,
        &["/nowhere/plan.toml", "--plan"],
    );
    refused(
        "run --archetype mine=/nowhere/it.wasm",
        2,
        &["/nowhere/it.wasm", "mine"],
    );
}

#[test]
fn an_unknown_key_in_a_plan_file_is_told_with_its_line() {
    let plan = given("plan.toml", b"users = 5\n\nuserz = 6\n");
    let line = format!("run --plan {}", plan.path.display());
    refused(&line, 2, &["userz", "plan.toml:3", "did you mean `users`?"]);
}

#[test]
fn every_mistake_is_told_at_once_a_line_for_each() {
    let ended = vespeiro(&["run", "--users", "0", "--scenario", "mixd"]).orderly();
    assert_eq!(ended.code, Some(2));
    assert_eq!(ended.stderr.lines().count(), 2, "{}", ended.stderr);
}

#[test]
fn feeds_that_cannot_be_used() {
    let refused_feed = |name: &str, bytes: &[u8], parts: &[&str]| {
        let file = given(name, bytes);
        let feed = format!("--feed people={}", file.path.display());
        let parts = [&["feed people: ", name], parts].concat();
        for command in ["run --no-panel", "plan", "check builtin:active"] {
            refused(&format!("{command} {feed}"), 2, &parts);
        }
    };
    refused_feed(
        "short.csv",
        b"a,b\n1,2\n3\n",
        &["short.csv:3: it has 1 values"],
    );
    refused_feed(
        "open.csv",
        b"a,b\n1,\"2\n3,4\n",
        &["open.csv:2: ", "not in pairs"],
    );
    refused_feed(
        "empty.csv",
        b"a,b\n",
        &["it holds no row", "below the header"],
    );
    refused_feed("latin.csv", b"a\n\xe9\n", &["latin.csv:2: ", "UTF-8"]);
    refused_feed("bad.jsonl", b"{}\n{\n", &["bad.jsonl:2: this is no JSON"]);
    refused_feed("object.json", b"{}", &["it is no array", "write ["]);
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    refused_feed(
        "long.jsonl",
        long.as_bytes(),
        &["long.jsonl:1: a row of 1048578 bytes"],
    );
    refused(
        "run --feed people=/nowhere/people.csv",
        2,
        &[
            "feeds.people.file (--feed)",
            "/nowhere/people.csv is not there",
        ],
    );
    refused(
        "run --feed people.csv",
        2,
        &["--feed", "names no file", "people=people.csv"],
    );
    let file = given("people.csv", b"a\n1\n");
    refused(
        &format!("run --rate 5/s --feed people={}:once", file.path.display()),
        2,
        &[
            "feeds.people.order (--feed)",
            "constant-rate",
            "per_user = 1",
        ],
    );
}

#[test]
fn modules_without_the_contract() {
    refused_module(
        "text.wasm",
        b"hello",
        &["is not WebAssembly", "wasm32-unknown-unknown"],
    );
    refused_module("empty.wasm", b"", &["is not WebAssembly"]);
    let core = b"\0asm\x01\0\0\0";
    refused_module(
        "core.wasm",
        core,
        &["neither a WIT description", "canonical names"],
    );
    let component = b"\0asm\x0d\0\x01\0";
    refused_module(
        "component.wasm",
        component,
        &[
            "exports no vespeiro:behavior/behavior@0.1",
            "vespeiro-guest",
        ],
    );
    let cut = std::fs::read(example("first")).unwrap();
    refused_module(
        "cut.wasm",
        &cut[..cut.len() / 2],
        &["is not valid WebAssembly"],
    );
}

#[test]
fn a_module_of_another_contract_version() {
    // The contract's names are all that knows its version: of equal length, they can be changed in place.
    let mut module = std::fs::read(example("first")).unwrap();
    let (ours, other) = (b"@0.2.0", b"@0.9.0");
    let mut changed = 0;
    for at in 0..module.len() - ours.len() {
        if module[at..].starts_with(ours) {
            module[at..at + ours.len()].copy_from_slice(other);
            changed += 1;
        }
    }
    assert!(changed > 0);
    refused_module(
        "newer.wasm",
        &module,
        &[
            "vespeiro:behavior/behavior@0.9.0",
            "vespeiro:behavior/behavior@0.1",
            "rebuild",
        ],
    );
}

#[test]
fn a_module_that_traps_when_asked_who_it_is() {
    let module = std::fs::read(example("trap_describe")).unwrap();
    refused_module("broken.wasm", &module, &["crashed in describe"]);
}

#[test]
fn a_target_that_refuses_connections_is_noticed_at_once() {
    let url = format!("http://{}", closed());
    let line = format!("run --no-panel --users 1000 --base-url {url}");
    refused(&line, 1, &[&url, "does not answer", "--base-url"]);
}

#[test]
fn a_run_that_cannot_begin_leaves_no_folder_behind_and_old_files_as_they_are() {
    let folder = TempDir::new().unwrap();
    let (results, old) = (
        folder.path().join("all/of-{run}"),
        folder.path().join("old.csv"),
    );
    std::fs::write(&old, "of yesterday").unwrap();
    let kept = format!(
        "--no-panel --results {} --trace-record {old} --timeseries {old} --html {old} --summary-json {old}",
        results.display(),
        old = old.display()
    );
    let url = format!("http://{}", closed());
    let nobody = folder.path().join("nobody.wasm").display().to_string();
    let first = example("first").display().to_string();
    for (more, code, part) in [
        (format!("--base-url {url}"), 1, "does not answer"),
        (format!("--archetype a={nobody}"), 2, "nobody.wasm"),
        (
            "--base-url http://203.0.113.1".to_owned(),
            2,
            "--allow-host",
        ),
        (
            format!("--archetype a={first} --threshold p95{{route=/gone}}<1s"),
            2,
            "/gone",
        ),
    ] {
        refused(&format!("run {kept} {more}"), code, &[part]);
        assert!(!folder.path().join("all").exists(), "{more}");
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "of yesterday");
    }
    // One that was there is not ours to remove.
    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    let line = format!(
        "run --no-panel --results {} --base-url {url}",
        mine.display()
    );
    refused(&line, 1, &["does not answer"]);
    assert!(mine.exists());
}

#[test]
fn a_metrics_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(
        &format!("run --no-panel --metrics {address}"),
        2,
        &[&address],
    );
}
