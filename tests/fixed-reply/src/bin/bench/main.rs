//! `scripts/bench`, once all is built: speed side by side with other generators, memory of thinking users, time of guest
//! calls, cost of swaps and of being seen from outside. Everything stays on loopback, and everything that is started here ends with it.

mod calls;
mod extras;
mod generators;
mod machine;
mod memory;
mod process;
mod readers;
mod servers;
mod speed;
mod swaps;
mod table;
mod vespeiro;

use std::fs;

use anyhow::{Context, Result};
use clap::Parser;

use generators::Tools;
use memory::Pace;

/// The generators' core and the servers' core, of a machine of two.
const GENERATOR_CORE: usize = 0;
const SERVER_CORE: usize = 1;

/// Measure Vespeiro: speed beside wrk, oha and a bare reqwest loop; memory of thinking users; time of guest calls
#[derive(Debug, Parser)]
#[command(name = "scripts/bench")]
struct Flags {
    /// Runs of each generator, of which the median is shown [default: 5, quick: 3]
    #[arg(long)]
    runs: Option<usize>,
    /// Length of each run [default: 8, quick: 2]
    #[arg(long)]
    seconds: Option<u64>,
    /// A short version of each part: its figures are rough
    #[arg(long)]
    quick: bool,
    /// Measure the memory of 100,000 users too
    #[arg(long)]
    big: bool,
    /// Only this part; may be given several times
    #[arg(long, value_enum)]
    part: Vec<Part>,
    #[command(flatten)]
    tools: Tools,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Speed,
    Memory,
    Calls,
    Swaps,
    Extras,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let tools = &flags.tools;
    fs::create_dir_all(&tools.scratch)
        .with_context(|| format!("cannot create {}", tools.scratch.display()))?;
    let quick = |short, long| if flags.quick { short } else { long };
    let wanted = |part| flags.part.is_empty() || flags.part.contains(&part);
    let seconds = flags.seconds.unwrap_or(quick(2, 8)).max(1);

    machine::describe(tools);
    if wanted(Part::Speed) {
        speed::speed(
            tools,
            flags.runs.unwrap_or(quick(3, 5) as usize).max(1),
            seconds,
        )?;
    }
    if wanted(Part::Memory) {
        let (min, max, watch) = if flags.quick {
            (4, 8, 12)
        } else {
            (10, 20, 30)
        };
        let mut users = if flags.quick {
            vec![1_000, 10_000]
        } else {
            vec![1_000, 10_000, 50_000]
        };
        users.extend(flags.big.then_some(100_000));
        memory::memory(tools, &users, Pace { min, max, watch })?;
    }
    if wanted(Part::Calls) {
        calls::calls(tools, seconds)?;
    }
    if wanted(Part::Swaps) {
        let runs = flags.runs.unwrap_or(quick(1, 3) as usize).max(1);
        swaps::swaps(tools, runs, flags.seconds.unwrap_or(quick(15, 60)).max(5))?;
    }
    if wanted(Part::Extras) {
        let runs = flags.runs.unwrap_or(quick(2, 5) as usize).max(1);
        extras::extras(tools, runs, flags.seconds.unwrap_or(quick(10, 60)).max(10))?;
    }
    Ok(())
}
