//! Builds the built-in behaviors and the players of programs for wasm32-unknown-unknown and embeds them, with the player of
//! scripts, which is there ready-made: `scripts/script-player` makes it.
//!
//! `VESPEIRO_BEHAVIORS_DIR` names a folder with ready-made `<name>.wasm` files to embed instead.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::DeflateEncoder;

const BEHAVIORS: [&str; 6] = [
    "newcomer", "active", "admin", "power", "requests", "journey",
];
/// The player of scripts, in the SDK's folder.
const SCRIPT: &str = "javascript/player/script.wasm";
const TARGET: &str = "wasm32-unknown-unknown";

fn main() {
    if let Err(error) = run() {
        // `cargo::error` shows as one line and fails the build, without a backtrace.
        println!("cargo::error={error}");
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=VESPEIRO_BEHAVIORS_DIR");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let sdk = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../guest-sdk");
    let sdk = sdk.canonicalize()?;
    let modules = match env::var_os("VESPEIRO_BEHAVIORS_DIR") {
        Some(ready) => PathBuf::from(ready),
        None => build(&sdk, &out)?,
    };
    let files = BEHAVIORS.map(|name| (name, modules.join(format!("{name}.wasm"))));
    let script = ("script", sdk.join(SCRIPT));
    let mut table = format!("const BUILT_IN: [(&str, &[u8]); {}] = [\n", files.len() + 1);
    for (name, from) in files.into_iter().chain([script]) {
        println!("cargo::rerun-if-changed={}", from.display());
        let module = fs::read(&from)
            .map_err(|e| format!("the behavior {} cannot be read: {e}", from.display()))?;
        // A third of their size, and 25 ms for the largest of them when it is loaded.
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&module)?;
        let to = out.join(format!("{name}.wasm.deflate"));
        // Made anew: what is there may be another build's by a link.
        let _ = fs::remove_file(&to);
        fs::write(&to, packed.finish()?)?;
        writeln!(
            table,
            "    ({name:?}, include_bytes!({:?})),",
            to.display().to_string()
        )?;
    }
    table.push_str("];\n");
    fs::write(out.join("builtin.rs"), table)?;
    Ok(())
}

/// Build the behaviors' own workspace and tell where the modules are.
fn build(sdk: &Path, out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    for part in [
        "Cargo.toml",
        "Cargo.lock",
        "wit",
        "rust/Cargo.toml",
        "rust/src",
        "behaviors",
    ] {
        println!("cargo::rerun-if-changed={}", sdk.join(part).display());
    }
    check_target()?;
    // One folder for all profiles and for clippy, so that the modules are built once: <target>/guest.
    let target_dir = out.ancestors().nth(4).unwrap_or(out).join("guest");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(sdk)
        .args([
            "build",
            "--release",
            "--locked",
            "--quiet",
            "--target",
            TARGET,
        ])
        .arg("--target-dir")
        .arg(&target_dir);
    for name in BEHAVIORS {
        command.args(["--package", name]);
    }
    // What the outer build set is for the host's target, not for the guests'.
    for (name, _) in env::vars_os() {
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
    let output = command.output()?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        return Err(
            "the built-in behaviors do not build: run `cargo build --release --target \
                    wasm32-unknown-unknown` in guest-sdk to see why"
                .into(),
        );
    }
    Ok(target_dir.join(TARGET).join("release"))
}

fn check_target() -> Result<(), Box<dyn Error>> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()?;
    let folder = String::from_utf8(output.stdout)?;
    if output.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    Err(format!("the target {TARGET} is missing: run `rustup target add {TARGET}`").into())
}
