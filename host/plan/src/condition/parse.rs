//! Reads one condition, left to right. Used by `lists.rs`. A text that is none is refused with the
//! place of the mistake, counted in characters from 1, and with what could stand there.

mod selector;

use std::time::Duration;

use vespeiro_model::Word as _;

use super::selector::Selector;
use super::{Bound, Comparator, Condition, Dimension, Metric, Threshold, UNITS};
use crate::errors::{ValueError, nearest};
use crate::units::{DefaultUnit, parse_duration, show_duration};

/// Longest text of one condition, in bytes.
const LONGEST: usize = 512;
const SHORTEST_WINDOW: Duration = Duration::from_secs(1);
const LONGEST_WINDOW: Duration = Duration::from_secs(3600);
/// Past this, a number says nothing about a run.
const LARGEST: f64 = 1e15;

const EXAMPLE: &str = "write it as 'error_rate>50%:30s' or 'p95{archetype=admin}<500ms'";

/// Reads `METRIC[{SELECTOR}] SIGN BOUND[:WINDOW]`.
pub(crate) fn condition(text: &str) -> Result<Condition, ValueError> {
    let mut at = Cursor::new(text)?;
    let condition = at.condition()?;
    at.end("nothing more can stand here")?;
    Ok(condition)
}

/// Reads a condition, and perhaps the word `abort`.
pub(crate) fn threshold(text: &str) -> Result<Threshold, ValueError> {
    let mut at = Cursor::new(text)?;
    let condition = at.condition()?;
    at.space();
    let place = at.place;
    let abort = at.take("abort");
    at.end("only the word abort can stand here")?;
    if abort && !may_abort(&condition) {
        at.place = place;
        return Err(at.bad(
            format!(
                "{} only grows, so that this would stop the run at its start",
                condition.metric.as_str()
            ),
            "leave out abort, or add a window",
        ));
    }
    Ok(Threshold { condition, abort })
}

/// A figure that only grows begins below any bound: that it has to be above one cannot end a run.
pub(crate) fn may_abort(condition: &Condition) -> bool {
    condition.window.is_some()
        || condition.comparison.wants_little()
        || condition.metric.dimension() != Dimension::Count
}

struct Cursor<'a> {
    text: &'a str,
    /// In bytes, always at a character's beginning.
    place: usize,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Result<Self, ValueError> {
        if text.len() > LONGEST || text.contains(char::is_control) {
            return Err(ValueError::new(
                "a condition is one line of at most 512 bytes",
                EXAMPLE,
            ));
        }
        Ok(Cursor { text, place: 0 })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.place..]
    }

    fn bad(&self, problem: impl Into<String>, fix: impl Into<String>) -> ValueError {
        let character = self.text[..self.place].chars().count() + 1;
        let problem = problem.into();
        ValueError::new(
            format!("{:?}, character {character}: {problem}", self.text.trim()),
            fix,
        )
    }

    fn space(&mut self) {
        self.place = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.place += if found { word.len() } else { 0 };
        found
    }

    fn while_is(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.place += end;
        &rest[..end]
    }

    fn end(&mut self, problem: &str) -> Result<(), ValueError> {
        self.space();
        match self.rest().is_empty() {
            true => Ok(()),
            false => Err(self.bad(problem, EXAMPLE)),
        }
    }

    fn condition(&mut self) -> Result<Condition, ValueError> {
        let metric = self.metric()?;
        self.space();
        let selector = match self.take("{") {
            true => self.selector(metric)?,
            false => Selector::default(),
        };
        self.space();
        let sign = Comparator::TABLE.iter().find(|(sign, _)| self.take(sign));
        let Some((_, comparison)) = sign else {
            return Err(self.bad("a comparison is missing", "use <, <=, > or >="));
        };
        self.space();
        let bound = self.bound(metric)?;
        self.space();
        let window = match self.take(":") {
            true => Some(self.window()?),
            false => None,
        };
        Ok(Condition {
            metric,
            selector,
            comparison: *comparison,
            bound,
            window,
        })
    }

    fn metric(&mut self) -> Result<Metric, ValueError> {
        self.space();
        let place = self.place;
        let word = self.while_is(|c| c.is_alphanumeric() || c == '_');
        Metric::from_word(word).ok_or_else(|| {
            self.place = place;
            let names = Metric::ALL.map(Metric::as_str);
            let hint = nearest(word, names)
                .map_or_else(String::new, |near| format!("did you mean {near}? "));
            let problem = match word {
                "" => "a metric is missing".to_owned(),
                word => format!("no metric is named {word:?}"),
            };
            self.bad(problem, format!("{hint}use one of {}", names.join(", ")))
        })
    }

    fn bound(&mut self, metric: Metric) -> Result<Bound, ValueError> {
        let dimension = metric.dimension();
        let fix = match dimension {
            Dimension::Time => "write it as 500ms, 1.5s or 250us",
            Dimension::Share => "write it as 1% or 0.01, at most 100%",
            Dimension::PerSecond => "write it as 100/s or 600/m",
            Dimension::Count => "write it as 1000",
        };
        let place = self.place;
        let digits = self.while_is(|c| c.is_ascii_digit() || c == '.');
        let number = digits.parse::<f64>().ok();
        let Some(number) = number.filter(|n| n.is_finite() && *n <= LARGEST) else {
            self.place = place;
            return Err(self.bad("a number is missing", fix));
        };
        self.space();
        let word = self.while_is(|c| c.is_alphabetic() || matches!(c, '%' | '/'));
        // "500ms abort" has its word after a space, and "5 abort" has no unit at all.
        let word = match word {
            "abort" => {
                self.place -= word.len();
                ""
            }
            word => word,
        };
        let unit = UNITS
            .iter()
            .find(|(name, _, of, _)| *of == dimension && *name == word);
        let bound = unit.map(|(_, unit, _, _)| Bound {
            number,
            unit: *unit,
        });
        let fits = |bound: &Bound| dimension != Dimension::Share || bound.value() <= 1.0;
        bound.filter(fits).ok_or_else(|| {
            self.place = place;
            let problem = format!("{digits}{word} is no value of {}", metric.as_str());
            self.bad(problem, fix)
        })
    }

    fn window(&mut self) -> Result<Duration, ValueError> {
        self.space();
        let place = self.place;
        let text = self.while_is(|c| c.is_ascii_alphanumeric() || c == '.');
        let window = parse_duration(text, DefaultUnit::Seconds).ok();
        let range = SHORTEST_WINDOW..=LONGEST_WINDOW;
        window.filter(|w| range.contains(w)).ok_or_else(|| {
            self.place = place;
            let (from, to) = (
                show_duration(SHORTEST_WINDOW),
                show_duration(LONGEST_WINDOW),
            );
            self.bad(
                format!("{text:?} is no window"),
                format!("give {from} to {to}, as in error_rate>50%:30s"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_has_its_place_and_its_mend() {
        for (text, line) in [
            (
                "p96<1s",
                "\"p96<1s\", character 1: no metric is named \"p96\"; did you mean p90?",
            ),
            ("", "\"\", character 1: a metric is missing; use one of p50"),
            (
                "p95 500ms",
                "character 5: a comparison is missing; use <, <=, > or >=",
            ),
            (
                "p95<500",
                "character 5: 500 is no value of p95; write it as 500ms",
            ),
            ("p95<", "character 5: a number is missing"),
            (
                "error_rate>101%",
                "character 12: 101% is no value of error_rate",
            ),
            ("error_rate>5", "character 12: 5 is no value of error_rate"),
            ("rate>5%", "5% is no value of rate; write it as 100/s"),
            (
                "p95<1s:0s",
                "character 8: \"0s\" is no window; give 1s to 1h",
            ),
            ("é95<1s", "character 1: no metric is named \"é95\""),
            (
                "p95<1s:30s later",
                "character 12: nothing more can stand here",
            ),
            (
                "p95{user=a}<1s",
                "character 5: a selector's field is missing or unknown; use archetype, stage, route",
            ),
            (
                "p95{archetype=a,archetype=b}<1s",
                "character 17: archetype is given twice; remove archetype",
            ),
            (
                "checks{route=/a}>99%",
                "character 8: checks are known by archetype, stage, check only",
            ),
            (
                "p95{phase=wait}<1s",
                "character 11: no phase is named \"wait\"; use one of blocked, lookup, connect",
            ),
            (
                "p95{phase=tls,phase=waiting}<1s",
                "character 15: phase is given twice; remove phase",
            ),
            (
                "error_rate{phase=waiting}<1%",
                "character 12: error_rate are known by archetype, stage, route, method, category, target, status only",
            ),
            (
                "p95{outcome=good}<1s",
                "character 13: no outcome is named \"good\"; use one of success, failure",
            ),
            (
                "p95{outcome=success,phase=tls}<1s",
                "character 27: phases are not known by outcome; give either phase or outcome",
            ),
            (
                "dropped{archetype=a}<1",
                "character 9: dropped are known by stage only; remove archetype",
            ),
            (
                "p95{transaction=a,route=/a}<1s",
                "character 28: transactions are not known by route; remove either transaction or route",
            ),
            (
                "p95{pauses=with}<1s",
                "character 17: p95 of requests has no pauses; name the transactions too",
            ),
            (
                "p95{transaction=a,pauses=few}<1s",
                "character 26: no pauses is named \"few\"; use one of without, with",
            ),
            (
                "failed_transactions{route=/a}<1%",
                "failed_transactions are known by archetype, stage, transaction only",
            ),
            (
                "p95{outcome!=success}<1s",
                "character 5: outcome takes = alone; remove outcome",
            ),
            (
                "requests{status=5x}<1",
                "character 17: no status is named \"5x\"; write it as 503, 5xx or UNAVAILABLE",
            ),
            (
                "p95{stage=0}<1s",
                "character 11: no stage is named \"0\"; count the stages from 1",
            ),
            (
                "p95{route<1}<1s",
                "character 10: = or != is missing; write it as {archetype=admin}",
            ),
            ("p95{route=/a", "character 13: the selector has no end"),
            ("p95{route=}<1s", "character 11: a value is missing"),
            (
                "p95{route=\"/a}<1s",
                "character 11: the quotes are not closed",
            ),
        ] {
            let bad = condition(text).unwrap_err().to_string();
            assert!(bad.contains(line), "{text}: {bad}");
        }
    }

    #[test]
    fn what_only_grows_cannot_abort_by_being_too_little() {
        assert!(threshold("errors<10 abort").unwrap().abort);
        assert!(threshold("requests>10:30s abort").unwrap().abort);
        let bad = threshold("requests>10 abort").unwrap_err().to_string();
        assert!(bad.contains("only grows"), "{bad}");
        assert!(threshold("p95<1s aborted").is_err());
    }
}
