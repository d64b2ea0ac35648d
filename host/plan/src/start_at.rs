//! When a run begins, so that several generators can begin together: `--start-at`. Read by `settings/load.rs`, and waited
//! for by the commands that play a plan.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::errors::ValueError;
use crate::units::{DefaultUnit, LONGEST_RUN, parse_duration, show_duration};
use crate::value_types::ValueType;

/// A moment, or a time from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    At(Timestamp),
    In(Duration),
}

impl StartAt {
    /// How long it is until then; `None` when it is over.
    pub fn from(self, now: SystemTime) -> Option<Duration> {
        match self {
            StartAt::In(time) => Some(time),
            StartAt::At(at) => {
                let now = Timestamp::try_from(now).ok()?;
                Duration::try_from(at.duration_since(now)).ok()
            }
        }
    }
}

impl std::fmt::Display for StartAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StartAt::At(at) => at.fmt(f),
            StartAt::In(time) => write!(f, "+{}", show_duration(*time)),
        }
    }
}

/// A moment as RFC 3339 has it, or `+10s`.
pub(crate) fn start_at() -> ValueType<StartAt> {
    let parse = |text: &str| {
        let bad = || {
            ValueError::new(
                format!("{text:?} is no moment"),
                "write it as 2026-03-04T12:00:00Z, or +10s for a time from now",
            )
        };
        match text.trim().strip_prefix('+') {
            Some(time) => parse_duration(time, DefaultUnit::Seconds)
                .ok()
                .filter(|time| *time <= LONGEST_RUN)
                .map(StartAt::In)
                .ok_or_else(bad),
            None => text.trim().parse().map(StartAt::At).map_err(|_| bad()),
        }
    };
    ValueType::new("WHEN", parse, StartAt::to_string)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moment_or_a_time_from_now() {
        let parse = start_at().parse;
        let at = parse("2026-03-04T13:00:05+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-03-04T12:00:05Z");
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_625_600);
        assert_eq!(at.from(noon), Some(Duration::from_secs(5)));
        assert_eq!(at.from(noon + Duration::from_secs(6)), None);
        assert_eq!(parse("+90"), Ok(StartAt::In(Duration::from_secs(90))));
        for text in ["", "noon", "10s", "+", "+-1s", "2026-03-04", "12:00"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(text in "\\PC*", second in -9_000_000_000i64..9_000_000_000) {
            let parse = start_at().parse;
            let _ = parse(&text);
            let at = StartAt::At(Timestamp::from_second(second).unwrap());
            prop_assert_eq!(parse(&at.to_string()), Ok(at));
        }
    }
}
