//! The load generators: how each is started, and how its own report is read. All get one core, 64 connections or users,
//! no pause, and the same server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::GENERATOR_CORE;
use super::process::pinned;

/// Connections, tasks or users at the same time.
pub const AT_ONCE: &str = "64";
/// More requests than any user sends here.
pub const ENDLESS: &str = "1000000000";

/// Where the programs are.
#[derive(Debug, clap::Args)]
pub struct Tools {
    #[arg(long, hide = true)]
    pub vespeiro: PathBuf,
    #[arg(long, hide = true)]
    pub fixed_reply: PathBuf,
    #[arg(long, hide = true)]
    pub reqwest_loop: PathBuf,
    /// The SDK's example module `bench`
    #[arg(long, hide = true)]
    pub behavior: PathBuf,
    #[arg(long, hide = true, default_value = "wrk")]
    pub wrk: PathBuf,
    #[arg(long, hide = true, default_value = "oha")]
    pub oha: PathBuf,
    /// Folder for what the generators print
    #[arg(long, hide = true)]
    pub scratch: PathBuf,
}

/// A load generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generator {
    Wrk,
    Oha,
    Reqwest,
    /// Sends what the behavior `bench` sends.
    ReqwestAlike,
    Vespeiro,
}

/// What a generator says of its own run.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub requests: u64,
    pub seconds: f64,
    /// In microseconds.
    pub p50: f64,
    pub p99: f64,
}

impl Generator {
    pub const ALL: [Self; 5] = [
        Self::Wrk,
        Self::Oha,
        Self::Reqwest,
        Self::ReqwestAlike,
        Self::Vespeiro,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Wrk => "wrk",
            Self::Oha => "oha",
            Self::Reqwest => "reqwest",
            Self::ReqwestAlike => "reqwest-alike",
            Self::Vespeiro => "vespeiro",
        }
    }

    pub fn command(self, tools: &Tools, url: &str, seconds: u64) -> Command {
        let on_core = |program| pinned(GENERATOR_CORE, program);
        let duration = format!("{seconds}s");
        let path = format!("{url}/api/v1/users/1");
        match self {
            Self::Wrk => {
                let mut command = on_core(&tools.wrk);
                command.args([
                    "-t",
                    "1",
                    "-c",
                    AT_ONCE,
                    "-d",
                    &duration,
                    "--latency",
                    &path,
                ]);
                command
            }
            Self::Oha => {
                let mut command = on_core(&tools.oha);
                command.args([
                    "-c",
                    AT_ONCE,
                    "-z",
                    &duration,
                    "--no-tui",
                    "--output-format",
                    "json",
                    &path,
                ]);
                command
            }
            Self::Reqwest | Self::ReqwestAlike => {
                let mut command = on_core(&tools.reqwest_loop);
                command.args([
                    "--tasks",
                    AT_ONCE,
                    "--seconds",
                    &seconds.to_string(),
                    "--url",
                    &path,
                ]);
                if self == Self::ReqwestAlike {
                    command.arg("--alike");
                }
                command
            }
            Self::Vespeiro => {
                let mut command = run_vespeiro(tools, url);
                command.args([
                    "--users",
                    AT_ONCE,
                    "--delay-min",
                    "0",
                    "--delay-max",
                    "0",
                    "--duration",
                    &duration,
                ]);
                command.args(bench_behavior(tools));
                command
            }
        }
    }

    pub fn report(self, tools: &Tools, stdout: &str) -> Result<Report> {
        let report = match self {
            Self::Wrk => read_wrk(stdout),
            Self::Oha => read_oha(&serde_json::from_str(stdout)?),
            Self::Reqwest | Self::ReqwestAlike => read_loop(&serde_json::from_str(stdout)?),
            Self::Vespeiro => read_vespeiro(&summary(tools)?),
        };
        let name = self.name();
        report.with_context(|| {
            format!(
                "{name} reports errors, or in another form: see {}",
                tools.scratch.display()
            )
        })
    }
}

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

fn read_wrk(text: &str) -> Option<Report> {
    if text.contains("Socket errors") || text.contains("Non-2xx") {
        return None;
    }
    let mut lines = text.lines().map(str::trim);
    // The spread of the threads comes before, and has shares too: only a line that begins with one is a percentile.
    let mut quantile = |share: &str| {
        let time = lines.find_map(|line| line.strip_prefix(share))?;
        micros(time.strip_prefix(' ')?.trim())
    };
    let (p50, p99) = (quantile("50%")?, quantile("99%")?);
    let (requests, rest) = lines.find_map(|line| line.split_once(" requests in "))?;
    let (seconds, _) = rest.split_once(',')?;
    Some(Report {
        requests: requests.parse().ok()?,
        seconds: micros(seconds)? / 1e6,
        p50,
        p99,
    })
}

/// wrk's `12.34ms` and the like, in microseconds.
fn micros(text: &str) -> Option<f64> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let factor = match &text[unit..] {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" => 60e6,
        "h" => 3600e6,
        _ => return None,
    };
    Some(text[..unit].parse::<f64>().ok()? * factor)
}

fn read_oha(json: &Value) -> Option<Report> {
    let statuses = json["statusCodeDistribution"].as_object()?;
    if statuses.keys().any(|status| status != "200") {
        return None;
    }
    // Whatever is under way when the time is over counts as an error there, and only that may.
    let mut errors = json["errorDistribution"].as_object()?.keys();
    if errors.any(|error| error != "aborted due to deadline") {
        return None;
    }
    Some(Report {
        requests: statuses.get("200")?.as_u64()?,
        seconds: json["summary"]["total"].as_f64()?,
        p50: json["latencyPercentiles"]["p50"].as_f64()? * 1e6,
        p99: json["latencyPercentiles"]["p99"].as_f64()? * 1e6,
    })
}

fn read_loop(json: &Value) -> Option<Report> {
    Some(Report {
        requests: json["requests"].as_u64()?,
        seconds: json["seconds"].as_f64()?,
        p50: json["p50_us"].as_f64()?,
        p99: json["p99_us"].as_f64()?,
    })
}

fn read_vespeiro(json: &Value) -> Option<Report> {
    let total = &json["total"];
    if total["errors"].as_u64()? > 0 {
        return None;
    }
    Some(Report {
        requests: total["requests"].as_u64()?,
        seconds: json["run"]["elapsed_seconds"].as_f64()?,
        p50: total["latency"]["p50"].as_f64()? * 1e6,
        p99: total["latency"]["p99"].as_f64()? * 1e6,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WRK: &str = "Running 5s test @ http://127.0.0.1:1/\n  1 threads and 64 connections\n  Latency Distribution\n     50%  871.00us\n     75%    3.05ms\n     99%    1.10s\n  144463 requests in 5.00s, 51.11MB read\nRequests/sec:  28889.62\n";

    #[test]
    fn wrk_tells_times_in_changing_units() {
        let report = read_wrk(WRK).unwrap();
        assert_eq!(
            report,
            Report {
                requests: 144_463,
                seconds: 5.0,
                p50: 871.0,
                p99: 1.1e6
            }
        );
    }

    #[test]
    fn shares_within_the_spread_of_wrk_are_not_its_percentiles() {
        let spread = "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency   609.18us  212.31us   9.15ms   89.99%\n    Req/Sec   100.42k     9.35k  115.10k    72.50%\n";
        let (start, rest) = WRK.split_at(WRK.find("  Latency Dist").unwrap());
        let report = read_wrk(&format!("{start}{spread}{rest}"));
        assert_eq!(report, read_wrk(WRK));
    }

    #[test]
    fn runs_with_errors_are_not_measurements() {
        assert_eq!(
            read_wrk(&format!("{WRK}  Non-2xx or 3xx responses: 3\n")),
            None
        );
        for (statuses, errors, fine) in [
            (
                json!({"200": 5}),
                json!({"aborted due to deadline": 64}),
                true,
            ),
            (json!({"200": 5, "503": 1}), json!({}), false),
            (json!({"200": 5}), json!({"connection closed": 1}), false),
        ] {
            let oha = json!({
                "statusCodeDistribution": statuses, "errorDistribution": errors,
                "summary": {"total": 1.0}, "latencyPercentiles": {"p50": 0.1, "p99": 0.2},
            });
            assert_eq!(read_oha(&oha).is_some(), fine, "{oha}");
        }
        let own = json!({"total": {"errors": 1, "requests": 5}});
        assert_eq!(read_vespeiro(&own), None);
    }
}
