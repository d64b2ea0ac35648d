//! All workers of a run, as the orchestrator sees them: their threads, and the channels to them.

use std::fs::File;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::thread::{WorkerCommand, WorkerInit};
use crate::error::RunError;
use vespeiro_http::ClientError;
use vespeiro_metrics::Interval;
use vespeiro_model::Clock;

/// Room in the channels between the orchestrator and a worker.
pub(crate) const CHANNEL: usize = 8;

/// Files that a run needs for itself at its end: results, the journal, and the connection of its cleanup.
const RESERVED: usize = 8;

/// A worker's ends of the channels to it.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) stands: oneshot::Sender<Result<(), ClientError>>,
    pub(crate) begin: oneshot::Receiver<Instant>,
    pub(crate) commands: mpsc::Receiver<WorkerCommand>,
}

/// The workers' threads and the way to them.
#[derive(Debug)]
pub(crate) struct Workers {
    threads: Vec<JoinHandle<()>>,
    commands: Vec<mpsc::Sender<WorkerCommand>>,
    /// Set aside until they have ended, before connections take all files there are. Where there are not as many, some.
    reserve: Vec<File>,
}

impl Workers {
    /// `spawn` has a worker play, on a thread if it tells one. All of them begin at the same instant, which is told: once each
    /// of them could, so that none takes from the others what they need to begin, and not before `at`.
    pub(crate) async fn start(
        count: usize,
        clock: Clock,
        at: Option<Instant>,
        spawn: impl Fn(WorkerInit) -> std::io::Result<Option<JoinHandle<()>>>,
        init: impl Fn(usize, Gate) -> Result<WorkerInit, RunError>,
    ) -> Result<(Self, Instant), RunError> {
        let mut workers = Self {
            threads: Vec::new(),
            commands: Vec::new(),
            reserve: Vec::new(),
        };
        let (mut standing, mut begins) = (Vec::new(), Vec::new());
        for worker_index in 0..count {
            let (commands, inbox) = mpsc::channel(CHANNEL);
            let ((stands, has_stood), (begins_at, begin)) =
                (oneshot::channel(), oneshot::channel());
            let gate = Gate {
                stands,
                begin,
                commands: inbox,
            };
            workers.commands.push(commands);
            workers.threads.extend(spawn(init(worker_index, gate)?)?);
            standing.push(has_stood);
            begins.push(begins_at);
        }
        for has_stood in standing {
            has_stood.await.map_err(|_| RunError::Lost)??;
        }
        let spare = (0..RESERVED).map_while(|_| File::open("/dev/null").ok());
        workers.reserve = spare.collect();
        if let Some(at) = at {
            sleep_until(at).await;
        }
        let began = clock.now();
        for begins_at in begins {
            // A worker that is gone by now is found out by its thread.
            let _ = begins_at.send(began);
        }
        Ok((workers, began))
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
        self.reserve.clear();
        Ok(())
    }
}
