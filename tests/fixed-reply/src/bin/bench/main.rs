//! `scripts/bench`, once all is built: speed side by side with other generators, memory of thinking users and of idle
//! connections, time of guest calls, instructions of a request, cost of swaps and of being seen from outside. Everything
//! stays on loopback, and everything that is started here ends with it.

// A bench measures by the machine's clock.
#![allow(clippy::disallowed_methods)]

mod callgrind;
mod calls;
mod comparison;
mod extras;
mod generators;
mod idle;
mod instructions;
mod machine;
mod memory;
mod neighbour;
mod nginx;
mod parts;
mod process;
mod readers;
mod servers;
mod speed;
mod swaps;
mod table;
mod tools;
mod vespeiro;

use std::fs;

use anyhow::{Context, Result};
use clap::Parser;

use parts::{Part, Scale};
use tools::Tools;

/// The generators' core and the servers' core, of a machine of two.
const GENERATOR_CORE: usize = 0;
const SERVER_CORE: usize = 1;

/// Measure Vespeiro beside other load generators, and what its users, connections, calls and swaps cost
#[derive(Debug, Parser)]
#[command(name = "scripts/bench", override_usage = "scripts/bench [OPTIONS]")]
struct Flags {
    #[command(flatten)]
    scale: Scale,
    /// Only this part; may be given several times
    #[arg(long, value_enum)]
    part: Vec<Part>,
    /// Say which programs the parts need, and measure nothing
    #[arg(long, hide = true)]
    needs: bool,
    #[command(flatten)]
    tools: Tools,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let parts = parts::chosen(&flags.part);
    let needed = parts::needed(&parts);
    if flags.needs {
        println!("{}", needed.join("\n"));
        return Ok(());
    }
    let tools = &flags.tools;
    fs::create_dir_all(&tools.scratch)
        .with_context(|| format!("cannot create {}", tools.scratch.display()))?;
    machine::describe(tools, &needed);
    for part in parts {
        part.measure(tools, &flags.scale)?;
    }
    Ok(())
}
