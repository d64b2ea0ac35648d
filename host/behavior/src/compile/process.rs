//! The process that compiles, as what can be ended: by who cancels, and by the clock.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A process that can be ended by whoever does not wait for it.
#[derive(Debug)]
pub(super) struct Process(Mutex<Child>);

impl Process {
    pub(super) fn new(child: Child) -> Process {
        Process(Mutex::new(child))
    }

    pub(super) fn kill(&self) {
        // It may have ended by itself.
        let _ = locked(&self.0).kill();
    }

    pub(super) fn wait(&self) -> io::Result<ExitStatus> {
        locked(&self.0).wait()
    }
}

/// Ends a process that takes too long by the clock, for one that is held up uses no time on the processor.
pub(super) struct Watchdog {
    done: Sender<()>,
    /// Whether it had to.
    thread: Option<JoinHandle<bool>>,
}

impl Watchdog {
    pub(super) fn over(process: &Arc<Process>, longest: Duration) -> Self {
        let (done, is_done) = mpsc::channel();
        let process = Arc::clone(process);
        let watch = move || {
            let late = is_done.recv_timeout(longest) == Err(RecvTimeoutError::Timeout);
            if late {
                process.kill();
            }
            late
        };
        let thread = thread::Builder::new().name("compiling".into()).spawn(watch);
        // Without a thread to spare there is still the bound of its time on the processor.
        let thread = thread.ok();
        Self { done, thread }
    }

    pub(super) fn stop(self) -> bool {
        drop(self.done);
        self.thread
            .is_some_and(|thread| thread.join().unwrap_or(false))
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
