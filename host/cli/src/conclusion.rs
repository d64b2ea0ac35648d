//! What a run's end means for whoever started it: an error that says what to do, or an exit code. Used by `play.rs` once the
//! outputs are written.

use crate::exit::Exit;
use crate::meeting::lost;
use crate::open_files;
use crate::teardown::CleanupResult;
use vespeiro_engine::{EndReason, GivenUpCause, RunEnd};
use vespeiro_metrics::{ResultCount, Snapshot};
use vespeiro_model::{AbortReason, Ending, Failure, Outcome};
use vespeiro_summary::Summary;
use vespeiro_summary::thresholds::ThresholdReport;

/// The code of a run that went to its end, or the first thing that kept it from doing its job. `follows`: shard 0 judges the
/// whole.
pub(super) fn conclude(
    ended: &RunEnd,
    summary: &Summary,
    cleaned: anyhow::Result<CleanupResult>,
    follows: bool,
) -> anyhow::Result<Exit> {
    if follows && !ended.lost.is_empty() {
        anyhow::bail!(
            "shard 0 has been lost: this one has ended its part and keeps its summary; see there why it ended"
        );
    }
    if !ended.lost.is_empty() {
        anyhow::bail!("{}", lost(&ended.lost));
    }
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
    // Of one shard's part nothing follows for the whole.
    let idle = match follows {
        true => Vec::new(),
        false => idle(&ended.snapshot),
    };
    if !idle.is_empty() {
        let names: Vec<&str> = idle.iter().map(|(name, _)| *name).collect();
        let sessions: u64 = idle.iter().map(|(_, sessions)| sessions).sum();
        anyhow::bail!(
            "{}: no request was sent: all {sessions} sessions failed or gave up before their first request: see the log above, and try the behavior with vespeiro rehearse",
            names.join(", ")
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
    let on_its_own = !follows && exit == Exit::Fine && ended.why != EndReason::Stopped;
    if on_its_own && let Some(failure) = unanswered(&ended.snapshot.total().results()) {
        let (kind, cause) = (failure.as_str(), cause(&ended.snapshot, failure));
        anyhow::bail!("no request was answered, and most failed with {kind}: {cause}");
    }
    Ok(exit)
}

/// The most frequent cause of failures of this kind, and what to look at where it does not say so itself.
fn cause(snapshot: &Snapshot, failure: Failure) -> String {
    let causes = snapshot.run.causes.sorted();
    let of = causes.iter().find(|(kind, ..)| *kind == failure);
    let cause = of.map_or("", |(_, cause, _)| cause);
    let look = match failure {
        Failure::Timeout | Failure::Connect => "check the target's address, and that it runs",
        _ => "",
    };
    [cause, look].join(if cause.is_empty() || look.is_empty() {
        ""
    } else {
        ": "
    })
}

/// Why most requests have failed, where there were some and none was answered.
fn unanswered(results: &[ResultCount]) -> Option<Failure> {
    let failures = results.iter().map(|result| match result.outcome {
        // An answer that is too large is one.
        Outcome::Failed(failure) if failure != Failure::TooLarge => Some((result.count, failure)),
        _ => None,
    });
    let failures: Vec<_> = failures.collect::<Option<_>>()?;
    let (_, failure) = failures.into_iter().max_by_key(|(count, _)| *count)?;
    Some(failure)
}

/// The archetypes that came to no request, since all sessions that ended by themselves failed, with how many those were:
/// what `check` and a swap refuse too.
fn idle(snapshot: &Snapshot) -> Vec<(&str, u64)> {
    let counts = snapshot.archetypes.iter().zip(snapshot.by_archetype());
    let each = snapshot.catalog.archetypes.iter().zip(counts);
    let idle = each.filter_map(|(labels, (counts, requests))| {
        let ended = |ending| counts.behavior.sessions.ended(ending).count();
        let failed = [Ending::Abandoned, Ending::Failed, Ending::Crashed].map(ended);
        let failed: u64 = failed.iter().sum();
        let asked = requests.requests() + counts.not_sent.iter().sum::<u64>();
        (failed > 0 && asked + ended(Ending::Completed) == 0).then_some((&*labels.name, failed))
    });
    idle.collect()
}

/// The code of a run that could do its job.
pub(super) fn exit(summary: &Summary) -> Exit {
    let aborted = summary.aborted.as_ref();
    // Of a shard's own figures nothing follows for the whole: `vespeiro report` judges that.
    let is_part = summary.run.shard.is_some();
    if aborted.is_some_and(|aborted| aborted.cause != AbortReason::Threshold) {
        Exit::Aborted
    } else if aborted.is_some()
        || (!is_part && summary.thresholds.iter().any(ThresholdReport::is_failed))
    {
        Exit::Thresholds
    } else {
        Exit::Fine
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use vespeiro_metrics::testing::{catalog, role, sample};
    use vespeiro_metrics::{Interval, Process, Recorder, Totals};
    use vespeiro_model::Clock;

    #[test]
    fn an_archetype_is_idle_when_no_session_of_its_own_end_came_to_a_request() {
        let catalog = catalog();
        let mut totals = Totals::new(catalog.clone(), 1, Process::default(), Clock::system());
        let mut recorder = Recorder::new(catalog.clone(), 0, Clock::system());
        let mut idle = |ended: &[(u16, Ending)], asks: Option<u16>| -> Vec<(String, u64)> {
            for (archetype, ending) in ended {
                recorder.session_started(role(*archetype));
                recorder.session_ended(role(*archetype), *ending, Duration::from_secs(1));
            }
            asks.iter()
                .for_each(|who| recorder.request(&sample(*who, 0)));
            totals.absorb(&mut recorder.take(Interval::new(&catalog)));
            let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
            let idle = super::idle(&snapshot).into_iter();
            idle.map(|(name, failed)| (name.to_owned(), failed))
                .collect()
        };
        // Sessions that the run's end cut say nothing.
        assert_eq!(idle(&[(0, Ending::Cut), (1, Ending::Cut)], None), []);
        let failed = [
            (0, Ending::Failed),
            (0, Ending::Abandoned),
            (0, Ending::Crashed),
        ];
        assert_eq!(idle(&failed, None), [("active".into(), 3)]);
        assert_eq!(
            idle(&[(1, Ending::Failed)], Some(1)),
            [("active".into(), 3)]
        );
        assert_eq!(idle(&[(0, Ending::Completed)], None), []);
    }
}
