//! All workers of a run, as the orchestrator sees them: their threads, and the channels to them.

use std::thread::JoinHandle;

use tokio::sync::mpsc;

use super::thread::{WorkerCommand, WorkerInit};
use crate::error::RunError;
use vespeiro_metrics::Interval;

/// Room in the channels between the orchestrator and a worker.
pub(crate) const CHANNEL: usize = 8;

/// The workers' threads and the way to them.
#[derive(Debug)]
pub(crate) struct Workers {
    threads: Vec<JoinHandle<()>>,
    commands: Vec<mpsc::Sender<WorkerCommand>>,
}

impl Workers {
    /// `spawn` has a worker play, on a thread if it tells one.
    pub(crate) fn start(
        count: usize,
        spawn: impl Fn(WorkerInit) -> std::io::Result<Option<JoinHandle<()>>>,
        init: impl Fn(usize, mpsc::Receiver<WorkerCommand>) -> Result<WorkerInit, RunError>,
    ) -> Result<Self, RunError> {
        let mut workers = Self {
            threads: Vec::new(),
            commands: Vec::new(),
        };
        for worker_index in 0..count {
            let (commands, inbox) = mpsc::channel(CHANNEL);
            workers.commands.push(commands);
            workers.threads.extend(spawn(init(worker_index, inbox)?)?);
        }
        Ok(workers)
    }

    /// Send an emptied interval back; a worker that is gone, or has enough of them, does not need it.
    pub(crate) fn recycle(&self, interval: Interval) {
        if let Some(commands) = self.commands.get(interval.worker()) {
            let _ = commands.try_send(WorkerCommand::Recycle(interval));
        }
    }

    pub(crate) async fn send(&self, command: impl Fn() -> WorkerCommand) {
        for commands in &self.commands {
            // A worker that is gone has finished: it needs no command.
            let _ = commands.send(command()).await;
        }
    }

    pub(crate) fn join(&mut self) -> Result<(), RunError> {
        for thread in self.threads.drain(..) {
            thread.join().map_err(|_| RunError::Lost)?;
        }
        Ok(())
    }
}
