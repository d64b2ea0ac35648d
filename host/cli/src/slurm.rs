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
    /// Port at which the shards meet; one that follows from the job's number by default
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Each shard plays for itself, and the report judges the whole: for nodes that do not reach each other
    #[arg(long, conflicts_with = "port")]
    no_meet: bool,
}

impl Slurm {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        let own = script::own_flags(!self.no_meet);
        let job = self
            .run
            .job(own, |flags| super::resolve_here(flags, None), console)?;
        let program = std::env::current_exe().context("this program's own path")?;
        let asked = script::Asked {
            shards: self.run.shards,
            cpus: self.run.cpus,
            nodes: self.nodes,
            meet: !self.no_meet,
            port: self.port,
        };
        stdout::print_exactly(script::script(&job, &program, &asked)?)?;
        Ok(Exit::Fine)
    }
}
