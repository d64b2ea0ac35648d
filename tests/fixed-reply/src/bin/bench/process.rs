//! Processes that the bench starts: pinned to a core, watched to their end, and gone when the bench is gone, however it
//! ended. Figures come from `/proc`: no privileges, no tool to install.

use std::fmt::Display;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// The kernel counts CPU time in these for `/proc`, on every architecture.
const TICKS_PER_SECOND: u64 = 100;
/// How often a process is looked at while it runs.
const LOOK: Duration = Duration::from_millis(50);

/// A command on one core, or several: `0,1`. It is ended by the kernel when the bench dies.
pub fn pinned(cores: impl Display, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command
        .args([
            "--cpu-list",
            &cores.to_string(),
            "setpriv",
            "--pdeathsig",
            "TERM",
        ])
        .arg(program);
    command.stdin(Stdio::null());
    command
}

/// A process that is ended when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    name: String,
}

/// What a process took from start to end.
#[derive(Debug)]
pub struct Took {
    /// User and system time.
    pub cpu: Duration,
    pub wall: Duration,
    /// Largest resident memory, in bytes.
    pub peak_rss: u64,
    /// Resident memory over time: since the start, bytes.
    pub rss: Vec<(Duration, u64)>,
    pub stdout: String,
}

struct Stat {
    ended: bool,
    cpu: Duration,
}

impl Running {
    pub fn start(name: &str, mut command: Command) -> Result<Self> {
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name} (with taskset and setpriv)"))?;
        Ok(Self {
            child,
            name: name.to_owned(),
        })
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// CPU time so far.
    pub fn cpu(&self) -> Result<Duration> {
        Ok(self.stat()?.cpu)
    }

    fn proc(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).with_context(|| format!("cannot read {path} of {}", self.name))
    }

    fn stat(&self) -> Result<Stat> {
        parse_stat(&self.proc("stat")?)
            .with_context(|| format!("/proc/*/stat of {} has another form", self.name))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a run serves what it calls `name`, as the file with its standard error says.
pub fn announced(said: &Path, name: &str, patience: Duration) -> Result<String> {
    let began = Instant::now();
    let start = format!("{name}: http://");
    loop {
        let text = fs::read_to_string(said).unwrap_or_default();
        if let Some(authority) = text.lines().find_map(|line| line.strip_prefix(&start)) {
            return Ok(authority.to_owned());
        }
        ensure!(
            began.elapsed() < patience,
            "the run does not say where its {name} is"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// Run to a good end, within `limit`. What it prints goes to files in `scratch`.
pub fn watch(name: &str, command: Command, scratch: &Path, limit: Duration) -> Result<Took> {
    let (took, status) = watch_to_any_end(name, command, scratch, limit)?;
    if !status.success() {
        let last = fs::read_to_string(scratch.join(format!("{name}.err")))?;
        bail!(
            "{name} failed ({status}): {}",
            last.lines().last().unwrap_or("it said nothing")
        );
    }
    Ok(took)
}

/// The same to whatever end.
pub fn watch_to_any_end(
    name: &str,
    mut command: Command,
    scratch: &Path,
    limit: Duration,
) -> Result<(Took, ExitStatus)> {
    let (out, err) = (
        scratch.join(format!("{name}.out")),
        scratch.join(format!("{name}.err")),
    );
    command.stdout(create(&out)?).stderr(create(&err)?);
    let mut running = Running::start(name, command)?;
    let began = Instant::now();
    let mut took = Took {
        cpu: Duration::ZERO,
        wall: Duration::ZERO,
        peak_rss: 0,
        rss: Vec::new(),
        stdout: String::new(),
    };
    loop {
        // A process that has ended keeps its CPU time until it is waited for.
        let stat = running.stat()?;
        took.cpu = stat.cpu;
        took.wall = began.elapsed();
        if stat.ended {
            break;
        }
        if took.wall > limit {
            bail!(
                "{name} did not end within {} s; see {}",
                limit.as_secs(),
                err.display()
            );
        }
        let status = running.proc("status")?;
        if let (Some(peak), Some(now)) = (memory(&status, "VmHWM:"), memory(&status, "VmRSS:")) {
            took.peak_rss = peak;
            took.rss.push((took.wall, now));
        }
        thread::sleep(LOOK);
    }
    let status = running.child().wait()?;
    took.stdout = fs::read_to_string(&out)?;
    Ok((took, status))
}

fn create(path: &PathBuf) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

/// The name in parentheses may hold anything, so what counts comes after the last of them.
fn parse_stat(stat: &str) -> Option<Stat> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Stat {
        ended: *fields.first()? == "Z",
        cpu: Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND),
    })
}

/// Bytes in a line of `/proc/*/status` or `/proc/meminfo`.
pub fn memory(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let stat = "7 (a) Z (b) S 1 7 7 0 -1 4 5 0 0 0 120 30 0 0 20 0 3 0 900 1 2";
        let stat = parse_stat(stat).unwrap();
        assert_eq!((stat.ended, stat.cpu), (false, Duration::from_millis(1500)));
    }

    #[test]
    fn a_process_is_watched_to_its_end_and_its_failure_is_told() {
        let scratch = std::env::temp_dir().join(format!("bench-process-{}", std::process::id()));
        fs::create_dir_all(&scratch).unwrap();
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            watch("shell", command, &scratch, Duration::from_secs(60))
        };
        let fine = shell("echo hello; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done").unwrap();
        let failed = shell("echo why >&2; exit 3").unwrap_err().to_string();
        fs::remove_dir_all(&scratch).unwrap();
        assert_eq!(fine.stdout, "hello\n");
        assert!(fine.cpu > Duration::ZERO && fine.peak_rss > 0, "{fine:?}");
        assert!(failed.contains("why") && failed.contains('3'), "{failed}");
    }
}
