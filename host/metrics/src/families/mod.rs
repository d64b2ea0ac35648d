//! A snapshot as metric families: what [`vespeiro_output::prometheus`] writes for a scrape and room `export` sends. Every way out
//! shows the same families, for all of them start here. A sample's labels are those that [`table`] declares, and come
//! from the catalog and from fixed words, so their number is bounded.

mod behaviors;
mod generator;
mod profile;
mod requests;
mod resilience;
mod run;
pub mod table;
mod users;
mod versions;

use super::{ArchetypeCounts, RunInfo, Snapshot, Timing};
pub use table::{MetricDesc, MetricKind, MetricUnit};

/// One metric and its samples.
#[derive(Debug, Clone)]
pub struct Family<'a> {
    pub metric: &'static MetricDesc,
    pub samples: Vec<Sample<'a>>,
}

/// One label set of a metric and its value.
#[derive(Debug, Clone)]
pub struct Sample<'a> {
    /// The labels' values, in the order of [`MetricDesc::labels`].
    pub labels: Vec<String>,
    pub value: Value<'a>,
}

/// The value of a sample; its form is that of the metric's [`MetricKind`].
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// Of a counter or a gauge.
    Number(f64),
    Histogram(&'a Timing),
    Summary {
        /// Quantile and value.
        quantiles: Vec<(f64, f64)>,
        sum: f64,
        count: u64,
    },
}

impl Sample<'_> {
    /// Names and values of the labels.
    pub fn named(&self, metric: &MetricDesc) -> impl Iterator<Item = (&'static str, &str)> {
        let values = self.labels.iter().map(String::as_str);
        metric.labels.iter().copied().zip(values)
    }
}

/// Everything there is to tell about a run at the instant of a snapshot.
pub fn families<'a>(snapshot: &'a Snapshot, about: &'a RunInfo) -> Vec<Family<'a>> {
    let mut page = Page::default();
    run::tell(snapshot, about, &mut page);
    requests::tell(snapshot, &mut page);
    users::tell(snapshot, about, &mut page);
    profile::tell(snapshot, &mut page);
    behaviors::tell(snapshot, &mut page);
    versions::tell(snapshot, &mut page);
    resilience::tell(snapshot, &mut page);
    generator::tell(snapshot, &mut page);
    page.0
}

/// Families in the making.
#[derive(Debug, Default)]
struct Page<'a>(Vec<Family<'a>>);

impl<'a> Page<'a> {
    /// Begin a family and fill it.
    fn family(&mut self, metric: &'static MetricDesc, fill: impl FnOnce(&mut Family<'a>)) {
        let mut family = Family {
            metric,
            samples: Vec::new(),
        };
        fill(&mut family);
        self.0.push(family);
    }

    /// A family of one sample without labels.
    fn single(&mut self, metric: &'static MetricDesc, value: f64) {
        self.family(metric, |f| f.number(&[], value));
    }
}

impl<'a> Family<'a> {
    fn number(&mut self, labels: &[&str], value: f64) {
        self.sample(labels, Value::Number(value));
    }

    fn count(&mut self, labels: &[&str], count: u64) {
        self.number(labels, count as f64);
    }

    fn histogram(&mut self, labels: &[&str], timing: &'a Timing) {
        self.sample(labels, Value::Histogram(timing));
    }

    fn sample(&mut self, labels: &[&str], value: Value<'a>) {
        debug_assert_eq!(
            labels.len(),
            self.metric.labels.len(),
            "{}",
            self.metric.name
        );
        let labels = labels.iter().map(|value| (*value).to_owned()).collect();
        self.samples.push(Sample { labels, value });
    }
}

/// Archetypes by name, in the catalog's order.
fn named(snapshot: &Snapshot) -> impl Iterator<Item = (&str, &ArchetypeCounts)> {
    let labels = snapshot.catalog.archetypes.iter();
    labels
        .zip(&snapshot.archetypes)
        .map(|(labels, counts)| (labels.name.as_str(), &**counts))
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
