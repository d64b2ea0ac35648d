//! Runs of vespeiro itself: how each part starts one, and the summary that it leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::GENERATOR_CORE;
use super::process::pinned;
use super::tools::Tools;

/// More requests than any user sends here.
const ENDLESS: u64 = 1_000_000_000;

/// `vespeiro run` on one worker, with all that every run of the bench has in common. It ends by its duration.
pub fn run_vespeiro(tools: &Tools, url: &str) -> Command {
    run_vespeiro_on(tools, url, &GENERATOR_CORE.to_string(), "1")
}

/// The same with so many workers on these cores.
pub fn run_vespeiro_on(tools: &Tools, url: &str, cores: &str, workers: &str) -> Command {
    let mut command = pinned(cores, &tools.vespeiro);
    arguments(&mut command, tools, url, workers, ENDLESS);
    command
}

/// A run on one worker under callgrind, that ends when each user has sent so many requests. Each thread gets a file of its
/// own, `profile` with a number behind it.
pub fn run_profiled(tools: &Tools, url: &str, requests: u64, profile: &Path) -> Command {
    let mut command = pinned(GENERATOR_CORE, &tools.valgrind);
    command.args(["--tool=callgrind", "--separate-threads=yes"]);
    // What compiles behaviors has to see the processor that valgrind shows. It is not needed once they are in the cache.
    command.arg("--trace-children=yes");
    command.arg(format!("--callgrind-out-file={}", profile.display()));
    command.arg(&tools.vespeiro);
    arguments(&mut command, tools, url, "1", requests);
    command
}

fn arguments(command: &mut Command, tools: &Tools, url: &str, workers: &str, requests: u64) {
    let requests = requests.to_string();
    command.args(["run", "--base-url", url, "--workers", workers]);
    command.args(["--no-panel", "--seed", "1", "--grace", "5s"]);
    command.args(["--min-request-count", &requests]);
    command.args(["--max-request-count", &requests]);
    command
        .arg("--summary-json")
        .arg(summary_path(&tools.scratch));
}

/// The flag that makes every user play the behavior `bench`.
pub fn bench_behavior(tools: &Tools) -> [String; 2] {
    [
        "--archetype".into(),
        format!("bench={}", tools.behavior.display()),
    ]
}

/// The summary of the run that ended last.
pub fn summary(tools: &Tools) -> Result<Value> {
    let path = summary_path(&tools.scratch);
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let summary: Value = serde_json::from_str(&text)?;
    // What is read here is in both alike.
    if summary["schema"] != 1 && summary["schema"] != 2 {
        bail!(
            "{} has another schema than this bench reads",
            path.display()
        );
    }
    Ok(summary)
}

fn summary_path(scratch: &Path) -> PathBuf {
    scratch.join("summary.json")
}
