//! The load generators: how each is started, and how its own report is read. All get one core, 64 connections or users,
//! no pause, and the same server.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::GENERATOR_CORE;
use super::process::pinned;
use super::readers::{self, Report};
use super::vespeiro::{bench_behavior, run_vespeiro, summary};

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
            Self::Wrk => readers::wrk(stdout),
            Self::Oha => readers::oha(&serde_json::from_str(stdout)?),
            Self::Reqwest | Self::ReqwestAlike => {
                readers::reqwest_loop(&serde_json::from_str(stdout)?)
            }
            Self::Vespeiro => readers::vespeiro(&summary(tools)?),
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
