//! Embeds the templates and SDKs that `vespeiro new` writes, and what `--version` says of where this comes from.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    if let Err(error) = embed_templates(&out).and_then(|()| name_origin()) {
        // `cargo::error` shows as one line and fails the build, without a backtrace.
        println!("cargo::error={error}");
    }
}

/// The commit and the WebAssembly engine. A commit alone does not have a debug build made again.
fn name_origin() -> Result<(), Box<dyn Error>> {
    let lock = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let lock = fs::read_to_string(lock)?;
    let engine = lock.split("name = \"wasmtime\"\nversion = \"").nth(1);
    let engine = engine
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("?");
    let build = match env::var("PROFILE")?.as_str() {
        "release" => {
            let logs = git(&["rev-parse", "--git-path", "logs/HEAD"]);
            logs.iter()
                .for_each(|path| println!("cargo::rerun-if-changed={path}"));
            let commit = git(&[
                "describe",
                "--always",
                "--dirty",
                "--abbrev=12",
                "--exclude=*",
            ]);
            format!("commit {}", commit.as_deref().unwrap_or("unknown"))
        }
        profile => format!("{profile} build"),
    };
    println!("cargo::rustc-env=VESPEIRO_ORIGIN={build}, wasmtime {engine}");
    Ok(())
}

/// What git says; `None` where there is none, as in an archive of the sources.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
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
    let mut table = String::from("const FILES: &[(&str, bool, std::ops::Range<usize>)] = &[\n");
    // A third of their size.
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    let mut end = 0;
    for file in files {
        let executable = fs::metadata(&file)?.permissions().mode() & 0o100 != 0;
        let name = file.strip_prefix(&sdk)?.display().to_string();
        let text = fs::read_to_string(&file)?;
        let start = end;
        end += text.len();
        std::io::Write::write_all(&mut packed, text.as_bytes())?;
        writeln!(table, "    ({name:?}, {executable}, {start}..{end}),")?;
    }
    table.push_str("];\n");
    let to = out.join("templates.deflate");
    writeln!(
        table,
        "const PACKED: &[u8] = include_bytes!({:?});",
        to.display().to_string()
    )?;
    for (path, content) in [
        (to, packed.finish()?),
        (out.join("templates.rs"), table.into_bytes()),
    ] {
        // Made anew: what is there may be another build's by a link.
        let _ = fs::remove_file(&path);
        fs::write(path, content)?;
    }
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
