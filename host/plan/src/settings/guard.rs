//! The settings of what ends a run early, and of what it is held to. Read by `plan.rs`, watched by the engine's guard.

use std::time::Duration;

use vespeiro_model::words;

use crate::condition::lists::{conditions, thresholds};
use crate::condition::{Condition, Threshold};
use crate::errors::ValueError;
use crate::layers::section;
use crate::units::{DefaultUnit, parse_duration, show_duration};
use crate::value_types::{ValueType, choice};

section! {
    /// What the run's own guard watches.
    #[derive(Debug, Clone, Default)]
    pub struct GuardSettings(r) {
        /// Any of these stops the run.
        abort_on: Vec<Condition> = ("abort_on", "none", conditions(),
            "Stop the run when this holds, for instance 'error_rate>50%:30s'; repeatable");
        /// The run stops when the target gets this much worse.
        degradation: Option<Degradation> = ("degradation", "10:2m", degradation(),
            "Stop the run when latency or errors are this many times as high as at its beginning; off never stops it");
        /// All of these should hold.
        thresholds: Vec<Threshold> = ("threshold", "none", thresholds(),
            "What should hold, for instance 'p95<500ms'; repeatable; [thresholds] in a plan file");
        /// What becomes of those that nothing was there to judge by.
        judging: Judging = ("thresholds", "auto", choice("HOW"),
            "What a threshold without any data is: strict, it fails, or lenient, it warns; auto: strict with --junit");
    }
}

words! {
    /// How thresholds without data are judged.
    #[derive(Default)]
    pub enum Judging {
        /// As the other settings imply.
        #[default]
        Auto => "auto",
        /// They fail.
        Strict => "strict",
        /// They are warned of.
        Lenient => "lenient",
    }
}

/// How much worse than at its beginning a run may get.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Degradation {
    /// Times latency or error share.
    pub factor: f64,
    /// The beginning, counted from the end of the ramp-up.
    pub baseline: Duration,
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(3600);
const USUAL: Duration = Duration::from_secs(120);

/// `10`, `10:2m` or `off`.
pub(super) fn degradation() -> ValueType<Option<Degradation>> {
    const EXAMPLE: &str = "write a factor from 1.1 to 1000, perhaps with a time: 10:2m; or off";
    let parse = |text: &str| {
        let (factor, baseline) = match text.split_once(':') {
            Some((factor, baseline)) => (factor, parse_duration(baseline, DefaultUnit::Seconds)?),
            None => (text, USUAL),
        };
        let factor = factor.trim().parse().ok();
        let factor = factor.filter(|factor| (1.1..=1000.0).contains(factor));
        match factor {
            Some(factor) if (SHORTEST..=LONGEST).contains(&baseline) => {
                Ok(Degradation { factor, baseline })
            }
            Some(_) => Err(ValueError::new(
                format!("{} is out of range", show_duration(baseline)),
                "give 1s to 1h",
            )),
            None => Err(ValueError::new(format!("{text:?} is no factor"), EXAMPLE)),
        }
    };
    let show = |d: &Degradation| format!("{}:{}", d.factor, show_duration(d.baseline));
    ValueType::new("FACTOR[:TIME]", parse, show).or_word("off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_stands_alone_or_with_a_time() {
        let form = degradation();
        for (text, shown) in [
            ("10", "10:2m"),
            ("1.5:30s", "1.5:30s"),
            (" 3 : 5", "3:5s"),
            ("off", "off"),
        ] {
            assert_eq!(
                (form.parse)(text).map(|value| (form.show)(&value)),
                Ok(shown.into())
            );
        }
        for text in ["", "1", "x:2m", "NaN", "inf", "10:", "10:2h", "10:2m:1"] {
            assert!((form.parse)(text).is_err(), "{text}");
        }
    }
}
