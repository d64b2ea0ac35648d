//! Several summaries as one, for generators that loaded a target together. Called by `vespeiro report`.
//!
//! What must stay true: nothing is averaged. Counts are added, histograms are added cell by cell, and every other figure is
//! computed from those again, so that the summary of the parts is that of the whole.

mod figures;
mod shards;
mod thresholds;
mod transactions;
mod whole_run;

use std::cmp::Reverse;

pub(super) use self::figures::Merger;
use vespeiro_metrics::DecodeError;
use vespeiro_model::ThresholdState;
use vespeiro_plan::one_line;

use crate::build::Detail;
use crate::build::mixes::share;
use crate::json::{Cause, Cleanup, MergedRun, Outcomes, Resilience, Run, SlowRequest, Summary};
use crate::rows::Row;
use crate::thresholds::ThresholdReport;

/// Why summaries are not one.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    #[error(
        "the {what} of run {} come without their histogram; write its summary with this version",
        one_line(run)
    )]
    NoHistogram { what: &'static str, run: String },
    #[error("the {what} of run {} cannot be read: {cause}", one_line(run))]
    Broken {
        what: &'static str,
        run: String,
        cause: DecodeError,
    },
    #[error(
        "the {what} of run {} do not fit each other; give a file that --summary-json wrote",
        one_line(run)
    )]
    Unfit { what: &'static str, run: String },
    #[error("run {} is given twice; give each summary once", one_line(.0))]
    Twice(String),
    #[error(
        "shard {index} of run {} is given twice; give each summary once",
        one_line(run)
    )]
    ShardTwice { index: usize, run: String },
    #[error(
        "shards {missing} of the {shards} of run {} are missing; give the summaries of all, or --incomplete for what there is",
        one_line(run)
    )]
    Missing {
        missing: String,
        shards: usize,
        run: String,
    },
    #[error(
        "run {} was split, and run {} is no other shard of it; give the shards of one run and nothing else",
        one_line(.0), one_line(.1)
    )]
    Mixed(String, String),
    #[error("run {} has no moment of its start that can be read", one_line(.0))]
    NoStart(String),
}

/// One summary of several; of one, that one. Of shards, all have to be there.
pub fn merge(parts: &[Summary]) -> Result<Option<Summary>, MergeError> {
    shards::check(parts)?;
    merge_any(parts)
}

/// The cleanup of a run, and those of its other shards, as that of the whole.
pub fn add_cleanups(summary: &mut Summary, others: &[Cleanup]) -> Result<(), MergeError> {
    let all = Merger {
        parts: std::slice::from_ref(summary),
        elapsed: summary.run.elapsed_seconds,
        sending: summary.run.sending_seconds,
    };
    let cleanups = summary.cleanup.iter().chain(others);
    summary.cleanup = all.cleanups(cleanups)?;
    Ok(())
}

/// The same of as many shards as there are: what is judged is those alone.
pub fn merge_any(parts: &[Summary]) -> Result<Option<Summary>, MergeError> {
    let Some(first) = parts.first() else {
        return Ok(None);
    };
    if parts.len() == 1 {
        return Ok(Some(first.clone()));
    }
    for (at, part) in parts.iter().enumerate() {
        let same = |other: &Summary| {
            (&other.run.id, &other.run.started_at, other.run.shard)
                == (&part.run.id, &part.run.started_at, part.run.shard)
        };
        if parts[..at].iter().any(same) {
            return Err(MergeError::Twice(part.run.id.clone()));
        }
    }
    let stays = stays(parts)?;
    let elapsed = played(&stays);
    let sending = stays.iter().zip(parts);
    let sending: Vec<_> = sending
        .map(|((from, _), part)| (*from, from + part.run.sending_seconds))
        .collect();
    let sending = played(&sending);
    let all = Merger {
        parts,
        elapsed,
        sending,
    };
    let series = all.join(parts.iter().flat_map(|part| &part.series))?;
    let archetypes = all.archetypes(&series)?;
    let total = all.requests(parts.iter().map(|part| &part.total), series.iter())?;
    let mut routes = all.routes(&series)?;
    routes.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
    let requests = total.requests;
    let mut merged = Summary {
        run: run(parts, elapsed, sending),
        arrivals: all.arrivals()?,
        connections: all.connections(),
        channels: all.channels()?,
        aborted: parts.iter().find_map(|part| part.aborted.clone()),
        degradation: {
            let found = parts.iter().filter_map(|part| part.degradation.clone());
            found.max_by(|a, b| a.latency.total_cmp(&b.latency))
        },
        thresholds: Vec::new(),
        not_sent: all.rows(|p| &p.not_sent),
        classes: all.rows(|p| &p.classes),
        results: sorted(all.rows(|p| &p.results)),
        causes: frequent(all.rows(|p| &p.causes)),
        routes,
        targets: all.targets(&series)?,
        sessions: all.sessions(
            archetypes.iter().map(|a| &a.figures.sessions),
            Detail::Quantiles,
        )?,
        versions: all.versions()?,
        swaps: all.rows(|p| &p.swaps),
        mix: all.rows(|p| &p.mix),
        error_mix: all.rows(|p| &p.error_mix),
        faults: all.rows(|p| &p.faults),
        resilience: Resilience {
            breaker: all.rows(|p| &p.resilience.breaker),
            holds: all.rows(|p| &p.resilience.holds),
            retries: parts.iter().map(|p| p.resilience.retries).sum(),
            refused_logins: parts.iter().map(|p| p.resilience.refused_logins).sum(),
            login_pauses: parts.iter().map(|p| p.resilience.login_pauses).sum(),
        },
        checks: all.rows(|p| &p.checks),
        observed: all.observed()?,
        abandoned: {
            let mut all = all.rows(|p| &p.abandoned);
            all.sort_by_key(|one| Reverse(one.count));
            all
        },
        transactions: all.transactions()?,
        slowest: slowest(parts),
        generator: all.generator(&archetypes)?,
        timeline: all.timeline(&stays)?,
        cleanup: all.cleanup()?,
        archetypes,
        series,
        total,
        ..first.clone()
    };
    for part in &mut merged.mix {
        part.share = share(part.requests, requests);
    }
    for part in &mut merged.error_mix {
        part.share = share(part.requests, requests);
    }
    merged.thresholds = thresholds::judge(&all, &merged)?;
    Ok(Some(merged))
}

impl Row for ThresholdReport {
    fn is_same(&self, other: &Self) -> bool {
        self.condition == other.condition
    }

    /// The worse of the two stays.
    fn add(&mut self, other: &Self) {
        let severity = |state: ThresholdState| match state {
            ThresholdState::NoData => 0,
            ThresholdState::Ok => 1,
            ThresholdState::Crossed => 2,
        };
        let strict = self.strict || other.strict;
        if severity(other.state) > severity(self.state) {
            *self = other.clone();
        }
        self.strict = strict;
    }
}

/// When each part was played: from and to, in seconds since 1970.
fn stays(parts: &[Summary]) -> Result<Vec<(f64, f64)>, MergeError> {
    let stays = parts.iter().map(|part| {
        let run = &part.run;
        let start: Result<jiff::Timestamp, _> = run.started_at.parse();
        let start = start.map_err(|_| MergeError::NoStart(run.id.clone()))?;
        let start = start.as_duration().as_secs_f64();
        Ok((start, start + run.elapsed_seconds))
    });
    stays.collect()
}

/// Seconds in which at least one was played.
fn played(stays: &[(f64, f64)]) -> f64 {
    let mut stays = stays.to_vec();
    stays.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut until = f64::MIN;
    stays.iter().fold(0.0, |sum, (from, to)| {
        let new = (to - until.max(*from)).max(0.0);
        until = until.max(*to);
        sum + new
    })
}

/// Different words, in the order in which they come up. A part may have been merged itself.
fn joined<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in all.flat_map(|words| words.split(" + ")) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" + ")
}

fn run(parts: &[Summary], elapsed: f64, sending: f64) -> Run {
    let joined = |of: fn(&Run) -> &str| joined(parts.iter().map(|part| of(&part.run)));
    let own = parts
        .iter()
        .flat_map(|part| match part.run.parts.is_empty() {
            false => part.run.parts.clone(),
            true => vec![MergedRun {
                id: part.run.id.clone(),
                shard: part.run.shard,
                seed: part.run.seed,
                started_at: part.run.started_at.clone(),
                elapsed_seconds: part.run.elapsed_seconds,
            }],
        });
    // By the moment: an older file has whole seconds, which do not sort among texts with milliseconds.
    let moment = |at: &&String| at.parse::<jiff::Timestamp>().ok();
    let first = parts.iter().map(|part| &part.run.started_at);
    let first = first.min_by_key(moment);
    Run {
        id: joined(|run| &run.id),
        seed: parts[0].run.seed,
        scenario: joined(|run| &run.scenario),
        target: joined(|run| &run.target),
        profile: joined(|run| &run.profile),
        users: parts
            .iter()
            .fold(0, |sum, part| sum.saturating_add(part.run.users)),
        shard: None,
        workers: parts.iter().map(|part| part.run.workers).sum(),
        started_at: first.cloned().unwrap_or_default(),
        elapsed_seconds: elapsed,
        sending_seconds: sending,
        parts: own.collect(),
    }
}

fn sorted(mut results: Vec<Outcomes>) -> Vec<Outcomes> {
    results.sort_by_key(|o| {
        (
            o.status.is_none(),
            o.status,
            o.grpc,
            o.failure.map(|f| f as usize),
            o.expected,
            o.accepted,
        )
    });
    results
}

/// The most frequent first.
fn frequent(mut causes: Vec<Cause>) -> Vec<Cause> {
    causes.sort_by_key(|cause| Reverse(cause.count));
    causes
}

fn slowest(parts: &[Summary]) -> Vec<SlowRequest> {
    let most = parts.iter().map(|part| part.slowest.len()).max();
    let mut all: Vec<_> = parts
        .iter()
        .flat_map(|part| &part.slowest)
        .cloned()
        .collect();
    all.sort_by(|a, b| b.latency.total_cmp(&a.latency));
    all.truncate(most.unwrap_or(0));
    all
}

#[cfg(test)]
mod tests;
