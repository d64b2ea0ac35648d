//! The settings of the cleanup: when, how fast, by whom, and where its journal is. Read by `settings.rs`.

use std::path::Path;

use crate::layers::{Fallback, Reader};
use crate::value_types::{choice, count, path, text};
use crate::{Archetype, CleanupSettings, CleanupWhen, LoadOverrides, Module};

const CLEAN_UPS: &[(&str, CleanupWhen)] = &[
    ("always", CleanupWhen::Always),
    ("on-success", CleanupWhen::OnSuccess),
    ("never", CleanupWhen::Never),
];

/// `run_id` names the journal, `state` is the folder for it.
pub(super) fn read(r: &mut Reader<'_>, run_id: &str, state: Option<&Path>) -> CleanupSettings {
    CleanupSettings {
        when: r.read(
            "cleanup",
            "always",
            choice("WHEN", CLEAN_UPS),
            "Remove what the run has created: always, on-success or never",
        ),
        rate: r.read(
            "cleanup_rate",
            "200",
            count(1..=1_000_000),
            "Most requests per second of the cleanup",
        ),
        archetype: cleaner(r.read(
            "cleanup_archetype",
            "admin",
            text("NAME"),
            "Archetype that cleans up, of the plan or built in",
        )),
        journal: r.read(
            "journal",
            journal(run_id, state),
            path(),
            "Keep the journal of what the run creates in this file",
        ),
    }
}

/// Stands for the archetype until the cast is known.
fn cleaner(name: String) -> Archetype {
    Archetype {
        module: Module::BuiltIn(name.clone()),
        name,
        weight: 1,
        config: serde_json::json!({}),
        overrides: LoadOverrides::default(),
    }
}

fn journal(run_id: &str, state: Option<&Path>) -> Fallback {
    let name = format!("{run_id}.journal");
    let text = state
        .map(|state| state.join("vespeiro").join(&name).display().to_string())
        // The form of a path would refuse it, and nobody has said it.
        .filter(|text| !text.contains(char::is_control));
    Fallback::Made {
        text: text.unwrap_or_else(|| format!("vespeiro-{name}")),
        from: "state folder",
    }
}
