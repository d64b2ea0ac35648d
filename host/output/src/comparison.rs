//! A comparison of two runs in words, for `vespeiro report --baseline` and the HTML page. The figures are `summary`'s.

use vespeiro_plan::Language;
use vespeiro_summary::compare::{Change, Comparison, Figure, Row, Scope};

use crate::Locale;
use crate::language::harmless;
use crate::table::Table;

const WIDTH: usize = 100;

/// The table of it; of routes only what changed.
pub fn text(compared: &Comparison, language: Language) -> String {
    let locale = Locale::new(language);
    let words = locale.words();
    let title = words.compared.replace("{}", &harmless(&compared.baseline));
    let mut table = Table::new([
        title.as_str(),
        words.figure,
        words.before,
        words.now,
        words.change,
        words.result,
    ]);
    for row in compared.shown() {
        table.row(vec![
            name(row, locale),
            figure(row, locale).into(),
            value(row, locale, row.before),
            value(row, locale, row.now),
            change(row, locale),
            verdict(row.verdict, locale).into(),
        ]);
    }
    let mut text = table.render(WIDTH);
    if let Some(line) = not_shown(compared, locale) {
        text += &line;
        text.push('\n');
    }
    text
}

/// How many figures the table leaves out; `None` when all are shown.
pub(crate) fn not_shown(compared: &Comparison, locale: Locale) -> Option<String> {
    let quiet = compared.quiet();
    let words = locale.words();
    (quiet > 0).then(|| words.only_noise.replace("{}", &locale.integer(quiet)))
}

pub(crate) fn verdict(verdict: Change, locale: Locale) -> &'static str {
    let words = locale.words();
    match verdict {
        Change::Noise => words.noise,
        Change::Better => words.better,
        Change::Worse => words.worse,
        Change::Changed => words.changed,
    }
}

pub(crate) fn name(row: &Row, locale: Locale) -> String {
    match &row.group {
        Scope::Total => locale.words().requests.into(),
        Scope::Archetype(name) | Scope::Route(name) => harmless(name),
    }
}

pub(crate) fn figure(row: &Row, locale: Locale) -> &'static str {
    match row.kind {
        Figure::Rate => "/s",
        Figure::Quantile(name) => name,
        Figure::Errors => locale.words().error_rate,
    }
}

pub(crate) fn value(row: &Row, locale: Locale, value: f64) -> String {
    match row.kind {
        Figure::Rate => locale.rate(value),
        Figure::Quantile(_) => locale.time(value),
        Figure::Errors => locale.percent(value),
    }
}

/// In percent of what it was.
pub(crate) fn change(row: &Row, locale: Locale) -> String {
    if row.before <= 0.0 {
        return "–".into();
    }
    let change = (row.now / row.before - 1.0) * 100.0;
    let sign = if change >= 0.05 { "+" } else { "" };
    format!("{sign}{}%", locale.decimal(change, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(before: f64, now: f64, verdict: Change) -> Comparison {
        let row = Row {
            group: Scope::Total,
            kind: Figure::Quantile("p95"),
            before,
            now,
            verdict,
            deviates: 0.0,
        };
        Comparison {
            baseline: "k3x9a2b7".into(),
            rows: vec![row],
        }
    }

    #[test]
    fn what_is_worse_stands_out_with_its_change() {
        let text = text(&compared(0.010, 0.0125, Change::Worse), Language::English);
        assert!(text.contains("WORSE") && text.contains("+25.0%"), "{text}");
    }

    #[test]
    fn what_was_nothing_has_no_change() {
        let text = text(&compared(0.0, 0.0, Change::Noise), Language::Portuguese);
        assert!(!text.contains("NaN") && text.contains('–'), "{text}");
    }
}
