//! The `vespeiro` binary as a process: with an environment of its own, its output in files, a deadline, and killed with
//! the test that started it.

use std::fs::File;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempDir;

use super::eventually;

/// A process that runs.
pub struct Running {
    child: Owned,
    folder: TempDir,
}

/// A process that is killed with the test that started it.
pub struct Owned(pub Child);

impl Deref for Owned {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Owned {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is all that is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process that has ended by itself.
#[derive(Debug)]
pub struct Ended {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A program with an environment of its own.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        // Nothing of the machine's settings: no VESPEIRO_*, no proxy, no language.
        .env_clear()
        // Shared by all tests, and by the next run of them: the behaviors are compiled once.
        .env("XDG_CACHE_HOME", cache())
        .stdin(Stdio::null());
    command
}

/// The binary that is tested: this build's, or a ready-made one that `VESPEIRO` names.
pub fn binary() -> String {
    std::env::var("VESPEIRO").unwrap_or_else(|_| env!("CARGO_BIN_EXE_vespeiro").into())
}

/// Run the binary to its end.
pub fn vespeiro(arguments: &[&str]) -> Ended {
    Running::start(arguments).ended()
}

impl Running {
    pub fn start(arguments: &[&str]) -> Running {
        Running::start_on(arguments, None, None)
    }

    /// With streams of the test's own in place of the files: what goes there cannot be read here.
    pub fn start_on(arguments: &[&str], stdout: Option<Stdio>, stderr: Option<Stdio>) -> Running {
        Running::start_with(arguments, &[], stdout, stderr)
    }

    /// With these variables besides.
    pub fn start_in(arguments: &[&str], env: &[(&str, &str)]) -> Running {
        Running::start_with(arguments, env, None, None)
    }

    fn start_with(
        arguments: &[&str],
        env: &[(&str, &str)],
        stdout: Option<Stdio>,
        stderr: Option<Stdio>,
    ) -> Running {
        let folder = TempDir::new().unwrap();
        let file = |name| Stdio::from(File::create(folder.path().join(name)).unwrap());
        let (own_stdout, own_stderr) = (file("stdout"), file("stderr"));
        let child = command(&binary())
            .args(arguments)
            .envs(env.iter().copied())
            .stdout(stdout.unwrap_or(own_stdout))
            .stderr(stderr.unwrap_or(own_stderr))
            .spawn()
            .unwrap();
        Running {
            child: Owned(child),
            folder,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub fn stdout(&self) -> String {
        read(&self.folder.path().join("stdout"))
    }

    /// Its log and its errors so far.
    pub fn stderr(&self) -> String {
        read(&self.folder.path().join("stderr"))
    }

    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Send it a signal, for instance `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success(), "kill -s {name}");
    }

    /// Wait for its end.
    pub fn ended(mut self) -> Ended {
        let status = eventually("the end of the process", || self.has_ended());
        Ended {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }
}

impl Ended {
    /// It did its job: code 0 and nothing that looks like a bug.
    #[track_caller]
    pub fn fine(self) -> Ended {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stderr, self.stdout);
        self.orderly()
    }

    /// Nothing panicked in the host, whatever the code says.
    #[track_caller]
    pub fn orderly(self) -> Ended {
        // A guest may say that it has panicked, in a line of the log; the host says so in a line of its own.
        let panicked = |line: &str| line.starts_with("thread '") && line.contains("panicked at");
        assert!(!self.stderr.lines().any(panicked), "{}", self.stderr);
        for word in ["RUST_BACKTRACE", "stack backtrace"] {
            assert!(!self.stderr.contains(word), "{}", self.stderr);
        }
        self
    }
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}
