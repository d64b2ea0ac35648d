//! Gives up a compilation that nobody waits for any more. Held by whoever asked for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::process::Process;

/// Ends a compilation, now or as soon as it begins. Clones end the same one.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    cancelled: bool,
    running: Option<Arc<Process>>,
}

impl Cancel {
    /// Nothing is compiled for it from here on.
    pub fn cancel(&self) {
        let mut state = self.locked();
        state.cancelled = true;
        if let Some(process) = state.running.take() {
            process.kill();
        }
    }

    /// Whether it was.
    pub fn is_cancelled(&self) -> bool {
        self.locked().cancelled
    }

    /// A process compiles for it from now on. `false`: it is not to.
    pub(super) fn begin(&self, process: &Arc<Process>) -> bool {
        let mut state = self.locked();
        state.running = (!state.cancelled).then(|| Arc::clone(process));
        !state.cancelled
    }

    pub(super) fn end(&self) {
        self.locked().running = None;
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
