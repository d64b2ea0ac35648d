//! `vespeiro demo`: a short run against the embedded user service.

use crate::exit::Exit;
use crate::plan::{Preset, Settings};

/// What the demo does unless told otherwise: little enough for a laptop, quick enough to watch.
pub(super) const PRESET: Preset = Preset {
    name: "demo",
    about: "a short run to watch",
    settings: &[
        ("users", "20"),
        ("duration", "20s"),
        ("delay_min", "50ms"),
        ("delay_max", "400ms"),
    ],
};

/// Watch a short run against an embedded user service
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    #[command(flatten)]
    settings: Settings,
}

impl Demo {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let _resolved = super::resolve_here(self.settings, Some(&PRESET))?;
        anyhow::bail!("`demo` is not wired to the engine yet")
    }
}
