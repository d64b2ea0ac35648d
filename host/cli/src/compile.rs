//! The hidden command that compiles modules for a parent that is this same program: `vespeiro compile-modules`.

use anyhow::bail;
use std::io::IsTerminal as _;

use crate::exit::Exit;
use vespeiro_behavior::{Processor, serve_compile_jobs};
use vespeiro_model::Clock;

/// Its name on the command line.
pub(super) const NAME: &str = "compile-modules";

/// Compile modules for a parent process
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Compile {
    /// For any processor of this kind
    #[arg(long)]
    baseline: bool,
}

impl Compile {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        if std::io::stdin().is_terminal() {
            bail!("{NAME} is what vespeiro starts for itself: use vespeiro check");
        }
        let processor = match self.baseline {
            true => Processor::Baseline,
            false => Processor::Own,
        };
        serve_compile_jobs(Clock::system(), processor)?;
        Ok(Exit::Fine)
    }
}
