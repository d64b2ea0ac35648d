//! Generators side by side: what one core of each sends, and what a request costs it. Used by every part that compares.
//!
//! The runs take turns, so that whatever else the machine does hits all alike, and no report is believed that the server
//! does not agree with.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::generators::{Generator, Wire, h2load_logged};
use super::process::{Took, watch};
use super::readers::{Report, h2load_log};
use super::servers::Server;
use super::table::{Table, median};
use super::tools::Tools;

/// Requests that may be under way when a generator stops counting, and its first look at the server.
const UNCOUNTED: u64 = 2 * 64 + 2;

/// How often and how long.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub runs: usize,
    pub seconds: u64,
}

/// A generator and how it is to send.
#[derive(Debug, Clone, Copy)]
pub struct Entrant(pub Generator, pub Wire);

struct Run {
    report: Report,
    took: Took,
    /// Share of its core that the server was busy, 0 to 1.
    server: f64,
    /// That the server has seen.
    connections: u64,
}

/// Runs of one generator.
struct Runs {
    entrant: Entrant,
    runs: Vec<Run>,
}

impl Entrant {
    pub fn name(self) -> String {
        let Self(generator, wire) = self;
        match wire {
            Wire::Http2 { connections } => {
                format!("{} {connections}x{}", generator.name(), 64 / connections)
            }
            _ => generator.name().to_owned(),
        }
    }
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

impl Runs {
    fn median(&self, of: impl Fn(&Run) -> f64) -> f64 {
        median(self.runs.iter().map(of))
    }
}

/// Run all of them in turns against `server`, and print a row for each.
pub fn compare(tools: &Tools, server: &mut Server, entrants: &[Entrant], pace: Pace) -> Result<()> {
    let mut all = Vec::new();
    // The first run of each fills caches, the one of compiled behaviors among them, and does not count.
    for &entrant in entrants {
        if run(tools, server, entrant, 1)?.is_some() {
            let runs = Vec::new();
            all.push(Runs { entrant, runs });
        } else if entrant.0 != Generator::Base || tools.base.is_some() {
            println!("{}: not yet, it has no flag for this", entrant.name());
        }
    }
    for turn in 1..=pace.runs {
        for Runs { entrant, runs } in &mut all {
            runs.extend(run(tools, server, *entrant, pace.seconds)?);
        }
        eprintln!("turn {turn} of {} done", pace.runs);
    }
    print(&all);
    Ok(())
}

/// `None` where the generator cannot do this.
fn run(tools: &Tools, server: &mut Server, entrant: Entrant, seconds: u64) -> Result<Option<Run>> {
    let Entrant(generator, wire) = entrant;
    let Some(command) = generator.command(tools, wire, &server.url(), seconds)? else {
        return Ok(None);
    };
    let limit = Duration::from_secs(seconds + 60);
    let before = (server.process.cpu()?, server.counts()?);
    let took = watch(generator.name(), command, &tools.scratch, limit)?;
    let after = (server.process.cpu()?, server.counts()?);
    let mut report = generator.report(tools, &took.stdout)?;
    let answered = after.1.requests - before.1.requests;
    ensure!(
        report.requests.abs_diff(answered) <= UNCOUNTED,
        "{} reports {} requests, but the server answered {answered}: one of them counts wrongly",
        entrant.name(),
        report.requests,
    );
    let connections = after.1.connections - before.1.connections;
    ensure!(
        wire != Wire::NoReuse || connections + UNCOUNTED >= answered,
        "{} sent {answered} requests over {connections} connections, and was to open one for each",
        entrant.name(),
    );
    if generator == Generator::H2load {
        let log = tools.scratch.join("h2load.log");
        // It would be continued.
        let _ = std::fs::remove_file(&log);
        if let Some(logged) = h2load_logged(tools, wire, &server.url(), seconds, &log) {
            watch(generator.name(), logged, &tools.scratch, limit)?;
            let times = std::fs::read_to_string(&log)?;
            [report.p50, report.p99] = h2load_log(&times).unwrap_or([f64::NAN; 2]);
        }
    }
    Ok(Some(Run {
        server: (after.0 - before.0).as_secs_f64() / report.seconds,
        connections,
        report,
        took,
    }))
}

fn print(all: &[Runs]) {
    let mut table = Table::new(&[
        "generator",
        "req/s",
        "req/core-s",
        "CPU us/req",
        "core %",
        "server %",
        "connections",
        "p50 us",
        "p99 us",
        "peak RSS MiB",
    ]);
    for runs in all {
        let whole = |of: fn(&Run) -> f64| format!("{:.0}", runs.median(of));
        table.row([
            runs.entrant.name(),
            whole(Run::rate),
            whole(|run| 1e6 / run.cost()),
            format!("{:.2}", runs.median(Run::cost)),
            whole(|run| run.core_share() * 100.0),
            whole(|run| run.server * 100.0),
            whole(|run| run.connections as f64),
            whole(|run| run.report.p50),
            whole(|run| run.report.p99),
            format!(
                "{:.1}",
                runs.median(|run| run.took.peak_rss as f64) / f64::from(1 << 20)
            ),
        ]);
    }
    table.print();
    let (own, others): (Vec<_>, Vec<_>) = all
        .iter()
        .partition(|runs| runs.entrant.0 == Generator::Vespeiro);
    let names = others.iter().map(|runs| runs.entrant.name().len());
    let width = names.max().unwrap_or(0);
    for own in own {
        for other in &others {
            println!(
                "{} / {:<width$}  {:.3} x requests per core-second, {:.3} x requests per second",
                own.entrant.name(),
                other.entrant.name(),
                other.median(Run::cost) / own.median(Run::cost),
                own.median(Run::rate) / other.median(Run::rate),
            );
        }
    }
}
