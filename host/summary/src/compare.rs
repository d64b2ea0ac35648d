//! Two runs compared: what changed, what is the same, and what they are too short to tell. Called by `vespeiro report
//! --baseline`; the rule is in `host/docs/results.md`, the statistics are in `significance.rs` and `interval.rs`, its text
//! and page in `output`.

mod interval;
mod significance;
mod verdict;

use serde::Serialize;

use super::json::{Requests, Series, Summary};
use super::merge::{MergeError, Merger};
use crate::compare::interval::{Interval, told};
use crate::compare::significance::{ComparedGroup, Evidence, rare};
pub use crate::compare::verdict::Verdict;

/// All requests, archetypes, routes.
const LEVELS: usize = 3;
/// An error rate is the same within so much of what a latency is.
const POINTS_PER_SHARE: f64 = 0.1;

/// All figures of both, side by side. In JSON they are in seconds, shares and requests per second too.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The older run.
    pub baseline: String,
    #[serde(rename = "figures")]
    pub rows: Vec<Row>,
}

/// One figure of one group of requests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub group: Scope,
    #[serde(rename = "figure")]
    pub kind: Figure,
    pub before: f64,
    pub now: f64,
    #[serde(flatten)]
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    Total,
    Archetype(String),
    Route(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Figure {
    #[serde(rename = "rate")]
    Rate,
    #[serde(rename = "p50")]
    P50,
    #[serde(rename = "p95")]
    P95,
    #[serde(rename = "p99")]
    P99,
    #[serde(rename = "error_rate")]
    Errors,
}

/// What both runs have: all requests, then archetypes, then routes. `within` is the change, as a share of the older value,
/// that is too small to matter.
pub fn compare(baseline: &Summary, run: &Summary, within: f64) -> Result<Comparison, MergeError> {
    let (before, now) = (ComparedRun::new(baseline), ComparedRun::new(run));
    let mut groups = Vec::new();
    let mut add = |group: Scope, was: &Requests, is: &Requests, of: &dyn Fn(&Series) -> bool| {
        let before = before.known(&group, was, of)?;
        let now = now.known(&group, is, of)?;
        groups.push((group, Pair { before, now }));
        Ok::<(), MergeError>(())
    };
    add(Scope::Total, &baseline.total, &run.total, &|_| true)?;
    for is in &run.archetypes {
        if let Some(was) = baseline.archetypes.iter().find(|a| a.name == is.name) {
            let of = |series: &Series| series.archetype == is.name;
            let group = Scope::Archetype(is.name.clone());
            add(group, &was.figures.requests, &is.figures.requests, &of)?;
        }
    }
    for is in &run.routes {
        let same = |method: &str, path: &str| (method, path) == (&*is.method, &*is.path);
        if let Some(was) = baseline.routes.iter().find(|r| same(&r.method, &r.path)) {
            let group = Scope::Route(format!("{} {}", is.method, is.path));
            let of = |series: &Series| same(&series.method, &series.path);
            add(group, &was.requests, &is.requests, &of)?;
        }
    }
    Ok(Comparison {
        baseline: baseline.run.id.clone(),
        rows: judge(groups, within),
    })
}

/// The more figures are looked at, the more of them deviate by chance. All requests, archetypes and routes have a third
/// of it each, so that many routes do not hide what has become of the whole.
fn judge(groups: Vec<(Scope, Pair<'_>)>, within: f64) -> Vec<Row> {
    let mut looks = [0; LEVELS];
    for (group, pair) in &groups {
        looks[group.level()] += pair.figures().len();
    }
    // Quantiles are looked at in two ways at most.
    let rare = looks.map(|looks| rare(looks * LEVELS * 2));
    let judged = groups.iter().flat_map(|(group, pair)| {
        pair.figures().iter().map(|&kind| Row {
            group: group.clone(),
            kind,
            before: kind.value(&pair.before),
            now: kind.value(&pair.now),
            verdict: pair.verdict(kind, rare[group.level()], within),
        })
    });
    judged.collect()
}

/// A group of requests in both runs.
struct Pair<'a> {
    before: ComparedGroup<'a>,
    now: ComparedGroup<'a>,
}

impl Pair<'_> {
    fn figures(&self) -> &'static [Figure] {
        use Figure::{Errors, P50, P95, P99, Rate};
        match self.before.latency.is_empty() || self.now.latency.is_empty() {
            true => &[Rate, Errors],
            false => &[Rate, P50, P95, P99, Errors],
        }
    }

    fn verdict(&self, kind: Figure, rare: f64, within: f64) -> Verdict {
        let (before, now) = (&self.before, &self.now);
        let deviates = match kind {
            Figure::Rate => before.rate_deviates(now),
            Figure::Errors => before.errors_deviate(now),
            Figure::P50 | Figure::P95 | Figure::P99 => {
                before.quantile_deviates(now, kind.quantile())
            }
        };
        if deviates > rare {
            return match kind {
                Figure::Rate => Verdict::Changed,
                _ if kind.value(now) < kind.value(before) => Verdict::Better,
                _ => Verdict::Worse,
            };
        }
        let within = match kind {
            Figure::Errors => within * POINTS_PER_SHARE,
            _ => within,
        };
        let interval = |times| match kind {
            Figure::Rate => Interval::of_rates(before, now, rare, times),
            Figure::Errors => Interval::of_errors(before, now, rare, times),
            _ => Interval::of_quantiles(before, now, kind.quantile(), rare, times),
        };
        told(interval, within, before.sending.max(now.sending))
    }
}

impl Figure {
    fn value(self, group: &ComparedGroup<'_>) -> f64 {
        match self {
            Figure::Rate => group.rate(),
            Figure::Errors => group.error_share(),
            _ => group.latency.quantile(self.quantile()).as_secs_f64(),
        }
    }

    /// Of a latency.
    fn quantile(self) -> f64 {
        match self {
            Figure::P95 => 0.95,
            Figure::P99 => 0.99,
            _ => 0.5,
        }
    }
}

struct ComparedRun<'a> {
    summary: &'a Summary,
    evidence: Evidence,
}

impl<'a> ComparedRun<'a> {
    fn new(summary: &'a Summary) -> ComparedRun<'a> {
        ComparedRun {
            summary,
            evidence: Evidence::of(summary),
        }
    }

    fn known(
        &self,
        group: &Scope,
        requests: &Requests,
        of: &dyn Fn(&Series) -> bool,
    ) -> Result<ComparedGroup<'_>, MergeError> {
        let run = &self.summary.run;
        let merger = Merger {
            parts: std::slice::from_ref(self.summary),
            elapsed: run.elapsed_seconds,
            sending: run.sending_seconds,
        };
        Ok(ComparedGroup {
            evidence: &self.evidence,
            is_whole: *group == Scope::Total,
            latency: merger.latency(of)?,
            requests: requests.requests,
            errors: requests.errors,
            sending: run.sending_seconds,
        })
    }
}

impl Scope {
    fn level(&self) -> usize {
        match self {
            Scope::Total => 0,
            Scope::Archetype(_) => 1,
            Scope::Route(_) => 2,
        }
    }
}

impl Comparison {
    /// Some figure is worse, and not by chance.
    pub fn is_worse(&self) -> bool {
        self.rows.iter().any(|row| row.verdict == Verdict::Worse)
    }

    /// What people are shown: of routes only what changed.
    pub fn shown(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_quiet())
    }

    /// How many figures that leaves out: those that are the same, and those that cannot be told.
    pub fn quiet(&self) -> (u64, u64) {
        let quiet = self.rows.iter().filter(|row| row.is_quiet());
        let (same, untold): (Vec<&Row>, Vec<&Row>) =
            quiet.partition(|row| matches!(row.verdict, Verdict::Same { .. }));
        (same.len() as u64, untold.len() as u64)
    }
}

impl Row {
    fn is_quiet(&self) -> bool {
        matches!(self.group, Scope::Route(_)) && !self.verdict.is_change()
    }
}

#[cfg(test)]
mod tests;
