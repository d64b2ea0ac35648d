//! PromQL from the table of metrics: the handful of shapes that [`super::panels`] and [`super::alerts`] need. Whether
//! histograms are classic or native is decided here alone.

use vespeiro_metrics::families::{MetricDesc, MetricKind};

/// What all queries of one document have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queries {
    /// Label matchers of every selector.
    scope: &'static str,
    /// The window of rates.
    window: &'static str,
    /// Histograms are native ones.
    native: bool,
}

impl Queries {
    /// For panels: of the chosen generators, over what suits the zoom.
    pub(super) fn of_panels(native: bool) -> Self {
        Self {
            scope: r#"job=~"$job", instance=~"$instance""#,
            window: "$__rate_interval",
            native,
        }
    }

    /// For alerts: of every generator.
    pub(super) fn of_alerts(native: bool) -> Self {
        Self {
            scope: "",
            window: "1m",
            native,
        }
    }

    /// The metric itself. `more` are further label matchers.
    pub(super) fn raw(&self, metric: &MetricDesc, more: &str) -> String {
        self.part(metric, "", more)
    }

    fn part(&self, metric: &MetricDesc, part: &str, more: &str) -> String {
        let matchers: Vec<&str> = [self.scope, more]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        let name = metric.query();
        match matchers.is_empty() {
            true => format!("{name}{part}"),
            false => format!("{name}{part}{{{}}}", matchers.join(", ")),
        }
    }

    /// The sum of a gauge, or of a counter so far.
    pub(super) fn sum(&self, metric: &MetricDesc, by: &str, more: &str) -> String {
        format!("sum{}({})", group(by), self.raw(metric, more))
    }

    /// Events per second.
    pub(super) fn rate(&self, metric: &MetricDesc, by: &str, more: &str) -> String {
        let raw = self.raw(metric, more);
        format!("sum{}(rate({raw}[{}]))", group(by), self.window)
    }

    /// Events within the window.
    pub(super) fn increase(&self, metric: &MetricDesc, by: &str, more: &str) -> String {
        let raw = self.raw(metric, more);
        format!("sum{}(increase({raw}[{}]))", group(by), self.window)
    }

    /// Part of a metric's events that have `which` labels.
    pub(super) fn part_of(&self, metric: &MetricDesc, by: &str, which: &str) -> String {
        format!(
            "{} / {}",
            self.rate(metric, by, which),
            self.rate(metric, by, "")
        )
    }

    /// Events of one metric by events of another.
    pub(super) fn per(&self, metric: &MetricDesc, of: &MetricDesc, by: &str) -> String {
        format!("{} / {}", self.rate(metric, by, ""), self.rate(of, by, ""))
    }

    /// A quantile of a histogram.
    pub(super) fn quantile(
        &self,
        quantile: f64,
        metric: &MetricDesc,
        by: &str,
        more: &str,
    ) -> String {
        debug_assert!(matches!(metric.kind, MetricKind::Histogram(_)));
        let buckets = self.buckets(metric, by, more);
        format!("histogram_quantile({quantile}, {buckets})")
    }

    /// A quantile now by the same quantile over the last half hour: over 1, it has got worse.
    pub(super) fn drift(&self, quantile: f64, metric: &MetricDesc) -> String {
        let long = Self {
            window: "30m",
            ..*self
        };
        let [now, before] = [self, &long].map(|q| q.quantile(quantile, metric, "", ""));
        format!("{now} / {before}")
    }

    /// The mean of a histogram.
    pub(super) fn mean(&self, metric: &MetricDesc, by: &str) -> String {
        if self.native {
            let rate = self.rate(metric, by, "");
            return format!("histogram_sum({rate}) / histogram_count({rate})");
        }
        let rate = |part| {
            let raw = self.part(metric, part, "");
            format!("sum{}(rate({raw}[{}]))", group(by), self.window)
        };
        format!("{} / {}", rate("_sum"), rate("_count"))
    }

    /// Seconds of a histogram by events of a counter that is not split by its labels.
    pub(super) fn time_per(&self, metric: &MetricDesc, by: &str, of: &MetricDesc) -> String {
        let seconds = if self.native {
            format!("histogram_sum({})", self.rate(metric, by, ""))
        } else {
            let raw = self.part(metric, "_sum", "");
            format!("sum{}(rate({raw}[{}]))", group(by), self.window)
        };
        format!("{seconds} / on() group_left() {}", self.rate(of, "", ""))
    }

    /// How fast each bucket of a histogram fills.
    pub(super) fn buckets(&self, metric: &MetricDesc, by: &str, more: &str) -> String {
        if self.native {
            return self.rate(metric, by, more);
        }
        let by = match by {
            "" => "le".to_owned(),
            by => format!("le, {by}"),
        };
        let raw = self.part(metric, "_bucket", more);
        format!("sum by ({by}) (rate({raw}[{}]))", self.window)
    }
}

fn group(by: &str) -> String {
    match by {
        "" => String::new(),
        by => format!(" by ({by}) "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vespeiro_metrics::families::table::{REQUEST_DURATION, REQUESTS, USERS_ACTIVE};

    #[test]
    fn shapes_are_those_of_the_textbook() {
        let q = Queries::of_alerts(false);
        assert_eq!(q.sum(&USERS_ACTIVE, "", ""), "sum(vespeiro_users_active)");
        assert_eq!(
            q.rate(&REQUESTS, "route", r#"status="200""#),
            r#"sum by (route) (rate(vespeiro_requests_total{status="200"}[1m]))"#
        );
        assert_eq!(
            q.quantile(0.95, &REQUEST_DURATION, "", ""),
            "histogram_quantile(0.95, sum by (le) (rate(vespeiro_request_duration_seconds_bucket[1m])))"
        );
        assert_eq!(
            Queries::of_alerts(true).quantile(0.5, &REQUEST_DURATION, "route", ""),
            "histogram_quantile(0.5, sum by (route) (rate(vespeiro_request_duration_seconds[1m])))"
        );
        assert_eq!(
            Queries::of_panels(false).raw(&USERS_ACTIVE, r#"archetype="a""#),
            r#"vespeiro_users_active{job=~"$job", instance=~"$instance", archetype="a"}"#
        );
    }
}
