//! The journal around a run, and the cleanup that empties it: shared by the commands that play a plan and by `cleanup`.
//! Whatever remains stays in the journal, whose place is then told with the command that finishes the work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::exit::Misuse;
use crate::module_loader::ModuleLoader;
use vespeiro_engine::journal::{Header, Journal, read};
use vespeiro_engine::teardown;
use vespeiro_engine::{EndReason, Progress, RunEnd, Stopper, Tokens};
use vespeiro_plan::{CleanupWhen, Plan};
use vespeiro_summary::Cleanup;

/// How often a long cleanup says how far it is.
const PACE: Duration = Duration::from_secs(2);

/// What a cleanup came to.
pub(super) struct Tidied {
    pub(super) figures: Cleanup,
    /// Things that may still exist, oldest first.
    pub(super) left: Vec<String>,
    /// It set out to remove them all, nobody stopped it, and it could not.
    pub(super) failed: bool,
}

/// Begin the run's journal.
pub(super) fn journal(plan: &Plan) -> Result<Journal, Misuse> {
    let header = Header {
        run: plan.run_id.clone(),
        target: plan.target.base_url.as_str().trim_end_matches('/').into(),
    };
    Journal::create(&plan.cleanup.journal, &header).map_err(|error| Misuse(error.to_string()))
}

/// Clean up if the plan wants it after a run like this.
pub(super) async fn after_run(
    plan: &Plan,
    loader: &ModuleLoader,
    journal: Journal,
    stopper: &Stopper,
    ended: Option<&mut RunEnd>,
) -> anyhow::Result<Tidied> {
    let well =
        |ended: &&mut RunEnd| ended.quarantined.is_empty() && ended.why != EndReason::Aborted;
    let success = ended.as_ref().is_some_and(well);
    let tokens = ended
        .map(|ended| std::mem::take(&mut ended.tokens))
        .unwrap_or_default();
    let wanted = match plan.cleanup.when {
        CleanupWhen::Always => true,
        CleanupWhen::OnSuccess => success,
        CleanupWhen::Never => false,
    };
    // What is removed without a journal would be looked for again: leave it to `vespeiro cleanup`.
    if wanted && journal.failure().is_none() {
        clean(plan, loader, journal, tokens, stopper).await
    } else {
        let left = read(journal.path())?.outstanding;
        forget(&tokens);
        close(journal, Cleanup::new(None, 0, left.len()), left)
    }
}

/// Remove what is outstanding, and the journal with the last of it; log `tokens` out.
pub(super) async fn clean(
    plan: &Plan,
    loader: &ModuleLoader,
    journal: Journal,
    tokens: Tokens,
    stopper: &Stopper,
) -> anyhow::Result<Tidied> {
    let outstanding = read(journal.path())?.outstanding;
    if outstanding.is_empty() && tokens.is_empty() {
        return close(journal, Cleanup::default(), Vec::new());
    }
    let logouts = match tokens.len() {
        0 => String::new(),
        n => format!(", {} to log out", counted(n, "session")),
    };
    eprintln!(
        "cleanup: {} to remove{logouts}; a second Ctrl-C skips it",
        counted(outstanding.len(), "thing")
    );
    let behavior = loader.load(&plan.cleanup.archetype.module)?;
    let mut told = Instant::now();
    let progress = |Progress { removed, found }| {
        if told.elapsed() >= PACE {
            told = Instant::now();
            eprintln!("cleanup: {removed} of {found} removed");
        }
    };
    let swept = teardown(
        plan,
        Arc::clone(&behavior),
        &journal,
        tokens,
        stopper,
        progress,
    )
    .await?;
    if let Some(problem) = &swept.problem {
        eprintln!("cleanup: {} could not go on: {problem}", behavior.source);
    } else if swept.skipped {
        eprintln!("cleanup: skipped");
    }
    forget(&swept.tokens);
    let removed = swept.found.saturating_sub(swept.left.len());
    let figures = Cleanup::new(Some(&swept.snapshot), removed, swept.left.len());
    let failed = !swept.skipped && !swept.left.is_empty();
    let tidied = close(journal, figures, swept.left)?;
    Ok(Tidied { failed, ..tidied })
}

/// Tokens are nowhere but in memory: what is not logged out by now never will be.
fn forget(tokens: &Tokens) {
    if !tokens.is_empty() {
        eprintln!(
            "cleanup: not logged out: {}, until the tokens expire",
            counted(tokens.len(), "session")
        );
    }
}

fn counted(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}

fn close(journal: Journal, mut figures: Cleanup, left: Vec<String>) -> anyhow::Result<Tidied> {
    let path = journal.path().display().to_string();
    if left.is_empty() && journal.failure().is_none() {
        journal.remove()?;
    } else {
        eprintln!(
            "cleanup: {} left; finish with: vespeiro cleanup {path}",
            counted(left.len(), "thing")
        );
        figures.journal = Some(path);
    }
    Ok(Tidied {
        figures,
        left,
        failed: false,
    })
}
