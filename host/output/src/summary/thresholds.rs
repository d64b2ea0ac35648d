//! The summary's words on thresholds, and on why the guard has stopped the run. Used by the page in `summary.rs`.

use std::time::Duration;

use super::{Entry, Page};
use crate::language::harmless;
use crate::table::Table;
use vespeiro_metrics::{AbortReason, ThresholdState};
use vespeiro_summary::thresholds::Unit;

impl Page<'_> {
    pub(crate) fn aborted(&self) -> Vec<Entry> {
        let Some(aborted) = &self.summary.aborted else {
            return Vec::new();
        };
        let (l, w) = (self.locale, self.words);
        let cause = match aborted.cause {
            AbortReason::AbortOn => "abort-on",
            AbortReason::Degradation => w.degradation,
            AbortReason::Threshold => w.threshold,
        };
        let mut facts = vec![
            format!("{cause} {}", harmless(&aborted.condition)),
            format!(
                "{} {}",
                aborted.metric,
                self.value(aborted.unit, aborted.achieved)
            ),
        ];
        facts.extend(aborted.baseline.map(|baseline| {
            format!(
                "{} {}",
                w.at_the_beginning,
                self.value(aborted.unit, baseline)
            )
        }));
        let at = Duration::try_from_secs_f64(aborted.at_seconds).unwrap_or_default();
        facts.push(format!("{} {}", w.after, l.span(at)));
        vec![(w.aborted, facts)]
    }

    pub(crate) fn thresholds(&self) -> Table {
        let w = self.words;
        let mut table = Table::new([w.thresholds, w.achieved, w.result]);
        for threshold in &self.summary.thresholds {
            let achieved = threshold.achieved;
            table.row(vec![
                harmless(&threshold.condition),
                achieved.map_or_else(|| "–".into(), |value| self.value(threshold.unit, value)),
                match threshold.state {
                    ThresholdState::Ok => w.held.to_owned(),
                    ThresholdState::Crossed => w.crossed.to_owned(),
                    ThresholdState::NoData => w.no_data.to_owned(),
                },
            ]);
        }
        table
    }

    fn value(&self, unit: Unit, value: f64) -> String {
        let l = self.locale;
        match unit {
            Unit::Seconds => l.time(value),
            Unit::Share => l.percent(value),
            Unit::PerSecond => l.rate(value),
            Unit::Count => l.integer(value as u64),
        }
    }
}
