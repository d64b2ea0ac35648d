//! The settings of the cleanup: when, how fast, by whom, and where its journal is. Read by `plan.rs`.

use std::path::{Path, PathBuf};

use vespeiro_model::words;

use crate::archetypes::{Archetype, Module};
use crate::layers::{Fallback, section};
use crate::value_types::{choice, count, path, text};

section! {
    /// How the run removes what it has created.
    #[derive(Debug, Clone)]
    pub struct CleanupSettings(r, run_id: &str, state: Option<&Path>) {
        when: CleanupWhen = ("cleanup", "always", choice("WHEN"),
            "Remove what the run has created: always, on-success or never");
        /// Most requests per second.
        rate: u32 = ("cleanup_rate", "200", count(1..=1_000_000), "Most requests per second of the cleanup");
        /// The archetype that does it: one of the plan's or, when none has its name, a built-in one.
        archetype: Archetype = {
            // Stands for the archetype until it is known who plays.
            let name = r.read("cleanup_archetype", "admin", text("NAME"),
                "Archetype that cleans up, of the plan or built in");
            Archetype::new(&name, 1, Module::BuiltIn(name.clone()))
        };
        /// Where the run records what it creates.
        journal: PathBuf = ("journal", journal(run_id, state), path(),
            "Keep the journal of what the run creates in this file");
    }
}

words! {
    /// After which runs to clean up.
    pub enum CleanupWhen {
        Always => "always",
        /// Unless the run could not do its job.
        OnSuccess => "on-success",
        Never => "never",
    }
}

/// `state` is the folder for journals.
fn journal(run_id: &str, state: Option<&Path>) -> Fallback {
    let name = format!("{run_id}.journal");
    let text = state
        .map(|state| state.join("vespeiro").join(&name).display().to_string())
        // The value type would refuse such a path, though nobody has written it.
        .filter(|text| !text.contains(char::is_control));
    Fallback::Made {
        text: text.unwrap_or_else(|| format!("vespeiro-{name}")),
        from: "state folder",
    }
}
