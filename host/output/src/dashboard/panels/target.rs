//! What the virtual users see of the target; part of [`super::rows`].

use super::super::query::Queries;
use super::{Row, Visualization, lines, panel, quantiles, stat};
use vespeiro_metrics::families::table::{
    AUTHENTICATIONS, CLASS_REQUESTS, ELAPSED, ERROR_DEGRADATION, ERRORS, LATENCY_DEGRADATION,
    PROCESS_CPU, RECEIVED, REQUEST_DURATION, REQUESTS, SENT, SESSION_DURATION, SESSIONS_ACTIVE,
    SESSIONS_ENDED, TRANSACTION_ACTIVE, TRANSACTION_DURATION, TRANSACTIONS, USABLE_CORES,
    USERS_ACTIVE, USERS_PLANNED,
};

pub(super) fn overview(q: &Queries) -> Row {
    row! { "Overview" {
        stat("reqps", "Requests per second", "Requests that were sent", q.rate(&REQUESTS, "", ""));
        stat("percentunit", "Errors", "Part of the requests that failed though nobody asked for it",
            q.per(&ERRORS, &REQUESTS, ""));
        stat("s", "95th percentile", "Latency from the send to the last byte",
            q.quantile(0.95, &REQUEST_DURATION, "", ""));
        stat("short", "Users", "Virtual users that play", q.sum(&USERS_ACTIVE, "", ""));
        stat("percentunit", "Generator",
            "CPU time by what the workers' cores can give; over 90 % the figures are not the target's alone",
            format!("{} / {}", q.rate(&PROCESS_CPU, "", ""), q.sum(&USABLE_CORES, "", "")));
        stat("s", "Elapsed", "Since the start of the run", format!("max({})", q.raw(&ELAPSED, "")));
        panel(Visualization::Stacked, 12, "reqps", "Requests by class",
            "Whoever is to blame: errors that the tool asked for are in here",
            [(q.rate(&CLASS_REQUESTS, "class", ""), "{{class}}")]);
        lines(12, "s", "Latency", "Of all requests, failed ones included", quantiles(q, &REQUEST_DURATION));
        lines(12, "short", "Users and sessions",
            "Users that play against those of the plan, and the sessions that they are in",
            [
                (q.sum(&USERS_ACTIVE, "", ""), "users"),
                (q.sum(&USERS_PLANNED, "", ""), "users of the plan"),
                (q.sum(&SESSIONS_ACTIVE, "", ""), "sessions"),
            ]);
        lines(12, "reqps", "Errors by kind", "Requests that failed though nobody asked for it",
            [(q.rate(&ERRORS, "kind", ""), "{{kind}}")]);
    } }
}

pub(super) fn latency(q: &Queries) -> Row {
    row! { "Latency" {
        panel(Visualization::HeatMap, 24, "s", "Latency heat map",
            "How many requests took how long: two bands are two kinds of answer, which no percentile shows",
            [(q.buckets(&REQUEST_DURATION, "", ""), "{{le}}")]);
        lines(12, "short", "Degradation",
            "Median and 95th percentile by those of the last half hour: over 1, the target has got slower",
            [(0.5, "p50"), (0.95, "p95")].map(|(quantile, name)| (q.drift(quantile, &REQUEST_DURATION), name)));
        // Nothing is worse than at the beginning before that is known.
        lines(12, "short", "Against the run's beginning",
            "95th percentile by that of the beginning, and by how much the part of errors has risen since",
            [
                (format!("max({}) or vector(1)", q.raw(&LATENCY_DEGRADATION, "")), "p95, times"),
                (format!("max({}) or vector(0)", q.raw(&ERROR_DEGRADATION, "")), "errors, risen by"),
            ]);
        lines(12, "s", "Mean by method", "A mean that climbs alone tells which kind of request degrades",
            [(q.mean(&REQUEST_DURATION, "method"), "{{method}}")]);
    } }
}

pub(super) fn archetypes(q: &Queries) -> Row {
    row! { "Archetypes" {
        panel(Visualization::Stacked, 8, "reqps", "Requests by archetype", "Who makes the load",
            [(q.rate(&REQUESTS, "archetype", ""), "{{archetype}}")]);
        lines(8, "s", "95th percentile by archetype", "Whom the target makes wait",
            [(q.quantile(0.95, &REQUEST_DURATION, "archetype", ""), "{{archetype}}")]);
        lines(8, "percentunit", "Errors by archetype", "Part of the requests that failed though nobody asked for it",
            [(q.per(&ERRORS, &REQUESTS, "archetype"), "{{archetype}}")]);
        lines(8, "short", "Users by archetype", "Virtual users that play",
            [(q.sum(&USERS_ACTIVE, "archetype", ""), "{{archetype}}")]);
        panel(Visualization::Stacked, 8, "ops", "Sessions by ending",
            "Completed: a whole journey. Crashed and failed ones are the behavior's own",
            [(q.rate(&SESSIONS_ENDED, "ending", ""), "{{ending}}")]);
        lines(8, "s", "Session duration, 95th percentile", "How long a journey takes, pauses included",
            [(q.quantile(0.95, &SESSION_DURATION, "archetype", ""), "{{archetype}}")]);
    } }
}

pub(super) fn routes(q: &Queries) -> Row {
    const LEGEND: &str = "{{method}} {{route}}";
    let top = |query: String| format!("topk(10, {query})");
    row! { "Routes" {
        lines(12, "reqps", "Busiest routes", "The ten with the most requests",
            [(top(q.rate(&REQUESTS, "method, route", "")), LEGEND)]);
        lines(12, "s", "Slowest routes", "The ten with the longest 95th percentile",
            [(top(q.quantile(0.95, &REQUEST_DURATION, "method, route", "")), LEGEND)]);
        lines(8, "reqps", "Routes with errors",
            "The ten with the most requests that failed though nobody asked for it",
            [(top(q.rate(&ERRORS, "method, route", "")), LEGEND)]);
        lines(8, "reqps", "Logins, tokens and their ends", "Without those that were to fail",
            [(q.rate(&AUTHENTICATIONS, "route, result", r#"expected="false""#), "{{route}} {{result}}")]);
        lines(8, "Bps", "Bodies", "Bytes of bodies, without headers",
            [(q.rate(&SENT, "", ""), "sent"), (q.rate(&RECEIVED, "", ""), "received")]);
    } }
}

pub(super) fn transactions(q: &Queries) -> Row {
    const NAMED: &str = "archetype, transaction";
    row! { "Transactions" {
        lines(8, "ops", "Transactions", "Spans of sessions, and whether they did what they were for",
            [(q.rate(&TRANSACTIONS, "transaction, result", ""), "{{transaction}} {{result}}")]);
        lines(8, "s", "Transactions without pauses, 95th percentile", "The time in which somebody waited for the target",
            [(q.quantile(0.95, &TRANSACTION_ACTIVE, NAMED, ""), "{{archetype}}: {{transaction}}")]);
        lines(8, "s", "Transactions, 95th percentile", "From begin to end, pauses included",
            [(q.quantile(0.95, &TRANSACTION_DURATION, NAMED, ""), "{{archetype}}: {{transaction}}")]);
    } }
}
