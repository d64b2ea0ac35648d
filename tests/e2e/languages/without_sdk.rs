//! Behaviors that know nothing of an SDK: the contract by the tools that each language has for components. They bring as much
//! of WASI into a module as those tools do.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::patiently;
use super::project::{self, Project, kept, node, python, succeed, tool};
use super::support::{RunOf, Service, vespeiro};

fn source(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/e2e/guests/without-sdk")
        .join(language)
}

/// A copy of it, where its tools may write.
fn copied(language: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in std::fs::read_dir(source(language)).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk/wit")
}

/// Twelve requests of three users; what they print is in the log, with a year that is the plan's. Gives the log.
fn plays(module: &Path) -> String {
    let service = Service::start();
    let arguments = format!(
        "--archetype mine={} --seed 7 --log info --users 3 --min-request-count 4 --max-request-count 4 \
         --delay-min 0 --delay-max 1 --guest-timeout 5s",
        module.display()
    );
    let played = patiently(RunOf::start(&service.url, &arguments));
    assert_eq!(played.archetype("mine")["behavior"], "without-sdk");
    assert_eq!((played.sent(), played.errors()), (12, 0));
    assert_eq!(played.sessions("mine", "completed"), 12);
    assert_eq!(played.answered(), service.ledger(1));
    let log = &played.ended.stderr;
    for user in 0..3 {
        let said = log
            .lines()
            .filter(|line| line.contains(&format!("I am {user} ")));
        let years = said.filter(|line| line.contains("in 2026") || line.contains("in 2027"));
        assert!(years.count() > 0, "{user}: {log}");
    }
    log.clone()
}

#[test]
fn rust_for_wasi_plays() {
    for target in ["wasm32-wasip1", "wasm32-wasip2"] {
        if !project::target(target) {
            continue;
        }
        let mut command = tool("cargo");
        command
            .args([
                "build",
                "--release",
                "--locked",
                "--quiet",
                "--target",
                target,
            ])
            .current_dir(source("rust"));
        succeed(&mut command);
        plays(&kept("cargo").join(target).join("release/without_sdk.wasm"));
    }
}

/// SpiderMonkey in its default build imports `wasi:http`, which it does not call.
#[test]
fn javascript_by_componentize_js_plays() {
    if !node() {
        return;
    }
    let folder = copied("javascript");
    succeed(tool("npm").args(["ci", "--silent"]).current_dir(&folder));
    let module = folder.path().join("behavior.wasm");
    let mut build = tool("node");
    build
        .args(["build.mjs", "behavior.js"])
        .arg(wit())
        .arg(&module);
    succeed(build.current_dir(&folder));
    plays(&module);
}

#[test]
fn python_by_componentize_py_plays() {
    if !python() {
        return;
    }
    let folder = copied("python");
    let tools = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../guest-sdk/python/template/requirements.txt");
    succeed(
        tool("python3")
            .args(["-m", "venv", "venv"])
            .current_dir(&folder),
    );
    let mut install = tool("venv/bin/pip");
    install.args(["install", "--quiet", "--require-hashes", "--requirement"]);
    succeed(install.arg(tools).current_dir(&folder));
    let module = folder.path().join("behavior.wasm");
    let mut build = tool("venv/bin/componentize-py");
    build
        .arg("--wit-path")
        .arg(wit())
        .args(["--world", "archetype", "componentize", "app"]);
    build
        .arg("--python-path")
        .arg(folder.path())
        .arg("--output")
        .arg(&module);
    succeed(build.current_dir(&folder));
    plays(&module);
}

#[test]
fn c_and_cpp_by_wit_bindgen_play() {
    if !python() {
        return;
    }
    let folder = TempDir::new().unwrap();
    bindings(folder.path());
    // It installs the compiler that they share.
    let _compiler = Project::built("c", None);
    let compile = |arguments: &[&str]| {
        let mut command: Command = tool(&project::sharing());
        command.args([
            "-m",
            "ziglang",
            "cc",
            "-target",
            "wasm32-wasi",
            "-O1",
            "-I.",
        ]);
        succeed(command.args(arguments).current_dir(&folder));
    };
    compile(&["-c", "archetype.c", "-o", "archetype.o"]);
    let source = source("c").join("behavior.c");
    compile(&[
        source.to_str().unwrap(),
        "archetype.o",
        "archetype_component_type.o",
        "-mexec-model=reactor",
        "-o",
        "behavior.wasm",
    ]);
    plays(&folder.path().join("behavior.wasm"));
    throws(folder.path());
}

/// The same as C++ with exceptions: they are caught, and what lies between is cleaned up. In the encoding from before the
/// standard they are refused in words.
fn throws(folder: &Path) {
    let build = |legacy: &str| {
        let mut command = tool(source("c").join("with-exceptions").to_str().unwrap());
        command
            .args([&project::sharing(), legacy])
            .current_dir(folder);
        succeed(&mut command);
        folder.join("behavior.wasm")
    };
    let log = plays(&build("false"));
    for user in 0..3 {
        let caught = format!("I am {user} in 2026, caught after 1");
        assert!(
            log.contains(&caught) || log.contains(&caught.replace("2026", "2027")),
            "{log}"
        );
    }
    let legacy = build("true");
    let checked = vespeiro(&["check", legacy.to_str().unwrap()]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    let why =
        "has exceptions as they were encoded before the standard: build it with the new encoding";
    assert!(checked.stderr.contains(why), "{checked:?}");
}

/// What wit-bindgen makes of the contract for C.
fn bindings(folder: &Path) {
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(wit()).unwrap();
    let world = resolve.select_world(&[package], Some("archetype")).unwrap();
    let mut files = wit_bindgen_core::Files::default();
    let mut generator = wit_bindgen_c::Opts::default().build();
    generator.generate(&mut resolve, world, &mut files).unwrap();
    for (name, bytes) in files.iter() {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}
