//! Every form of a module plays: a core module as cargo builds it, the component made of it, one written by hand that
//! has nothing but the canonical export names, and one that imports WASI preview 1.

use std::path::Path;

use tempfile::TempDir;
use wit_component::ComponentEncoder;

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Played, RunOf, Service, by_hand, example};

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
    };
    check(&place("fresh"));
    let kept = std::fs::metadata(place("fresh/vespeiro")).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o700);
    check(&place("open"));
    let laid = std::fs::read_dir(&open).unwrap().count();
    assert_eq!(laid, 0, "others could have put something there");
    check(&place("file"));
}
