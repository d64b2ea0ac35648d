//! A comparison of two runs in words, for `vespeiro report --baseline` and the HTML page. The figures are `summary`'s.

use vespeiro_plan::Language;
use vespeiro_summary::compare::{Change, Comparison, Figure, Row, Scope};

use crate::Locale;
use crate::language::harmless;
use crate::table::Table;

const WIDTH: usize = 100;

/// The comparison as a table. Of the routes, only those that changed.
pub fn text(compared: &Comparison, language: Language) -> String {
    let locale = Locale::new(language);
    let rest = not_shown(compared, locale).map_or_else(String::new, |line| line + "\n");
    table(compared, locale).render(WIDTH) + &rest
}

/// Its rows are those of [`Comparison::shown`], with the verdict last.
pub(crate) fn table(compared: &Comparison, locale: Locale) -> Table {
    let (l, w) = (locale, locale.words());
    let title = w.compared.replace("{}", &harmless(&compared.baseline));
    let mut table = Table::new([&title, w.figure, w.before, w.now, w.change, w.result]);
    for row in compared.shown() {
        let name = match &row.group {
            Scope::Total => w.requests.into(),
            Scope::Archetype(name) | Scope::Route(name) => harmless(name),
        };
        let (figure, value): (&str, fn(Locale, f64) -> String) = match row.kind {
            Figure::Rate => ("/s", Locale::rate),
            Figure::Quantile(name) => (name, Locale::time),
            Figure::Errors => (w.error_rate, Locale::percent),
        };
        let verdict = match row.verdict {
            Change::Noise => w.noise,
            Change::Better => w.better,
            Change::Worse => w.worse,
            Change::Changed => w.changed,
        };
        let (before, now) = (value(l, row.before), value(l, row.now));
        let (figure, verdict) = (figure.to_owned(), verdict.to_owned());
        table.row(vec![name, figure, before, now, change(row, l), verdict]);
    }
    table
}

/// How many figures the table leaves out; `None` when all are shown.
pub(crate) fn not_shown(compared: &Comparison, locale: Locale) -> Option<String> {
    let quiet = compared.quiet();
    let words = locale.words();
    (quiet > 0).then(|| words.only_noise.replace("{}", &locale.integer(quiet)))
}

/// Change in percent of the older value.
fn change(row: &Row, locale: Locale) -> String {
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
