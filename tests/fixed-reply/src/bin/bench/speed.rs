//! Part one: what one core of each generator sends, and what a request costs it.
//!
//! The runs of all generators take turns, so that whatever else the machine does hits all alike.

use std::time::Duration;

use anyhow::Result;

use super::generators::{Generator, Tools};
use super::process::{Took, watch};
use super::readers::Report;
use super::servers::Server;
use super::table::{Table, median};

struct Run {
    report: Report,
    took: Took,
    /// Share of its core that the server was busy, 0 to 1.
    server: f64,
}

impl Run {
    fn rate(&self) -> f64 {
        self.report.requests as f64 / self.report.seconds
    }

    /// CPU time of the generator for one request, in microseconds. Start and end of the process are in it.
    fn cost(&self) -> f64 {
        self.took.cpu.as_secs_f64() * 1e6 / self.report.requests as f64
    }

    fn core_share(&self) -> f64 {
        self.took.cpu.as_secs_f64() / self.took.wall.as_secs_f64()
    }
}

/// Runs of one generator.
struct Runs(Vec<Run>);

impl Runs {
    fn median(&self, of: impl Fn(&Run) -> f64) -> f64 {
        median(self.0.iter().map(of))
    }
}

pub fn speed(tools: &Tools, runs: usize, seconds: u64) -> Result<()> {
    println!(
        "\n== Speed: one core each for generator and server, 64 connections, medians of {runs} runs of {seconds} s, in turns"
    );
    let server = Server::fixed_reply(&tools.fixed_reply)?;
    // The first run of each fills caches, the one of compiled behaviors among them, and does not count.
    for generator in Generator::ALL {
        run(tools, &server, generator, 1)?;
    }
    let mut all = Generator::ALL.map(|_| Runs(Vec::new()));
    for turn in 1..=runs {
        for (generator, runs) in Generator::ALL.iter().zip(&mut all) {
            runs.0.push(run(tools, &server, *generator, seconds)?);
        }
        eprintln!("turn {turn} of {runs} done");
    }
    print(&all);
    Ok(())
}

fn run(tools: &Tools, server: &Server, generator: Generator, seconds: u64) -> Result<Run> {
    let before = server.process.cpu()?;
    let command = generator.command(tools, &server.url(), seconds);
    let took = watch(
        generator.name(),
        command,
        &tools.scratch,
        Duration::from_secs(seconds + 60),
    )?;
    let report = generator.report(tools, &took.stdout)?;
    let server = (server.process.cpu()? - before).as_secs_f64() / report.seconds;
    Ok(Run {
        report,
        took,
        server,
    })
}

fn print(all: &[Runs; Generator::ALL.len()]) {
    let mut table = Table::new(&[
        "generator",
        "req/s",
        "req/core-s",
        "CPU us/req",
        "core %",
        "server %",
        "p50 us",
        "p99 us",
        "peak RSS MiB",
    ]);
    for (generator, runs) in Generator::ALL.iter().zip(all) {
        let whole = |of: fn(&Run) -> f64| format!("{:.0}", runs.median(of));
        table.row([
            generator.name().to_owned(),
            whole(Run::rate),
            whole(|run| 1e6 / run.cost()),
            format!("{:.2}", runs.median(Run::cost)),
            whole(|run| run.core_share() * 100.0),
            whole(|run| run.server * 100.0),
            whole(|run| run.report.p50),
            whole(|run| run.report.p99),
            format!(
                "{:.1}",
                runs.median(|run| run.took.peak_rss as f64) / f64::from(1 << 20)
            ),
        ]);
    }
    table.print();
    println!(
        "reqwest: a bare loop of GETs; reqwest-alike: a bare loop of the requests that vespeiro's behavior sends."
    );
    for other in [Generator::Wrk, Generator::Reqwest, Generator::ReqwestAlike] {
        let of = |generator| {
            all.iter()
                .zip(Generator::ALL)
                .find(|(_, g)| *g == generator)
                .map(|(runs, _)| runs)
        };
        if let (Some(own), Some(others)) = (of(Generator::Vespeiro), of(other)) {
            println!(
                "vespeiro / {:<13}  {:.3} x requests per core-second, {:.3} x requests per second",
                other.name(),
                others.median(Run::cost) / own.median(Run::cost),
                own.median(Run::rate) / others.median(Run::rate),
            );
        }
    }
}
