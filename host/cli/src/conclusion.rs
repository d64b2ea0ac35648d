//! What a run's end means for whoever started it: an error that says what to do, or an exit code. Used by `play.rs` once the
//! outputs are written.

use crate::exit::Exit;
use crate::open_files;
use crate::teardown::CleanupResult;
use vespeiro_engine::{EndReason, GivenUpCause, RunEnd};
use vespeiro_metrics::ResultCount;
use vespeiro_model::{AbortReason, Ending, Failure, Outcome};
use vespeiro_summary::Summary;
use vespeiro_summary::thresholds::ThresholdReport;

/// The code of a run that went to its end, or the first thing that kept it from doing its job.
pub(super) fn conclude(
    ended: &RunEnd,
    summary: &Summary,
    cleaned: anyhow::Result<CleanupResult>,
) -> anyhow::Result<Exit> {
    let of = |cause: GivenUpCause| {
        let those = ended
            .given_up
            .iter()
            .filter(|given_up| given_up.cause == cause);
        let names: Vec<&str> = those.map(|given_up| &*given_up.archetype).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    if let Some(names) = of(GivenUpCause::Crashes) {
        anyhow::bail!(
            "quarantined, because the behavior kept crashing: {names}: see the log above, and correct or remove it"
        );
    }
    if let Some(names) = of(GivenUpCause::Machine) {
        anyhow::bail!(
            "given up, because this machine has no memory for another instance: {names}: give it more (see ulimit -v), or play fewer workers or archetypes"
        );
    }
    if let Some(names) = of(GivenUpCause::NoRoom) {
        anyhow::bail!(
            "given up, because no session could begin for 10 s: {names}: others hold all of guest_memory and have not ended: allow more with --guest-memory, or play fewer users"
        );
    }
    let cleaned = cleaned?;
    if let Some(why) = &ended.journal_failure {
        anyhow::bail!(
            "{why}: the run was ended, since what it creates could no longer be cleaned up"
        );
    }
    if let Some(sessions) = failed_unasked(summary) {
        anyhow::bail!(
            "no request was sent: all {sessions} sessions failed or gave up before their first request: see the log above, and try the behavior with vespeiro rehearse"
        );
    }
    let idle = idle(ended);
    if !idle.is_empty() {
        anyhow::bail!(
            "every session failed or gave up before its first request: {}: see the log above, and vespeiro check",
            idle.join(", ")
        );
    }
    let results = ended.snapshot.total().results().into_iter();
    let unsent: u64 = results
        .filter(|result| result.outcome == Outcome::Failed(Failure::Generator))
        .map(|result| result.count)
        .sum();
    if unsent > 0 {
        anyhow::bail!(
            "{unsent} requests failed at this machine's limits and not at the target (failures of the kind generator): the log above names the limit and what to do; open files: {} (ulimit -n)",
            open_files::limit()
        );
    }
    if cleaned.failed {
        anyhow::bail!(
            "the cleanup could not remove {} of the things that the run has created: see above, then finish with: vespeiro cleanup {}",
            cleaned.left.len(),
            cleaned.figures.journal.as_deref().unwrap_or("JOURNAL"),
        );
    }
    let exit = exit(summary);
    // A guard or a threshold that says so has a code of its own, and who stops a run knows what it was.
    let on_its_own = exit == Exit::Fine && ended.why != EndReason::Stopped;
    if on_its_own && let Some(failure) = unanswered(&ended.snapshot.total().results()) {
        anyhow::bail!(
            "no request was answered, and most failed with {}: check the target's address, and that it runs",
            failure.as_str()
        );
    }
    Ok(exit)
}

/// How many sessions failed, where not one of them came to a request.
fn failed_unasked(summary: &Summary) -> Option<u64> {
    let count = |of: &[Ending]| -> u64 {
        let endings = summary.sessions.endings.iter();
        let counted = endings.filter(|ended| of.contains(&ended.ending));
        counted.map(|ended| ended.count).sum()
    };
    let failed = count(&[Ending::Abandoned, Ending::Failed, Ending::Crashed]);
    let none = summary.total.requests == 0 && count(&[Ending::Completed]) == 0;
    (none && failed > 0).then_some(failed)
}

/// Why most requests have failed, where there were some and none was answered.
fn unanswered(results: &[ResultCount]) -> Option<Failure> {
    let failures = results.iter().map(|result| match result.outcome {
        // An answer that is too large is one.
        Outcome::Status(_) | Outcome::Failed(Failure::TooLarge) => None,
        Outcome::Failed(failure) => Some((result.count, failure)),
    });
    let failures: Vec<_> = failures.collect::<Option<_>>()?;
    let (_, failure) = failures.into_iter().max_by_key(|(count, _)| *count)?;
    Some(failure)
}

/// The archetypes all of whose sessions failed or gave up before any request: what `check` and a swap refuse too.
fn idle(ended: &RunEnd) -> Vec<&str> {
    let counts = ended.snapshot.archetypes.iter();
    let each = counts.zip(ended.snapshot.by_archetype());
    let idle = each.enumerate().filter(|(_, (counts, requests))| {
        let sessions = &counts.behavior.sessions;
        let unasked = [Ending::Failed, Ending::Abandoned].into_iter();
        let not_sent: u64 = counts.not_sent.iter().sum();
        sessions.started > 0
            && unasked
                .map(|ending| sessions.ended(ending).count())
                .sum::<u64>()
                == sessions.started
            && requests.requests() + not_sent == 0
    });
    let names = &ended.snapshot.catalog.archetypes;
    idle.map(|(archetype, _)| &*names[archetype].name).collect()
}

/// The code of a run that could do its job.
fn exit(summary: &Summary) -> Exit {
    let aborted = summary.aborted.as_ref();
    if aborted.is_some_and(|aborted| aborted.cause != AbortReason::Threshold) {
        Exit::Aborted
    } else if aborted.is_some() || summary.thresholds.iter().any(ThresholdReport::is_failed) {
        Exit::Thresholds
    } else {
        Exit::Fine
    }
}
