//! The panels of the dashboard, row by row: the one table that [`super::grafana`] draws. Every query has data in a demo,
//! which a test holds with a real Prometheus.

use super::query::Queries;
use crate::metrics::families::Metric;
use crate::metrics::families::table::{
    AUTHENTICATIONS, CATEGORY_REQUESTS, CHECKS, CLASS_REQUESTS, ELAPSED, ERROR_MIX_TARGET, ERRORS,
    FAULTS_ASKED, FAULTS_COMMITTED, GUEST_CALL_DURATION, INSTANCES_BUILT, MIX_TARGET, OBSERVED,
    PROCESS_CPU, PROCESS_OPEN_FDS, PROCESS_RESIDENT_MEMORY, PROCESS_THREADS, RECEIVED,
    REQUEST_DURATION, REQUESTS, REQUESTS_NOT_SENT, SCHEDULING_LAG, SENT, SESSION_DURATION,
    SESSIONS_ACTIVE, SESSIONS_ENDED, SWAPS, TRAPS, USABLE_CORES, USERS_ACTIVE, USERS_PLANNED,
    VERSION_REQUEST_DURATION, VERSION_REQUESTS, VERSION_SESSIONS_ENDED, VERSION_SHARE,
    VERSION_TRAPS, WORKERS,
};

/// Panels under one heading.
pub(super) struct Row {
    pub(super) title: &'static str,
    pub(super) panels: Vec<Panel>,
}

pub(super) struct Panel {
    pub(super) title: &'static str,
    /// What to see in it.
    pub(super) help: &'static str,
    pub(super) look: Look,
    /// In Grafana's words.
    pub(super) unit: &'static str,
    /// Of 24.
    pub(super) width: u32,
    /// Query and legend.
    pub(super) queries: Vec<(String, &'static str)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Stat,
    Lines,
    /// Lines that add up.
    Stacked,
    HeatMap,
    Table,
}

fn panel(
    look: Look,
    width: u32,
    unit: &'static str,
    title: &'static str,
    help: &'static str,
    queries: impl IntoIterator<Item = (String, &'static str)>,
) -> Panel {
    Panel {
        title,
        help,
        look,
        unit,
        width,
        queries: queries.into_iter().collect(),
    }
}

fn lines(
    width: u32,
    unit: &'static str,
    title: &'static str,
    help: &'static str,
    queries: impl IntoIterator<Item = (String, &'static str)>,
) -> Panel {
    panel(Look::Lines, width, unit, title, help, queries)
}

fn stat(unit: &'static str, title: &'static str, help: &'static str, query: String) -> Panel {
    panel(Look::Stat, 4, unit, title, help, [(query, "")])
}

/// All rows, from the outside to the inside.
pub(super) fn rows(q: &Queries) -> Vec<Row> {
    vec![
        overview(q),
        latency(q),
        archetypes(q),
        routes(q),
        mixes(q),
        behaviors(q),
        generator(q),
    ]
}

fn quantiles(q: &Queries, metric: &Metric) -> [(String, &'static str); 3] {
    [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")]
        .map(|(quantile, name)| (q.quantile(quantile, metric, "", ""), name))
}

fn overview(q: &Queries) -> Row {
    Row {
        title: "Overview",
        panels: vec![
            stat(
                "reqps",
                "Requests per second",
                "Requests that were sent",
                q.rate(&REQUESTS, "", ""),
            ),
            stat(
                "percentunit",
                "Errors",
                "Part of the requests that failed though nobody asked for it",
                q.per(&ERRORS, &REQUESTS, ""),
            ),
            stat(
                "s",
                "95th percentile",
                "Latency from the send to the last byte",
                q.quantile(0.95, &REQUEST_DURATION, "", ""),
            ),
            stat(
                "short",
                "Users",
                "Virtual users that play",
                q.sum(&USERS_ACTIVE, "", ""),
            ),
            stat(
                "percentunit",
                "Generator",
                "CPU time by what the workers' cores can give; over 90 % the figures are not the target's alone",
                format!(
                    "{} / {}",
                    q.rate(&PROCESS_CPU, "", ""),
                    q.sum(&USABLE_CORES, "", "")
                ),
            ),
            stat(
                "s",
                "Elapsed",
                "Since the start of the run",
                format!("max({})", q.raw(&ELAPSED, "")),
            ),
            panel(
                Look::Stacked,
                12,
                "reqps",
                "Requests by class",
                "Whoever is to blame: errors that the tool asked for are in here",
                [(q.rate(&CLASS_REQUESTS, "class", ""), "{{class}}")],
            ),
            lines(
                12,
                "s",
                "Latency",
                "Of all requests, failed ones included",
                quantiles(q, &REQUEST_DURATION),
            ),
            lines(
                12,
                "short",
                "Users and sessions",
                "Users that play against those of the plan, and the sessions that they are in",
                [
                    (q.sum(&USERS_ACTIVE, "", ""), "users"),
                    (q.sum(&USERS_PLANNED, "", ""), "users of the plan"),
                    (q.sum(&SESSIONS_ACTIVE, "", ""), "sessions"),
                ],
            ),
            lines(
                12,
                "reqps",
                "Errors by kind",
                "Requests that failed though nobody asked for it",
                [(q.rate(&ERRORS, "kind", ""), "{{kind}}")],
            ),
        ],
    }
}

fn latency(q: &Queries) -> Row {
    Row {
        title: "Latency",
        panels: vec![
            panel(
                Look::HeatMap,
                16,
                "s",
                "Latency heat map",
                "How many requests took how long: two bands are two kinds of answer, which no percentile shows",
                [(q.buckets(&REQUEST_DURATION, "", ""), "{{le}}")],
            ),
            lines(
                8,
                "s",
                "Mean by method",
                "A mean that climbs alone tells which kind of request degrades",
                [(q.mean(&REQUEST_DURATION, "method"), "{{method}}")],
            ),
        ],
    }
}

fn archetypes(q: &Queries) -> Row {
    Row {
        title: "Archetypes",
        panels: vec![
            panel(
                Look::Stacked,
                8,
                "reqps",
                "Requests by archetype",
                "Who makes the load",
                [(q.rate(&REQUESTS, "archetype", ""), "{{archetype}}")],
            ),
            lines(
                8,
                "s",
                "95th percentile by archetype",
                "Whom the target makes wait",
                [(
                    q.quantile(0.95, &REQUEST_DURATION, "archetype", ""),
                    "{{archetype}}",
                )],
            ),
            lines(
                8,
                "percentunit",
                "Errors by archetype",
                "Part of the requests that failed though nobody asked for it",
                [(q.per(&ERRORS, &REQUESTS, "archetype"), "{{archetype}}")],
            ),
            lines(
                8,
                "short",
                "Users by archetype",
                "Virtual users that play",
                [(q.sum(&USERS_ACTIVE, "archetype", ""), "{{archetype}}")],
            ),
            panel(
                Look::Stacked,
                8,
                "ops",
                "Sessions by ending",
                "Completed: a whole journey. Crashed and failed ones are the behavior's own",
                [(q.rate(&SESSIONS_ENDED, "ending", ""), "{{ending}}")],
            ),
            lines(
                8,
                "s",
                "Session duration, 95th percentile",
                "How long a journey takes, pauses included",
                [(
                    q.quantile(0.95, &SESSION_DURATION, "archetype", ""),
                    "{{archetype}}",
                )],
            ),
        ],
    }
}

fn routes(q: &Queries) -> Row {
    const LEGEND: &str = "{{method}} {{route}}";
    let top = |query: String| format!("topk(10, {query})");
    Row {
        title: "Routes",
        panels: vec![
            lines(
                12,
                "reqps",
                "Busiest routes",
                "The ten with the most requests",
                [(top(q.rate(&REQUESTS, "method, route", "")), LEGEND)],
            ),
            lines(
                12,
                "s",
                "Slowest routes",
                "The ten with the longest 95th percentile",
                [(
                    top(q.quantile(0.95, &REQUEST_DURATION, "method, route", "")),
                    LEGEND,
                )],
            ),
            lines(
                8,
                "reqps",
                "Routes with errors",
                "The ten with the most requests that failed though nobody asked for it",
                [(top(q.rate(&ERRORS, "method, route", "")), LEGEND)],
            ),
            lines(
                8,
                "reqps",
                "Logins, tokens and their ends",
                "Without those that were to fail",
                [(
                    q.rate(&AUTHENTICATIONS, "route, result", r#"expected="false""#),
                    "{{route}} {{result}}",
                )],
            ),
            lines(
                8,
                "Bps",
                "Bodies",
                "Bytes of bodies, without headers",
                [
                    (q.rate(&SENT, "", ""), "sent"),
                    (q.rate(&RECEIVED, "", ""), "received"),
                ],
            ),
        ],
    }
}

fn mixes(q: &Queries) -> Row {
    let share = |metric, label| {
        let (each, all) = (q.rate(metric, label, ""), q.rate(metric, "", ""));
        format!("{each} / ignoring ({label}) group_left () {all}")
    };
    Row {
        title: "Mixes and faults",
        panels: vec![
            lines(
                8,
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
                8,
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
                8,
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

fn behaviors(q: &Queries) -> Row {
    const VERSION: &str = "archetype, version, hash";
    const VERSION_LEGEND: &str = "{{archetype}} {{version}} {{hash}}";
    Row {
        title: "Behaviors",
        panels: vec![
            panel(
                Look::Table,
                12,
                "percentunit",
                "Behaviors and their versions",
                "What plays each archetype, and which part of the new sessions it gets",
                [(
                    format!(
                        "avg by (archetype, version, hash) ({})",
                        q.raw(&VERSION_SHARE, "")
                    ),
                    "",
                )],
            ),
            panel(
                Look::Stacked,
                12,
                "reqps",
                "Requests by version",
                "A swap shows as one version that gives way to another",
                [(q.rate(&VERSION_REQUESTS, VERSION, ""), VERSION_LEGEND)],
            ),
            lines(
                8,
                "s",
                "95th percentile by version",
                "Whether the new version makes the target slower",
                [(
                    q.quantile(0.95, &VERSION_REQUEST_DURATION, VERSION, ""),
                    VERSION_LEGEND,
                )],
            ),
            lines(
                8,
                "percentunit",
                "Errors and traps by version",
                "Part of the requests that failed though nobody asked for it, and traps per request",
                [
                    (
                        q.part_of(&VERSION_REQUESTS, VERSION, r#"result="error""#),
                        VERSION_LEGEND,
                    ),
                    (
                        q.per(&VERSION_TRAPS, &VERSION_REQUESTS, VERSION),
                        "{{archetype}} {{version}} {{hash}} traps",
                    ),
                ],
            ),
            lines(
                8,
                "ops",
                "Journeys completed by version",
                "Whether people still get done what they came for",
                [(
                    q.rate(&VERSION_SESSIONS_ENDED, VERSION, r#"ending="completed""#),
                    VERSION_LEGEND,
                )],
            ),
            lines(
                8,
                "short",
                "Swaps",
                "So far, by result",
                [(q.sum(&SWAPS, "result", ""), "{{result}}")],
            ),
            lines(
                8,
                "s",
                "Calls into behaviors, 99th percentile",
                "What a decision costs; microseconds, or the behavior is the load",
                [(
                    q.quantile(0.99, &GUEST_CALL_DURATION, "archetype", ""),
                    "{{archetype}}",
                )],
            ),
            lines(
                8,
                "percentunit",
                "Checks that failed",
                "Part of the checks of each name",
                [(
                    q.part_of(&CHECKS, "archetype, check", r#"result="failed""#),
                    "{{archetype}}: {{check}}",
                )],
            ),
            lines(
                12,
                "short",
                "Instances and traps",
                "Made and trapped so far: every trap costs the sessions of one instance",
                [
                    (
                        q.sum(&INSTANCES_BUILT, "archetype", ""),
                        "{{archetype}} instances",
                    ),
                    (q.sum(&TRAPS, "archetype", ""), "{{archetype}} traps"),
                ],
            ),
            lines(
                12,
                "short",
                "Observed values",
                "What behaviors measure themselves, 95th percentile since the start of the run",
                [(
                    format!(
                        "max by (archetype, metric) ({})",
                        q.raw(&OBSERVED, r#"quantile="0.95""#)
                    ),
                    "{{archetype}}: {{metric}}",
                )],
            ),
        ],
    }
}

fn generator(q: &Queries) -> Row {
    Row {
        title: "Generator",
        panels: vec![
            lines(
                8,
                "short",
                "Cores",
                "That the generator keeps busy, and that its workers can use",
                [
                    (q.rate(&PROCESS_CPU, "instance", ""), "{{instance}}"),
                    (q.sum(&USABLE_CORES, "instance", ""), "{{instance}} usable"),
                ],
            ),
            lines(
                8,
                "bytes",
                "Memory",
                "Resident; it does not grow with time",
                [(
                    q.sum(&PROCESS_RESIDENT_MEMORY, "instance", ""),
                    "{{instance}}",
                )],
            ),
            lines(
                8,
                "s",
                "Scheduling lag",
                "How late timers fire; over 10 ms the figures are not the target's alone",
                quantiles(q, &SCHEDULING_LAG),
            ),
            lines(
                12,
                "short",
                "Files and threads",
                "Open files are mostly connections",
                [
                    (
                        q.sum(&PROCESS_OPEN_FDS, "instance", ""),
                        "{{instance}} files",
                    ),
                    (
                        q.sum(&PROCESS_THREADS, "instance", ""),
                        "{{instance}} threads",
                    ),
                    (q.sum(&WORKERS, "instance", ""), "{{instance}} workers"),
                ],
            ),
            lines(
                12,
                "reqps",
                "Requests that never left",
                "circuit-open: held back by the breaker; stopped: the run was ending",
                [(q.rate(&REQUESTS_NOT_SENT, "failure", ""), "{{failure}}")],
            ),
        ],
    }
}
