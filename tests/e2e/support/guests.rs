//! Modules for the tests: the SDK's examples, built once per process by the toolchain that a behavior's author uses, and
//! one that is written by hand.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

const TARGET: &str = "wasm32-unknown-unknown";

/// The path of an example of the SDK as a core module, for instance `first`.
pub fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let path = BUILT.get_or_init(build).join(format!("{name}.wasm"));
    assert!(path.is_file(), "{}", path.display());
    path
}

/// A module written by hand, with `more` put where its marks stand, in `folder`.
pub fn by_hand(folder: &TempDir, more: &[(&str, &str)]) -> PathBuf {
    let mut text = include_str!("../guests/by_hand.wat").to_owned();
    for (mark, code) in more {
        let mark = format!(";; {mark}\n");
        assert!(text.contains(&mark), "{mark}");
        text = text.replace(&mark, &format!("{code}\n"));
    }
    let path = folder.path().join("by_hand.wasm");
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    path
}

fn build() -> PathBuf {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk");
    // The folder that build.rs uses too, so that the SDK is compiled once.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guest");
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(sdk)
        .args(["build", "--release", "--locked", "--quiet", "--examples"])
        .args(["--package", "vespeiro-guest", "--features", "prost"])
        .args(["--target", TARGET])
        .arg("--target-dir")
        .arg(&target);
    // What the outer build set is for the host's target, not for the guests'.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let outer = [
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
        ];
        if outer.contains(&text.as_ref()) || text.starts_with("CARGO_PROFILE_") {
            command.env_remove(&name);
        }
    }
    let built = command.output().unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    target.join(TARGET).join("release/examples")
}

/// A module with loops in loops, which takes a compiler minutes.
pub fn slow_to_compile(folder: &TempDir) -> PathBuf {
    let depth = 6000;
    let open =
        "(loop (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if 0 (local.get $p)) ";
    let slow = format!(
        "(func $slow (param $p i32) (local $i i32) {} {})",
        open.repeat(depth),
        ")".repeat(depth)
    );
    by_hand(folder, &[("data", &slow)])
}
