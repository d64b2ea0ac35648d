//! A snapshot in Prometheus's text formats. Called by the server's metrics endpoint for each scrape. Both formats show
//! the same samples, which the families' table in `vespeiro_metrics` defines.

use std::fmt::{self, Write as _};

use vespeiro_metrics::families::{Family, MetricDesc, MetricKind, Value, families};
use vespeiro_metrics::{RunInfo, Snapshot};

/// The text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The older text format, 0.0.4, which every tool reads.
    Classic,
}

impl Format {
    /// The format that an `Accept` header asks for.
    pub fn negotiate(accept: &str) -> Format {
        if accept.contains("application/openmetrics-text") {
            Format::OpenMetrics
        } else {
            Format::Classic
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Classic => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The whole page for one scrape.
pub fn encode(snapshot: &Snapshot, about: &RunInfo, format: Format) -> Result<String, fmt::Error> {
    let mut page = String::new();
    for family in families(snapshot, about) {
        declare(&mut page, family.metric, format)?;
        samples(&family, |name, labels, extra, value| {
            write_sample(&mut page, name, labels, extra, value)
        })?;
    }
    if format == Format::OpenMetrics {
        page.push_str("# EOF\n");
    }
    Ok(page)
}

/// In the older format a counter is declared under the name that its samples have, and units do not exist.
fn declare(page: &mut String, metric: &MetricDesc, format: Format) -> fmt::Result {
    let name = match format {
        Format::OpenMetrics => metric.family(),
        Format::Classic => metric.query(),
    };
    writeln!(page, "# HELP {name} {}", metric.help)?;
    writeln!(page, "# TYPE {name} {}", metric.kind.as_str())?;
    match metric.unit {
        Some(unit) if format == Format::OpenMetrics => {
            writeln!(page, "# UNIT {name} {}", unit.as_str())
        }
        _ => Ok(()),
    }
}

/// Names and values of labels.
pub type Labels<'a> = [(&'static str, &'a str)];

/// A family in the form that Prometheus knows: every bucket and quantile is a sample of its own. `each` gets the
/// sample's name, the labels, one more label of a bucket or a quantile, and the value.
pub fn samples<E>(
    family: &Family<'_>,
    mut each: impl FnMut(&str, &Labels<'_>, Option<(&'static str, &str)>, f64) -> Result<(), E>,
) -> Result<(), E> {
    let metric = family.metric;
    let name = metric.query();
    let [bucket, sum, count] = ["bucket", "sum", "count"].map(|part| format!("{name}_{part}"));
    for sample in &family.samples {
        let labels: Vec<_> = sample.named(metric).collect();
        match (&sample.value, metric.kind) {
            (Value::Number(value), _) => each(&name, &labels, None, *value)?,
            (Value::Histogram(timing), MetricKind::Histogram(bounds)) => {
                let mut below = 0;
                for (bound, more) in timing.buckets(bounds) {
                    below += more;
                    each(&bucket, &labels, Some(("le", &edge(bound))), below as f64)?;
                }
                each(&sum, &labels, None, timing.sum().as_secs_f64())?;
                each(&count, &labels, None, timing.count() as f64)?;
            }
            // Not reached: the table gives every histogram its bounds.
            (Value::Histogram(_), _) => {}
            (
                Value::Summary {
                    quantiles,
                    sum: total,
                    count: number,
                },
                _,
            ) => {
                for (quantile, value) in quantiles {
                    let quantile = edge(*quantile);
                    each(&name, &labels, Some(("quantile", &quantile)), *value)?;
                }
                each(&sum, &labels, None, *total)?;
                each(&count, &labels, None, *number as f64)?;
            }
        }
    }
    Ok(())
}

/// A bound or a quantile as both formats, and so all series, have it: `1.0`, `0.0005`, `+Inf`.
fn edge(value: f64) -> String {
    if value.is_infinite() {
        return "+Inf".into();
    }
    let text = value.to_string();
    if text.contains('.') {
        text
    } else {
        format!("{text}.0")
    }
}

fn write_sample(
    page: &mut String,
    name: &str,
    labels: &Labels<'_>,
    extra: Option<(&'static str, &str)>,
    value: f64,
) -> fmt::Result {
    page.push_str(name);
    let mut open = '{';
    for (label, text) in labels.iter().copied().chain(extra) {
        write!(page, "{open}{label}=\"")?;
        for c in text.chars() {
            match c {
                '\\' => page.push_str("\\\\"),
                '"' => page.push_str("\\\""),
                '\n' => page.push_str("\\n"),
                c => page.push(c),
            }
        }
        page.push('"');
        open = ',';
    }
    if open == ',' {
        page.push('}');
    }
    writeln!(page, " {value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use vespeiro_metrics::testing::{about, snapshot};

    fn page(format: Format) -> String {
        encode(&snapshot(), &about(), format).unwrap()
    }

    /// The sum of a family's samples whose labels hold all the given parts.
    fn sum(page: &str, family: &str, parts: &[&str]) -> f64 {
        page.lines()
            .filter(|l| {
                l.starts_with(&format!("{family}{{")) && parts.iter().all(|part| l.contains(part))
            })
            .map(|l| l.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
            .sum()
    }

    #[test]
    fn a_threshold_has_its_value_and_its_bound() {
        let page = page(Format::Classic);
        let of =
            |what: &str, threshold| sum(&page, &format!("vespeiro_threshold_{what}"), &[threshold]);
        let (p95, rate) = ("p95<500ms", "error_rate{archetype=admin}<1%");
        assert_eq!((of("value", p95), of("bound", p95)), (0.057, 0.5));
        assert_eq!((of("value", rate), of("bound", rate)), (0.04, 0.01));
        assert_eq!((of("crossed", p95), of("crossed", rate)), (0.0, 1.0));
        // Without data it has no value.
        assert!(
            !page.contains("vespeiro_threshold_value{threshold=\"checks"),
            "{page}"
        );
    }

    #[test]
    fn counts_are_those_of_the_snapshot() {
        let page = page(Format::Classic);
        let snapshot = snapshot();
        let total = snapshot.total();
        for (family, parts, count) in [
            ("requests_total", vec![], total.requests()),
            (
                "requests_total",
                vec!["expected=\"true\""],
                total.injected(),
            ),
            ("errors_total", vec![], total.errors()),
            ("class_requests_total", vec![], total.requests()),
            ("category_requests_total", vec![], total.requests()),
            ("request_duration_seconds_count", vec![], total.requests()),
            (
                "request_duration_seconds_bucket",
                vec!["le=\"+Inf\""],
                total.requests(),
            ),
            ("received_bytes_total", vec![], total.bytes_received()),
            ("requests_not_sent_total", vec!["stopped"], 1),
            ("users_active", vec![], 74),
            ("sessions_ended_total", vec!["\"completed\""], 38),
            ("observed_value_count", vec!["users listed"], 100),
            ("version_requests_total", vec![], total.requests()),
            ("version_requests_total", vec!["error"], total.errors()),
            (
                "version_request_duration_seconds_count",
                vec![],
                total.requests(),
            ),
            ("version_share_ratio", vec!["admin"], 1),
        ] {
            let shown = sum(&page, &format!("vespeiro_{family}"), &parts);
            assert_eq!(shown, count as f64, "{family} {parts:?}");
        }
        let auth = snapshot.group(|a, r| snapshot.catalog.route(a, r).1.contains("/auth/"));
        assert_eq!(
            sum(&page, "vespeiro_authentications_total", &[]),
            auth.requests() as f64
        );
    }

    /// Every sample belongs to a family that was declared before it, with a help text, under its own name.
    #[test]
    fn every_classic_sample_is_declared() {
        let page = page(Format::Classic);
        let mut declared: Vec<(String, String)> = Vec::new();
        let mut helped: Vec<&str> = Vec::new();
        for line in page.lines() {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            match words[..] {
                ["#", "HELP", name, help] => {
                    assert!(!help.is_empty());
                    helped.push(name);
                }
                ["#", "TYPE", name, kind] => {
                    assert_eq!(helped.last(), Some(&name));
                    declared.push((name.into(), kind.into()));
                }
                _ => {
                    let name = line.split(['{', ' ']).next().unwrap();
                    let (family, kind) = declared.last().unwrap();
                    let part =
                        |parts: &[&str]| parts.iter().any(|p| name == format!("{family}{p}"));
                    let fits = match kind.as_str() {
                        "histogram" => part(&["_bucket", "_sum", "_count"]),
                        "summary" => part(&["", "_sum", "_count"]),
                        "counter" => name == family && name.ends_with("_total"),
                        _ => name == family && !name.ends_with("_total"),
                    };
                    assert!(fits, "{line} under {family} {kind}");
                    assert!(name.starts_with("vespeiro_"));
                }
            }
        }
        assert_eq!(helped.len(), declared.len());
    }

    #[test]
    fn the_pages_samples_are_the_same_in_both_formats() {
        let samples = |page: &str| {
            page.lines()
                .filter(|l| !l.starts_with('#'))
                .map(String::from)
                .collect::<Vec<_>>()
        };
        let open = page(Format::OpenMetrics);
        assert!(open.ends_with("# EOF\n"));
        for line in [
            "# UNIT vespeiro_request_duration_seconds seconds\n",
            "# TYPE vespeiro_requests counter\n",
        ] {
            assert!(open.contains(line), "{line}");
        }
        assert_eq!(samples(&open), samples(&page(Format::Classic)));
    }

    #[test]
    fn what_a_behavior_names_cannot_break_a_line() {
        let mut page = String::new();
        let labels = [("check", "a \"b\"\\c\nd")];
        write_sample(&mut page, "x", &labels, Some(("le", "1.0")), 2.5).unwrap();
        write_sample(&mut page, "y", &[], None, 1e9).unwrap();
        assert_eq!(
            page,
            "x{check=\"a \\\"b\\\"\\\\c\\nd\",le=\"1.0\"} 2.5\ny 1000000000\n"
        );
    }

    #[test]
    fn bounds_are_written_in_one_way() {
        let written = [1e-6, 0.000_25, 0.5, 30.0, f64::INFINITY].map(edge);
        assert_eq!(written, ["0.000001", "0.00025", "0.5", "30.0", "+Inf"]);
    }

    #[test]
    fn the_accept_header_chooses() {
        assert_eq!(
            Format::negotiate("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"),
            Format::OpenMetrics
        );
        assert_eq!(Format::negotiate("*/*"), Format::Classic);
    }
}
