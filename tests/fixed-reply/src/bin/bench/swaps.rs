//! Part four: what swaps cost the load. The same run twice, without swaps and with some in every second, each with other
//! content, so that every one of them is compiled: on the generator's own core, which is the hard case.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::generators::{Tools, bench_behavior, run_vespeiro, summary};
use super::process::{announced, watch};
use super::servers::Server;
use super::table::Table;

/// 200 in a minute.
const BETWEEN: Duration = Duration::from_millis(300);
/// Longest wait for the run to listen.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn swaps(tools: &Tools, seconds: u64) -> Result<()> {
    println!(
        "\n== Swaps: 64 users pausing 5 to 20 ms, {seconds} s, without swaps and with one every 300 ms"
    );
    let mut table = Table::new(&[
        "run", "swaps", "requests", "errors", "p50 us", "p99 us", "max us", "RSS MiB",
    ]);
    let server = Server::fixed_reply(&tools.fixed_reply)?;
    let mut tails = Vec::new();
    for (name, swapping) in [("without", false), ("with swaps", true)] {
        let (summary, swapped, rss) = run(tools, &server.url(), seconds, swapping)?;
        let total = &summary["total"];
        let micros = |key: &str| total["latency"][key].as_f64().unwrap_or_default() * 1e6;
        tails.push(micros("p99"));
        table.row([
            name.to_owned(),
            swapped.to_string(),
            total["requests"].to_string(),
            total["errors"].to_string(),
            format!("{:.0}", micros("p50")),
            format!("{:.0}", micros("p99")),
            format!("{:.0}", micros("max")),
            format!("{:.1}", rss as f64 / f64::from(1 << 20)),
        ]);
    }
    table.print();
    println!("p99 with swaps is {:.2} of without", tails[1] / tails[0]);
    Ok(())
}

/// One run: its summary, how often it was swapped, its resident memory just before its end.
fn run(tools: &Tools, url: &str, seconds: u64, swapping: bool) -> Result<(Value, u64, u64)> {
    let said = tools.scratch.join("vespeiro.err");
    // Of the run before: it names another port.
    let _ = fs::remove_file(&said);
    let mut command = run_vespeiro(tools, url);
    command
        .args(["--users", "64", "--delay-min", "5ms", "--delay-max", "20ms"])
        .args(["--duration", &format!("{seconds}s")])
        .args(["--control", "127.0.0.1:0", "--no-cache"])
        .args(bench_behavior(tools));
    let module = fs::read(&tools.behavior)?;
    let swapper = swapping.then(|| {
        thread::spawn(move || -> Result<u64> {
            let began = Instant::now();
            let authority = announced(&said, "control", PATIENCE)?;
            thread::sleep(Duration::from_secs(1));
            let mut done = 0;
            // Well before the end, so that no swap meets a run that is over.
            while began.elapsed() + Duration::from_secs(4) < Duration::from_secs(seconds) {
                swap(&authority, &variant(&module, done as u32))?;
                done += 1;
                thread::sleep(BETWEEN);
            }
            Ok(done)
        })
    });
    let limit = Duration::from_secs(seconds + 60);
    let took = watch("vespeiro", command, &tools.scratch, limit)?;
    let swapped = match swapper {
        Some(swapper) => match swapper.join() {
            Ok(swapped) => swapped?,
            Err(_) => bail!("the thread that swaps panicked"),
        },
        None => 0,
    };
    let last = took.rss.last().map_or(0, |(_, bytes)| *bytes);
    Ok((summary(tools)?, swapped, last))
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
