//! Behaviors as metric families: who plays, what they say, what their calls cost. Part of [`super::families`].

use super::table::{BEHAVIOR_INFO, CHECKS, GUEST_CALL_DURATION, INSTANCES_BUILT, OBSERVED, TRAPS};
use super::{Page, Snapshot, Value, named};

/// Quantiles of a behavior's own metrics.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

pub(super) fn tell<'a>(s: &'a Snapshot, page: &mut Page<'a>) {
    page.family(&BEHAVIOR_INFO, |f| {
        for v in &s.catalog.versions {
            let archetype = s.catalog.archetype(v.archetype);
            f.number(&[archetype, &v.behavior, &v.version, &v.hash], 1.0);
        }
    });
    page.family(&CHECKS, |f| {
        for (archetype, counts) in named(s) {
            for (name, check) in counts.checks.sorted() {
                f.count(&[archetype, name, "passed"], check.passed);
                f.count(&[archetype, name, "failed"], check.failed);
            }
        }
    });
    page.family(&OBSERVED, |f| {
        for (archetype, counts) in named(s) {
            for (metric, values) in counts.observed.sorted() {
                let value = Value::Summary {
                    quantiles: QUANTILES.map(|q| (q, values.quantile(q))).to_vec(),
                    sum: values.sum(),
                    count: values.count(),
                };
                f.sample(&[archetype, metric], value);
            }
        }
    });
    page.family(&GUEST_CALL_DURATION, |f| {
        for (archetype, counts) in named(s) {
            f.histogram(&[archetype], &counts.guest_calls);
        }
    });
    page.family(&INSTANCES_BUILT, |f| {
        for (archetype, counts) in named(s) {
            f.count(&[archetype], counts.instances_built);
        }
    });
    page.family(&TRAPS, |f| {
        for (archetype, counts) in named(s) {
            f.count(&[archetype], counts.traps);
        }
    });
}
