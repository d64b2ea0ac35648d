//! Part three: how long one call of a behavior's `next` takes: of the built-in ones against the reference user service,
//! all of them in one run and then each alone, for whoever plays alone finds its code in the caches; of the bench's own
//! against the fixed reply, for it registers nobody.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::generators::AT_ONCE;
use super::process::watch;
use super::servers::Server;
use super::table::Table;
use super::tools::Tools;
use super::vespeiro::{bench_behavior, run_vespeiro, summary};

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
    for alone in [
        None,
        Some("newcomer"),
        Some("active"),
        Some("admin"),
        Some("power"),
    ] {
        let only: Vec<String> =
            alone.map_or_else(Vec::new, |name| vec!["--archetype".into(), name.into()]);
        // What one run leaves in the service would be the next one's pages.
        let service = Server::user_service(&tools.vespeiro)?;
        rows(tools, &service, seconds, &only, &mut table)?;
    }
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
    let mut row = |name: &str, calls: &Value, sent: &Value| {
        let micros = |key: &str| format!("{:.2}", number(&calls[key]) * 1e6);
        table.row([
            name.to_owned(),
            calls["count"].to_string(),
            micros("p50"),
            micros("mean"),
            micros("p99"),
            sent["requests"].to_string(),
            sent["errors"].to_string(),
            format!("{share:.0}"),
        ]);
    };
    let archetypes = summary["archetypes"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if let [_, _, ..] = archetypes {
        row(
            "the four together",
            &summary["generator"]["guest_calls"],
            &summary["total"],
        );
    }
    let place = match archetypes {
        [_] => "alone",
        _ => "among the four",
    };
    for archetype in archetypes {
        let name = archetype["name"].as_str().unwrap_or("?");
        row(
            &format!("{name}, {place}"),
            &archetype["guest_calls"],
            archetype,
        );
    }
    Ok(())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}
