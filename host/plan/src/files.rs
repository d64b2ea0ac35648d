//! The files of a plan: `[files.NAME]` tables and `--file NAME=PATH`, each of which names a file that behaviors send as a body
//! or as a part of one. Used by `resolve.rs`; `http` reads the larger ones while they are sent.
//!
//! What must stay true: a behavior names a file and never a path, so that it sends nothing that the plan does not have.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::archetypes::check_name;
use crate::bounded;
use crate::errors::{Origin, PlanError, ValueError};
use crate::layers::{NamedLayer, NamedLayers, stacked};

pub(crate) const KEYS: [&str; 1] = ["path"];

/// Most files of a plan.
const MAX_FILES: usize = 64;
/// A file of up to so many bytes is read once and kept: sending it costs as little as bytes of a behavior's own.
pub const HELD: u64 = 256 << 10;

/// A file that behaviors may send.
#[derive(Clone, PartialEq, Eq)]
pub struct BodyFile {
    pub name: String,
    /// From the root.
    pub path: PathBuf,
    /// In bytes, as of when the plan was resolved. It is sent with this length, or not at all.
    pub size: u64,
    /// All of it, where it is small.
    pub held: Option<Bytes>,
}

// What is in it is nobody's business.
impl fmt::Debug for BodyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(&self.name).field(&self.size).finish()
    }
}

/// The files of a plan, by their names.
#[derive(Debug, Clone, Default)]
pub struct BodyFiles(Arc<BTreeMap<String, Arc<BodyFile>>>);

impl BodyFiles {
    pub fn get(&self, name: &str) -> Option<&Arc<BodyFile>> {
        self.0.get(name)
    }

    /// In the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &BodyFile> {
        self.0.values().map(|file| &**file)
    }
}

impl FromIterator<BodyFile> for BodyFiles {
    fn from_iter<I: IntoIterator<Item = BodyFile>>(files: I) -> Self {
        let each = files.into_iter();
        let by_name = each.map(|file| (file.name.clone(), Arc::new(file)));
        Self(Arc::new(by_name.collect()))
    }
}

/// Reads each `NAME=PATH`.
pub(crate) fn by_flags(
    texts: &[String],
    origin: &Origin,
    errors: &mut Vec<PlanError>,
) -> NamedLayers {
    let mut files = NamedLayers::new();
    for text in texts {
        let Some((name, path)) = text.split_once('=') else {
            let bad = ValueError::new(
                format!("{text:?} names no file"),
                "write it as photo=photo.jpg",
            );
            errors.push(bad.at("files", origin));
            continue;
        };
        if let Err(bad) = check_name(name, "a file") {
            errors.push(bad.at(format!("files.{name}"), origin));
            continue;
        }
        let mut file = NamedLayer::new(origin.clone());
        file.layer.set("path", path, origin.clone());
        files.insert(name.to_owned(), file);
    }
    files
}

/// Looks at the files of these tables, lowest first, and returns them with where each was named.
pub(crate) fn resolve(
    sources: Vec<NamedLayers>,
    errors: &mut Vec<PlanError>,
) -> Vec<(BodyFile, Origin)> {
    let named = stacked(sources);
    if let Some((name, over)) = named.iter().nth(MAX_FILES) {
        let bad = ValueError::new(
            format!("a plan has at most {MAX_FILES} files to send"),
            "leave the others out",
        );
        errors.push(bad.at(format!("files.{name}"), &over.origin));
        return Vec::new();
    }
    let mut files = Vec::new();
    for (name, NamedLayer { layer, origin }) in named {
        let key = format!("files.{name}.path");
        let Some((path, said_at)) = layer.get("path") else {
            let bad = ValueError::new("a file without a path", "add path = \"photo.jpg\"");
            errors.push(bad.at(key, &origin));
            continue;
        };
        let path = said_at.folder().join(path);
        match look_at(name, &path) {
            Ok(file) => files.push((file, said_at.clone())),
            Err(problem) => {
                let fix = "give the path of a file that is to be sent; in a plan file it starts from that file's folder";
                errors.push(ValueError::new(problem, fix).at(key, said_at));
            }
        }
    }
    files
}

fn look_at(name: String, path: &Path) -> Result<BodyFile, String> {
    let unread = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("{} is not there", path.display()),
        _ => format!("{} cannot be read: {error}", path.display()),
    };
    let what = |metadata: &Metadata| match metadata.is_dir() {
        true => "is a folder",
        false => "is not a regular file",
    };
    // Before it is opened: opening a pipe would wait for whoever writes to it.
    let metadata = fs::metadata(path).map_err(unread)?;
    if !metadata.is_file() {
        return Err(format!("{} {}", path.display(), what(&metadata)));
    }
    let mut size = metadata.len();
    let held = match size <= HELD {
        true => {
            let bytes = bounded::read(path, HELD).map_err(unread)?;
            size = bytes.len() as u64;
            Some(Bytes::from(bytes))
        }
        false => {
            fs::File::open(path).map_err(unread)?;
            None
        }
    };
    Ok(BodyFile {
        name,
        path: std::path::absolute(path).map_err(unread)?,
        size,
        held,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Flags;
    use crate::resolve::{Resolved, Sources, resolve};

    fn resolved(folder: &Path, plan: &str, flags: &[&str]) -> Result<Resolved, String> {
        let path = folder.join("plan.toml");
        fs::write(&path, plan).unwrap();
        let flags = Flags {
            plan: Some(path),
            files: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            ..Flags::default()
        };
        let env = [];
        let sources = Sources {
            base: None,
            flags,
            env,
        };
        let place = format!("{}/", folder.display());
        resolve(sources).map_err(|errors| errors.to_string().replace(&place, ""))
    }

    #[test]
    fn a_file_is_found_beside_its_plan_and_a_small_one_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("small.txt"), "abc").unwrap();
        let large = vec![7; HELD as usize + 1];
        fs::write(folder.path().join("large.bin"), large).unwrap();
        let other = folder.path().join("other.txt");
        fs::write(&other, "").unwrap();
        let plan = "[files]\nphoto = 'small.txt'\n[files.video]\npath = 'large.bin'\n[files.empty]\npath = 'absent'\n";
        let flag = format!("empty={}", other.display());
        let Resolved { plan, origins } = resolved(folder.path(), plan, &[&flag]).unwrap();
        let said: Vec<_> = plan.files.iter().map(|file| format!("{file:?}")).collect();
        assert_eq!(said, ["empty(0)", "photo(3)", "video(262145)"]);
        let held = |name| plan.files.get(name).unwrap().held.clone();
        assert_eq!(held("photo").as_deref(), Some(&b"abc"[..]));
        assert_eq!(held("video"), None);
        assert_eq!(plan.files.get("small.txt"), None);
        assert_eq!(origins.files.len(), 3);
    }

    #[test]
    fn what_cannot_be_sent_is_one_line_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let plan = "[files]\nphoto = 'absent.jpg'\nfolder = '.'\n'a b' = 'x'\n[files.odd]\npth = 'x'\n[files.none]\n";
        let errors = resolved(folder.path(), plan, &["flag", "device=/dev/null"]).unwrap_err();
        let fix = "give the path of a file that is to be sent; in a plan file it starts from that file's folder";
        let mut lines: Vec<&str> = errors.lines().collect();
        lines.sort_unstable();
        assert_eq!(
            lines,
            [
                "files (--file): \"flag\" names no file; write it as photo=photo.jpg".to_owned(),
                "files.a b (plan.toml:4): \"a b\" is no valid name of a file; use 1 to 32 letters, digits, - and _".to_owned(),
                format!("files.device.path (--file): /dev/null is not a regular file; {fix}"),
                format!("files.folder.path (plan.toml:3): . is a folder; {fix}"),
                "files.none.path (plan.toml:7): a file without a path; add path = \"photo.jpg\"".to_owned(),
                "files.odd.path (plan.toml:5): a file without a path; add path = \"photo.jpg\"".to_owned(),
                "files.odd.pth (plan.toml:6): no such key; did you mean `path`?".to_owned(),
                format!("files.photo.path (plan.toml:2): absent.jpg is not there; {fix}"),
            ]
        );
    }
}
