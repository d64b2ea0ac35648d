//! The exit codes, all of them. Used by `main` and by every command; scripts rely on these numbers, so they never change.

use std::process::ExitCode;

use vespeiro_http::OutOfReach;
use vespeiro_plan::PlanErrors;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or stopped on request.
    Fine = 0,
    /// The run could not do its job.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The run was aborted by its own guard.
    Aborted = 3,
    /// The run went to its end, but crossed a threshold.
    Thresholds = 99,
}

/// A mistake of the user that is found after the plan was resolved, for instance a module without the contract.
/// One line that names the thing and the way out, or one for each thing. Ends the process with [`Exit::Usage`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misuse(pub String);

impl Exit {
    /// The code for an error: [`Exit::Usage`] when a [`PlanErrors`], an [`OutOfReach`] or a [`Misuse`] is at the bottom of it or on the
    /// way there, else [`Exit::Failed`].
    pub fn of(error: &anyhow::Error) -> Exit {
        let is_usage = |cause: &(dyn std::error::Error + 'static)| {
            cause.is::<PlanErrors>() || cause.is::<OutOfReach>() || cause.is::<Misuse>()
        };
        if error.chain().any(is_usage) {
            Exit::Usage
        } else {
            Exit::Failed
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_mistake_in_the_configuration_is_found_under_its_context() {
        let misuse = Err::<(), _>(Misuse("admin.wasm: no module".into())).context("loading admin");
        assert_eq!(Exit::of(&misuse.unwrap_err()), Exit::Usage);
        assert_eq!(Exit::of(&PlanErrors(Vec::new()).into()), Exit::Usage);
        assert_eq!(Exit::of(&anyhow::anyhow!("refused")), Exit::Failed);
    }

    #[test]
    fn the_numbers_never_change() {
        let codes = [
            Exit::Fine,
            Exit::Failed,
            Exit::Usage,
            Exit::Aborted,
            Exit::Thresholds,
        ]
        .map(|exit| exit as u8);
        assert_eq!(codes, [0, 1, 2, 3, 99]);
    }
}
