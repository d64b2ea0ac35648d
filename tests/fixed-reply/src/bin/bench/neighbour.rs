//! Part five: what a behavior that loops now and then costs those who play beside it on the same workers. The same runs beside
//! one of whose sessions none loops, and beside one that loops in one session of eight, until it is given up.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::process::watch_to_any_end;
use super::servers::Server;
use super::table::{Table, median};
use super::tools::Tools;
use super::vespeiro::{run_vespeiro_on, summary};
use super::{GENERATOR_CORE, SERVER_CORE};

/// Requests of the neighbour in a second: what two workers can hold beside much else.
const RATE: u32 = 1000;
/// What the neighbour has to keep of its rate.
const LEAST_SHARE: f64 = 0.95;
/// What its p99 has to stay below, in seconds.
const MOST_P99: f64 = 0.050;

struct Run {
    neighbour: Value,
    crashed: u64,
    given_up: bool,
}

pub fn neighbour(tools: &Tools, runs: usize, seconds: u64) -> Result<()> {
    println!(
        "\n== Beside a behavior that loops: {RATE} requests a second, {runs} runs of {seconds} s of each kind, in turns"
    );
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        without.push(run(tools, seconds, 0.0)?);
        with.push(run(tools, seconds, 0.125)?);
    }
    let mut table = Table::new(&[
        "beside", "req/s", "p50 ms", "p99 ms", "max ms", "crashes", "given up",
    ]);
    for (name, runs) in [("no loop", &without), ("a loop in eight", &with)] {
        let ms = |key| format!("{:.1}", of(runs, |run| run.seconds(key)) * 1e3);
        table.row([
            name.to_owned(),
            format!("{:.0}", of(runs, Run::rate)),
            ms("p50"),
            ms("p99"),
            ms("max"),
            format!("{:.0}", of(runs, |run| run.crashed as f64)),
            format!(
                "{} of {}",
                runs.iter().filter(|run| run.given_up).count(),
                runs.len()
            ),
        ]);
    }
    table.print();
    let share = of(&with, Run::rate) / of(&without, Run::rate);
    let p99 = of(&with, |run| run.seconds("p99"));
    let is_met = share >= LEAST_SHARE && p99 < MOST_P99 && with.iter().all(|run| run.given_up);
    println!(
        "it keeps {:.1} % of its rate with a p99 of {:.1} ms: the goal of {:.0} % and {:.0} ms is {}",
        share * 100.0,
        p99 * 1e3,
        LEAST_SHARE * 100.0,
        MOST_P99 * 1e3,
        if is_met { "met" } else { "missed" },
    );
    Ok(())
}

fn of(runs: &[Run], what: impl Fn(&Run) -> f64) -> f64 {
    median(runs.iter().map(what))
}

impl Run {
    fn rate(&self) -> f64 {
        self.neighbour["per_second"].as_f64().unwrap_or_default()
    }

    fn seconds(&self, key: &str) -> f64 {
        self.neighbour["latency"][key].as_f64().unwrap_or_default()
    }
}

/// A run beside a behavior of whose sessions this share loops.
fn run(tools: &Tools, seconds: u64, share: f64) -> Result<Run> {
    let server = Server::fixed_reply(&tools.fixed_reply)?;
    let plan = tools.scratch.join("neighbour.toml");
    // A plan's paths start at its own folder.
    let behavior = fs::canonicalize(&tools.behavior).context("behavior")?;
    let looping = fs::canonicalize(&tools.looping).context("looping behavior")?;
    fs::write(&plan, plan_of(&behavior, &looping, share))?;
    let cores = format!("{GENERATOR_CORE},{SERVER_CORE}");
    let mut command = run_vespeiro_on(tools, &server.url(), &cores, "2");
    command
        .arg("--plan")
        .arg(plan)
        .args(["--delay-min", "5ms", "--delay-max", "20ms"])
        .args(["--duration", &format!("{seconds}s")]);
    let limit = Duration::from_secs(seconds + 60);
    let (_, status) = watch_to_any_end("vespeiro", command, &tools.scratch, limit)?;
    let summary = summary(tools)?;
    let archetype = |name: &str| {
        let mut all = summary["archetypes"].as_array().into_iter().flatten();
        all.find(|archetype| archetype["name"] == name).cloned()
    };
    let neighbour = archetype("neighbour").unwrap_or_default();
    let looping = archetype("looping").unwrap_or_default();
    let is_well = status.success() || status.code() == Some(1);
    ensure!(
        is_well && neighbour["requests"].as_u64() > Some(0),
        "the neighbour sent nothing ({status}): see vespeiro.err in {}",
        tools.scratch.display()
    );
    Ok(Run {
        neighbour,
        crashed: looping["traps"].as_u64().unwrap_or_default(),
        given_up: status.code() == Some(1),
    })
}

fn plan_of(behavior: &Path, looping: &Path, share: f64) -> String {
    format!(
        "[[archetype]]\nname = \"neighbour\"\nmodule = {:?}\nrate = \"{RATE}/s\"\nmax_users = 64\n\
         [[archetype]]\nname = \"looping\"\nmodule = {:?}\nusers = 8\n\
         config = {{ mode = \"loop\", after = 2, share = {share:?} }}\n",
        behavior.display().to_string(),
        looping.display().to_string(),
    )
}
