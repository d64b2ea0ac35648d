//! What the fuzz targets share: a file for readers that want a path, and what has to hold of every answer.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use vespeiro_plan::{Flags, Resolved, Sources, resolve};

/// A folder of this process, in memory where there is such a place: a target writes a file thousands of times a second.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let folder = base.join(format!("vespeiro-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for files");
    folder
});

/// A file that holds these bytes and nothing else.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.join(name);
    fs::write(&path, bytes).expect("a file");
    path
}

/// What a user reads is one line, and does nothing to a terminal.
#[track_caller]
pub fn is_one_line(message: impl Display) {
    let message = message.to_string();
    assert!(!message.is_empty(), "no message at all");
    assert!(!message.contains(char::is_control), "{message:?}");
}

/// Resolve a plan. Mistakes are told in a line each; what a plan that has none shows of itself makes the same plan.
pub fn plan(flags: Flags) -> Option<Resolved> {
    let resolved = match resolved(flags) {
        Ok(resolved) => resolved,
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            mistakes.iter().for_each(is_one_line);
            return None;
        }
    };
    let mut again = Flags::default();
    for line in shown(&resolved) {
        again.set(line.setting.key, line.value.as_str(), "--again");
    }
    let same = resolved_again(again);
    for (one, other) in shown(&resolved).zip(shown(&same)) {
        assert_eq!(
            (one.setting.key, &one.value),
            (other.setting.key, &other.value)
        );
    }
    Some(resolved)
}

fn resolved(flags: Flags) -> Result<Resolved, Vec<String>> {
    let env: [(String, String); 0] = [];
    let sources = Sources {
        base: None,
        flags,
        env,
    };
    resolve(sources).map_err(|errors| errors.0.iter().map(ToString::to_string).collect())
}

fn resolved_again(flags: Flags) -> Resolved {
    resolved(flags)
        .unwrap_or_else(|mistakes| panic!("it does not take back what it shows: {mistakes:?}"))
}

/// The settings that a plan shows, but for those that are not their own text.
fn shown(resolved: &Resolved) -> impl Iterator<Item = &vespeiro_plan::ResolvedSetting> {
    let lines = resolved.origins.settings.iter();
    lines.filter(|line| !line.setting.kind.is_secret() && line.setting.key != "preset")
}
