//! Why a run could not do its job. Told by the orchestrator, its workers and the teardown.

use crate::journal::{JournalError, ReadError};
use vespeiro_http::ClientError;

/// The run could not do its job.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(
        "a worker cannot be started: {0}: see ulimit -n and ulimit -u, or take fewer with --workers"
    )]
    Worker(#[from] std::io::Error),
    #[error(
        "a worker ended without a report: this is a bug, please report it with the lines above"
    )]
    Lost,
    /// A behavior with a route at a target that the plan has not.
    #[error("{0}")]
    Undeclared(String),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Unreadable(#[from] ReadError),
}
