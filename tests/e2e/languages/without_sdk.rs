//! Behaviors that know nothing of an SDK: the contract by the tools that each language has for components. They bring as much
//! of WASI into a module as those tools do.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::patiently;
use super::project::{self, Project, kept, node, python, succeed, tool};
use super::support::{RunOf, Service};

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

/// Twelve requests of three users; what they print is in the log, with a year that is the plan's.
fn plays(module: &Path) {
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
    let compile = |language: &str, options: &[&str], sources: &[&str]| {
        let mut command: Command = tool(&project::sharing());
        command.args([
            "-m",
            "ziglang",
            language,
            "-target",
            "wasm32-wasi",
            "-O1",
            "-I.",
        ]);
        succeed(command.args(options).args(sources).current_dir(&folder));
    };
    compile("cc", &["-c"], &["archetype.c", "-o", "archetype.o"]);
    let linked = [
        "archetype.o",
        "archetype_component_type.o",
        "-mexec-model=reactor",
        "-o",
        "behavior.wasm",
    ];
    let source = source("c").join("behavior.c");
    let source = source.to_str().unwrap();
    compile("cc", &[source], &linked);
    plays(&folder.path().join("behavior.wasm"));
    compile(
        "c++",
        &[
            "-std=c++20",
            "-fno-exceptions",
            "-x",
            "c++",
            source,
            "-x",
            "none",
        ],
        &linked,
    );
    plays(&folder.path().join("behavior.wasm"));
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
