//! Watches the module files of a plan while its run goes on, and swaps an archetype's behavior when its file has new
//! content. Started by the command line.
//!
//! What must stay true: only content counts. A file that is touched, or replaced by the same bytes, swaps nothing.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::swap::{Source, Swap, Swapper};
use crate::rollout::rollouts::Mode;
use vespeiro_plan::{Module, Plan};

/// How long a folder has to be quiet before its files are read: a compiler writes in pieces.
const QUIET: Duration = Duration::from_millis(200);
/// A folder that is never quiet is looked at this often.
const BUSY: Duration = Duration::from_secs(2);

/// The files of a plan, and what was in them last.
struct Watched {
    archetype: String,
    path: PathBuf,
    state: Option<State>,
    content: Option<[u8; 32]>,
}

/// What the system knows of a file: whoever writes to it changes the time of its change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    device: u64,
    number: u64,
    length: u64,
    changed: (i64, i64),
}

impl Watched {
    fn new(archetype: &str, path: &Path) -> Self {
        let mut file = Self {
            archetype: archetype.to_owned(),
            path: path.to_owned(),
            state: None,
            content: None,
        };
        file.is_new();
        file
    }

    /// Whether its content is another than the last time. It is read only when something has happened to it: in its
    /// folder there may be files that are written all the time, the run's own rows for instance.
    fn is_new(&mut self) -> bool {
        // Before the content, so that a change in between is seen the next time.
        let now = State::of(&self.path);
        if now.is_none() || now == self.state {
            return false;
        }
        self.state = now;
        let content = content(&self.path);
        // A file that is gone, for now or for good, is nothing to swap to.
        if content.is_none() || content == self.content {
            return false;
        }
        self.content = content;
        true
    }
}

impl State {
    fn of(path: &Path) -> Option<Self> {
        let data = std::fs::metadata(path).ok()?;
        Some(Self {
            device: data.dev(),
            number: data.ino(),
            length: data.len(),
            changed: (data.ctime(), data.ctime_nsec()),
        })
    }
}

/// Watch until dropped or aborted. Where the system cannot watch, it says so and does nothing.
pub async fn watch(plan: &Plan, swapper: Swapper) {
    let mut files: Vec<Watched> = plan
        .archetypes
        .iter()
        .filter_map(|archetype| match &archetype.module {
            Module::File(path) => Some(Watched::new(&archetype.name, path)),
            Module::BuiltIn(_) | Module::Program { .. } => None,
        })
        .collect();
    if files.is_empty() {
        return;
    }
    // One place is enough: it says that something has happened, not what.
    let (happened, mut happens) = mpsc::channel(1);
    let told = move |_| {
        let _ = happened.try_send(());
    };
    let _watcher = match watcher(&files, told) {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!(
                "module files are not watched: {error}: use vespeiro swap, or --no-watch"
            );
            return;
        }
    };
    while happens.recv().await.is_some() {
        let busy = async { while timeout(QUIET, happens.recv()).await.is_ok() {} };
        let _ = timeout(BUSY, busy).await;
        for file in &mut files {
            if !file.is_new() {
                continue;
            }
            let swap = Swap {
                archetype: file.archetype.clone(),
                source: Source::Module(Module::File(file.path.clone())),
                share: 1.0,
                mode: Mode::Drain,
            };
            // A refusal is counted and told of by the run; half a file is followed by the whole one.
            if let Err(error) = swapper.swap(swap).await {
                tracing::debug!("{error}");
            }
        }
    }
}

/// Folders are watched and not files: editors replace a file, and a ConfigMap swaps a link to a whole folder.
fn watcher(
    files: &[Watched],
    mut told: impl FnMut(()) + Send + 'static,
) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading a file is an event too, and this watch reads them.
        if event.is_ok_and(|event| event.kind.is_access()) {
            return;
        }
        told(());
    })?;
    let mut folders = BTreeSet::new();
    for file in files {
        folders.insert(folder(&file.path));
        if let Ok(real) = file.path.canonicalize() {
            folders.insert(folder(&real));
        }
    }
    for folder in folders {
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn content(path: &Path) -> Option<[u8; 32]> {
    std::fs::read(path)
        .ok()
        .map(|bytes| Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_content_is_new() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("mine.wasm");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let mut early = Watched::new("mine", &path);
        write("one");
        assert!(early.is_new());
        let mut file = Watched::new("mine", &path);
        assert!(!file.is_new());
        write("another");
        assert!(file.is_new() && !file.is_new());
        // Replaced by the same bytes, as a build does that changes nothing.
        let other = folder.path().join("other.wasm");
        std::fs::write(&other, "another").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert!(!file.is_new());
        std::fs::remove_file(&path).unwrap();
        assert!(!file.is_new());
        write("three");
        assert!(file.is_new());
    }

    #[test]
    fn a_file_to_which_nothing_has_happened_is_not_read() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("mine.wasm");
        std::fs::write(&path, "one").unwrap();
        let mut file = Watched::new("mine", &path);
        // Were it read, this would be another content.
        file.content = None;
        assert!(!file.is_new());
    }
}
