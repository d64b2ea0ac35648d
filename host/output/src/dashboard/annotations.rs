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
    vec![
        Annotation {
            name: "Start",
            color: "green",
            query: format!("{start} * 1000 * on (job, instance) group_right () {run}"),
            title: "{{run}} starts",
            value_is_time: true,
        },
        Annotation {
            name: "Swap",
            color: "purple",
            // It plays, a minute ago it did not, and the run had begun by then.
            query: format!(
                "group by (job, instance, archetype, version, hash) ({share} > 0) \
                 unless ({share} offset 1m > 0) and on (job, instance) {run} offset 1m"
            ),
            title: "{{archetype}} gets {{version}} {{hash}}",
            value_is_time: false,
        },
        Annotation {
            name: "Swap failed",
            color: "red",
            query: format!(
                "group by (job, instance, archetype, result) (increase({failed}[1m]) > 0)"
            ),
            title: "{{archetype}}: the swap is {{result}}",
            value_is_time: false,
        },
        Annotation {
            name: "Breaker",
            color: "orange",
            query: format!("group by (job, instance, to) (increase({breaker}[1m]) > 0)"),
            title: "breaker: {{to}}",
            value_is_time: false,
        },
        Annotation {
            name: "End",
            color: "blue",
            query: format!("{run} offset 1m unless on (job, instance) {run}"),
            title: "{{run}} has ended",
            value_is_time: false,
        },
    ]
}
