//! Two runs held against each other: what changed, and what is noise. Called by `vespeiro report --baseline`; the rule is
//! in `host/docs/results.md`, the statistics are in `evidence.rs`.

mod evidence;

use serde::Serialize;

use self::evidence::{Evidence, Known, rare};
use super::Locale;
use super::json::{Requests, Series, Summary};
use super::language::harmless;
use super::merge::{MergeError, Merger};
use super::table::Table;
use crate::plan::Language;

const WIDTH: usize = 100;
/// All requests, archetypes, routes.
const LEVELS: usize = 3;
const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

/// All figures of both, side by side. As JSON it tells the same as on paper: seconds, shares, requests per second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The older run.
    pub(super) baseline: String,
    #[serde(rename = "figures")]
    pub(super) rows: Vec<Row>,
}

/// One figure of one group of requests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    group: Group,
    #[serde(rename = "figure")]
    kind: Kind,
    pub(super) before: f64,
    pub(super) now: f64,
    pub(super) verdict: Verdict,
    /// In standard deviations.
    #[serde(skip)]
    deviates: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Group {
    Total,
    Archetype(String),
    Route(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Rate,
    #[serde(rename = "error_rate")]
    Errors,
    #[serde(untagged)]
    Quantile(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// Chance alone could have made the difference.
    Noise,
    Better,
    Worse,
    /// A rate: more is not better where the load is given.
    Changed,
}

impl Verdict {
    pub(super) fn word(self, locale: Locale) -> &'static str {
        let words = locale.words();
        match self {
            Verdict::Noise => words.noise,
            Verdict::Better => words.better,
            Verdict::Worse => words.worse,
            Verdict::Changed => words.changed,
        }
    }
}

/// What both runs have: all requests, then archetypes, then routes.
pub fn compare(baseline: &Summary, run: &Summary) -> Result<Comparison, MergeError> {
    let (before, now) = (Side::new(baseline), Side::new(run));
    let mut rows = Vec::new();
    let mut add = |group: Group, was: &Requests, is: &Requests, of: &dyn Fn(&Series) -> bool| {
        let (was, is) = (before.known(&group, was, of)?, now.known(&group, is, of)?);
        rows.extend(figures(&group, was, is));
        Ok::<(), MergeError>(())
    };
    add(Group::Total, &baseline.total, &run.total, &|_| true)?;
    for is in &run.archetypes {
        if let Some(was) = baseline.archetypes.iter().find(|a| a.name == is.name) {
            let of = |series: &Series| series.archetype == is.name;
            let group = Group::Archetype(is.name.clone());
            add(group, &was.requests, &is.requests, &of)?;
        }
    }
    for is in &run.routes {
        let same = |method: &str, path: &str| (method, path) == (&*is.method, &*is.path);
        if let Some(was) = baseline.routes.iter().find(|r| same(&r.method, &r.path)) {
            let group = Group::Route(format!("{} {}", is.method, is.path));
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
                (false, _) => Verdict::Noise,
                (true, Kind::Rate) => Verdict::Changed,
                (true, _) if row.now < row.before => Verdict::Better,
                (true, _) => Verdict::Worse,
            };
        }
    }
}

struct Side<'a> {
    summary: &'a Summary,
    evidence: Evidence,
}

impl<'a> Side<'a> {
    fn new(summary: &'a Summary) -> Side<'a> {
        Side {
            summary,
            evidence: Evidence::of(summary),
        }
    }

    fn known(
        &self,
        group: &Group,
        requests: &Requests,
        of: &dyn Fn(&Series) -> bool,
    ) -> Result<Known<'_>, MergeError> {
        let elapsed = self.summary.run.elapsed_seconds;
        let merger = Merger {
            parts: std::slice::from_ref(self.summary),
            elapsed,
        };
        Ok(Known {
            evidence: &self.evidence,
            is_whole: *group == Group::Total,
            latency: merger.latency(of)?,
            requests: requests.requests,
            errors: requests.errors,
            elapsed,
        })
    }
}

fn figures(group: &Group, before: Known<'_>, now: Known<'_>) -> Vec<Row> {
    let row = |kind, was: f64, is: f64, deviates: f64| Row {
        group: group.clone(),
        kind,
        before: was,
        now: is,
        verdict: Verdict::Noise,
        deviates,
    };
    let mut rows = vec![row(
        Kind::Rate,
        before.rate(),
        now.rate(),
        before.rate_deviates(&now),
    )];
    if !before.latency.is_empty() && !now.latency.is_empty() {
        rows.extend(QUANTILES.map(|(name, quantile)| {
            let deviates = before.quantile_deviates(&now, quantile);
            let value = |side: &Known<'_>| side.latency.quantile(quantile).as_secs_f64();
            row(Kind::Quantile(name), value(&before), value(&now), deviates)
        }));
    }
    rows.push(row(
        Kind::Errors,
        before.error_share(),
        now.error_share(),
        before.errors_deviate(&now),
    ));
    rows
}

impl Group {
    fn level(&self) -> usize {
        match self {
            Group::Total => 0,
            Group::Archetype(_) => 1,
            Group::Route(_) => 2,
        }
    }
}

impl Comparison {
    /// Some figure is worse, and not by chance.
    pub fn is_worse(&self) -> bool {
        self.rows.iter().any(|row| row.verdict == Verdict::Worse)
    }

    /// The table of it; of routes only what changed.
    pub fn text(&self, language: Language) -> String {
        let locale = Locale::new(language);
        let words = locale.words();
        let title = words.compared.replace("{}", &harmless(&self.baseline));
        let mut table = Table::new([
            title.as_str(),
            words.figure,
            words.before,
            words.now,
            words.change,
            words.result,
        ]);
        for row in self.shown() {
            table.row(vec![
                row.name(locale),
                row.figure(locale).into(),
                row.show(locale, row.before),
                row.show(locale, row.now),
                row.change(locale),
                row.verdict.word(locale).into(),
            ]);
        }
        let mut text = table.render(WIDTH);
        if let Some(line) = self.not_shown(locale) {
            text += &line;
            text.push('\n');
        }
        text
    }

    /// What people are shown: of routes only what changed.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_quiet())
    }

    /// How many figures that leaves out; `None` when all are shown.
    pub(super) fn not_shown(&self, locale: Locale) -> Option<String> {
        let quiet = self.rows.iter().filter(|row| row.is_quiet()).count() as u64;
        let words = locale.words();
        (quiet > 0).then(|| words.only_noise.replace("{}", &locale.integer(quiet)))
    }
}

impl Row {
    fn is_quiet(&self) -> bool {
        matches!(self.group, Group::Route(_)) && self.verdict == Verdict::Noise
    }

    pub(super) fn name(&self, locale: Locale) -> String {
        match &self.group {
            Group::Total => locale.words().requests.into(),
            Group::Archetype(name) | Group::Route(name) => harmless(name),
        }
    }

    pub(super) fn figure(&self, locale: Locale) -> &'static str {
        match self.kind {
            Kind::Rate => "/s",
            Kind::Quantile(name) => name,
            Kind::Errors => locale.words().error_rate,
        }
    }

    pub(super) fn show(&self, locale: Locale, value: f64) -> String {
        match self.kind {
            Kind::Rate => locale.rate(value),
            Kind::Quantile(_) => locale.time(value),
            Kind::Errors => locale.percent(value),
        }
    }

    /// In percent of what it was.
    pub(super) fn change(&self, locale: Locale) -> String {
        if self.before <= 0.0 {
            return "–".into();
        }
        let change = (self.now / self.before - 1.0) * 100.0;
        let sign = if change >= 0.05 { "+" } else { "" };
        format!("{sign}{}%", locale.decimal(change, 1))
    }
}

#[cfg(test)]
mod tests;
