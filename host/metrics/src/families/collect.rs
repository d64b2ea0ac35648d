//! How samples are taken from a snapshot: by archetype, route, version or word, and the few metrics that need more. Used by
//! the rows of `table.rs`.
//!
//! What must stay true: labels come from the catalog and from fixed words, so that their number is bounded; every request
//! that was sent is in each family of requests once.

use std::collections::BTreeSet;
use std::time::UNIX_EPOCH;

use vespeiro_model::{ChannelKind, Ending, Outcome, OutcomeClass, OutcomeKind, Word};

use super::desc::{Family, Value};
use crate::{
    ArchetypeCounts, ChannelCounts, PhaseTimes, Series, Snapshot, ThresholdResult, Timing,
    TransactionCounts, VersionCounts,
};

/// The category of logins, tokens and logouts, as the request mix has it.
const AUTH: &str = "auth";
/// Kinds of error that show as 0 before the first one, so that an error rate is a number from the start.
const ALWAYS: [&str; 2] = ["4xx", "5xx"];
/// What the versions that were forgotten are called, together.
const OLDER: &str = "older";
/// Quantiles of a behavior's own metrics.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// Each archetype by name, in the catalog's order.
pub(super) fn by_archetype<'a>(s: &'a Snapshot, mut each: impl FnMut(&str, &'a ArchetypeCounts)) {
    for (labels, counts) in s.catalog.archetypes.iter().zip(&s.archetypes) {
        each(&labels.name, counts);
    }
}

/// Each way that an archetype's sessions ended.
pub(super) fn by_ending<'a>(s: &'a Snapshot, mut each: impl FnMut(&[&str], &'a Timing)) {
    by_archetype(s, |name, counts| {
        for ending in Ending::ALL {
            let ended = counts.behavior.sessions.ended(ending);
            each(&[name, ending.as_str()], ended);
        }
    });
}

/// Channels by what is spoken over them, where some were opened.
pub(super) fn by_protocol<'a>(s: &'a Snapshot, mut each: impl FnMut(&[&str], &'a ChannelCounts)) {
    for (kind, counts) in ChannelKind::ALL.into_iter().zip(&s.run.channels) {
        if counts.opened > 0 {
            each(&[kind.as_str()], counts);
        }
    }
}

/// Each transaction by archetype and name.
pub(super) fn by_transaction<'a>(
    s: &'a Snapshot,
    mut each: impl FnMut(&[&str], &'a TransactionCounts),
) {
    by_archetype(s, |archetype, counts| {
        for (name, one) in counts.transactions() {
            each(&[archetype, &name], one);
        }
    });
}

/// Each series in use by archetype, method and route.
pub(super) fn by_route<'a>(s: &'a Snapshot, mut each: impl FnMut(&[&str], &'a Series)) {
    for (archetype, route, series) in s.series() {
        let (method, path) = s.catalog.route(archetype, route);
        each(&[s.catalog.archetype(archetype), method, path], series);
    }
}

/// Latency of successes and of failures, of whichever there are, by archetype, method, route and outcome.
pub(super) fn by_outcome<'a>(s: &'a Snapshot, f: &mut Family<'a>) {
    by_route(s, |labels, series| {
        for kind in OutcomeKind::ALL {
            let timing = series.latency_of(kind);
            if !timing.is_empty() {
                f.histogram(&[labels, &[kind.as_str()]].concat(), timing);
            }
        }
    });
}

/// Each target by name, where there are several.
pub(super) fn by_target(s: &Snapshot, mut each: impl FnMut(&str, Series)) {
    if s.catalog.targets.len() > 1 {
        for (name, group, _) in s.by_target() {
            each(name, group);
        }
    }
}

/// Each phase that took time, by archetype, method, route and phase.
pub(super) fn by_phase<'a>(s: &'a Snapshot, f: &mut Family<'a>) {
    for (archetype, route, _) in s.series() {
        let (method, path) = s.catalog.route(archetype, route);
        let phases = s.phases_of(archetype, route).into_iter();
        for (phase, timing) in phases.flat_map(PhaseTimes::used) {
            let name = s.catalog.archetype(archetype);
            f.histogram(&[name, method, path, phase.as_str()], timing);
        }
    }
}

/// Requests by address and result.
pub(super) fn by_address<'a>(s: &'a Snapshot, f: &mut Family<'a>) {
    for (address, counts) in s.run.addresses.sorted() {
        let address = address.map_or_else(|| "other".to_owned(), |address| address.to_string());
        f.count(&[&address, "success"], counts.requests - counts.errors);
        f.count(&[&address, "error"], counts.errors);
    }
}

/// Each version by archetype, version and hash.
pub(super) fn by_version<'a>(s: &'a Snapshot, mut each: impl FnMut([&str; 3], &'a VersionCounts)) {
    for total in &s.versions {
        let labels = s.catalog.version(total.role.version);
        let (version, hash) = labels.map_or((OLDER, "-"), |v| (&v.version, &v.hash));
        let archetype = s.catalog.archetype(total.role.archetype);
        each([archetype, version, hash], &total.counts);
    }
}

/// Each value of an enum by its word.
pub(super) fn by_word<T: Word>(mut each: impl FnMut(T, &[&str])) {
    for (word, value) in T::TABLE {
        each(*value, &[word]);
    }
}

/// In seconds.
pub(super) fn since_1970(s: &Snapshot) -> f64 {
    s.started
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

pub(super) fn requests(s: &Snapshot, f: &mut Family<'_>) {
    by_route(s, |labels, series| {
        for result in series.results() {
            // Either the status or the failure is `-`.
            let (status, failure) = match result.outcome.shown() {
                Ok(status) => (status, "-"),
                Err(failure) => ("-".to_owned(), failure.as_str()),
            };
            let is_expected = result.expected || result.is_accepted();
            let more = [status.as_str(), failure, truth(is_expected)];
            f.count(&[labels, &more].concat(), result.count);
        }
    });
}

fn truth(is: bool) -> &'static str {
    if is { "true" } else { "false" }
}

pub(super) fn errors(s: &Snapshot, f: &mut Family<'_>) {
    by_route(s, |labels, series| {
        let mut kinds = ALWAYS.map(|kind| (kind, 0)).to_vec();
        for result in series.results().iter().filter(|result| result.is_error()) {
            let kind = match result.outcome {
                Outcome::Status(..500) => "4xx",
                Outcome::Status(_) | Outcome::Accepted(_) => "5xx",
                Outcome::Grpc(code) | Outcome::AcceptedGrpc(code) => code.as_str(),
                Outcome::Failed(failure) => failure.as_str(),
            };
            add(&mut kinds, kind, result.count);
        }
        for (kind, count) in kinds {
            f.count(&[labels, &[kind]].concat(), count);
        }
    });
}

pub(super) fn authentications(s: &Snapshot, f: &mut Family<'_>) {
    for (archetype, route, series) in s.series() {
        if s.catalog.category_of(archetype, route) != AUTH {
            continue;
        }
        // What can happen without the tool asking for it shows from the start.
        let mut counts = ["success", "refused", "failed"]
            .map(|r| ((r, "false"), 0))
            .to_vec();
        for result in series.results() {
            let key = match OutcomeClass::of(result.outcome) {
                OutcomeClass::Success => "success",
                OutcomeClass::Client => "refused",
                OutcomeClass::Server => "failed",
            };
            add(&mut counts, (key, truth(result.expected)), result.count);
        }
        let (method, path) = s.catalog.route(archetype, route);
        for ((key, expected), count) in counts {
            let archetype = s.catalog.archetype(archetype);
            f.count(&[archetype, method, path, key, expected], count);
        }
    }
}

fn add<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: K, count: u64) {
    match counts.iter_mut().find(|(known, _)| *known == key) {
        Some((_, sum)) => *sum += count,
        None => counts.push((key, count)),
    }
}

/// Each threshold by its text.
pub(super) fn thresholds(s: &Snapshot, mut each: impl FnMut(&str, &ThresholdResult)) {
    let mut written = BTreeSet::new();
    for result in &s.guard.thresholds {
        let threshold = result.threshold.to_string();
        // A plan may contain the same one twice.
        if written.insert(threshold.clone()) {
            each(&threshold, result);
        }
    }
}

pub(super) fn observed(s: &Snapshot, f: &mut Family<'_>) {
    by_archetype(s, |name, counts| {
        for (metric, values) in counts.observed.sorted() {
            let value = Value::Summary {
                quantiles: QUANTILES.map(|q| (q, values.quantile(q))).to_vec(),
                sum: values.sum(),
                count: values.count(),
            };
            f.sample(&[name, metric], value);
        }
    });
}
