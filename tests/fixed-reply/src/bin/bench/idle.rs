//! What open connections cost that nobody uses: 15,000 users who have logged in and think, each over a connection of its
//! own, beside as many who share 8. What is resident says nothing of the kernel's part of a connection: that is shown apart.
//!
//! Connections are counted by the server. Where users share a pool, it holds its answers until all are there, or the
//! second user would take the first one's connection.

use std::fs;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::process::{Took, watch};
use super::readers;
use super::servers::Server;
use super::table::{Table, median};
use super::tools::Tools;
use super::vespeiro::{bench_behavior, run_vespeiro, summary};

const CONNECTIONS: u64 = 15_000;
/// Open files that a process needs beside its connections.
const OTHERS: u64 = 100;
const RAMP_UP: u64 = 6;
/// From the end of the ramp-up to the end of the run. A pool may close what was idle for half a minute.
const WATCH: u64 = 28;
/// Once all are open, until what the crowd at the start took is given back.
const SETTLE: Duration = Duration::from_secs(5);
/// Shortest time that makes a median.
const STEADY: Duration = Duration::from_secs(4);
/// Between two looks at the server.
const LOOK: Duration = Duration::from_millis(200);

/// What a run is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Eight connections for all users.
    Few,
    /// As many as users, out of one pool: all wait for their answer at the same time.
    Gathered,
    /// Each user its own, opened and answered one after the other.
    PerUser,
}

#[derive(Clone)]
struct Held {
    /// As the server says, at the least.
    open: u64,
    /// In bytes.
    rss: f64,
    /// What the kernel's tables grew by, in bytes.
    kernel: f64,
}

/// A look at the server while the run goes on.
struct Look {
    at: Duration,
    open: u64,
    slab: u64,
}

pub fn idle(tools: &Tools, runs: usize) -> Result<()> {
    println!(
        "\n== Idle connections: {CONNECTIONS} users who have logged in and think, one worker, medians of {runs}"
    );
    let limit = open_files()?;
    if limit < CONNECTIONS + OTHERS {
        println!(
            "skipped: a process may open {limit} files here, and this takes {}; raise the hard limit (ulimit -Hn)",
            CONNECTIONS + OTHERS
        );
        return Ok(());
    }
    let per_user = tools.knows("--connections")?;
    let mut ways = vec![Way::Few, Way::Gathered];
    ways.extend(per_user.then_some(Way::PerUser));
    let mut all = vec![Vec::new(); ways.len()];
    for turn in 1..=runs {
        for (way, held) in ways.iter().zip(&mut all) {
            held.push(measure(tools, *way)?);
        }
        eprintln!("turn {turn} of {runs} done");
    }
    print(&ways, &all);
    if !per_user {
        println!("one each, per user: not yet, this build has no --connections");
    }
    Ok(())
}

fn print(ways: &[Way], all: &[Vec<Held>]) {
    let mut table = Table::new(&[
        "connections",
        "open",
        "RSS MiB",
        "KiB/connection",
        "least",
        "most",
        "kernel KiB, both ends",
    ]);
    let few = &all[0];
    for (way, held) in ways.iter().zip(all) {
        let of = |of: fn(&Held) -> f64| median(held.iter().map(of));
        // Beyond the first row, of the same turn.
        let each = |of: fn(&Held) -> f64| {
            let pairs = held.iter().zip(few);
            let each = pairs.map(|(held, few)| {
                (of(held) - of(few)) / 1024.0 / (held.open.saturating_sub(few.open)) as f64
            });
            each.collect::<Vec<_>>()
        };
        let kib = |value: f64| {
            if *way == Way::Few {
                "-".to_owned()
            } else {
                format!("{value:.2}")
            }
        };
        let rss = each(|held| held.rss);
        table.row([
            way.name().to_owned(),
            format!("{:.0}", of(|held| held.open as f64)),
            format!("{:.1}", of(|held| held.rss) / f64::from(1 << 20)),
            kib(median(rss.iter().copied())),
            kib(rss.iter().copied().fold(f64::INFINITY, f64::min)),
            kib(rss.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            kib(median(each(|held| held.kernel))),
        ]);
    }
    table.print();
    println!(
        "KiB/connection: resident beyond the first row's; the kernel's part is in none of that, and rough on a busy machine"
    );
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Few => "shared by all",
            Self::Gathered => "one each, from one pool",
            Self::PerUser => "one each, per user",
        }
    }
}

fn measure(tools: &Tools, way: Way) -> Result<Held> {
    let gather = if way == Way::Gathered { CONNECTIONS } else { 0 };
    let mut server = Server::gathering(&tools.fixed_reply, gather)?;
    let mut command = run_vespeiro(tools, &server.url());
    let duration = format!("{}s", RAMP_UP + WATCH);
    command.args(["--users", &CONNECTIONS.to_string(), "--duration", &duration]);
    command.args(["--ramp-up", &format!("{RAMP_UP}s")]);
    // Longer than the run: after the login comes nothing.
    command.args(["--delay-min", "10m", "--delay-max", "10m"]);
    // All of them wait for the last, whose logins the guard against refused ones would hold back.
    command.args(["--connect-timeout", "60s", "--request-timeout", "60s"]);
    command.args(["--max-auth-failures", "1000000"]);
    if tools.knows("--max-in-flight")? {
        command.args(["--max-in-flight", "0"]);
    }
    let most = if way == Way::Few { "8" } else { "0" };
    command.args(["--max-connections", most, "--cleanup", "never"]);
    if way == Way::PerUser {
        command.args(["--connections", "per-user"]);
    }
    command.args(bench_behavior(tools));

    let before = slab()?;
    let over = AtomicBool::new(false);
    let limit = Duration::from_secs(RAMP_UP + WATCH + 120);
    let (took, looks) = thread::scope(|scope| -> Result<_> {
        let looking = scope.spawn(|| look_on(&mut server, &over));
        let took = watch("vespeiro", command, &tools.scratch, limit);
        over.store(true, Ordering::Release);
        match looking.join() {
            Ok(looks) => Ok((took?, looks?)),
            Err(_) => bail!("the thread that looks at the server panicked"),
        }
    })?;
    let report = readers::vespeiro(&summary(tools)?);
    ensure!(
        report.is_some(),
        "a run with errors: see {}",
        tools.scratch.display()
    );
    // One or another may be closed.
    let wanted = if way == Way::Few {
        1
    } else {
        CONNECTIONS / 100 * 99
    };
    let time = plateau(&looks, wanted)?;
    let during = || looks.iter().filter(|look| time.contains(&look.at));
    Ok(Held {
        open: during().map(|look| look.open).min().unwrap_or(0),
        rss: resident(&took, &time),
        kernel: median(during().map(|look| look.slab as f64)) - before as f64,
    })
}

fn look_on(server: &mut Server, over: &AtomicBool) -> Result<Vec<Look>> {
    let began = Instant::now();
    let mut looks = Vec::new();
    while !over.load(Ordering::Acquire) {
        looks.push(Look {
            at: began.elapsed(),
            open: server.counts()?.open,
            slab: slab()?,
        });
        thread::sleep(LOOK);
    }
    Ok(looks)
}

/// When so many were open without a break, from a while after they were, in a run that has its users by then.
fn plateau(looks: &[Look], wanted: u64) -> Result<RangeInclusive<Duration>> {
    let most = looks.iter().map(|look| look.open).max().unwrap_or(0);
    let first = looks
        .iter()
        .position(|look| look.open >= wanted)
        .with_context(|| format!("no more than {most} connections of {wanted} were open"))?;
    let open = looks[first..].iter().take_while(|look| look.open >= wanted);
    let last = open.last().map_or(Duration::ZERO, |look| look.at);
    let all_there = Duration::from_secs(RAMP_UP).max(looks[first].at);
    let from = all_there + SETTLE;
    ensure!(
        last >= from + STEADY,
        "{wanted} connections were open for {:.0} s only, from {:.0} s on",
        (last.saturating_sub(looks[first].at)).as_secs_f64(),
        looks[first].at.as_secs_f64()
    );
    Ok(from..=last)
}

fn resident(took: &Took, time: &RangeInclusive<Duration>) -> f64 {
    let during = took.rss.iter().filter(|(at, _)| time.contains(at));
    median(during.map(|(_, bytes)| *bytes as f64))
}

/// How many files this process, and what it starts, may have open.
fn open_files() -> Result<u64> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    soft_limit(&limits, "Max open files").context("/proc/self/limits has another form")
}

fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// What the kernel's own tables take, sockets among them, in bytes.
fn slab() -> Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    super::process::memory(&text, "Slab:").context("/proc/meminfo has another form")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(open: impl Fn(u64) -> u64) -> Vec<Look> {
        let seconds = 0..30;
        seconds
            .map(|second| Look {
                at: Duration::from_secs(second),
                open: open(second),
                slab: 0,
            })
            .collect()
    }

    #[test]
    fn only_the_time_when_all_were_open_is_measured() {
        let rising = looks(|second| if second < 25 { second * 10 } else { 0 });
        let time = plateau(&rising, 80).unwrap();
        assert_eq!(time, Duration::from_secs(13)..=Duration::from_secs(24));
    }

    #[test]
    fn too_few_connections_or_too_short_a_time_is_said() {
        let error = |open: &dyn Fn(u64) -> u64| plateau(&looks(open), 80).unwrap_err().to_string();
        assert!(error(&|_| 79).contains("no more than 79"));
        assert!(error(&|second| if second < 12 { 80 } else { 0 }).contains("for 11 s"));
    }

    #[test]
    fn the_limit_of_open_files_is_the_soft_one() {
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 20000                files     \n";
        assert_eq!(soft_limit(limits, "Max open files"), Some(1024));
        assert_eq!(
            soft_limit("Max open files unlimited unlimited", "Max open files"),
            Some(u64::MAX)
        );
        assert_eq!(soft_limit("", "Max open files"), None);
    }
}
