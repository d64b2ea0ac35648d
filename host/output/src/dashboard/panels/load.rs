//! What the plan asked for against what was reached; part of [`super::rows`].

use super::super::query::Queries;
use super::{Row, Visualization, lines, panel};
use vespeiro_metrics::families::table::{
    ARRIVAL_RATE_TARGET, ARRIVALS, ARRIVALS_DROPPED, BREAKER_STATE, CATEGORY_REQUESTS,
    CLASS_REQUESTS, ERROR_MIX_TARGET, FAULTS_ASKED, FAULTS_COMMITTED, HOLD, LOGINS_PAUSED,
    LOGINS_REFUSED, LOGINS_REFUSED_BOUND, LOGINS_REFUSED_LATELY, MIX_TARGET, PACE_FACTOR, PAUSED,
    REQUEST_DURATION, REQUESTS_IN_FLIGHT, RETRIES, SERVICE_DURATION, THRESHOLD_CROSSED,
    USERS_ACTIVE, USERS_HELD, USERS_TARGET,
};

pub(super) fn mixes(q: &Queries) -> Row {
    let share = |metric, label| {
        let (each, all) = (q.rate(metric, label, ""), q.rate(metric, "", ""));
        format!("{each} / ignoring ({label}) group_left () {all}")
    };
    row! { "Mixes, faults and thresholds" {
        lines(6, "percentunit", "Request mix", "Share of each category, and what the plan wants it to be",
            [
                (share(&CATEGORY_REQUESTS, "category"), "{{category}}"),
                (format!("avg by (category) ({})", q.raw(&MIX_TARGET, "")), "{{category}} wanted"),
            ]);
        lines(6, "percentunit", "Error mix", "Share of successes and errors, and what the plan wants it to be",
            [
                (share(&CLASS_REQUESTS, "class"), "{{class}}"),
                (format!("avg by (class) ({})", q.raw(&ERROR_MIX_TARGET, "")), "{{class}} wanted"),
            ]);
        // A run without thresholds crosses none.
        lines(6, "short", "Thresholds", "1 while one does not hold as the run stands",
            [(format!("max by (threshold) ({}) or vector(0)", q.raw(&THRESHOLD_CROSSED, "")), "{{threshold}}")]);
        lines(6, "ops", "Faults on purpose", "Failures that the tool asked for, and those that came about",
            [
                (q.rate(&FAULTS_ASKED, "kind", ""), "{{kind}} asked"),
                (q.rate(&FAULTS_COMMITTED, "kind", ""), "{{kind}}"),
            ]);
    } }
}

pub(super) fn profile(q: &Queries) -> Row {
    row! { "Load profile" {
        lines(8, "short", "Users wanted",
            "What the load profile wants, and who plays; held: somebody has paused the run",
            [
                (q.sum(&USERS_TARGET, "", ""), "wanted"),
                (q.sum(&USERS_ACTIVE, "", ""), "playing"),
                (format!("max({})", q.raw(&PAUSED, "")), "held"),
            ]);
        // Without a rate there is none to show.
        lines(8, "ops", "Arrivals", "With a rate: sessions that were due, and those that found no user in time",
            [
                (format!("{} or vector(0)", q.sum(&ARRIVAL_RATE_TARGET, "", "")), "wanted"),
                (q.rate(&ARRIVALS, "", ""), "due"),
                (q.rate(&ARRIVALS_DROPPED, "", ""), "dropped"),
            ]);
        lines(8, "s", "Response time and service time, 99th percentile",
            "With a rate: from when a request should have left, and from when it did; apart, the target holds users up",
            [
                (q.quantile(0.99, &REQUEST_DURATION, "", ""), "response"),
                (q.quantile(0.99, &SERVICE_DURATION, "", ""), "service"),
            ]);
    } }
}

pub(super) fn resilience(q: &Queries) -> Row {
    row! { "Regard for the target" {
        panel(Visualization::Stacked, 6, "short", "Circuit breakers",
            "Workers by the state of theirs: open ones send nothing but a probe",
            [(q.sum(&BREAKER_STATE, "state", ""), "{{state}}")]);
        lines(6, "short", "Users held back",
            "How many users wait at a time, by reason: 429s, Retry-After, refused logins",
            [(q.rate(&HOLD, "reason", ""), "{{reason}}"), (q.sum(&USERS_HELD, "", ""), "now")]);
        lines(6, "short", "Pace", "By how much users are slowed down because of 429s; and requests under way",
            [
                (format!("max({})", q.raw(&PACE_FACTOR, "")), "slowed down by"),
                (q.sum(&REQUESTS_IN_FLIGHT, "", ""), "in flight"),
            ]);
        lines(6, "ops", "Retries and refused logins",
            "Requests sent again, logins that were refused, and workers that let nobody log in now",
            [
                (q.rate(&RETRIES, "", ""), "retries"),
                (q.rate(&LOGINS_REFUSED, "", ""), "refused logins"),
                (q.sum(&LOGINS_PAUSED, "", ""), "workers that pause logins"),
            ]);
        lines(12, "short", "Refused logins in the last minute",
            "Against what may be refused before logins pause; planned ones had a wrong password on purpose",
            [
                (format!("{} or vector(0)", q.sum(&LOGINS_REFUSED_LATELY, "", r#"expected="false""#)), "unplanned"),
                (format!("{} or vector(0)", q.sum(&LOGINS_REFUSED_LATELY, "", r#"expected="true""#)), "planned"),
                (format!("{} or vector(0)", q.sum(&LOGINS_REFUSED_BOUND, "", "")), "bound"),
            ]);
    } }
}
