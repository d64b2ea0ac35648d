//! The parent's side: starts the child, hands it a module, waits for what comes of it, and says in words why one did not
//! come back.
//!
//! What must stay true: one module at a time, and after a child was lost the next module gets a new one. However little a child
//! gets on with it, somebody who waits for it hears of it in the end.

use std::fmt;
use std::io::{self, BufReader, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::cancel::Cancel;
use super::job::{Compiled, Job, Told, receive, send};
use super::process::{Process, Watchdog, locked};
use super::{CompileBounds, MAX_MODULE};
use crate::load_error::LoadErrorKind;

/// Of a child's last words, the bytes that are read.
const LAST_WORDS: u64 = 64 << 10;
/// Sent by the system to a process that has used its time on the processor.
const SIGXCPU: i32 = 24;
const SIGKILL: i32 = 9;

/// The child that compiles, started when there is something to do.
pub struct Child {
    /// Asked at each start, for its file may be replaced in between.
    program: fn() -> io::Result<PathBuf>,
    arguments: Vec<String>,
    bounds: CompileBounds,
    running: Mutex<Option<Running>>,
}

struct Running {
    process: Arc<Process>,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    errors: ChildStderr,
}

impl Child {
    pub(super) fn new(
        program: fn() -> io::Result<PathBuf>,
        arguments: &[&str],
        bounds: CompileBounds,
    ) -> Self {
        Self {
            program,
            arguments: arguments.iter().map(|&argument| argument.into()).collect(),
            bounds,
            running: Mutex::new(None),
        }
    }

    pub(super) fn compile(
        &self,
        bytes: &[u8],
        aside: bool,
        cancel: &Cancel,
    ) -> Result<Compiled, LoadErrorKind> {
        if bytes.len() > MAX_MODULE {
            return Err(LoadErrorKind::too_many("bytes", bytes.len(), MAX_MODULE));
        }
        let mut place = locked(&self.running);
        let mut running = match place.take() {
            Some(running) => running,
            None => self.start().map_err(|error| {
                LoadErrorKind::Machine(format!("the compiler's process cannot be started: {error}"))
            })?,
        };
        if !cancel.begin(&running.process) {
            *place = Some(running);
            return Err(LoadErrorKind::Cancelled);
        }
        let job = Job {
            cpu_seconds: self.bounds.cpu.as_secs().max(1),
            memory: self.bounds.memory,
            aside,
        };
        let longest = self.bounds.longest();
        let watchdog = Watchdog::over(&running.process, longest);
        let told =
            send(&mut running.input, &job, bytes).and_then(|()| receive(&mut running.output));
        let late = watchdog.stop();
        cancel.end();
        match told {
            Ok((told, code)) => {
                *place = Some(running);
                match told {
                    Told::Compiled(facts) => Ok(Compiled { facts, code }),
                    Told::Refused(LoadErrorKind::CompileMemory(_)) => {
                        Err(LoadErrorKind::CompileMemory(self.bounds.memory >> 20))
                    }
                    Told::Refused(why) => Err(why),
                }
            }
            Err(_) if cancel.is_cancelled() => {
                running.process.kill();
                let _ = running.process.wait();
                Err(LoadErrorKind::Cancelled)
            }
            Err(_) if late => {
                let _ = running.process.wait();
                Err(LoadErrorKind::CompileWait(longest.as_secs()))
            }
            Err(error) => Err(self.lost(running, &error)),
        }
    }

    fn start(&self) -> io::Result<Running> {
        let mut child = Command::new((self.program)()?)
            .args(&self.arguments)
            // The allocator maps a gigabyte ahead, and what is mapped counts as used.
            .env("MIMALLOC_ARENA_RESERVE", "0")
            // A Ctrl-C in a terminal is for the run, which may still need it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("it has no pipes");
        Ok(Running {
            input: child.stdin.take().ok_or_else(missing)?,
            output: BufReader::new(child.stdout.take().ok_or_else(missing)?),
            errors: child.stderr.take().ok_or_else(missing)?,
            process: Arc::new(Process::new(child)),
        })
    }

    /// Why a child did not answer.
    fn lost(&self, running: Running, error: &io::Error) -> LoadErrorKind {
        let Running {
            process,
            input,
            output,
            errors,
        } = running;
        drop((input, output));
        let mut said = Vec::new();
        let _ = errors.take(LAST_WORDS).read_to_end(&mut said);
        process.kill();
        let status = process.wait();
        let said = String::from_utf8_lossy(&said);
        let signal = status.as_ref().ok().and_then(ExitStatus::signal);
        if signal == Some(SIGXCPU) {
            return LoadErrorKind::CompileTime(self.bounds.cpu.as_secs());
        }
        // The kill above comes after its end, unless it still writes an answer that cannot be read.
        if said.contains("memory allocation of") || signal == Some(SIGKILL) {
            return LoadErrorKind::CompileMemory(self.bounds.memory >> 20);
        }
        let says = |line: &&str| !line.trim().is_empty() && !line.starts_with("note:");
        let last = said.lines().rfind(says);
        let ended = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        LoadErrorKind::CompilerLost(last.map_or(format!("{error} ({ended})"), str::to_owned))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let running = self
            .running
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.take() {
            running.process.kill();
            let _ = running.process.wait();
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// A child that takes its job and never answers.
    fn idle(cpu: Duration) -> Child {
        let bounds = CompileBounds {
            cpu,
            memory: 1 << 30,
        };
        Child::new(|| Ok("sleep".into()), &["1000"], bounds)
    }

    #[test]
    fn a_child_that_does_nothing_is_given_up_by_the_clock_and_so_is_the_next() {
        let child = idle(Duration::from_millis(20));
        for _ in 0..2 {
            let why = child.compile(b"", false, &Cancel::default()).unwrap_err();
            assert!(matches!(why, LoadErrorKind::CompileWait(_)), "{why}");
        }
    }

    #[test]
    fn who_cancels_does_not_wait_for_the_child() {
        let child = idle(Duration::from_secs(1000));
        let cancel = Cancel::default();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| child.compile(b"", false, &cancel));
            cancel.cancel();
            let why = waiting.join().unwrap().unwrap_err();
            assert!(matches!(why, LoadErrorKind::Cancelled), "{why}");
        });
    }
}
