//! What all shards of a run have in common: the settings that decide what is played. Made by `resolve.rs`, compared where
//! shards meet.
//!
//! What must stay true: it holds nothing that may differ from machine to machine, and never shows its texts: an archetype's
//! config may hold a password.

use std::collections::BTreeMap;
use std::fmt;

use crate::layers::{ResolvedSetting, Section};
use crate::resolve::Origins;

/// Each shard's own business: which it is, what its machine has, and where it keeps things.
const OWN: &[&str] = &[
    "shard",
    "meet",
    "meet_timeout",
    "workers",
    "journal",
    "file",
    "cache",
    "precompiled",
];

/// Texts by the name of what they say.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Common(pub BTreeMap<String, String>);

impl fmt::Debug for Common {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

pub(crate) fn common(of: &Origins) -> Common {
    let is_common = |one: &&ResolvedSetting| {
        one.setting.section != Section::Output && !OWN.contains(&one.setting.key)
    };
    let texts = |settings: &[ResolvedSetting]| {
        let all = settings.iter().filter(is_common);
        let all = all.map(|one| format!("{}={}", one.setting.key, one.value));
        all.collect::<Vec<_>>().join(" ")
    };
    let run = of.settings.iter().filter(is_common);
    let run = run.map(|one| (one.setting.key.to_owned(), one.value.clone()));
    let archetypes = of.archetypes.iter().map(|one| {
        let played = &one.archetype;
        let text = format!(
            "{} {} {}",
            played.weight,
            played.config,
            texts(&one.overrides)
        );
        (format!("archetype {}", played.name), text)
    });
    let feeds = of.feeds.iter();
    let feeds = feeds.map(|one| (format!("feed {}", one.feed.name), texts(&one.settings)));
    // Where they lie may differ, and what was sent may not.
    let files = of.files.iter();
    let files = files.map(|(file, _)| (format!("file {}", file.name), file.size.to_string()));
    let targets = of.targets.iter();
    let targets = targets.map(|one| (format!("target {}", one.target.name), texts(&one.settings)));
    let all = run
        .chain(archetypes)
        .chain(feeds)
        .chain(files)
        .chain(targets);
    Common(all.collect())
}
