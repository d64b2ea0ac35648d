//! The log on standard error. While the panel is drawn there, lines wait here and are shown through it.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use vespeiro_plan::{LogLevel, Plan};

/// Lines that wait for the panel; beyond them the oldest are dropped.
const MAX_WAITING: usize = 200;

/// The log of a command that plays a plan.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    /// `None`: straight to standard error.
    waiting: Arc<Mutex<Option<VecDeque<String>>>>,
}

/// Begin to log at the plan's level.
pub(super) fn start(plan: &Plan) -> Log {
    let log = Log::default();
    if plan.output.panel {
        *log.lock() = Some(VecDeque::new());
    }
    let level = match plan.output.log {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    };
    // What the libraries have to say below a warning is of no use to a user.
    let filter = EnvFilter::new(format!("warn,vespeiro={level},guest={level}"));
    // A second log in one process, as tests make it, is refused: the first one goes on.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(false)
        .with_writer(log.clone())
        .try_init();
    log
}

impl Log {
    /// Take the lines that wait for the panel.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> + use<> {
        self.lock()
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
            .into_iter()
    }

    /// The panel is gone: print what waits, and go on straight to standard error.
    pub(super) fn release(&self) {
        let waiting = self.lock().take().unwrap_or_default();
        for line in waiting {
            eprintln!("{line}");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<VecDeque<String>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.lock().as_mut() {
            Some(waiting) => {
                if waiting.len() == MAX_WAITING {
                    waiting.pop_front();
                }
                waiting.push_back(String::from_utf8_lossy(bytes).trim_end().to_owned());
            }
            None => io::stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}
