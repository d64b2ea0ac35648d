//! A script's files: the one that a plan names, and those that it imports by `./` or `../`, packed for the player of scripts,
//! which knows no folders. Read by `module_file.rs`.
//!
//! What must stay true: no file is read but one with the ending of a script that lies in the script's own folder, or in the
//! working directory, or below. What looks like an import in a comment costs a look for a file, and nothing more.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde_json::json;
use vespeiro_plan::bounded;

use super::limits::MAX_PROGRAM;

/// What the files that a script imports end with.
const ENDINGS: [&str; 5] = ["js", "mjs", "ts", "mts", "json"];
/// Most files of a script.
const MAX_FILES: usize = 256;

/// A script as the player takes it, and its files.
pub(super) struct Script {
    pub(super) packed: Vec<u8>,
    pub(super) files: Vec<PathBuf>,
}

/// Read a script and what it imports.
pub(super) fn read(path: &Path) -> io::Result<Script> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().map(PathBuf::from).unwrap_or_default();
    let grounds: Vec<PathBuf> = [folder, Path::new("")]
        .iter()
        .filter_map(|ground| fs::canonicalize(Path::new(".").join(ground)).ok())
        .collect();
    let mut texts = BTreeMap::from([(shown(&name), bounded::read_text(path, MAX_PROGRAM as u64)?)]);
    let mut files = vec![path.to_owned()];
    let mut unread = vec![name.clone()];
    while let Some(from) = unread.pop() {
        let wanted: Vec<PathBuf> = imports(&texts[&shown(&from)])
            .map(|wanted| joined(&from, wanted))
            .collect();
        for wanted in wanted.iter().flat_map(|wanted| candidates(wanted)) {
            let at = folder.join(&wanted);
            if texts.contains_key(&shown(&wanted)) || !is_ours(&at, &grounds) {
                continue;
            }
            if files.len() == MAX_FILES {
                let why = format!("it imports more than {MAX_FILES} files");
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
            }
            texts.insert(shown(&wanted), bounded::read_text(&at, MAX_PROGRAM as u64)?);
            files.push(at);
            unread.push(wanted);
        }
    }
    let packed = json!({ "entry": shown(&name), "files": texts });
    Ok(Script {
        packed: packed.to_string().into_bytes(),
        files,
    })
}

/// What a text imports by a relative path: `from './a.js'`, `import './a.js'`.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(['\'', '"']).filter_map(|(at, quote)| {
        let before = text[..at].trim_end();
        let after = &text[at + 1..];
        let relative = after.starts_with("./") || after.starts_with("../");
        if !relative || !(before.ends_with("from") || before.ends_with("import")) {
            return None;
        }
        let line = after.lines().next()?;
        line.split_once(quote).map(|(path, _)| path)
    })
}

/// Where an import of a file leads, without a look at the disk: as the player reckons.
fn joined(from: &Path, wanted: &str) -> PathBuf {
    let mut path = from.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(wanted).components() {
        match part {
            Component::ParentDir if path.file_name().is_some() => {
                path.pop();
            }
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

/// The file as it is written, or as those who write TypeScript leave its ending out or call it `.js`.
fn candidates(path: &Path) -> Vec<PathBuf> {
    let with = |ending: &str| {
        let mut longer = path.as_os_str().to_owned();
        longer.push(ending);
        PathBuf::from(longer)
    };
    let mut all = vec![path.to_owned(), with(".js"), with(".ts")];
    if path.extension().is_some_and(|ending| ending == "js") {
        all.push(path.with_extension("ts"));
    }
    all
}

/// Whether a file may be read on behalf of a script. Links are followed first.
fn is_ours(path: &Path, grounds: &[PathBuf]) -> bool {
    let Ok(real) = fs::canonicalize(path) else {
        return false;
    };
    let ending = real.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
        && real.is_file()
        && grounds.iter().any(|ground| real.starts_with(ground))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use sha2::{Digest, Sha256};
    use tempfile::TempDir;

    use super::*;

    fn written(files: &[(&str, &str)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn packed(folder: &TempDir, entry: &str) -> Value {
        let script = read(&folder.path().join(entry)).unwrap();
        serde_json::from_slice(&script.packed).unwrap()
    }

    #[test]
    fn what_is_imported_comes_along_and_nothing_from_elsewhere() {
        let elsewhere = written(&[("secret.js", "export const key = 'x'")]);
        let away = elsewhere.path().join("secret.js");
        let folder = written(&[
            (
                "shop.js",
                "import { a } from './lib/a';\nimport \"./data.json\";\n// from './gone.js'\nimport x from './link.js';",
            ),
            (
                "lib/a.ts",
                "export { b as a } from '../b.js'; import '../lib/a';",
            ),
            ("b.ts", "export const b = 1; const s = 'from ./c.js';"),
            ("c.js", ""),
            ("data.json", "{}"),
        ]);
        std::os::unix::fs::symlink(&away, folder.path().join("link.js")).unwrap();
        let packed = packed(&folder, "shop.js");
        assert_eq!(packed["entry"], "shop.js");
        let names: Vec<&String> = packed["files"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["b.ts", "data.json", "lib/a.ts", "shop.js"]);
    }

    #[test]
    fn a_path_that_leaves_the_folder_is_not_followed() {
        let folder = written(&[
            (
                "in/shop.js",
                "import '../out.js'; import '../../etc/passwd'; import './a.txt'",
            ),
            ("out.js", ""),
            ("in/a.txt", "text"),
        ]);
        let names = packed(&folder, "in/shop.js");
        assert_eq!(names["files"].as_object().unwrap().len(), 1);
    }

    /// The player is made by hand, so that a build needs no Node.
    #[test]
    fn the_embedded_player_is_made_of_what_lies_here() {
        let player =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk/javascript/player");
        let sources = fs::read_to_string(player.join("script.sources")).unwrap();
        assert!(sources.lines().count() > 10);
        for line in sources.lines() {
            let (hash, name) = line.split_once("  ").unwrap();
            let now = Sha256::digest(fs::read(player.join(name)).unwrap());
            let now: String = now.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(now, hash, "{name} has changed: run scripts/script-player");
        }
    }
}
