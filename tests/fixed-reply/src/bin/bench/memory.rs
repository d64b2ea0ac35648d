//! Part two: users against memory.
//!
//! All users think for long, so nearly all of them are thinking at any moment, and at most 8 connections are open, so
//! connections cost next to nothing. What one user takes alone (the process, the compiled code) is subtracted.

use std::time::Duration;

use anyhow::{Context, Result};

use super::process::{Took, watch};
use super::servers::Server;
use super::table::{Table, median};
use super::tools::Tools;
use super::vespeiro::{bench_behavior, run_vespeiro, summary};

const CONNECTIONS: &str = "8";
/// Users that may start in one second, so that logging in does not become a queue.
const STARTS_PER_SECOND: u64 = 2_500;
/// The resident memory is the median over this long before the end.
const STEADY: Duration = Duration::from_secs(4);

/// How long users think, and how long they are watched once all have started.
#[derive(Debug, Clone, Copy)]
pub struct Think {
    pub min: u64,
    pub max: u64,
    pub watch: u64,
}

impl Think {
    pub fn of(min: u64, max: u64, watch: u64) -> Self {
        Self { min, max, watch }
    }
}

struct Held {
    users: u64,
    steady: f64,
    peak: f64,
    requests: u64,
}

pub fn memory(tools: &Tools, users: &[u64], think: Think) -> Result<()> {
    println!(
        "\n== Memory: users thinking {} to {} s, {CONNECTIONS} connections, one worker",
        think.min, think.max
    );
    println!(
        "per user: what is resident beyond the same run with 1 user; marginal: beyond the row above, per user added"
    );
    let mut table = Table::new(&[
        "behaviors",
        "users",
        "RSS MiB",
        "peak MiB",
        "KiB/user",
        "marginal KiB/user",
        "requests",
    ]);
    built_in(tools, users, think, &mut table)?;
    let server = Server::fixed_reply(&tools.fixed_reply)?;
    rows("bench", users, &mut table, |n| {
        held(tools, &server.url(), n, think, &bench_behavior(tools))
    })?;
    table.print();
    Ok(())
}

/// A service that has seen other users' traffic is another service, so each count gets a fresh one.
fn built_in(tools: &Tools, users: &[u64], think: Think, table: &mut Table) -> Result<()> {
    rows("the four built in", users, table, |n| {
        let server = Server::user_service(&tools.vespeiro)?;
        held(tools, &server.url(), n, think, &[])
    })
}

fn rows(
    name: &str,
    users: &[u64],
    table: &mut Table,
    measure: impl Fn(u64) -> Result<Held>,
) -> Result<()> {
    let alone = measure(1)?;
    let mut before = None;
    for &users in users {
        let held = measure(users)?;
        let per_user = (held.steady - alone.steady) / users as f64;
        let marginal = match &before {
            None => per_user,
            Some(Held {
                users: fewer,
                steady,
                ..
            }) => (held.steady - steady) / (users - fewer) as f64,
        };
        let mib = |bytes: f64| format!("{:.1}", bytes / f64::from(1 << 20));
        let kib = |bytes: f64| format!("{:.2}", bytes / 1024.0);
        eprintln!("{name}, {users} users: {} MiB", mib(held.steady));
        table.row([
            name.to_owned(),
            users.to_string(),
            mib(held.steady),
            mib(held.peak),
            kib(per_user),
            kib(marginal),
            held.requests.to_string(),
        ]);
        before = Some(held);
    }
    Ok(())
}

fn held(tools: &Tools, url: &str, users: u64, think: Think, behavior: &[String]) -> Result<Held> {
    let ramp_up = users.div_ceil(STARTS_PER_SECOND);
    let seconds = ramp_up + think.watch;
    let mut command = run_vespeiro(tools, url);
    command.args([
        "--users",
        &users.to_string(),
        "--ramp-up",
        &format!("{ramp_up}s"),
    ]);
    command.args([
        "--delay-min",
        &format!("{}s", think.min),
        "--delay-max",
        &format!("{}s", think.max),
    ]);
    command
        .args([
            "--max-connections",
            CONNECTIONS,
            "--duration",
            &format!("{seconds}s"),
        ])
        // At its think, tens of thousands of things would take minutes to remove from a service that goes away anyway.
        .args(["--cleanup", "never"])
        .args(behavior);
    let took = watch(
        "vespeiro",
        command,
        &tools.scratch,
        Duration::from_secs(seconds + 120),
    )?;
    let summary = summary(tools)?;
    let requests = summary["total"]["requests"]
        .as_u64()
        .context("the summary has no total.requests")?;
    Ok(Held {
        users,
        steady: steady(&took, Duration::from_secs(seconds)),
        peak: took.peak_rss as f64,
        requests,
    })
}

/// Before the run stops, for what the end of a run takes is not what users take.
fn steady(took: &Took, end: Duration) -> f64 {
    let late = |at: Duration| at <= end && at + STEADY >= end;
    median(
        took.rss
            .iter()
            .filter(|(at, _)| late(*at))
            .map(|(_, bytes)| *bytes as f64),
    )
}
