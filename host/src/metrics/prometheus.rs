//! A snapshot in the words of Prometheus. Called by [`super::serve`] for each scrape. Names and units follow the
//! Prometheus conventions; labels come from the catalog and from fixed words, so their number is bounded.

mod families;
mod writer;

use std::fmt::{Error, Write as _};
use std::sync::Arc;

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

use self::families::Page;
use super::Snapshot;

/// Which text the receiver understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The older text format, 0.0.4, which every tool reads.
    Classic,
}

impl Format {
    /// What an `Accept` header asks for.
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
pub fn encode(snapshot: Arc<Snapshot>, format: Format) -> Result<String, Error> {
    let mut registry = Registry::with_prefix("vespeiro");
    registry.register_collector(Box::new(Page(snapshot)));
    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    match format {
        Format::OpenMetrics => Ok(page),
        Format::Classic => classic(&page),
    }
}

/// OpenMetrics text in the older format: there a counter is declared under the name that its samples have, and
/// neither units nor an end mark exist.
fn classic(page: &str) -> Result<String, Error> {
    let mut out = String::with_capacity(page.len());
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let declares_counter = |l: &str| l.starts_with("# TYPE ") && l.ends_with(" counter");
        if line.starts_with("# UNIT ") || line == "# EOF" {
            continue;
        }
        let of_counter = declares_counter(line)
            || line.starts_with("# HELP ")
                && lines.peek().is_some_and(|next| declares_counter(next));
        match line.splitn(4, ' ').collect::<Vec<_>>()[..] {
            [hash, keyword, name, rest] if of_counter => {
                writeln!(out, "{hash} {keyword} {name}_total {rest}")?
            }
            _ => writeln!(out, "{line}")?,
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::snapshot;

    fn page(format: Format) -> String {
        encode(Arc::new(snapshot()), format).unwrap()
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
    fn counts_are_those_of_the_snapshot() {
        let page = page(Format::Classic);
        let snapshot = snapshot();
        let total = snapshot.total();
        assert_eq!(
            sum(&page, "vespeiro_requests_total", &[]),
            total.requests() as f64
        );
        assert_eq!(
            sum(&page, "vespeiro_requests_total", &["expected=\"true\""]),
            total.injected() as f64
        );
        assert_eq!(
            sum(&page, "vespeiro_request_duration_seconds_count", &[]),
            total.requests() as f64
        );
        assert_eq!(
            sum(
                &page,
                "vespeiro_request_duration_seconds_bucket",
                &["le=\"+Inf\""]
            ),
            total.requests() as f64
        );
        assert_eq!(
            sum(&page, "vespeiro_received_bytes_total", &[]),
            total.bytes_received() as f64
        );
        assert_eq!(
            sum(&page, "vespeiro_requests_not_sent_total", &["stopped"]),
            1.0
        );
        assert_eq!(sum(&page, "vespeiro_users_active", &[]), 74.0);
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
                    let fits = match kind.as_str() {
                        "histogram" => ["_bucket", "_sum", "_count"]
                            .iter()
                            .any(|s| name == format!("{family}{s}")),
                        "counter" => name == family && name.ends_with("_total"),
                        _ => name == family && !name.ends_with("_total"),
                    };
                    assert!(fits, "{line} under {family} {kind}");
                    assert!(name.starts_with("vespeiro_"));
                }
            }
        }
        assert_eq!(helped.len(), declared.len());
        let mut names: Vec<_> = declared.iter().map(|d| &d.0).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), declared.len(), "a family is declared twice");
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
        assert!(
            open.ends_with("# EOF\n")
                && open.contains("# UNIT vespeiro_request_duration_seconds seconds")
        );
        assert_eq!(samples(&open), samples(&page(Format::Classic)));
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
