//! What happened, as marks over all panels of the dashboard. Drawn by [`super::grafana`]. Grafana marks the time where a
//! query has the value 1, or the time that is the value.

use super::query::Queries;
use vespeiro_metrics::families::table::{
    BREAKER_TRANSITIONS, RUN_INFO, START_TIME, SWAPS, VERSION_SHARE,
};

pub(super) struct Annotation {
    pub(super) name: &'static str,
    pub(super) color: &'static str,
    pub(super) query: String,
    /// With the query's labels.
    pub(super) title: &'static str,
    /// The value is the time, in milliseconds since 1970.
    pub(super) value_is_time: bool,
}

pub(super) fn annotations(q: &Queries) -> Vec<Annotation> {
    let share = q.raw(&VERSION_SHARE, "");
    let failed = q.raw(&SWAPS, r#"result!="published""#);
    let breaker = q.raw(&BREAKER_TRANSITIONS, "");
    let (run, start) = (q.raw(&RUN_INFO, ""), q.raw(&START_TIME, ""));
    let mark = |name, color, query, title, value_is_time| Annotation {
        name,
        color,
        query,
        title,
        value_is_time,
    };
    let starts = format!("{start} * 1000 * on (job, instance) group_right () {run}");
    // It plays, a minute ago it did not, and the run had begun by then.
    let swaps = format!(
        "group by (job, instance, archetype, version, hash) ({share} > 0) \
         unless ({share} offset 1m > 0) and on (job, instance) {run} offset 1m"
    );
    let fails = format!("group by (job, instance, archetype, result) (increase({failed}[1m]) > 0)");
    let turns = format!("group by (job, instance, to) (increase({breaker}[1m]) > 0)");
    let ends = format!("{run} offset 1m unless on (job, instance) {run}");
    let (swapped, refused) = (
        "{{archetype}} gets {{version}} {{hash}}",
        "{{archetype}}: the swap is {{result}}",
    );
    vec![
        mark("Start", "green", starts, "{{run}} starts", true),
        mark("Swap", "purple", swaps, swapped, false),
        mark("Swap failed", "red", fails, refused, false),
        mark("Breaker", "orange", turns, "breaker: {{to}}", false),
        mark("End", "blue", ends, "{{run}} has ended", false),
    ]
}
