//! `vespeiro slurm`: prints a batch script for Slurm, one job whose tasks are the shards of a plan. Slurm places, starts, watches
//! and ends them; the script's last word is the verdict over all. It submits nothing.

mod script;

use anyhow::Context as _;

use crate::exit::Exit;
use crate::sharded::Sharded;
use vespeiro_output::{Console, stdout};

/// Print a batch script for Slurm that plays a plan by several shards
///
/// As in: vespeiro slurm --shards 3 plan.toml > job.sh && sbatch job.sh
#[derive(Debug, clap::Args)]
pub(super) struct Slurm {
    #[command(flatten)]
    run: Sharded,
    /// Nodes to spread them over, evenly; without it wherever there is room
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    nodes: Option<u32>,
}

impl Slurm {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        let own = script::OWN_FLAGS;
        let job = self
            .run
            .job(&own, |flags| super::resolve_here(flags, None), console)?;
        let program = std::env::current_exe().context("this program's own path")?;
        let asked = script::Asked {
            shards: self.run.shards,
            cpus: self.run.cpus,
            nodes: self.nodes,
        };
        stdout::print_exactly(script::script(&job, &program, &asked)?)?;
        Ok(Exit::Fine)
    }
}
