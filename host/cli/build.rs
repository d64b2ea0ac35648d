//! Embeds the templates and SDKs that `vespeiro new` writes.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    if let Err(error) = embed_templates(&out) {
        // `cargo::error` shows as one line and fails the build, without a backtrace.
        println!("cargo::error={error}");
    }
}

/// Every file of guest-sdk that `vespeiro new` may write: the contract, and of each language what is in `FOLDERS`.
fn embed_templates(out: &Path) -> Result<(), Box<dyn Error>> {
    const FOLDERS: [&str; 5] = ["admin", "blank", "sdk", "src", "template"];
    let sdk = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?)
        .join("../../guest-sdk")
        .canonicalize()?;
    let mut files = Vec::new();
    for language in fs::read_dir(&sdk)? {
        let language = language?.path();
        for folder in FOLDERS.iter().map(|folder| language.join(folder)) {
            gather(&folder, &mut files)?;
        }
    }
    gather(&sdk.join("wit"), &mut files)?;
    files.sort();
    let mut table = String::from("pub(super) const FILES: &[(&str, bool, &str)] = &[\n");
    for file in files {
        let executable = fs::metadata(&file)?.permissions().mode() & 0o100 != 0;
        let name = file.strip_prefix(&sdk)?.display().to_string();
        writeln!(
            table,
            "    ({name:?}, {executable}, include_str!({:?})),",
            file.display().to_string()
        )?;
    }
    table.push_str("];\n");
    fs::write(out.join("templates.rs"), table)?;
    Ok(())
}

/// The files below a folder that git would keep; none when there is no such folder.
fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    const MADE: [&str; 5] = ["node_modules", "__pycache__", ".venv", ".test", "target"];
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in entries {
        let path = entry?.path();
        let made = path
            .file_name()
            .is_some_and(|name| MADE.iter().any(|made| name == *made))
            || path
                .extension()
                .is_some_and(|extension| extension == "wasm");
        if made {
            continue;
        }
        if path.is_dir() {
            gather(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
