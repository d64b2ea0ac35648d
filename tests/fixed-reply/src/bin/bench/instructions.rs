//! How many instructions a request takes, and a call of `next`. That does not depend on what else the machine does, so two
//! builds can be compared on a busy one; it says nothing of the kernel's part, nor of caches.
//!
//! Each build runs twice under callgrind, with few and with many requests: the difference has neither start nor end in it.
//! What counts is the worker's thread, which is the busiest: what others do goes by the clock, and callgrind's is slow.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::callgrind::{Calls, Profile};
use super::generators::AT_ONCE;
use super::process::watch;
use super::readers;
use super::servers::Server;
use super::table::{Table, median};
use super::tools::Tools;
use super::vespeiro::{bench_behavior, run_profiled, summary};

/// Requests of each user: few and many. Never changed, or figures of old builds are worth nothing.
const REQUESTS: [u64; 2] = [50, 350];
/// What callgrind is told to write; a thread's file has its number behind.
const PROFILE: &str = "thread";
/// Requests before the first that counts: whether there is a server at all.
const LOOKS: u64 = 2;
/// Callgrind takes some fifty times as long as the machine itself.
const LIMIT: Duration = Duration::from_secs(900);

/// Of one run, or of the difference between two.
#[derive(Clone, Copy)]
struct Cost {
    requests: u64,
    /// Instructions of the worker's thread.
    worker: u64,
    /// Of all threads.
    all: u64,
    /// Of `next`, with the host's part of it.
    next: Calls,
    /// Of what WebAssembly takes within these.
    wasm: Calls,
}

pub fn instructions(tools: &Tools, runs: usize) -> Result<()> {
    println!(
        "\n== Instructions: callgrind, {AT_ONCE} users without pause, between {} and {} requests of each, medians of {runs}",
        REQUESTS[0], REQUESTS[1]
    );
    let mut server = Server::fixed_reply(&tools.fixed_reply)?;
    let mut builds = Vec::new();
    builds.extend(tools.of_base().map(|base| ("base", base, Vec::new())));
    builds.push(("vespeiro", tools.clone(), Vec::new()));
    for (_, tools, _) in &builds {
        // Fills the cache of compiled behaviors, which is another one on the processor that valgrind shows.
        run(tools, &mut server, 1)?;
    }
    for turn in 1..=runs {
        for (_, tools, costs) in &mut builds {
            let few = run(tools, &mut server, REQUESTS[0])?;
            let many = run(tools, &mut server, REQUESTS[1])?;
            costs.push(many.without(few)?);
        }
        eprintln!("turn {turn} of {runs} done");
    }
    let mut table = Table::new(&[
        "build",
        "requests",
        "instr/request",
        "spread %",
        "all threads",
        "calls of next",
        "instr/next",
        "in wasm",
    ]);
    for (name, _, costs) in &builds {
        table.row(row(name, costs));
    }
    table.print();
    println!(
        "instr/next has the host's part of the call in it, in wasm has none; unknown: no such symbol, so see --part calls."
    );
    if let [(_, _, base), (_, _, own)] = &builds[..] {
        let ratio = of(own, Cost::per_request) / of(base, Cost::per_request);
        println!("vespeiro / base  {ratio:.3} x instructions per request");
    }
    Ok(())
}

fn of(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    median(costs.iter().map(of))
}

fn row(name: &str, costs: &[Cost]) -> [String; 8] {
    let whole = |what: fn(&Cost) -> f64| {
        let value = of(costs, what);
        if value.is_nan() {
            // The symbol is stripped, or inlined.
            "unknown".to_owned()
        } else {
            format!("{value:.0}")
        }
    };
    let each = || costs.iter().map(Cost::per_request);
    let spread = each().fold(0.0, f64::max) - each().fold(f64::INFINITY, f64::min);
    [
        name.to_owned(),
        whole(|cost| cost.requests as f64),
        whole(Cost::per_request),
        format!("{:.1}", spread / of(costs, Cost::per_request) * 100.0),
        whole(|cost| per(cost.all, cost.requests)),
        whole(|cost| cost.next.count as f64),
        whole(|cost| per(cost.next.instructions, cost.next.count)),
        whole(|cost| per(cost.wasm.instructions, cost.next.count)),
    ]
}

/// Not a number where there is nothing to divide by.
fn per(what: u64, count: u64) -> f64 {
    if count == 0 {
        f64::NAN
    } else {
        what as f64 / count as f64
    }
}

impl Cost {
    fn per_request(&self) -> f64 {
        per(self.worker, self.requests)
    }

    fn without(self, fewer: Self) -> Result<Self> {
        let calls = |many: Calls, few: Calls| {
            Some(Calls {
                count: many.count.checked_sub(few.count)?,
                instructions: many.instructions.checked_sub(few.instructions)?,
            })
        };
        let less = || {
            Some(Self {
                requests: self.requests.checked_sub(fewer.requests)?,
                worker: self.worker.checked_sub(fewer.worker)?,
                all: self.all.checked_sub(fewer.all)?,
                next: calls(self.next, fewer.next)?,
                wasm: calls(self.wasm, fewer.wasm)?,
            })
        };
        less().context("the run with more requests took fewer instructions")
    }
}

fn run(tools: &Tools, server: &mut Server, requests: u64) -> Result<Cost> {
    let folder = tools.scratch.join("callgrind");
    // What the run before has left.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join(PROFILE);
    let mut command = run_profiled(tools, &server.url(), requests, &path);
    command.args(["--users", AT_ONCE, "--delay-min", "0", "--delay-max", "0"]);
    command.args(bench_behavior(tools));
    let before = server.counts()?.requests;
    watch("callgrind", command, &tools.scratch, LIMIT)?;
    let answered = server.counts()?.requests - before;
    let report = readers::vespeiro(&summary(tools)?);
    let requests = report.map_or(0, |report| report.requests);
    ensure!(
        requests > 0 && requests.abs_diff(answered) <= LOOKS,
        "the run under callgrind had errors, or counts {requests} requests where the server answered {answered}"
    );
    let threads = threads(&folder)?;
    let busiest = threads.iter().max_by_key(|thread| thread.total);
    let worker = busiest.context("callgrind left no profile")?;
    Ok(Cost {
        requests,
        worker: worker.total,
        all: threads.iter().map(|thread| thread.total).sum(),
        next: worker.calls(is_next),
        wasm: worker.calls(|name| name.ends_with("::invoke_wasm_and_catch_traps")),
    })
}

/// callgrind leaves an empty file of the name it was given beside those of the threads.
fn threads(folder: &Path) -> Result<Vec<Profile>> {
    let mut threads = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.file_name() == Some(OsStr::new(PROFILE)) {
            continue;
        }
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let profile = Profile::read(&text);
        threads.push(profile.with_context(|| format!("{} has another form", path.display()))?);
    }
    Ok(threads)
}

/// Of the room that knows WebAssembly, however the compiler writes the path.
fn is_next(name: &str) -> bool {
    name.contains("behavior") && name.contains("::Session") && name.ends_with("::next")
}
