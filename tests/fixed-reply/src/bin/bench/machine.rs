//! Where and with what it was measured, as far as it bears on the figures.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::tools::Tools;

/// The other programs are those that are needed.
pub fn describe(tools: &Tools, needed: &[&str]) {
    let cpuinfo = read("/proc/cpuinfo");
    let cores = cpuinfo
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    println!(
        "machine   {}, {cores} cores, {}",
        value(&cpuinfo, "model name"),
        value(&read("/proc/meminfo"), "MemTotal")
    );
    println!("kernel    {}", read("/proc/sys/kernel/osrelease").trim());
    println!(
        "tcp       {}",
        read("/proc/sys/net/ipv4/tcp_congestion_control").trim()
    );
    println!(
        "load      {} (1, 5 and 15 minutes, before)",
        read("/proc/loadavg")
            .split(' ')
            .take(3)
            .collect::<Vec<_>>()
            .join(" ")
    );
    for (name, program, flag) in [
        ("wrk", &tools.wrk, "-v"),
        ("oha", &tools.oha, "--version"),
        ("h2load", &tools.h2load, "--version"),
        ("nginx", &tools.nginx, "-v"),
        ("goose", &tools.goose, "--version"),
        ("locust", &tools.locust, "--version"),
        ("valgrind", &tools.valgrind, "--version"),
    ] {
        if needed.contains(&name) {
            println!("{name:<9} {}", version(program, flag));
        }
    }
    println!("vespeiro  {}", version(&tools.vespeiro, "--version"));
    if let Some(base) = &tools.base {
        println!("base      {}", version(base, "--version"));
    }
    println!("rustc     {}", version(Path::new("rustc"), "--version"));
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_once(':'))
        .map_or("unknown", |(_, value)| value.trim())
}

/// The first line; wrk prints its version with exit code 1, so the code says nothing, and nginx on standard error.
fn version(program: &Path, flag: &str) -> String {
    let output = Command::new(program).arg(flag).output();
    let text = output
        .map(|output| [output.stdout, output.stderr].concat())
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().next().unwrap_or("unknown").to_owned()
}
