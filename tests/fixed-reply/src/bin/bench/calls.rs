//! Part three: how long one call of a behavior's `next` takes: of the built-in ones against the reference user service, of
//! the bench's own against the fixed reply, for it registers nobody.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::generators::{AT_ONCE, Tools, bench_behavior, run_vespeiro, summary};
use super::process::watch;
use super::servers::Server;
use super::table::Table;

pub fn calls(tools: &Tools, seconds: u64) -> Result<()> {
    println!("\n== Calls of `next`: {AT_ONCE} users without pause, {seconds} s");
    let mut table = Table::new(&[
        "behavior",
        "calls",
        "p50 us",
        "mean us",
        "p99 us",
        "requests",
        "errors",
        "wasm % of CPU",
    ]);
    let service = Server::user_service(&tools.vespeiro)?;
    rows(tools, &service, seconds, &[], &mut table)?;
    drop(service);
    let fixed = Server::fixed_reply(&tools.fixed_reply)?;
    rows(tools, &fixed, seconds, &bench_behavior(tools), &mut table)?;
    table.print();
    Ok(())
}

fn rows(
    tools: &Tools,
    server: &Server,
    seconds: u64,
    behavior: &[String],
    table: &mut Table,
) -> Result<()> {
    let mut command = run_vespeiro(tools, &server.url());
    command.args(["--users", AT_ONCE, "--delay-min", "0", "--delay-max", "0"]);
    command
        .args(["--duration", &format!("{seconds}s")])
        .args(behavior);
    watch(
        "vespeiro",
        command,
        &tools.scratch,
        Duration::from_secs(seconds + 60),
    )?;
    let summary = summary(tools)?;
    let share = number(&summary["generator"]["guest_share"]) * 100.0;
    for archetype in summary["archetypes"].as_array().into_iter().flatten() {
        let calls = &archetype["guest_calls"];
        let micros = |key: &str| format!("{:.2}", number(&calls[key]) * 1e6);
        table.row([
            archetype["name"].as_str().unwrap_or("?").to_owned(),
            calls["count"].to_string(),
            micros("p50"),
            micros("mean"),
            micros("p99"),
            archetype["requests"].to_string(),
            archetype["errors"].to_string(),
            format!("{share:.0}"),
        ]);
    }
    Ok(())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}
