//! Numbers, times and sizes as a reader of English or Brazilian Portuguese writes them. Used by everything in the
//! report that people read; never by JSON or metrics.

use std::time::Duration;

use super::words::Words;
use vespeiro_model::{BreakerState, Failure, FaultKind};
use vespeiro_plan::Language;

/// Stands where there is no figure.
pub(super) const NOTHING: &str = "–";

/// The words and the number formats of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locale(Language);

impl Locale {
    pub fn new(language: Language) -> Locale {
        Locale(language)
    }

    pub(super) fn language(self) -> Language {
        self.0
    }

    pub(super) fn words(self) -> &'static Words {
        Words::of(self.0)
    }

    pub fn failure(self, failure: Failure) -> &'static str {
        self.words().failure(failure)
    }

    pub fn fault(self, fault: FaultKind) -> &'static str {
        self.words().fault(fault)
    }

    pub fn breaker(self, state: BreakerState) -> &'static str {
        self.words().breaker_state(state)
    }

    /// `15,432` or `15.432`.
    pub fn integer(self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::with_capacity(digits.len() * 4 / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(self.separators().0);
            }
            text.push(digit);
        }
        text
    }

    /// `1,234.5` or `1.234,5`.
    pub fn decimal(self, number: f64, places: usize) -> String {
        if !number.is_finite() {
            return NOTHING.into();
        }
        let text = format!("{:.places$}", number.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let sign = if number < 0.0 && text.contains(|c| ('1'..='9').contains(&c)) {
            "-"
        } else {
            ""
        };
        // Too large for an integer: not grouped.
        let whole = whole
            .parse()
            .map_or_else(|_| whole.to_owned(), |whole| self.integer(whole));
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}{}{fraction}", self.separators().1)
        }
    }

    /// With three significant digits, and no integer cut: `0.00420`, `5.05`, `12,346`; `1.70e18` where it would be long.
    pub fn significant(self, number: f64) -> String {
        match number.abs() {
            size if size == 0.0 || !size.is_finite() => self.decimal(number, 0),
            size if (1e-4..1e9).contains(&size) => {
                let magnitude = size.log10().floor() as i32;
                self.decimal(number, (2 - magnitude).clamp(0, 6) as usize)
            }
            _ => {
                let text = format!("{number:.2e}");
                text.replace('.', &self.separators().1.to_string())
            }
        }
    }

    /// A share of 0 to 1 as `87.3%` or `87,3%`. Never rounds up to 100 or down to 0 what is not.
    pub fn percent(self, share: f64) -> String {
        let percent = share * 100.0;
        let rounded = (percent * 10.0).round() / 10.0;
        let shown = match rounded {
            r if r >= 100.0 && share < 1.0 => 99.9,
            r if r <= 0.0 && share > 0.0 => 0.1,
            r => r,
        };
        match shown.is_nan() {
            true => self.decimal(shown, 1),
            false => format!("{}%", self.decimal(shown, 1)),
        }
    }

    /// The same, where there may be nothing to have a share of.
    pub fn share(self, share: Option<f64>) -> String {
        self.percent(share.unwrap_or(f64::NAN))
    }

    /// A rate: one place below 1,000, none above.
    pub fn rate(self, per_second: f64) -> String {
        format!(
            "{}/s",
            self.decimal(per_second, if per_second < 1_000.0 { 1 } else { 0 })
        )
    }

    /// `0.4s`, `45s`, `1m 23s`, `2h 05m`.
    pub fn span(self, span: Duration) -> String {
        let seconds = span.as_secs();
        match seconds {
            0 if !span.is_zero() => format!("{}s", self.decimal(span.as_secs_f64(), 1)),
            0..=59 => format!("{seconds}s"),
            60..=3_599 => format!("{}m {:02}s", seconds / 60, seconds % 60),
            _ => format!(
                "{}h {:02}m",
                self.integer(seconds / 3_600),
                seconds / 60 % 60
            ),
        }
    }

    /// As clocks have it: `05:23`, `1:05:23`.
    pub fn clock(self, span: Duration) -> String {
        let seconds = span.as_secs();
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        match hours {
            0 => format!("{minutes:02}:{seconds:02}"),
            _ => format!("{hours}:{minutes:02}:{seconds:02}"),
        }
    }

    /// `46.3 MB`, in powers of 1,000.
    pub fn bytes(self, bytes: u64) -> String {
        let mut value = bytes as f64;
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 999.95 {
                return format!("{} {unit}", self.decimal(value, usize::from(unit != "B")));
            }
            value /= 1_000.0;
        }
        format!("{} TB", self.decimal(value, 1))
    }

    /// One time in the unit that suits it: `3.5 µs`, `12.3 ms`, `1.25 s`.
    pub fn time(self, seconds: f64) -> String {
        let unit = Unit::for_largest(seconds);
        let places = if seconds < 10e-6 { 1 } else { unit.places() };
        format!(
            "{} {}",
            self.decimal(seconds / unit.seconds(), places),
            unit.as_str()
        )
    }

    /// Of a quantity that was measured `count` times: no time at all where that is never.
    pub fn measured(self, count: u64, seconds: f64) -> String {
        if count > 0 {
            self.time(seconds)
        } else {
            NOTHING.into()
        }
    }

    /// A time in a given unit, without the unit's name: for tables.
    pub fn time_in(self, unit: Unit, seconds: f64) -> String {
        self.decimal(seconds / unit.seconds(), unit.places())
    }

    /// The panel begins with the box of the specification, which is written in this language.
    pub(super) fn has_box(self) -> bool {
        self.0 == Language::Portuguese
    }

    /// Between thousands, and before the fraction.
    fn separators(self) -> (char, char) {
        match self.0 {
            Language::English => (',', '.'),
            Language::Portuguese => ('.', ','),
        }
    }
}

/// Unit of the times of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Micros,
    Millis,
    Seconds,
}

impl Unit {
    /// The unit for a table whose largest time is `seconds`.
    pub fn for_largest(seconds: f64) -> Unit {
        match seconds {
            s if s < 0.001 => Unit::Micros,
            s if s < 100.0 => Unit::Millis,
            _ => Unit::Seconds,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Unit::Micros => "µs",
            Unit::Millis => "ms",
            Unit::Seconds => "s",
        }
    }

    fn seconds(self) -> f64 {
        match self {
            Unit::Micros => 1e-6,
            Unit::Millis => 1e-3,
            Unit::Seconds => 1.0,
        }
    }

    fn places(self) -> usize {
        match self {
            Unit::Micros => 0,
            Unit::Millis => 1,
            Unit::Seconds => 2,
        }
    }
}

/// The text without what steers a terminal or turns it around. Routes and names come from behaviors that anybody may have
/// written.
pub(super) fn harmless(text: &str) -> String {
    vespeiro_model::text::harmless(text).into_owned()
}

/// The same of a text of several lines.
pub(super) fn harmless_lines(text: &str) -> String {
    let lines: Vec<_> = text
        .split('\n')
        .map(vespeiro_model::text::harmless)
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Locale = Locale(Language::English);
    const PT: Locale = Locale(Language::Portuguese);

    #[test]
    fn groups_and_fractions_follow_the_language() {
        assert_eq!(EN.integer(0), "0");
        assert_eq!(EN.integer(999), "999");
        assert_eq!(EN.integer(15_432), "15,432");
        assert_eq!(PT.integer(15_432), "15.432");
        assert_eq!(PT.integer(1_234_567), "1.234.567");
        assert_eq!(PT.decimal(1_234.56, 1), "1.234,6");
        assert_eq!(EN.decimal(-0.04, 1), "0.0");
        assert_eq!(EN.decimal(-1_234.5, 1), "-1,234.5");
        assert_eq!(EN.decimal(f64::NAN, 1), "–");
    }

    #[test]
    fn three_digits_stay_of_any_number() {
        for (number, shown) in [
            (0.0, "0"),
            (0.0042, "0.00420"),
            (-0.000_123_4, "-0.000123"),
            (0.000_012_3, "1.23e-5"),
            (5.049, "5.05"),
            (50.5, "50.5"),
            (12_345.67, "12,346"),
            (1.7e18, "1.70e18"),
            (-1e308, "-1.00e308"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(EN.significant(number), shown);
        }
        assert_eq!(
            (PT.significant(1.7e18), PT.significant(0.0042)),
            ("1,70e18".into(), "0,00420".into())
        );
    }

    #[test]
    fn a_percentage_is_all_or_nothing_only_when_it_is() {
        assert_eq!(
            (EN.percent(0.873), PT.percent(0.873)),
            ("87.3%".into(), "87,3%".into())
        );
        assert_eq!(EN.percent(0.999_99), "99.9%");
        assert_eq!(EN.percent(0.000_01), "0.1%");
        assert_eq!(
            (EN.percent(1.0), EN.percent(0.0)),
            ("100.0%".into(), "0.0%".into())
        );
    }

    #[test]
    fn times_and_sizes_choose_their_unit() {
        assert_eq!(EN.time(0.000_003_5), "3.5 µs");
        assert_eq!(EN.time(0.000_250), "250 µs");
        assert_eq!(PT.time(0.012_34), "12,3 ms");
        assert_eq!(EN.time(250.0), "250.00 s");
        assert_eq!(EN.bytes(999), "999 B");
        assert_eq!(EN.bytes(999_990), "1.0 MB");
        assert_eq!(PT.bytes(46_300_000), "46,3 MB");
        assert_eq!(EN.span(Duration::ZERO), "0s");
        assert_eq!(EN.span(Duration::from_millis(430)), "0.4s");
        assert_eq!(EN.span(Duration::from_secs(83)), "1m 23s");
        assert_eq!(EN.span(Duration::from_secs(7_500)), "2h 05m");
        assert_eq!(PT.clock(Duration::from_secs(323)), "05:23");
        assert_eq!(PT.clock(Duration::from_secs(7_505)), "2:05:05");
    }

    #[test]
    fn escape_sequences_lose_their_teeth() {
        assert_eq!(harmless("/a\x1b[2J\n\u{202e}"), "/a?[2J?\\u{202e}");
    }
}
