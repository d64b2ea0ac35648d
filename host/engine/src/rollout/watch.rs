//! Watches the module files of a plan while its run goes on, and swaps an archetype's behavior when its file has new
//! content. Started by the command line.
//!
//! What must stay true: only content counts. A file that is touched, or replaced by the same bytes, swaps nothing. Files are
//! looked at by threads of their own: a folder that does not answer holds nothing up but the watch over it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, Sender};

use super::swap::{Source, Swap, Swapper};
use crate::rollout::rollouts::Mode;
use vespeiro_behavior::{Behavior, ModuleFile, content_hash, is_whole};
use vespeiro_plan::{Module, Plan};

/// How often files are looked at. Looking, unlike being told by the system, finds what happens to any folder or link on the
/// way to a file, on network drives too.
const LOOK: Duration = Duration::from_millis(250);
/// Looks in a row that find a file changed before it is said that it is waited for.
const LONG: u32 = 6;
/// How long what cannot be read to its end may become whole, before it is refused.
const REST: Duration = Duration::from_secs(2);

/// A module's file, and what was in it last.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// It, and what it imports as far as is known.
    files: Vec<PathBuf>,
    /// Who plays it.
    archetypes: Vec<String>,
    /// The hash of the content that was loaded last.
    content: String,
    /// At the last look, and when they were read last.
    seen: Vec<Option<State>>,
    read: Vec<Option<State>>,
    /// Looks in a row that found it changed.
    changing: u32,
    /// It was said that it is waited for.
    told: bool,
}

/// What the system knows of a file: whoever writes to it changes the time of its change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    device: u64,
    number: u64,
    length: u64,
    changed: (i64, i64),
}

impl State {
    /// `None` for what is not there, and for what is no file: a pipe for instance would never end.
    fn of(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok()?;
        data.is_file().then(|| Self {
            device: data.dev(),
            number: data.ino(),
            length: data.len(),
            changed: (data.ctime(), data.ctime_nsec()),
        })
    }
}

/// What a look at a file found.
#[derive(Debug)]
enum Look {
    Nothing,
    /// It is being written; told once.
    Unfinished,
    Unreadable(io::Error),
    New(Vec<u8>),
}

impl Watched {
    /// It is read only when something has happened to it, and nothing more since the last look.
    fn look(&mut self) -> Look {
        let now: Vec<_> = self.files.iter().map(|file| State::of(file)).collect();
        if now.first() == Some(&None) || now == self.read {
            // A file that is gone, for now or for good, is nothing to swap to.
            return Look::Nothing;
        }
        if now != self.seen {
            self.seen = now;
            self.changing += 1;
            return self.wait(self.changing >= LONG);
        }
        self.changing = 0;
        self.read = now;
        let ModuleFile { bytes, files } = match ModuleFile::read(&self.path) {
            Ok(file) => file,
            Err(error) => {
                // It may be what the machine lacks, of files for instance: the next look tries again, and says nothing more.
                self.read.clear();
                return match std::mem::replace(&mut self.told, true) {
                    true => Look::Nothing,
                    false => Look::Unreadable(error),
                };
            }
        };
        // What is imported only now is looked at from the next time on.
        self.files = files;
        let content = content_hash(&bytes);
        if content == self.content {
            return Look::Nothing;
        }
        if !is_whole(&bytes) {
            return self.wait(true);
        }
        self.told = false;
        self.content = content;
        Look::New(bytes)
    }

    fn wait(&mut self, is_long: bool) -> Look {
        match is_long && !self.told {
            true => {
                self.told = true;
                Look::Unfinished
            }
            false => Look::Nothing,
        }
    }
}

/// Watch until dropped or aborted.
pub fn watch(
    plan: &Plan,
    behaviors: &[Arc<Behavior>],
    swapper: Swapper,
) -> impl Future<Output = ()> + use<> {
    let (found, mut news) = mpsc::channel(1);
    let folders = folders(plan, behaviors);
    async move {
        for files in folders {
            let found = found.clone();
            let started = thread::Builder::new()
                .name("watch".into())
                .spawn(move || look_on(files, &found));
            if let Err(error) = started {
                tracing::warn!("module files are not watched: {error}: use vespeiro swap");
            }
        }
        drop(found);
        let (mut waiting, mut told) = (VecDeque::new(), BTreeSet::new());
        loop {
            let next = match waiting.pop_front() {
                Some(next) => Some(next),
                None => news.recv().await,
            };
            let Some(swap) = next else {
                return;
            };
            take_up(&swapper, swap, &mut told, &mut waiting, &mut news).await;
        }
    }
}

/// Carry a swap out, unless its file has newer content meanwhile: nobody waits for what is out of date.
async fn take_up(
    swapper: &Swapper,
    swap: Swap,
    told: &mut BTreeSet<String>,
    waiting: &mut VecDeque<Swap>,
    news: &mut Receiver<Swap>,
) {
    let mut carried_out = pin!(carry_out(swapper, &swap, told));
    loop {
        tokio::select! {
            biased;
            () = &mut carried_out => return,
            Some(newer) = news.recv() => {
                let is_same = newer.archetype == swap.archetype;
                waiting.retain(|other| other.archetype != newer.archetype);
                waiting.push_back(newer);
                if is_same {
                    return;
                }
            }
        }
    }
}

/// What half of a file may be gets time to become whole: `told` says for whom that was said.
async fn carry_out(swapper: &Swapper, swap: &Swap, told: &mut BTreeSet<String>) {
    let tried = swapper.attempt(swap).await;
    if let Err(error) = &tried
        && error.may_be_half()
    {
        if told.insert(swap.archetype.clone()) {
            let name = match &swap.source {
                Source::Bytes { name, .. } => name,
                Source::BuiltIn(name) => name,
            };
            tracing::warn!(
                "module {name} has a mistake, or is not written to its end: it is waited for"
            );
        }
        tokio::time::sleep(REST).await;
    }
    told.remove(&swap.archetype);
    // A refusal is counted and told of by the run.
    if let Err(error) = tried {
        swapper.refuse(swap, &error).await;
        tracing::debug!("{error}");
    }
}

/// The files of a plan by their folders, and what was loaded of each.
fn folders(plan: &Plan, behaviors: &[Arc<Behavior>]) -> Vec<Vec<Watched>> {
    let mut folders: BTreeMap<Option<&Path>, BTreeMap<&Path, Watched>> = BTreeMap::new();
    for (archetype, behavior) in plan.archetypes.iter().zip(behaviors) {
        let Module::File(path) = &archetype.module else {
            continue;
        };
        let files = folders.entry(path.parent()).or_default();
        let file = files.entry(path).or_insert_with(|| Watched {
            path: path.clone(),
            files: vec![path.clone()],
            archetypes: Vec::new(),
            content: behavior.hash.clone(),
            seen: Vec::new(),
            read: Vec::new(),
            changing: 0,
            told: false,
        });
        file.archetypes.push(archetype.name.clone());
    }
    let files = folders.into_values();
    files.map(|files| files.into_values().collect()).collect()
}

/// Look at files until nobody wants to know any more.
fn look_on(mut files: Vec<Watched>, found: &Sender<Swap>) {
    while !found.is_closed() {
        for file in &mut files {
            let look = file.look();
            let path = file.path.display();
            match look {
                Look::Nothing => {}
                Look::Unfinished => {
                    tracing::warn!("module {path} is not written to its end: it is waited for");
                }
                Look::Unreadable(error) => {
                    tracing::warn!("module {path} has changed and cannot be read: {error}");
                }
                Look::New(bytes) => {
                    let bytes: Arc<[u8]> = bytes.into();
                    for archetype in &file.archetypes {
                        let swap = Swap {
                            archetype: archetype.clone(),
                            source: Source::Bytes {
                                name: path.to_string(),
                                bytes: Arc::clone(&bytes),
                            },
                            share: 1.0,
                            mode: Mode::Drain,
                        };
                        if found.blocking_send(swap).is_err() {
                            return;
                        }
                    }
                }
            }
        }
        thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tempfile::TempDir;

    use super::*;

    fn watched(path: &Path, content: &str) -> Watched {
        Watched {
            path: path.to_owned(),
            files: vec![path.to_owned()],
            archetypes: Vec::new(),
            content: content_hash(content.as_bytes()),
            seen: Vec::new(),
            read: Vec::new(),
            changing: 0,
            told: false,
        }
    }

    /// What two looks find: the first sees a change, the second that it is over.
    fn new(file: &mut Watched) -> Option<Vec<u8>> {
        for _ in 0..2 {
            if let Look::New(bytes) = file.look() {
                return Some(bytes);
            }
        }
        None
    }

    #[test]
    fn only_other_content_is_new() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("mine.toml");
        let write = |text: &str| fs::write(&path, text).unwrap();
        let mut file = watched(&path, "one");
        assert!(new(&mut file).is_none(), "it is not there");
        write("one");
        assert!(new(&mut file).is_none());
        write("another");
        assert_eq!(new(&mut file).unwrap(), b"another");
        assert!(new(&mut file).is_none());
        // Replaced by the same bytes, as a build does that changes nothing.
        let other = folder.path().join("other");
        fs::write(&other, "another").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(new(&mut file).is_none());
        fs::remove_file(&path).unwrap();
        assert!(new(&mut file).is_none());
        write("three");
        assert!(new(&mut file).is_some());
    }

    #[test]
    fn folders_that_are_made_anew_and_links_on_the_way_are_noticed_every_time() {
        let folder = TempDir::new().unwrap();
        let dist = folder.path().join("dist");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&dist, &link).unwrap();
        let mut file = watched(&link.join("mine.toml"), "");
        for text in ["one", "two", "three"] {
            fs::create_dir(&dist).unwrap();
            fs::write(dist.join("mine.toml"), text).unwrap();
            assert_eq!(new(&mut file).unwrap(), text.as_bytes());
            fs::remove_dir_all(&dist).unwrap();
            assert!(new(&mut file).is_none());
        }
        for text in ["four", "five", "six"] {
            let other = folder.path().join(text);
            fs::create_dir(&other).unwrap();
            fs::write(other.join("mine.toml"), text).unwrap();
            fs::remove_file(&link).unwrap();
            std::os::unix::fs::symlink(&other, &link).unwrap();
            assert_eq!(new(&mut file).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn a_file_that_is_being_written_is_waited_for_and_told_of_once() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("mine.wasm");
        let module = wat::parse_str("(module (memory 1) (data (i32.const 0) \"abcdef\"))").unwrap();
        let mut file = watched(&path, "");
        let mut told = 0;
        for length in 0..module.len() {
            fs::write(&path, &module[..length]).unwrap();
            // Where a section ends, nothing shows that another will follow.
            if is_whole(&module[..length]) {
                continue;
            }
            for _ in 0..2 {
                match file.look() {
                    Look::Nothing => {}
                    Look::Unfinished => told += 1,
                    other => panic!("{length}: {other:?}"),
                }
            }
        }
        assert_eq!(told, 1);
        fs::write(&path, &module).unwrap();
        assert_eq!(new(&mut file).unwrap(), module);
    }

    #[test]
    fn a_pipe_in_place_of_the_file_is_not_read() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("mine.wasm");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let mut file = watched(&path, "");
        assert!(new(&mut file).is_none());
    }

    #[test]
    fn a_file_to_which_nothing_has_happened_is_not_read() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, "one").unwrap();
        let mut file = watched(&path, "one");
        assert!(new(&mut file).is_none());
        // Were it read, this would be another content.
        file.content.clear();
        assert!(new(&mut file).is_none());
    }
}
