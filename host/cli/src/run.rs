//! `vespeiro run`: plays a plan against a target.

use super::settings::PlanFlags;
use crate::exit::Exit;
use vespeiro_output::Console;

/// Play a plan against a target
#[derive(Debug, clap::Args)]
#[command(visible_alias = "user:populate")]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) plan: PlanFlags,
}

impl Run {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        super::play::play(super::resolve_here(self.plan.0, None)?.plan, console)
    }
}
