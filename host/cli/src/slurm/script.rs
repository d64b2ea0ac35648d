//! The batch script's text: what differs from job to job as options and variables, and below them `batch.sh`, which is the same
//! for all.
//!
//! What must stay true: whatever stands in a path or a flag reaches the program as it is, and no other program.

use std::path::Path;
use std::time::Duration;

use crate::exit::Misuse;
use crate::sharded::Job;

/// Given to every shard by `batch.sh`.
const OWN_FLAGS: [&str; 5] = [
    "--no-panel",
    "--shard=none",
    "--results=results",
    "--journal=journal",
    "--meet=none",
];

/// Of shards that meet, or do not.
pub(super) fn own_flags(meet: bool) -> &'static [&'static str] {
    &OWN_FLAGS[..OWN_FLAGS.len() - usize::from(!meet)]
}

/// What stands below the variables.
const BODY: &str = include_str!("batch.sh");

/// What is asked of Slurm.
pub(super) struct Asked {
    pub(super) shards: u32,
    pub(super) cpus: u32,
    pub(super) nodes: Option<u32>,
    pub(super) meet: bool,
    pub(super) port: Option<u16>,
}

pub(super) fn script(job: &Job, program: &Path, asked: &Asked) -> Result<String, Misuse> {
    let Asked {
        shards,
        cpus,
        nodes,
        meet,
        port,
    } = *asked;
    let mut lines = vec![
        "#!/bin/bash".to_owned(),
        "#SBATCH --job-name=vespeiro".into(),
        format!("#SBATCH --ntasks={shards}"),
        format!("#SBATCH --cpus-per-task={cpus}"),
    ];
    if let Some(nodes) = nodes {
        let each = shards.div_ceil(nodes);
        lines.push(format!("#SBATCH --nodes={nodes} --ntasks-per-node={each}"));
    }
    let time = job
        .time
        .map(|time| format!("#SBATCH --time={}", clock(time)));
    lines.extend(time);
    lines.extend([
        "# Before the time is over, so that the shards can stop in order and clean up.".into(),
        // Slurm takes no more than this.
        format!(
            "#SBATCH --signal=TERM@{}",
            job.stopping.as_secs().min(65_535)
        ),
        "# Played again it would be another run.".into(),
        "#SBATCH --no-requeue".into(),
        "#SBATCH --output=vespeiro-%j.log".into(),
        String::new(),
        "# Where these are on every node.".into(),
        format!("vespeiro={}", quoted(&text(program)?)?),
        format!("plan={}", quoted(&text(&job.file)?)?),
        format!("shards={shards}"),
        format!("cleanup={}", job.plan.cleanup.when.as_str()),
        format!("meet={}", if meet { "yes" } else { "no" }),
        format!(
            "port={}",
            port.map(|port| port.to_string()).unwrap_or_default()
        ),
    ]);
    let flags = job.flags.iter().map(|flag| quoted(flag));
    let flags = flags.collect::<Result<Vec<_>, _>>()?;
    lines.push(format!("flags=({})", flags.join(" ")));
    Ok(lines.join("\n") + "\n" + BODY)
}

/// As a shell has it.
fn quoted(text: &str) -> Result<String, Misuse> {
    let quoted = shlex::try_quote(text);
    let refused = |_| Misuse(format!("{text:?} has a NUL, and a script cannot"));
    Ok(quoted.map_err(refused)?.into_owned())
}

fn text(path: &Path) -> Result<String, Misuse> {
    let refused = || {
        let path = path.display();
        Misuse(format!(
            "{path} is not Unicode: a script needs another name"
        ))
    };
    path.to_str().map(str::to_owned).ok_or_else(refused)
}

/// `days-hours:minutes:seconds`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    format!(
        "{}-{:02}:{:02}:{:02}",
        hours / 24,
        hours % 24,
        minutes % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{Cli, Command, resolve_here};
    use vespeiro_output::Console;
    use vespeiro_plan::Language;

    /// The script for a plan file with this name and text.
    fn printed(name: &str, plan: &str, line: &[&str]) -> Result<(String, PathBuf), String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, plan).unwrap();
        let (own, flags) = line.split_at(
            line.iter()
                .position(|word| *word == "--")
                .unwrap_or(line.len()),
        );
        let all = [&["vespeiro", "slurm", file.to_str().unwrap()], own, flags].concat();
        let cli = Cli::parse_from(all.into_iter().map(Into::into), Language::English);
        let Command::Slurm(slurm) = cli.map_err(|mistake| mistake.message())?.command else {
            panic!()
        };
        let console = Console::start().unwrap();
        let resolve = |flags| resolve_here(flags, None);
        let job = slurm.run.job(own_flags(!slurm.no_meet), resolve, &console);
        let job = job.map_err(|error| error.to_string())?;
        let asked = Asked {
            shards: slurm.run.shards,
            cpus: slurm.run.cpus,
            nodes: slurm.nodes,
            meet: !slurm.no_meet,
            port: slurm.port,
        };
        let script = script(&job, Path::new("/opt/it's here/vespeiro"), &asked);
        Ok((script.unwrap(), file))
    }

    #[test]
    fn whatever_stands_in_paths_and_flags_reaches_the_program_as_it_is() {
        let hostile = "it's $(touch x) `y` \"z\"\n#SBATCH --ntasks=99 \\.toml";
        let header = "X-Odd: $HOME 'a' \"b\" *";
        let line = ["--shards=3", "--", "--user-agent", header, "--users=6"];
        let (script, file) = printed(hostile, "workers = 3\n", &line).unwrap();
        let options = script.lines().take_while(|line| line.starts_with('#'));
        let options: Vec<&str> = options.filter(|line| line.starts_with("#SBATCH")).collect();
        assert!(options.contains(&"#SBATCH --ntasks=3"), "{options:?}");
        assert!(
            !options.iter().any(|line| line.contains("99")),
            "{options:?}"
        );
        let head = script.strip_suffix(BODY).unwrap();
        let shown = format!(
            "{head}\nprintf '%s\\0' \"$vespeiro\" \"$plan\" \"$shards\" \"$cleanup\" \"${{flags[@]}}\""
        );
        let bash = std::process::Command::new("bash")
            .args(["-c", &shown])
            .output();
        let said = String::from_utf8(bash.unwrap().stdout).unwrap();
        let said: Vec<&str> = said.split_terminator('\0').collect();
        let file = file.to_str().unwrap();
        let program = "/opt/it's here/vespeiro";
        assert_eq!(
            said,
            [
                program,
                file,
                "3",
                "always",
                "--user-agent",
                header,
                "--users=6"
            ]
        );
    }

    #[test]
    fn a_job_has_the_time_that_its_plan_takes_and_to_stop_in() {
        let plan = "duration = \"2h\"\ngrace = \"10s\"\nworkers = 4\n";
        let (script, _) = printed("plan.toml", plan, &["--shards=12", "--nodes=5"]).unwrap();
        for line in [
            // 2 min to start, 2 h, and 10 s + 2 min + 30 s to stop.
            "#SBATCH --time=0-02:04:40",
            "#SBATCH --signal=TERM@160",
            "#SBATCH --nodes=5 --ntasks-per-node=3",
            "flags=()",
        ] {
            assert!(script.lines().any(|own| own == line), "{line}\n{script}");
        }
        // Nobody knows when it ends.
        let (script, _) = printed("plan.toml", "cleanup = \"never\"\n", &["--shards=2"]).unwrap();
        assert!(!script.contains("--time"), "{script}");
        assert!(script.contains("\nflags=(--workers 2)\n"), "{script}");
        assert!(script.contains("\ncleanup=never\n"), "{script}");
    }

    #[test]
    fn what_no_shard_would_take_or_everybody_could_read_is_refused() {
        for (plan, line, part) in [
            ("usres = 1", &["--shards=3"][..], "did you mean `users`?"),
            ("max_connections = 5", &["--shards=3"], "give 6 or more"),
            ("", &["--shards=0"], "invalid value '0'"),
            ("", &["--shards=3", "--", "--shard=1/2"], "cannot be used"),
            ("", &["--shards=3", "--", "--journal=x"], "cannot be used"),
            ("", &["--shards=3", "--", "--meet=n1:1"], "cannot be used"),
            (
                "",
                &["--shards=3", "--port=7072", "--no-meet"],
                "cannot be used",
            ),
            (
                "",
                &["--shards=3", "--", "--admin-password=Hidden1!"],
                "set VESPEIRO_ADMIN_PASSWORD where the shards run",
            ),
        ] {
            let refused = printed("plan.toml", plan, line).unwrap_err();
            assert!(refused.contains(part), "{refused}");
            assert!(!refused.contains("Hidden1!"), "{refused}");
        }
    }
}
