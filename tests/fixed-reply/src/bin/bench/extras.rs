//! Part five: what it costs the generator to be seen from outside. Runs with everything switched on and runs with nothing
//! take turns; all else is as in part one.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::generators::AT_ONCE;
use super::process::{announced, watch};
use super::servers::{Server, free_port, get};
use super::table::{Table, median};
use super::tools::Tools;
use super::vespeiro::{bench_behavior, run_vespeiro, summary};

/// How long a run has to say where it serves.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two scrapes; three times as often as Prometheus does by default.
const SCRAPE_EACH: Duration = Duration::from_secs(5);

/// What one run cost and did.
struct Run {
    /// CPU time of the whole process for one request, in microseconds.
    cost: f64,
    requests: u64,
    /// Scrapes that were answered.
    scrapes: u64,
    /// Bytes of the live page's events.
    events: u64,
    /// Posts of remote write and of OTLP that were answered.
    pushes: u64,
}

pub fn extras(tools: &Tools, runs: usize, seconds: u64) -> Result<()> {
    println!(
        "\n== Seen from outside: {AT_ONCE} users without pause, {runs} runs of {seconds} s of each kind, in turns"
    );
    let server = Server::fixed_reply(&tools.fixed_reply)?;
    let (mut bare, mut full) = (Vec::new(), Vec::new());
    for turn in 1..=runs {
        // Who begins changes, so that a machine that grows slower or quicker favors neither.
        let bare_first = turn % 2 == 1;
        for everything in [!bare_first, bare_first] {
            let runs = if everything { &mut full } else { &mut bare };
            runs.push(run(tools, &server.url(), seconds, everything)?);
        }
        eprintln!("turn {turn} of {runs} done");
    }
    let mut table = Table::new(&[
        "run",
        "CPU us/req",
        "requests",
        "scrapes",
        "pushes",
        "page KiB",
    ]);
    for (name, runs) in [("with nothing", &bare), ("with everything", &full)] {
        let sum = |of: fn(&Run) -> u64| runs.iter().map(of).sum::<u64>();
        table.row([
            name.to_owned(),
            format!("{:.2}", median(runs.iter().map(|run| run.cost))),
            sum(|run| run.requests).to_string(),
            sum(|run| run.scrapes).to_string(),
            sum(|run| run.pushes).to_string(),
            (sum(|run| run.events) >> 10).to_string(),
        ]);
    }
    table.print();
    // Of one turn: what the machine does meanwhile changes both of its runs.
    let more = bare
        .iter()
        .zip(&full)
        .map(|(bare, full)| full.cost / bare.cost);
    println!(
        "everything costs {:+.1} % CPU per request",
        (median(more) - 1.0) * 100.0
    );
    Ok(())
}

fn run(tools: &Tools, url: &str, seconds: u64, everything: bool) -> Result<Run> {
    let said = tools.scratch.join("vespeiro.err");
    // Of the run before: it names other ports.
    let _ = fs::remove_file(&said);
    let mut command = run_vespeiro(tools, url);
    command
        .args(["--users", AT_ONCE, "--delay-min", "0", "--delay-max", "0"])
        .args(["--duration", &format!("{seconds}s")])
        .args(bench_behavior(tools));
    let mut sink = Server::fixed_reply(&tools.fixed_reply)?;
    let metrics = format!("127.0.0.1:{}", free_port()?);
    let file = |name: &str| tools.scratch.join(name);
    if everything {
        command
            .args(["--metrics", &metrics, "--ui", "127.0.0.1:0"])
            .args(["--control", "127.0.0.1:0", "--trace-context"])
            .args(["--remote-write", &format!("{}/api/v1/write", sink.url())])
            .args(["--otlp", &format!("{}/v1/metrics", sink.url())])
            .args(["--threshold", "p99<10s", "--threshold", "error_rate<5%"])
            .args(["--abort-on", "error_rate>90%:30s"])
            .arg("--timeseries")
            .arg(file("series.csv"))
            .arg("--html")
            .arg(file("page.html"))
            .arg("--junit")
            .arg(file("junit.xml"));
    }
    let over = AtomicBool::new(false);
    let (took, scrapes, events) = thread::scope(|scope| -> Result<_> {
        let scraper = everything.then(|| scope.spawn(|| scrape(&metrics, &over)));
        let reader = everything.then(|| scope.spawn(|| look_on(&said)));
        let limit = Duration::from_secs(seconds + 60);
        let took = watch("vespeiro", command, &tools.scratch, limit);
        over.store(true, Ordering::Release);
        let count = |thread: Option<thread::ScopedJoinHandle<'_, Result<u64>>>| match thread {
            Some(thread) => thread.join().unwrap_or(Ok(0)),
            None => Ok(0),
        };
        Ok((took?, count(scraper)?, count(reader)?))
    })?;
    let requests = summary(tools)?["total"]["requests"].as_u64().unwrap_or(0);
    ensure!(requests > 0, "a run without a request");
    Ok(Run {
        cost: took.cpu.as_secs_f64() * 1e6 / requests as f64,
        requests,
        scrapes,
        events,
        pushes: sink.counts()?.requests,
    })
}

/// Ask for the metrics every few seconds, as Prometheus does, until the run is over.
fn scrape(authority: &str, over: &AtomicBool) -> Result<u64> {
    let mut answered = 0;
    let mut next = Instant::now();
    while !over.load(Ordering::Acquire) {
        if Instant::now() >= next {
            next += SCRAPE_EACH;
            // The run may begin and end at any moment.
            if let Ok(text) = get(authority, "/metrics") {
                ensure!(
                    text.contains("vespeiro_"),
                    "a scrape without metrics: {text}"
                );
                answered += 1;
            }
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(answered)
}

/// Follow the live page's events to their end; how many bytes they were.
fn look_on(said: &Path) -> Result<u64> {
    let authority = announced(said, "ui", PATIENCE)?;
    Ok(get(&authority, "/events").map_or(0, |text| text.len() as u64))
}
