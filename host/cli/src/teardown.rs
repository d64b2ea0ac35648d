//! The journal around a run, and the cleanup that empties it: shared by the commands that play a plan and by `cleanup`.
//! Whatever remains stays in the journal, whose place is then told_at with the command that finishes the work.

use std::sync::Arc;
use std::time::Duration;

use crate::exit::Misuse;
use crate::module_loader::ModuleLoader;
use vespeiro_engine::journal::{Header, Journal, read};
use vespeiro_engine::teardown;
use vespeiro_engine::{EndReason, Progress, RunEnd, Stopper, Tokens};
use vespeiro_model::Clock;
use vespeiro_output::Console;
use vespeiro_plan::{CleanupWhen, Plan};
use vespeiro_summary::Cleanup;

/// How often a long cleanup says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

/// Things that are named when they stay; `vespeiro cleanup` names them all.
const MOST_LISTED: usize = 10;

/// What a cleanup came to.
pub(super) struct CleanupResult {
    pub(super) figures: Cleanup,
    /// Things that may still exist, oldest first.
    pub(super) left: Vec<String>,
    /// Lines of the journal that its run has not written.
    pub(super) foreign: u64,
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
    clock: Clock,
    console: &Console,
) -> anyhow::Result<CleanupResult> {
    let well = |ended: &&mut RunEnd| {
        ended.given_up.is_empty()
            && ended.why != EndReason::Aborted
            && ended.journal_failure.is_none()
    };
    let success = ended.as_ref().is_some_and(well);
    let tokens = ended
        .map(|ended| std::mem::take(&mut ended.tokens))
        .unwrap_or_default();
    let wanted = match plan.cleanup.when {
        CleanupWhen::Always => true,
        CleanupWhen::OnSuccess => success,
        CleanupWhen::Never => false,
    };
    if wanted {
        clean(plan, loader, journal, tokens, stopper, clock, console).await
    } else {
        let left = read(journal.path())?.outstanding;
        forget(&tokens, console);
        close(journal, Cleanup::new(None, 0, left.len()), left, console)
    }
}

/// Remove what is outstanding, and the journal with the last of it; log `tokens` out.
pub(super) async fn clean(
    plan: &Plan,
    loader: &ModuleLoader,
    journal: Journal,
    tokens: Tokens,
    stopper: &Stopper,
    clock: Clock,
    console: &Console,
) -> anyhow::Result<CleanupResult> {
    let outstanding = read(journal.path())?.outstanding;
    if outstanding.is_empty() && tokens.is_empty() {
        return close(journal, Cleanup::default(), Vec::new(), console);
    }
    let logouts = match tokens.len() {
        0 => String::new(),
        n => format!(", {} to log out", counted(n, "session")),
    };
    let skip = match stopper.is_stop_requested() {
        true => "Ctrl-C skips it",
        false => "Ctrl-C twice skips it",
    };
    console.line(format!(
        "cleanup: {} to remove{logouts}; {skip}",
        counted(outstanding.len(), "thing")
    ));
    let module = plan.cleanup.archetype.module.clone();
    let Some(behavior) = loader
        .load(vec![module], stopper.raised())
        .await?
        .and_then(|mut all| all.pop())
    else {
        console.line("cleanup: skipped");
        forget(&tokens, console);
        let left = read(journal.path())?.outstanding;
        return close(journal, Cleanup::new(None, 0, left.len()), left, console);
    };
    let mut told_at = clock.now();
    let progress = |Progress { removed, found }| {
        if clock.since(told_at) >= PROGRESS_EVERY {
            told_at = clock.now();
            console.line(format!("cleanup: {removed} of {found} removed"));
        }
    };
    let torn_down = teardown(
        plan,
        Arc::clone(&behavior),
        &journal,
        tokens,
        stopper,
        clock,
        progress,
    )
    .await?;
    if let Some(problem) = &torn_down.problem {
        console.line(format!(
            "cleanup: {} could not go on: {problem}",
            behavior.source
        ));
    } else if torn_down.skipped {
        console.line("cleanup: skipped");
    }
    if let Some(why) = journal.failure() {
        console.line(format!("cleanup: {why}: it went on without"));
    }
    forget(&torn_down.tokens, console);
    let removed = torn_down.found.saturating_sub(torn_down.left.len());
    let figures = Cleanup::new(Some(&torn_down.snapshot), removed, torn_down.left.len());
    let failed = !torn_down.skipped && !torn_down.left.is_empty();
    let cleaned = close(journal, figures, torn_down.left, console)?;
    Ok(CleanupResult { failed, ..cleaned })
}

/// Tokens are nowhere but in memory: what is not logged out by now never will be.
fn forget(tokens: &Tokens, console: &Console) {
    if !tokens.is_empty() {
        console.line(format!(
            "cleanup: not logged out: {}, until the tokens expire",
            counted(tokens.len(), "session")
        ));
    }
}

fn counted(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}

/// Name what stays, as far as that is of use.
fn list(left: &[String], console: &Console) {
    for thing in left.iter().take(MOST_LISTED) {
        // Behaviors choose these names: escape control characters.
        let words = thing.escape_debug();
        console.line(format!("cleanup: left: {words}"));
    }
    if left.len() > MOST_LISTED {
        let n = left.len() - MOST_LISTED;
        console.line(format!("cleanup: left: {n} more"));
    }
}

fn close(
    journal: Journal,
    mut figures: Cleanup,
    left: Vec<String>,
    console: &Console,
) -> anyhow::Result<CleanupResult> {
    let path = journal.path().display().to_string();
    let foreign = read(journal.path())?.foreign;
    if left.is_empty() && foreign == 0 {
        journal.remove()?;
    } else if left.is_empty() {
        console.line(format!(
            "cleanup: {} of {path} were not written by its run, or were edited: look at them, then delete it",
            counted(foreign as usize, "line")
        ));
        figures.journal = Some(path);
    } else {
        list(&left, console);
        console.line(format!(
            "cleanup: {} left; finish with: vespeiro cleanup {path}",
            counted(left.len(), "thing")
        ));
        figures.journal = Some(path);
    }
    Ok(CleanupResult {
        figures,
        left,
        foreign,
        failed: false,
    })
}
