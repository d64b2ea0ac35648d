//! Requests as metric families: what was sent, what came of it, how long it took, and how the mixes stand. Part of
//! [`super::families`]. Every request that was sent is in each of these families once.

use super::table::{
    AUTHENTICATIONS, CATEGORY_REQUESTS, CLASS_REQUESTS, ERRORS, FAULTS_ASKED, FAULTS_COMMITTED,
    RECEIVED, REQUEST_DURATION, REQUESTS, REQUESTS_NOT_SENT, SENT,
};
use super::{Family, Page, Snapshot, named};
use crate::{ResultCount, Series};
use vespeiro_model::{Failure, FaultKind, Outcome, OutcomeClass};

/// The category of logins, tokens and their ends, as the request mix has it.
const AUTH: &str = "auth";
/// Kinds of error that show as 0 before the first one, so that an error rate is a number from the start.
const ALWAYS: [&str; 2] = ["4xx", "5xx"];

pub(super) fn tell<'a>(s: &'a Snapshot, page: &mut Page<'a>) {
    page.family(&REQUESTS, |f| {
        for (labels, series) in series(s) {
            for result in series.results() {
                let (status, failure) = outcome(result.outcome);
                f.count(
                    &[&labels[..], &[&status, failure, expected(&result)]].concat(),
                    result.count,
                );
            }
        }
    });
    page.family(&ERRORS, |f| {
        for (labels, series) in series(s) {
            errors(f, labels, series);
        }
    });
    page.family(&REQUEST_DURATION, |f| {
        for (labels, series) in series(s) {
            f.histogram(&labels, &series.latency);
        }
    });
    page.family(&SENT, |f| {
        for (labels, series) in series(s) {
            f.count(&labels, series.bytes_sent);
        }
    });
    page.family(&RECEIVED, |f| {
        for (labels, series) in series(s) {
            f.count(&labels, series.bytes_received);
        }
    });
    page.family(&REQUESTS_NOT_SENT, |f| {
        for (archetype, counts) in named(s) {
            for (failure, count) in Failure::NOT_SENT.iter().zip(counts.not_sent) {
                f.count(&[archetype, failure.as_str()], count);
            }
        }
    });
    page.family(&AUTHENTICATIONS, |f| authentications(s, f));
    page.family(&CATEGORY_REQUESTS, |f| {
        for (archetype, counts) in named(s) {
            for (at, count) in counts.categories.iter().enumerate() {
                if *count > 0 {
                    f.count(&[archetype, s.catalog.category(at)], *count);
                }
            }
        }
    });
    page.family(&CLASS_REQUESTS, |f| {
        let groups = s.by_archetype();
        for ((archetype, _), group) in named(s).zip(&groups) {
            for (class, count) in OutcomeClass::ALL.iter().zip(group.classes()) {
                f.count(&[archetype, class.as_str()], count);
            }
        }
    });
    page.family(&FAULTS_ASKED, |f| {
        for (kind, count) in FaultKind::ALL.iter().zip(s.faults) {
            f.count(&[kind.as_str()], count.asked);
        }
    });
    page.family(&FAULTS_COMMITTED, |f| {
        for (kind, count) in FaultKind::ALL.iter().zip(s.faults) {
            f.count(&[kind.as_str()], count.committed);
        }
    });
}

/// Every series in use with archetype, method and route.
fn series(s: &Snapshot) -> impl Iterator<Item = ([&str; 3], &Series)> {
    s.series().map(|(archetype, route, series)| {
        let (method, path) = s.catalog.route(archetype, route);
        ([s.catalog.archetype(archetype), method, path], series)
    })
}

/// Status and failure; one of them is always `-`.
fn outcome(outcome: Outcome) -> (String, &'static str) {
    match outcome {
        Outcome::Status(status) => (status.to_string(), "-"),
        Outcome::Failed(failure) => ("-".into(), failure.as_str()),
    }
}

fn expected(result: &ResultCount) -> &'static str {
    if result.expected { "true" } else { "false" }
}

fn errors(f: &mut Family<'_>, labels: [&str; 3], series: &Series) {
    let mut kinds: Vec<(&str, u64)> = ALWAYS.map(|kind| (kind, 0)).to_vec();
    for result in series.results().iter().filter(|result| result.is_error()) {
        let kind = match result.outcome {
            Outcome::Status(..500) => "4xx",
            Outcome::Status(_) => "5xx",
            Outcome::Failed(failure) => failure.as_str(),
        };
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += result.count,
            None => kinds.push((kind, result.count)),
        }
    }
    for (kind, count) in kinds {
        f.count(&[&labels[..], &[kind]].concat(), count);
    }
}

fn authentications(s: &Snapshot, f: &mut Family<'_>) {
    for (archetype, route, series) in s.series() {
        let routes = s.catalog.archetypes.get(usize::from(archetype));
        let label = routes.and_then(|a| a.routes.get(usize::from(route)));
        let Some(label) = label.filter(|l| s.catalog.category(usize::from(l.category)) == AUTH)
        else {
            continue;
        };
        // Both ways it can go without the tool's doing show from the start.
        let mut counts = vec![
            ("success", "false", 0),
            ("refused", "false", 0),
            ("failed", "false", 0),
        ];
        for result in series.results() {
            let key = match OutcomeClass::of(result.outcome) {
                OutcomeClass::Success => "success",
                OutcomeClass::Client => "refused",
                OutcomeClass::Server => "failed",
            };
            let expected = expected(&result);
            match counts
                .iter_mut()
                .find(|(known, e, _)| (*known, *e) == (key, expected))
            {
                Some((.., count)) => *count += result.count,
                None => counts.push((key, expected, result.count)),
            }
        }
        for (key, expected, count) in counts {
            let archetype = s.catalog.archetype(archetype);
            f.count(
                &[archetype, &label.method, &label.path, key, expected],
                count,
            );
        }
    }
}
