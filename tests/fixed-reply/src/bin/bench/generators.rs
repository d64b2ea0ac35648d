//! The load generators: how each is started, and which reader its report has. All get one core, 64 connections or users,
//! no pause, and the same server.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::GENERATOR_CORE;
use super::process::pinned;
use super::readers::{self, Report};
use super::tools::Tools;
use super::vespeiro::{bench_behavior, run_vespeiro, summary};

/// Connections, tasks or users at the same time.
pub const AT_ONCE: &str = "64";
/// Those of one HTTP/2 connection, where there is one, or one of each where there are as many connections.
const STREAMS: u32 = 64;

/// A load generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generator {
    Wrk,
    Oha,
    H2load,
    Reqwest,
    /// Sends what the behavior `bench` sends.
    ReqwestAlike,
    /// Plays the journey of the behavior `bench`, written for goose.
    Goose,
    /// The same for locust.
    Locust,
    Vespeiro,
    /// The other build of vespeiro.
    Base,
}

/// How requests travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Plain,
    /// A new connection for each request.
    NoReuse,
    /// HTTP/1.1 over TLS.
    Tls,
    /// HTTP/2 over TLS, 64 requests at a time over so many connections.
    Http2 {
        connections: u32,
    },
}

impl Generator {
    pub fn name(self) -> &'static str {
        match self {
            Self::Wrk => "wrk",
            Self::Oha => "oha",
            Self::H2load => "h2load",
            Self::Reqwest => "reqwest",
            Self::ReqwestAlike => "reqwest-alike",
            Self::Goose => "goose",
            Self::Locust => "locust",
            Self::Vespeiro => "vespeiro",
            Self::Base => "base",
        }
    }

    /// `None` where it cannot do this.
    pub fn command(
        self,
        tools: &Tools,
        wire: Wire,
        url: &str,
        seconds: u64,
    ) -> Result<Option<Command>> {
        let path = format!("{url}/api/v1/users/1");
        Ok(match self {
            Self::Wrk => wrk(tools, wire, &path, seconds),
            Self::Oha => Some(oha(tools, wire, &path, seconds)),
            Self::H2load => h2load(tools, wire, &path, seconds),
            Self::Reqwest => Some(reqwest(tools, wire, &path, seconds)),
            Self::ReqwestAlike => {
                let mut command = reqwest(tools, wire, &path, seconds);
                command.arg("--alike");
                Some(command)
            }
            Self::Goose => Some(goose(&tools.goose, url, seconds)),
            Self::Locust => Some(locust(tools, url, seconds)),
            Self::Vespeiro => vespeiro(tools, wire, url, seconds)?,
            Self::Base => match tools.of_base() {
                Some(base) => vespeiro(&base, wire, url, seconds)?,
                None => None,
            },
        })
    }

    pub fn report(self, tools: &Tools, stdout: &str) -> Result<Report> {
        let report = match self {
            Self::Wrk => readers::wrk(stdout),
            Self::Oha => readers::oha(&serde_json::from_str(stdout)?),
            Self::H2load => readers::h2load(stdout),
            Self::Reqwest | Self::ReqwestAlike | Self::Goose => {
                // goose's warnings come before.
                let line = stdout.lines().last().unwrap_or_default();
                readers::one_line(&serde_json::from_str(line)?)
            }
            Self::Locust => readers::locust(&serde_json::from_str(stdout)?),
            Self::Vespeiro | Self::Base => readers::vespeiro(&summary(tools)?),
        };
        let name = self.name();
        let report = report.with_context(|| {
            format!(
                "{name} reports errors, or in another form: see {}",
                tools.scratch.display()
            )
        })?;
        ensure!(report.requests > 0, "{name} reports no request at all");
        Ok(report)
    }
}

fn wrk(tools: &Tools, wire: Wire, path: &str, seconds: u64) -> Option<Command> {
    let mut command = pinned(GENERATOR_CORE, &tools.wrk);
    command.args(["-t", "1", "-c", AT_ONCE, "--latency"]);
    command.args(["-d", &format!("{seconds}s")]);
    match wire {
        Wire::Plain | Wire::Tls => {}
        Wire::NoReuse => {
            command.args(["-H", "Connection: close"]);
        }
        Wire::Http2 { .. } => return None,
    }
    command.arg(path);
    Some(command)
}

fn oha(tools: &Tools, wire: Wire, path: &str, seconds: u64) -> Command {
    let mut command = pinned(GENERATOR_CORE, &tools.oha);
    command.args(["-z", &format!("{seconds}s")]);
    command.args(["--no-tui", "--output-format", "json"]);
    match wire {
        Wire::Plain => command.args(["-c", AT_ONCE]),
        Wire::NoReuse => command.args(["-c", AT_ONCE, "--disable-keepalive"]),
        Wire::Tls => command.args(["-c", AT_ONCE, "--insecure"]),
        Wire::Http2 { connections } => {
            command.args(["--http2", "--insecure"]);
            let streams = STREAMS / connections;
            command.args(["-c", &connections.to_string(), "-p", &streams.to_string()])
        }
    };
    command.arg(path);
    command
}

fn h2load(tools: &Tools, wire: Wire, path: &str, seconds: u64) -> Option<Command> {
    let Wire::Http2 { connections } = wire else {
        return None;
    };
    let mut command = pinned(GENERATOR_CORE, &tools.h2load);
    command.args(["-t", "1", "-D", &seconds.to_string()]);
    let streams = STREAMS / connections;
    command.args(["-c", &connections.to_string(), "-m", &streams.to_string()]);
    command.arg(path);
    Some(command)
}

/// The same run with each request's time in `log`: h2load says no percentiles. It is not the run that is measured, for
/// writing the log costs as well.
pub fn h2load_logged(
    tools: &Tools,
    wire: Wire,
    url: &str,
    seconds: u64,
    log: &Path,
) -> Option<Command> {
    let mut command = h2load(tools, wire, &format!("{url}/api/v1/users/1"), seconds)?;
    command.arg("--log-file").arg(log);
    Some(command)
}

fn reqwest(tools: &Tools, wire: Wire, path: &str, seconds: u64) -> Command {
    let program = match wire {
        Wire::Plain | Wire::NoReuse => &tools.reqwest_loop,
        Wire::Tls | Wire::Http2 { .. } => &tools.reqwest_tls,
    };
    let mut command = pinned(GENERATOR_CORE, program);
    command.args(["--tasks", AT_ONCE, "--seconds", &seconds.to_string()]);
    match wire {
        Wire::Plain | Wire::Tls => {}
        Wire::NoReuse => {
            command.arg("--no-reuse");
        }
        Wire::Http2 { .. } => {
            command.arg("--http2");
        }
    }
    command.args(["--url", path]);
    command
}

fn goose(program: &Path, url: &str, seconds: u64) -> Command {
    let mut command = pinned(GENERATOR_CORE, program);
    command.args(["--host", url, "--users", AT_ONCE]);
    // All users at once, or it adds one a second.
    command.args(["--increase-rate", "1000", "--no-reset-metrics"]);
    command.args(["--run-time", &format!("{seconds}s"), "--no-print-metrics"]);
    command.args(["--quiet", "--no-telnet"]);
    command
}

fn locust(tools: &Tools, url: &str, seconds: u64) -> Command {
    let mut command = pinned(GENERATOR_CORE, &tools.locust);
    command.args(["--headless", "--json", "--host", url]);
    command.args(["--users", AT_ONCE, "--spawn-rate", AT_ONCE]);
    command.args(["--run-time", &format!("{seconds}s"), "--locustfile"]);
    command.arg(&tools.locustfile);
    command
}

fn vespeiro(tools: &Tools, wire: Wire, url: &str, seconds: u64) -> Result<Option<Command>> {
    let mut command = run_vespeiro(tools, url);
    command.args(["--users", AT_ONCE, "--delay-min", "0", "--delay-max", "0"]);
    command.args(["--duration", &format!("{seconds}s")]);
    match wire {
        Wire::Plain => {}
        Wire::NoReuse => {
            if !tools.knows("--no-reuse")? {
                return Ok(None);
            }
            command.arg("--no-reuse");
        }
        Wire::Tls => {
            command.args(["--insecure", "--http", "1"]);
        }
        Wire::Http2 { connections } => {
            command.arg("--insecure");
            if connections > 1 {
                if !tools.knows("--http2-connections")? {
                    return Ok(None);
                }
                let streams = STREAMS / connections;
                command.args(["--http2-connections", &connections.to_string()]);
                command.args(["--http2-streams", &streams.to_string()]);
            }
        }
    }
    command.args(bench_behavior(tools));
    Ok(Some(command))
}
