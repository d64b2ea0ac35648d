//! Runs of vespeiro itself: how each part starts one, and the summary that it leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::GENERATOR_CORE;
use super::generators::ENDLESS;
use super::process::pinned;
use super::tools::Tools;

/// `vespeiro run` on one worker, with all that every run of the bench has in common.
pub fn run_vespeiro(tools: &Tools, url: &str) -> Command {
    run_vespeiro_on(tools, url, &GENERATOR_CORE.to_string(), "1")
}

/// The same with so many workers on these cores.
pub fn run_vespeiro_on(tools: &Tools, url: &str, cores: &str, workers: &str) -> Command {
    let mut command = pinned(cores, &tools.vespeiro);
    command.args([
        "run",
        "--base-url",
        url,
        "--workers",
        workers,
        "--no-panel",
        "--seed",
        "1",
    ]);
    command.args([
        "--min-request-count",
        ENDLESS,
        "--max-request-count",
        ENDLESS,
        "--grace",
        "5s",
    ]);
    command
        .arg("--summary-json")
        .arg(summary_path(&tools.scratch));
    command
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
    if summary["schema"] != 1 {
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
