//! A snapshot as metric families: what the Prometheus page shows and what remote write and OTLP send.
//!
//! What must stay true: every exporter starts here, so that all of them show the same families.

mod collect;
mod desc;
pub mod table;

pub use desc::{Family, MetricDesc, MetricKind, MetricUnit, Sample, Value};

use super::{RunInfo, Snapshot};

/// Every metric of a run at the instant of a snapshot.
pub fn families<'a>(snapshot: &'a Snapshot, info: &'a RunInfo) -> Vec<Family<'a>> {
    let collected = |metric: &&'static MetricDesc| {
        let mut family = Family {
            metric,
            samples: Vec::new(),
        };
        (metric.collect)(snapshot, info, &mut family);
        family
    };
    table::ALL.iter().map(collected).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::{about, snapshot};

    #[test]
    fn what_is_told_is_what_the_table_declares() {
        let (snapshot, about) = (snapshot(), about());
        let told: Vec<_> = families(&snapshot, &about)
            .iter()
            .map(|f| f.metric.family())
            .collect();
        let declared: Vec<_> = table::ALL.iter().map(|m| m.family()).collect();
        let unique: BTreeSet<_> = told.iter().collect();
        assert_eq!(unique.len(), told.len(), "a family is told twice");
        assert_eq!(
            told.iter().collect::<BTreeSet<_>>(),
            declared.iter().collect::<BTreeSet<_>>()
        );
    }

    #[test]
    fn no_sample_stands_twice_and_each_has_its_kinds_form() {
        let (snapshot, about) = (snapshot(), about());
        for family in families(&snapshot, &about) {
            let mut seen = BTreeSet::new();
            for sample in &family.samples {
                assert!(seen.insert(&sample.labels), "{}", family.metric.name);
                let fits = match (&sample.value, family.metric.kind) {
                    (Value::Number(number), MetricKind::Counter | MetricKind::Gauge) => {
                        number.is_finite()
                    }
                    (Value::Histogram(_), MetricKind::Histogram(_)) => true,
                    (Value::Summary { .. }, MetricKind::Summary) => true,
                    _ => false,
                };
                assert!(fits, "{}: {:?}", family.metric.name, sample.value);
            }
        }
    }
}
