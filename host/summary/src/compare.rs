//! Two runs compared: what changed, and what is noise. Called by `vespeiro report --baseline`; the rule is
//! in `host/docs/results.md`, the statistics are in `significance.rs`, its text and page in `output`.

mod significance;

use serde::Serialize;

use super::json::{Requests, Series, Summary};
use super::merge::{MergeError, Merger};
use crate::compare::significance::{ComparedGroup, Evidence, rare};

/// All requests, archetypes, routes.
const LEVELS: usize = 3;
const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

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
    pub verdict: Change,
    /// By how much it differs, in standard deviations.
    #[serde(skip)]
    pub deviates: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    Total,
    Archetype(String),
    Route(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    Rate,
    #[serde(rename = "error_rate")]
    Errors,
    #[serde(untagged)]
    Quantile(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Chance alone could have made the difference.
    Noise,
    Better,
    Worse,
    /// A rate: more is not better where the load is given.
    Changed,
}

/// What both runs have: all requests, then archetypes, then routes.
pub fn compare(baseline: &Summary, run: &Summary) -> Result<Comparison, MergeError> {
    let (before, now) = (ComparedRun::new(baseline), ComparedRun::new(run));
    let mut rows = Vec::new();
    let mut add = |group: Scope, was: &Requests, is: &Requests, of: &dyn Fn(&Series) -> bool| {
        let (was, is) = (before.known(&group, was, of)?, now.known(&group, is, of)?);
        rows.extend(figures(&group, was, is));
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
    judge(&mut rows);
    Ok(Comparison {
        baseline: baseline.run.id.clone(),
        rows,
    })
}

/// The more figures are looked at, the more of them deviate by chance. All requests, archetypes and routes have a third
/// of it each, so that many routes do not hide what has become of the whole.
fn judge(rows: &mut [Row]) {
    for level in 0..LEVELS {
        let looks = rows.iter().filter(|row| row.group.level() == level).count();
        // Quantiles are looked at in two ways at most.
        let rare = rare(looks * LEVELS * 2);
        for row in rows.iter_mut().filter(|row| row.group.level() == level) {
            row.verdict = match (row.deviates > rare, row.kind) {
                (false, _) => Change::Noise,
                (true, Figure::Rate) => Change::Changed,
                (true, _) if row.now < row.before => Change::Better,
                (true, _) => Change::Worse,
            };
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

fn figures(group: &Scope, before: ComparedGroup<'_>, now: ComparedGroup<'_>) -> Vec<Row> {
    let row = |kind, was: f64, is: f64, deviates: f64| Row {
        group: group.clone(),
        kind,
        before: was,
        now: is,
        verdict: Change::Noise,
        deviates,
    };
    let mut rows = vec![row(
        Figure::Rate,
        before.rate(),
        now.rate(),
        before.rate_deviates(&now),
    )];
    if !before.latency.is_empty() && !now.latency.is_empty() {
        rows.extend(QUANTILES.map(|(name, quantile)| {
            let deviates = before.quantile_deviates(&now, quantile);
            let value = |side: &ComparedGroup<'_>| side.latency.quantile(quantile).as_secs_f64();
            row(
                Figure::Quantile(name),
                value(&before),
                value(&now),
                deviates,
            )
        }));
    }
    rows.push(row(
        Figure::Errors,
        before.error_share(),
        now.error_share(),
        before.errors_deviate(&now),
    ));
    rows
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
        self.rows.iter().any(|row| row.verdict == Change::Worse)
    }

    /// What people are shown: of routes only what changed.
    pub fn shown(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_quiet())
    }

    /// How many figures that leaves out.
    pub fn quiet(&self) -> u64 {
        self.rows.iter().filter(|row| row.is_quiet()).count() as u64
    }
}

impl Row {
    fn is_quiet(&self) -> bool {
        matches!(self.group, Scope::Route(_)) && self.verdict == Change::Noise
    }
}

#[cfg(test)]
mod tests;
