//! `vespeiro run`: plays a plan against a target.

use crate::exit::Exit;
use crate::plan::Settings;

/// Play a plan against a target
#[derive(Debug, clap::Args)]
#[command(visible_alias = "user:populate")]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) settings: Settings,
}

impl Run {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        super::play::play(super::resolve_here(self.settings, None)?.plan)
    }
}
