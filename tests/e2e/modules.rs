//! Every form of a module plays: a core module as cargo builds it, the component made of it, one written by hand that
//! has nothing but the canonical export names, and one that imports WASI preview 1.

use std::path::Path;

use tempfile::TempDir;
use wit_component::ComponentEncoder;

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Ended, Played, RunOf, Service, by_hand, eventually, example, get, vespeiro};

fn plays(module: &Path, name: &str) -> Played {
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "--archetype mine={} --users 3 --min-request-count 4 --max-request-count 4 --delay-min 0 --delay-max 1",
            module.display()
        ),
    );
    assert_eq!(played.archetypes(), ["mine"]);
    assert_eq!(played.archetype("mine")["behavior"], name);
    assert_eq!((played.sent(), played.errors()), (12, 0));
    assert_eq!(played.sessions("mine", "completed"), 12);
    assert_eq!(played.answered(), service.ledger(1));
    played
}

#[test]
fn a_core_module_plays() {
    plays(&example("first"), "first");
}

#[test]
fn a_module_with_canonical_names_alone_plays() {
    let folder = TempDir::new().unwrap();
    plays(&by_hand(&folder, &[]), "by-hand");
}

#[test]
fn what_a_module_prints_is_logged_under_its_archetypes_name_and_within_bounds() {
    let folder = TempDir::new().unwrap();
    let module = by_hand(
        &folder,
        &[
            (
                "imports",
                r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#,
            ),
            (
                "data",
                r#"(data (i32.const 528) "to stderr\n") (data (i32.const 640) "\10\02\00\00\0a\00\00\00")"#,
            ),
            (
                "next",
                "(local.set $mixes (i32.const 40))
                 (loop $more
                    (drop (call $write (i32.const 2) (i32.const 640) (i32.const 1) (i32.const 700)))
                    (local.set $mixes (i32.sub (local.get $mixes) (i32.const 1)))
                    (br_if $more (local.get $mixes)))",
            ),
        ],
    );
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "--archetype mine={} --users 1 --min-request-count 1 --max-request-count 1",
            module.display()
        ),
    );
    let log = &played.ended.stderr;
    let lines = log.lines().filter(|line| line.contains("to stderr"));
    assert_eq!(lines.clone().count(), 32, "{log}");
    assert!(
        lines.clone().all(|line| line.contains("behavior=\"mine\"")),
        "{log}"
    );
    assert!(
        log.contains("(8 more lines of this call are left out)"),
        "{log}"
    );
}

#[test]
fn a_component_plays() {
    let core = std::fs::read(example("first")).unwrap();
    let component = ComponentEncoder::default()
        .module(&core)
        .unwrap()
        .validate(true)
        .encode()
        .unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("component.wasm");
    std::fs::write(&path, component).unwrap();
    plays(&path, "first");
}

#[test]
fn a_module_plays_beside_the_built_in_ones() {
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "--archetype mine={}:1 --archetype active=builtin:active:1 --users 4 \
             --min-request-count 10 --max-request-count 10 --delay-min 0 --delay-max 1",
            example("first").display()
        ),
    );
    assert_eq!((played.sent_by("mine"), played.sent_by("active")), (20, 20));
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn compiled_code_is_kept_where_nobody_else_may_write_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let open = place("open").join("vespeiro");
    std::fs::create_dir_all(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    std::fs::write(place("file"), "").unwrap();
    let check = |caches: &std::path::Path| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vespeiro"));
        command.arg("check").arg(example("first")).env_clear();
        let output = command.env("XDG_CACHE_HOME", caches).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        said
    };
    assert_eq!(check(&place("fresh")), "");
    let kept = std::fs::metadata(place("fresh/vespeiro")).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o700);
    let said = check(&place("open"));
    assert!(
        said.contains("compiled behaviors are not kept: ") && said.contains("cannot be trusted"),
        "{said}"
    );
    let laid = std::fs::read_dir(&open).unwrap().count();
    assert_eq!(laid, 0, "others could have put something there");
    let said = check(&place("file"));
    assert!(said.contains("compiled behaviors are not kept: "), "{said}");
}

/// What a module is judged as by each of those who judge it: code and last line.
fn judged(service: &Service, module: &Path) -> [(&'static str, Option<i32>, String); 3] {
    let text = module.display().to_string();
    let last = |ended: &Ended| ended.stderr.lines().last().unwrap_or_default().to_owned();
    let checked = vespeiro(&["check", &text]).orderly();
    let played = RunOf::start(
        &service.url,
        &format!("--archetype mine={text} --users 2 --duration 2s --delay-min 0 --delay-max 0"),
    );
    let played = played.process.ended().orderly();
    let run = RunOf::start(
        &service.url,
        &format!(
            "--archetype mine={} --users 1 --duration 5m --control 127.0.0.1:0",
            example("first").display()
        ),
    );
    let control = run.authority("control: ");
    eventually("the first figures", || get(&control, "/status").ok());
    let swapped = vespeiro(&["swap", "--control", &control, "mine", &text]).orderly();
    run.process.signal("TERM");
    assert_eq!(run.played().ended.code, Some(0));
    [("check", &checked), ("run", &played), ("swap", &swapped)]
        .map(|(who, ended)| (who, ended.code, last(ended)))
}

#[test]
fn check_swap_and_run_judge_a_module_alike() {
    let service = Service::start();
    let folder = TempDir::new().unwrap();
    // The step at 256: its action, and a list at 268 with its length.
    let gives_up =
        "(i32.store8 (i32.const 264) (i32.const 1)) (i32.store8 (i32.const 268) (i32.const 1))";
    let cases: [(&str, bool, &str, [&str; 3]); 5] = [
        ("plays", true, "", [""; 3]),
        (
            "257 requests at once",
            false,
            "(i32.store (i32.const 268) (i32.const 32768)) (i32.store (i32.const 272) (i32.const 257))",
            [
                "a batch of 257 requests is over the 256",
                "no request was sent: all ",
                "a batch of 257 requests is over the 256",
            ],
        ),
        (
            "a delay of years",
            false,
            "(i32.store (i32.const 260) (i32.const -1))",
            [
                "4294967295 ms is over 3600000",
                "no request was sent: all ",
                "4294967295 ms is over 3600000",
            ],
        ),
        (
            "crashes",
            false,
            "(unreachable)",
            // The run's end comes before or after its tenth crash.
            ["crashed in next", "error: ", "crashed in next"],
        ),
        (
            "gives up unasked",
            false,
            gives_up,
            [
                "it gives up before its first request, in each of 5 sessions",
                "no request was sent: all ",
                "it gives up before its first request, in each of 5 sessions",
            ],
        ),
    ];
    for (what, fine, code, words) in cases {
        let module = by_hand(&folder, &[("next", code)]);
        for ((who, code, said), words) in judged(&service, &module).into_iter().zip(words) {
            assert_eq!(code, Some(i32::from(!fine)), "{what}: {who}: {said}");
            assert!(said.contains(words), "{what}: {who}: {said}");
        }
    }
}

#[test]
fn a_module_that_gives_up_on_made_up_replies_is_not_said_to_play() {
    let folder = TempDir::new().unwrap();
    let module = by_hand(
        &folder,
        &[("next again", "(i32.store8 (i32.const 268) (i32.const 1))")],
    );
    let said = vespeiro(&["check", module.to_str().unwrap()]).fine().stdout;
    assert!(
        said.contains(
            "verdict     whether it can play is not known: it gave up in each of 5 sessions"
        ),
        "{said}"
    );
    assert!(said.contains("9 abandoned"), "{said}");
}

#[test]
fn a_prerelease_of_the_contract_is_refused_as_such() {
    let service = Service::start();
    let folder = TempDir::new().unwrap();
    let text = include_str!("guests/by_hand.wat").replace("@0.1.0", "@0.1.0-rc.1");
    let path = folder.path().join("early.wasm");
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    for (who, code, said) in judged(&service, &path) {
        // What a run's own command line names is its caller's mistake.
        let expected = if who == "run" { 2 } else { 1 };
        assert_eq!(code, Some(expected), "{who}: {said}");
        let words =
            "implements vespeiro:behavior/behavior@0.1.0-rc.1, a prerelease of the contract";
        assert!(said.contains(words), "{who}: {said}");
    }
}
