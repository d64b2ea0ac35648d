//! What the plan asked for against what was reached; part of [`super::rows`].

use super::super::query::Queries;
use super::{Row, lines};
use crate::metrics::families::table::{
    ARRIVAL_RATE_TARGET, ARRIVALS, ARRIVALS_DROPPED, CATEGORY_REQUESTS, CLASS_REQUESTS,
    ERROR_MIX_TARGET, FAULTS_ASKED, FAULTS_COMMITTED, MIX_TARGET, PAUSED, REQUEST_DURATION,
    SERVICE_DURATION, THRESHOLD_CROSSED, USERS_ACTIVE, USERS_TARGET,
};

pub(super) fn mixes(q: &Queries) -> Row {
    let share = |metric, label| {
        let (each, all) = (q.rate(metric, label, ""), q.rate(metric, "", ""));
        format!("{each} / ignoring ({label}) group_left () {all}")
    };
    Row {
        title: "Mixes, faults and thresholds",
        panels: vec![
            lines(
                6,
                "percentunit",
                "Request mix",
                "Share of each category, and what the plan wants it to be",
                [
                    (share(&CATEGORY_REQUESTS, "category"), "{{category}}"),
                    (
                        format!("avg by (category) ({})", q.raw(&MIX_TARGET, "")),
                        "{{category}} wanted",
                    ),
                ],
            ),
            lines(
                6,
                "percentunit",
                "Error mix",
                "Share of successes and errors, and what the plan wants it to be",
                [
                    (share(&CLASS_REQUESTS, "class"), "{{class}}"),
                    (
                        format!("avg by (class) ({})", q.raw(&ERROR_MIX_TARGET, "")),
                        "{{class}} wanted",
                    ),
                ],
            ),
            lines(
                6,
                "short",
                "Thresholds",
                "1 while one does not hold as the run stands",
                [(
                    // A run without thresholds crosses none.
                    format!(
                        "max by (threshold) ({}) or vector(0)",
                        q.raw(&THRESHOLD_CROSSED, "")
                    ),
                    "{{threshold}}",
                )],
            ),
            lines(
                6,
                "ops",
                "Faults on purpose",
                "Failures that the tool asked for, and those that came about",
                [
                    (q.rate(&FAULTS_ASKED, "kind", ""), "{{kind}} asked"),
                    (q.rate(&FAULTS_COMMITTED, "kind", ""), "{{kind}}"),
                ],
            ),
        ],
    }
}

pub(super) fn profile(q: &Queries) -> Row {
    Row {
        title: "Load profile",
        panels: vec![
            lines(
                8,
                "short",
                "Users wanted",
                "What the load profile wants, and who plays; held: somebody has paused the run",
                [
                    (q.sum(&USERS_TARGET, "", ""), "wanted"),
                    (q.sum(&USERS_ACTIVE, "", ""), "playing"),
                    (format!("max({})", q.raw(&PAUSED, "")), "held"),
                ],
            ),
            lines(
                8,
                "ops",
                "Arrivals",
                "With a rate: sessions that were due, and those that found no user in time",
                [
                    (
                        // Without a rate there is none to show.
                        format!("{} or vector(0)", q.sum(&ARRIVAL_RATE_TARGET, "", "")),
                        "wanted",
                    ),
                    (q.rate(&ARRIVALS, "", ""), "due"),
                    (q.rate(&ARRIVALS_DROPPED, "", ""), "dropped"),
                ],
            ),
            lines(
                8,
                "s",
                "Response time and service time, 99th percentile",
                "With a rate: from when a request should have left, and from when it did; apart, the target holds users up",
                [
                    (q.quantile(0.99, &REQUEST_DURATION, "", ""), "response"),
                    (q.quantile(0.99, &SERVICE_DURATION, "", ""), "service"),
                ],
            ),
        ],
    }
}
