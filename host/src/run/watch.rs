//! Watches the module files of a plan while its run goes on, and swaps an archetype's behavior when its file has new
//! content. Started by the command line.
//!
//! What must stay true: only content counts. A file that is touched, or replaced by the same bytes, swaps nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::lineup::Mode;
use super::swap::{Source, Swap, Swapper};
use crate::plan::{Module, Plan};

/// How long a folder has to be quiet before its files are read: a compiler writes in pieces.
const QUIET: Duration = Duration::from_millis(200);
/// A folder that is never quiet is looked at this often.
const BUSY: Duration = Duration::from_secs(2);

/// The files of a plan, and what was in them last.
struct Watched {
    archetype: String,
    path: PathBuf,
    content: Option<[u8; 32]>,
}

/// Watch until dropped or aborted. Where the system cannot watch, it says so and does nothing.
pub async fn watch(plan: &Plan, swapper: Swapper) {
    let mut files: Vec<Watched> = plan
        .archetypes
        .iter()
        .filter_map(|archetype| match &archetype.module {
            Module::File(path) => Some(Watched {
                archetype: archetype.name.clone(),
                path: path.clone(),
                content: content(path),
            }),
            Module::BuiltIn(_) => None,
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
            let now = content(&file.path);
            // A file that is gone, for now or for good, is nothing to swap to.
            if now.is_none() || now == file.content {
                continue;
            }
            file.content = now;
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
