//! The hidden command that compiles modules for a parent that is this same program: `vespeiro compile-modules`.

use anyhow::bail;
use std::io::IsTerminal as _;

use tokio::signal::unix::{SignalKind, signal};

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

/// What ends a job, Slurm for instance, signals every process of it. The parent still has to clean up with what this one compiles,
/// which ends with its input.
fn outlive_signals() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let _inside = runtime.enter();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        // The handler stays for good, and does nothing.
        drop(signal(kind)?);
    }
    Ok(())
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
        outlive_signals()?;
        serve_compile_jobs(Clock::system(), processor)?;
        Ok(Exit::Fine)
    }
}
