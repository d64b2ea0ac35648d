//! Conditions on a run's figures, as `--abort-on` and `--threshold` take them: `p95{archetype=admin}<500ms:30s`.
//! Read by `lists.rs`, evaluated by `metrics` and the engine's guard.
//!
//! What must stay true: what a condition shows, it reads back as the same one, and no text makes the parser panic.

pub(crate) mod lists;
mod parse;
pub mod selector;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use vespeiro_model::words;

use self::selector::{Field, Selector};
use crate::errors::ValueError;
use crate::units::show_duration;

/// A figure of the run against a bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub metric: Metric,
    pub selector: Selector,
    pub comparison: Comparator,
    pub bound: Bound,
    /// How far back to look; `None` for the whole run.
    pub window: Option<Duration>,
}

/// Something that should hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    pub condition: Condition,
    /// Stop the run when it is crossed.
    pub abort: bool,
}

words! {
    /// A figure that a condition can be about.
    pub enum Metric {
        P50 => "p50",
        P75 => "p75",
        P90 => "p90",
        P95 => "p95",
        P99 => "p99",
        P999 => "p999",
        Mean => "mean",
        Min => "min",
        Max => "max",
        /// Requests that failed without being asked to, by all requests.
        ErrorRate => "error_rate",
        /// Requests that failed, asked to or not, by all requests.
        FailureRate => "failure_rate",
        /// Checks that held, by all checks.
        Checks => "checks",
        /// Requests sent per second.
        Rate => "rate",
        /// Requests that got their outcome, per second.
        Throughput => "throughput",
        Requests => "requests",
        Errors => "errors",
        /// Requests that never left.
        NotSent => "not_sent",
        /// Arrivals of a rate that found no user in time.
        Dropped => "dropped",
        /// Sessions that ended with an error of their behavior, by all that ended by themselves.
        FailedSessions => "failed_sessions",
        /// The same for those whose behavior crashed.
        CrashedSessions => "crashed_sessions",
        /// The same for those that came to their end.
        CompletedSessions => "completed_sessions",
        /// Transactions that passed or failed.
        Transactions => "transactions",
        /// Transactions that failed, by all that passed or failed.
        FailedTransactions => "failed_transactions",
    }

    /// The unit that a metric is counted in.
    pub enum Dimension {
        /// Seconds.
        Time => "seconds",
        /// 0 to 1.
        Share => "share",
        PerSecond => "per-second",
        Count => "count",
    }

    /// How a figure is compared with a bound. The longer sign stands first where one begins like the other.
    pub enum Comparator {
        AtMost => "<=",
        AtLeast => ">=",
        Less => "<",
        More => ">",
    }
}

/// What most requests are known by, then what times are, then what else there is.
const FIELDS: [Field; 12] = [
    Field::Archetype,
    Field::Stage,
    Field::Route,
    Field::Method,
    Field::Category,
    Field::Target,
    Field::Phase,
    Field::Outcome,
    Field::Transaction,
    Field::Pauses,
    Field::Status,
    Field::Check,
];
const OF_OUTCOMES: [Field; 7] = [
    Field::Archetype,
    Field::Stage,
    Field::Route,
    Field::Method,
    Field::Category,
    Field::Target,
    Field::Status,
];
const OF_CHECKS: [Field; 3] = [Field::Archetype, Field::Stage, Field::Check];
const OF_TRANSACTIONS: [Field; 3] = [Field::Archetype, Field::Stage, Field::Transaction];

/// A number and its unit, as they were written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    pub number: f64,
    pub unit: BoundUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundUnit {
    Microseconds,
    Milliseconds,
    Seconds,
    Minutes,
    Percent,
    PerSecond,
    PerMinute,
    /// A bare number.
    One,
}

const UNITS: [(&str, BoundUnit, Dimension, f64); 9] = [
    ("us", BoundUnit::Microseconds, Dimension::Time, 1e-6),
    ("ms", BoundUnit::Milliseconds, Dimension::Time, 1e-3),
    ("s", BoundUnit::Seconds, Dimension::Time, 1.0),
    ("m", BoundUnit::Minutes, Dimension::Time, 60.0),
    ("%", BoundUnit::Percent, Dimension::Share, 0.01),
    ("/s", BoundUnit::PerSecond, Dimension::PerSecond, 1.0),
    ("/m", BoundUnit::PerMinute, Dimension::PerSecond, 1.0 / 60.0),
    ("", BoundUnit::One, Dimension::Count, 1.0),
    ("", BoundUnit::One, Dimension::Share, 1.0),
];

impl Metric {
    pub fn dimension(self) -> Dimension {
        match self {
            Metric::ErrorRate
            | Metric::FailureRate
            | Metric::Checks
            | Metric::FailedSessions
            | Metric::CrashedSessions
            | Metric::CompletedSessions
            | Metric::FailedTransactions => Dimension::Share,
            Metric::Rate | Metric::Throughput => Dimension::PerSecond,
            Metric::Requests
            | Metric::Errors
            | Metric::NotSent
            | Metric::Dropped
            | Metric::Transactions => Dimension::Count,
            _ => Dimension::Time,
        }
    }

    /// Fields of a selector that it is known by.
    fn fields(self) -> &'static [Field] {
        match self {
            Metric::Dropped => &FIELDS[1..2],
            Metric::NotSent
            | Metric::FailedSessions
            | Metric::CrashedSessions
            | Metric::CompletedSessions => &FIELDS[..2],
            Metric::Rate => &FIELDS[..6],
            Metric::Checks => &OF_CHECKS,
            Metric::Transactions | Metric::FailedTransactions => &OF_TRANSACTIONS,
            _ if self.dimension() == Dimension::Time => &FIELDS[..10],
            _ => &OF_OUTCOMES,
        }
    }

    /// A value in plain text, for the log: `1234ms`, `87.3%`, `102.4/s`.
    pub fn show(self, value: f64) -> String {
        match self.dimension() {
            Dimension::Time => format!("{:.1}ms", value * 1e3),
            Dimension::Share => format!("{:.1}%", value * 100.0),
            Dimension::PerSecond => format!("{value:.1}/s"),
            Dimension::Count => format!("{value:.0}"),
        }
    }
}

impl Comparator {
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Comparator::Less => value < bound,
            Comparator::AtMost => value <= bound,
            Comparator::More => value > bound,
            Comparator::AtLeast => value >= bound,
        }
    }

    /// It is met by small values.
    pub fn wants_little(self) -> bool {
        matches!(self, Comparator::Less | Comparator::AtMost)
    }
}

impl Bound {
    /// In seconds, as a share of 1, per second, or as a plain number.
    pub fn value(self) -> f64 {
        let unit = UNITS.iter().find(|(_, unit, _, _)| *unit == self.unit);
        self.number * unit.map_or(1.0, |(_, _, _, factor)| *factor)
    }
}

impl Condition {
    /// Whether it holds for a value of its metric.
    pub fn holds(&self, value: f64) -> bool {
        self.comparison.holds(value, self.bound.value())
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, unit, _, _)| *unit == self.unit);
        write!(f, "{}{}", self.number, unit.map_or("", |(word, ..)| word))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (metric, sign) = (self.metric.as_str(), self.comparison.as_str());
        write!(f, "{metric}{}{sign}{}", self.selector, self.bound)?;
        match self.window {
            Some(window) => write!(f, ":{}", show_duration(window)),
            None => Ok(()),
        }
    }
}

impl FromStr for Threshold {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Threshold, ValueError> {
        parse::threshold(text)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let abort = if self.abort { " abort" } else { "" };
        write!(f, "{}{abort}", self.condition)
    }
}

#[cfg(test)]
mod tests {
    use super::lists::conditions;

    #[test]
    fn units_come_down_to_seconds_and_shares() {
        for (text, value) in [
            ("p95<500ms", 0.5),
            ("p95<1.5s", 1.5),
            ("max<2m", 120.0),
            ("p50<250us", 0.00025),
            ("error_rate<1%", 0.01),
            ("error_rate<0.01", 0.01),
            ("rate>60/m", 1.0),
            ("rate>100/s", 100.0),
            ("requests>=1000", 1000.0),
        ] {
            let condition = &(conditions().parse)(text).unwrap()[0];
            assert!((condition.bound.value() - value).abs() < 1e-12, "{text}");
        }
    }
}
