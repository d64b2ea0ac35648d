//! Part four: what swaps cost the load. The same runs without swaps and with 200 a minute, each with other content, so
//! that none of them is one that was compiled before. Once under full load, on two workers, and once with users who
//! pause on the one core that the compiler has to share: there a swap has no crowd to hide in.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::generators::AT_ONCE;
use super::process::{announced, watch};
use super::servers::Server;
use super::table::{Table, median};
use super::tools::Tools;
use super::vespeiro::{bench_behavior, run_vespeiro_on, summary};
use super::{GENERATOR_CORE, SERVER_CORE};

/// 200 in a minute.
const EACH: Duration = Duration::from_millis(300);
/// From the start of the run to the first swap, and from the last to the end.
const MARGIN: Duration = Duration::from_secs(1);
/// Longest wait for the run to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the users play, and on what.
struct Load {
    name: &'static str,
    cores: String,
    workers: &'static str,
    /// Shortest and longest pause.
    pauses: [&'static str; 2],
}

/// What one run came to.
struct Run {
    summary: Value,
    /// Requests that the server says it answered.
    answered: u64,
    swaps: u64,
    /// Resident memory after the first tenth of the time and just before the end, in bytes.
    rss: [u64; 2],
}

pub fn swaps(tools: &Tools, runs: usize, seconds: u64) -> Result<()> {
    println!(
        "\n== Swaps: {AT_ONCE} users, {runs} runs of {seconds} s of each kind, in turns; new content every {} ms",
        EACH.as_millis()
    );
    let loads = [
        Load {
            name: "full load, two workers",
            cores: format!("{GENERATOR_CORE},{SERVER_CORE}"),
            workers: "2",
            pauses: ["0", "0"],
        },
        Load {
            name: "5-20 ms pauses, one core",
            cores: GENERATOR_CORE.to_string(),
            workers: "1",
            pauses: ["5ms", "20ms"],
        },
    ];
    let mut table = Table::new(&[
        "load", "swaps", "requests", "lost", "errors", "p50 us", "p99 us", "max us", "RSS MiB",
        "at end",
    ]);
    let mut ratios = Vec::new();
    for load in &loads {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            without.push(run(tools, load, seconds, false)?);
            with.push(run(tools, load, seconds, true)?);
        }
        let p99 = |runs: &[Run]| median(runs.iter().map(|run| run.micros("p99")));
        ratios.push((load.name, p99(&with) / p99(&without)));
        for runs in [without, with] {
            table.row(row(load, &runs));
        }
    }
    table.print();
    for (load, ratio) in ratios {
        println!("{load}: p99 with swaps is {ratio:.2} of without");
    }
    Ok(())
}

/// Sums of what was done, medians of what was measured.
fn row(load: &Load, runs: &[Run]) -> [String; 10] {
    let sum = |of: &dyn Fn(&Run) -> u64| runs.iter().map(of).sum::<u64>();
    let micros = |key| format!("{:.0}", median(runs.iter().map(|run| run.micros(key))));
    let mebibytes = |at: usize| {
        let rss = runs.iter().map(|run| run.rss[at] as f64);
        format!("{:.1}", median(rss) / f64::from(1 << 20))
    };
    [
        load.name.to_owned(),
        sum(&|run| run.swaps).to_string(),
        sum(&Run::requests).to_string(),
        // One ask more: whether there is a server at all.
        sum(&|run| (run.requests() + 1).abs_diff(run.answered)).to_string(),
        sum(&|run| run.summary["total"]["errors"].as_u64().unwrap_or(0)).to_string(),
        micros("p50"),
        micros("p99"),
        micros("max"),
        mebibytes(0),
        mebibytes(1),
    ]
}

impl Run {
    fn requests(&self) -> u64 {
        self.summary["total"]["requests"].as_u64().unwrap_or(0)
    }

    fn micros(&self, key: &str) -> f64 {
        self.summary["total"]["latency"][key]
            .as_f64()
            .unwrap_or_default()
            * 1e6
    }
}

fn run(tools: &Tools, load: &Load, seconds: u64, swapping: bool) -> Result<Run> {
    let said = tools.scratch.join("vespeiro.err");
    // Of the run before: it names another port.
    let _ = fs::remove_file(&said);
    let mut server = Server::fixed_reply(&tools.fixed_reply)?;
    let length = Duration::from_secs(seconds) + 2 * MARGIN;
    let mut command = run_vespeiro_on(tools, &server.url(), &load.cores, load.workers);
    command
        .args(["--users", AT_ONCE])
        .args(["--delay-min", load.pauses[0], "--delay-max", load.pauses[1]])
        .args(["--duration", &format!("{}s", length.as_secs())])
        .args(["--control", "127.0.0.1:0", "--no-cache"])
        .args(bench_behavior(tools));
    let module = fs::read(&tools.behavior)?;
    let swapper = swapping.then(|| {
        thread::spawn(move || -> Result<u64> {
            let authority = announced(&said, "control", PATIENCE)?;
            let began = Instant::now() + MARGIN;
            let mut done = 0;
            // By the clock, so that slow swaps are not fewer swaps.
            loop {
                let due = began + EACH * done;
                let late = Instant::now().saturating_duration_since(began);
                if EACH * done >= Duration::from_secs(seconds)
                    || late >= Duration::from_secs(seconds)
                {
                    return Ok(u64::from(done));
                }
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if let Err(refused) = swap(&authority, &variant(&module, done)) {
                    // On a busy machine the last one may come when the run is over; before, it is a failure.
                    if began.elapsed() >= Duration::from_secs(seconds) {
                        return Ok(u64::from(done));
                    }
                    return Err(refused);
                }
                done += 1;
            }
        })
    });
    let took = watch(
        "vespeiro",
        command,
        &tools.scratch,
        length + Duration::from_secs(60),
    )?;
    let swaps = match swapper {
        Some(swapper) => match swapper.join() {
            Ok(swaps) => swaps?,
            Err(_) => bail!("the thread that swaps panicked"),
        },
        None => 0,
    };
    let rss_at = |moment: Duration| {
        let seen = took.rss.iter().rev().find(|(at, _)| *at <= moment);
        seen.map_or(0, |(_, bytes)| *bytes)
    };
    Ok(Run {
        summary: summary(tools)?,
        answered: server.counts()?.requests,
        swaps,
        rss: [
            rss_at(MARGIN + Duration::from_secs(seconds) / 10),
            rss_at(length),
        ],
    })
}

/// The same module with one more custom section: other content, the same behavior.
fn variant(module: &[u8], number: u32) -> Vec<u8> {
    let mut bytes = module.to_vec();
    bytes.extend([0, 10, 5]);
    bytes.extend(b"build");
    bytes.extend(number.to_le_bytes());
    bytes
}

fn swap(authority: &str, module: &[u8]) -> Result<()> {
    let mut stream = TcpStream::connect(authority)?;
    write!(
        stream,
        "POST /swap/bench HTTP/1.0\r\nHost: {authority}\r\nContent-Length: {}\r\n\r\n",
        module.len()
    )?;
    stream.write_all(module)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).context("an empty answer")?;
    ensure!(status == "200", "a swap came to nothing: {answer}");
    Ok(())
}
