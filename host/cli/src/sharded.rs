//! A run that an engine is to start as several shards: what the commands that print a job for one have in common.
//!
//! What must stay true: what is printed is a run that each shard would take. Its plan is resolved here as a shard resolves it.

use std::path::PathBuf;
use std::time::Duration;

use vespeiro_output::Console;
use vespeiro_plan::units::{DefaultUnit, parse_duration, show_duration};
use vespeiro_plan::{Flags, Origins, Plan, PlanErrors, Resolved, ValueError};

use crate::exit::Misuse;
use crate::{Cli, Command};

/// Most shards of a run.
const MOST: i64 = 10_000;
/// For starting the shards and compiling their behaviors.
const START: Duration = Duration::from_secs(120);
/// Beyond the grace period, for writing what the run has found.
const WRITING: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(super) struct Sharded {
    /// Plan file (TOML)
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// How many processes play the plan together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST))]
    pub(super) shards: u32,
    /// Cores of each shard, and its workers where the plan does not say
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(super) cpus: u32,
    /// Most time that the job may take; where the plan has an end, that and what starting and stopping take by default
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    time: Option<Duration>,
    /// Time for removing what the run has created, after its grace period
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = seconds)]
    cleanup_time: Duration,
    /// Flags of vespeiro run for every shard
    #[arg(last = true, value_name = "FLAG")]
    flags: Vec<String>,
}

/// The same, resolved.
pub(super) struct Job {
    pub(super) plan: Plan,
    pub(super) origins: Origins,
    /// The plan file, wherever this is read.
    pub(super) file: PathBuf,
    /// The flags of `vespeiro run` beside those that the engine's job needs.
    pub(super) flags: Vec<String>,
    /// From the first word to stop until all is removed and written.
    pub(super) stopping: Duration,
    /// From the start to the last word; `None`: nobody has said.
    pub(super) time: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, ValueError> {
    let time = parse_duration(text, DefaultUnit::Seconds)?;
    // What engines count in.
    Ok(Duration::from_secs(
        time.as_secs() + u64::from(time.subsec_nanos() > 0),
    ))
}

impl Sharded {
    /// Resolves the plan by `resolve`, with flags that the job gives to every shard itself: these may not be given again.
    pub(super) fn job(
        &self,
        own: &[&str],
        resolve: impl Fn(Flags) -> Result<Resolved, PlanErrors>,
        console: &Console,
    ) -> anyhow::Result<Job> {
        let file = std::path::absolute(&self.plan)?;
        let mut line = vec!["vespeiro".into(), "run".into(), "--plan".into()];
        line.push(self.plan.clone().into_os_string());
        line.extend(own.iter().map(Into::into));
        line.extend(self.flags.iter().map(Into::into));
        let command = Cli::parse_from(line, console.language());
        let run = match command.map(|cli| cli.command) {
            Ok(Command::Run(run)) => run,
            Ok(_) => return Err(Misuse("only vespeiro run is played by shards".into()).into()),
            Err(mistake) => return Err(Misuse(mistake.message()).into()),
        };
        let said = resolve(run.plan.0.clone())?;
        let mut flags = self.flags.clone();
        let mut given = run.plan.0;
        if !said.origins.is_given("workers") {
            flags.extend(["--workers".into(), self.cpus.to_string()]);
            given.set("workers", self.cpus.to_string(), "--cpus");
        }
        for setting in &said.origins.settings {
            let setting = &setting.setting;
            if setting.kind.is_secret() && said.origins.by_flag(setting.key) {
                return Err(Misuse(format!(
                    "--{} would stand in the job for everybody to read: set {} where the shards run",
                    setting.flag(),
                    setting.variable()
                ))
                .into());
            }
        }
        // Where nobody says them, they are the same for all shards by the engine's job.
        let of_the_job = [
            ("run_id", said.plan.run_id),
            ("seed", said.plan.seed.to_string()),
        ];
        for (key, text) in of_the_job {
            if !said.origins.is_given(key) {
                given.set(key, text, "the engine's job");
            }
        }
        given.set("shard", format!("0/{}", self.shards), "--shards");
        let Resolved { plan, origins } = resolve(given)?;
        let stopping = plan.load.grace + self.cleanup_time + WRITING;
        let ends = plan.load.duration.map(|ends| START + ends + stopping);
        if let Some((time, least)) = self.time.zip(ends).filter(|(time, ends)| time < ends) {
            let (time, least) = (show_duration(time), show_duration(least));
            console.line(format!(
                "note: the plan takes up to {least}, and is stopped before its end by --time {time}"
            ));
        }
        Ok(Job {
            plan,
            origins,
            file,
            flags,
            stopping,
            time: self.time.or(ends),
        })
    }
}
