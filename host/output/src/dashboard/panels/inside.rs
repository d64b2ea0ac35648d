//! What the generator is made of and whether it kept up; part of [`super::rows`].

use super::super::query::Queries;
use super::{Row, Visualization, lines, panel, quantiles};
use vespeiro_metrics::families::table::{
    CHECKS, GUEST_CALL_DURATION, INSTANCES_BUILT, OBSERVED, PROCESS_CPU, PROCESS_OPEN_FDS,
    PROCESS_RESIDENT_MEMORY, PROCESS_THREADS, REQUESTS_NOT_SENT, SCHEDULING_LAG, SWAPS, TRAPS,
    USABLE_CORES, VERSION_REQUEST_DURATION, VERSION_REQUESTS, VERSION_SESSIONS_ENDED,
    VERSION_SHARE, VERSION_TRAPS, WORKERS,
};

pub(super) fn behaviors(q: &Queries) -> Row {
    const VERSION: &str = "archetype, version, hash";
    const VERSION_LEGEND: &str = "{{archetype}} {{version}} {{hash}}";
    row! { "Behaviors" {
        panel(Visualization::Table, 12, "percentunit", "Behaviors and their versions",
            "What plays each archetype, and which part of the new sessions it gets",
            [(format!("avg by (archetype, version, hash) ({})", q.raw(&VERSION_SHARE, "")), "")]);
        panel(Visualization::Stacked, 12, "reqps", "Requests by version",
            "A swap shows as one version that gives way to another",
            [(q.rate(&VERSION_REQUESTS, VERSION, ""), VERSION_LEGEND)]);
        lines(8, "s", "95th percentile by version", "Whether the new version makes the target slower",
            [(q.quantile(0.95, &VERSION_REQUEST_DURATION, VERSION, ""), VERSION_LEGEND)]);
        lines(8, "percentunit", "Errors and traps by version",
            "Part of the requests that failed though nobody asked for it, and traps per request",
            [
                (q.part_of(&VERSION_REQUESTS, VERSION, r#"result="error""#), VERSION_LEGEND),
                (q.per(&VERSION_TRAPS, &VERSION_REQUESTS, VERSION), "{{archetype}} {{version}} {{hash}} traps"),
            ]);
        lines(8, "ops", "Journeys completed by version", "Whether people still get done what they came for",
            [(q.rate(&VERSION_SESSIONS_ENDED, VERSION, r#"ending="completed""#), VERSION_LEGEND)]);
        lines(8, "short", "Swaps", "So far, by result", [(q.sum(&SWAPS, "result", ""), "{{result}}")]);
        lines(8, "s", "Calls into behaviors, 99th percentile",
            "What a decision costs; microseconds, or the behavior is the load",
            [(q.quantile(0.99, &GUEST_CALL_DURATION, "archetype", ""), "{{archetype}}")]);
        lines(8, "percentunit", "Checks that failed", "Part of the checks of each name",
            [(q.part_of(&CHECKS, "archetype, check", r#"result="failed""#), "{{archetype}}: {{check}}")]);
        lines(12, "short", "Instances and traps",
            "Made and trapped so far: every trap costs the sessions of one instance",
            [
                (q.sum(&INSTANCES_BUILT, "archetype", ""), "{{archetype}} instances"),
                (q.sum(&TRAPS, "archetype", ""), "{{archetype}} traps"),
            ]);
        lines(12, "short", "Observed values",
            "What behaviors measure themselves, 95th percentile since the start of the run",
            [
                (format!("max by (archetype, metric) ({})", q.raw(&OBSERVED, r#"quantile="0.95""#)), "{{archetype}}: {{metric}}"),
            ]);
    } }
}

pub(super) fn generator(q: &Queries) -> Row {
    row! { "Generator" {
        lines(8, "short", "Cores", "That the generator keeps busy, and that its workers can use",
            [
                (q.rate(&PROCESS_CPU, "instance", ""), "{{instance}}"),
                (q.sum(&USABLE_CORES, "instance", ""), "{{instance}} usable"),
            ]);
        lines(8, "bytes", "Memory", "Resident; it does not grow with time",
            [(q.sum(&PROCESS_RESIDENT_MEMORY, "instance", ""), "{{instance}}")]);
        lines(8, "s", "Scheduling lag", "How late timers fire; over 10 ms the figures are not the target's alone",
            quantiles(q, &SCHEDULING_LAG));
        lines(12, "short", "Files and threads", "Open files are mostly connections",
            [
                (q.sum(&PROCESS_OPEN_FDS, "instance", ""), "{{instance}} files"),
                (q.sum(&PROCESS_THREADS, "instance", ""), "{{instance}} threads"),
                (q.sum(&WORKERS, "instance", ""), "{{instance}} workers"),
            ]);
        lines(12, "reqps", "Requests that never left",
            "circuit-open: held back by the breaker; stopped: the run was ending",
            [(q.rate(&REQUESTS_NOT_SENT, "failure", ""), "{{failure}}")]);
    } }
}
