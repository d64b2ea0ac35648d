//! The hidden command that compiles modules for a parent that is this same program: `vespeiro compile-modules`.

use anyhow::bail;
use std::io::IsTerminal as _;

use crate::exit::Exit;
use vespeiro_model::Clock;

/// Its name on the command line.
pub(super) const NAME: &str = "compile-modules";

/// Compile modules for a parent process
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Compile {}

impl Compile {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        if std::io::stdin().is_terminal() {
            bail!("{NAME} is what vespeiro starts for itself: use vespeiro check");
        }
        vespeiro_behavior::serve_compile_jobs(Clock::system())?;
        Ok(Exit::Fine)
    }
}
