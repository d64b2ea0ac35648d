//! A comparison of two runs in words, for `vespeiro report --baseline` and the HTML page. The figures are `summary`'s.

use vespeiro_plan::Language;
use vespeiro_summary::compare::{Comparison, Figure, Row, Scope, Verdict};

use crate::Locale;
use crate::language::harmless;
use crate::table::Table;

const WIDTH: usize = 110;

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
            Figure::P50 => ("p50", Locale::time),
            Figure::P95 => ("p95", Locale::time),
            Figure::P99 => ("p99", Locale::time),
            Figure::Errors => (w.error_rate, Locale::percent),
        };
        let (before, now) = (value(l, row.before), value(l, row.now));
        let (figure, change) = (figure.to_owned(), change(row, l));
        table.row(vec![name, figure, before, now, change, verdict(row, l)]);
    }
    table
}

/// How many figures the table leaves out; `None` when all are shown.
pub(crate) fn not_shown(compared: &Comparison, locale: Locale) -> Option<String> {
    let (same, untold) = compared.quiet();
    let line = locale.words().quiet_routes;
    let line = line.replace("{same}", &locale.integer(same));
    (same + untold > 0).then(|| line.replace("{untold}", &locale.integer(untold)))
}

fn verdict(row: &Row, l: Locale) -> String {
    let w = l.words();
    match row.verdict {
        Verdict::Better => w.better.into(),
        Verdict::Worse => w.worse.into(),
        Verdict::Changed => w.changed.into(),
        // Of an error rate in points, since nothing may have been there to have a share of.
        Verdict::Same { within } if row.kind == Figure::Errors => {
            w.same_points.replace("{}", &l.decimal(within * 100.0, 2))
        }
        Verdict::Same { within } => w.same_within.replace("{}", &l.percent(within)),
        Verdict::CannotTell { more_seconds } => match more_seconds {
            Some(more) => w.cannot_tell.replace("{}", &l.integer(more as u64)),
            None => w.cannot_tell_ever.into(),
        },
    }
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

    fn compared(before: f64, now: f64, verdict: Verdict) -> Comparison {
        let row = Row {
            group: Scope::Total,
            kind: Figure::P95,
            before,
            now,
            verdict,
        };
        Comparison {
            baseline: "k3x9a2b7".into(),
            rows: vec![row],
        }
    }

    #[test]
    fn what_is_worse_stands_out_with_its_change() {
        let text = text(&compared(0.010, 0.0125, Verdict::Worse), Language::English);
        assert!(text.contains("WORSE") && text.contains("+25.0%"), "{text}");
    }

    #[test]
    fn what_was_nothing_has_no_change() {
        let unknown = Verdict::CannotTell { more_seconds: None };
        let text = text(&compared(0.0, 0.0, unknown), Language::Portuguese);
        assert!(!text.contains("NaN") && text.contains('–'), "{text}");
    }

    #[test]
    fn what_did_not_change_says_how_sure_that_is() {
        let same = compared(0.010, 0.0101, Verdict::Same { within: 0.042 });
        assert!(text(&same, Language::English).contains("same within 4.2%"));
        assert!(text(&same, Language::Portuguese).contains("igual, dentro de 4,2%"));
        let more_seconds = Some(1_240.0);
        let short = compared(0.012, 0.1, Verdict::CannotTell { more_seconds });
        assert!(text(&short, Language::English).contains("cannot tell: 1,240 more seconds needed"));
    }
}
