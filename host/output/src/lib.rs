//! Whatever shows or writes a run's figures is an [`Output`] of this room, or of the server's. The command line makes
//! the set and drives it with the run's snapshots.
//!
//! What must stay true: an output reads plan, snapshots and summary, and changes none of them.

// Tests measure by the machine's clock.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod comparison;
mod console;
pub mod dashboard;
mod file;
pub mod html;
pub mod json;
pub mod junit;
mod language;
pub mod lines;
mod output;
pub mod page;
pub mod panel;
pub mod prometheus;
pub mod push;
pub mod status;
pub mod stdout;
pub mod summary;
mod table;
pub mod timeseries;
mod translation;
mod words;

use std::time::Duration;

pub use console::Console;
pub use language::Locale;
pub use output::{
    End, Finish, MaybeOutput, Output, OutputContext, OutputError, Outputs, Phase, RunResult,
    SwapEvent, Update,
};
pub use panel::{PanelState, render};
pub use translation::translated;

use self::summary::limit_text;
use vespeiro_metrics::Snapshot;

/// The size of a run; progress and remaining time are estimated from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunShape {
    pub users_total: u32,
    /// Sum of the users' request budgets; 0 when there is none.
    pub requests_planned: u64,
    /// Longest duration of the run.
    pub duration: Option<Duration>,
}

impl RunShape {
    /// Share of the run that is done, 0 to 1; `None` when neither budgets nor a duration bound it.
    pub fn progress(&self, snapshot: &Snapshot) -> Option<f64> {
        let by_requests = (self.requests_planned > 0)
            .then(|| snapshot.requests() as f64 / self.requests_planned as f64)
            .or_else(|| {
                let left = snapshot.worker_statuses.remaining()?.as_secs_f64();
                let past = snapshot.now.as_secs_f64();
                (past > 0.0).then(|| past / (past + left))
            });
        let by_time = self
            .duration
            .filter(|d| !d.is_zero())
            .map(|d| snapshot.now.as_secs_f64() / d.as_secs_f64());
        by_requests
            .into_iter()
            .chain(by_time)
            .reduce(f64::max)
            .map(|share| share.min(1.0))
    }

    /// Estimate of the time that is left: what the last user needs for their budget at their own pace; where all share a number of
    /// requests, what those take at the present rate.
    pub fn remaining(&self, snapshot: &Snapshot) -> Option<Duration> {
        let left = self.requests_planned.saturating_sub(snapshot.requests());
        let rate = snapshot.rates.ten_seconds.requests;
        let at_this_rate = || Duration::try_from_secs_f64(left as f64 / rate).ok();
        let by_requests = snapshot.worker_statuses.remaining().or_else(|| {
            (self.requests_planned > 0 && rate > 0.0)
                .then(at_this_rate)
                .flatten()
        });
        let by_time = self.duration.map(|d| d.saturating_sub(snapshot.now));
        by_requests.into_iter().chain(by_time).min()
    }
}

/// Warnings that the generator itself was the limit.
pub fn warnings(snapshot: &Snapshot, locale: Locale) -> Vec<String> {
    let limits = vespeiro_summary::build::generator::limits(snapshot);
    let texts = limits.iter().map(|limit| limit_text(limit, locale));
    texts.collect()
}

#[cfg(test)]
pub(crate) mod testing {
    //! The run size that the unit tests use.

    use super::*;

    pub(crate) fn shape() -> RunShape {
        RunShape {
            users_total: 100,
            requests_planned: 50_500,
            duration: Some(Duration::from_secs(300)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vespeiro_metrics::testing::snapshot;

    #[test]
    fn progress_and_remaining_follow_whichever_bound_is_nearer() {
        let mut snapshot = snapshot();
        snapshot.rates.ten_seconds.requests = 100.0;
        let budgets = RunShape {
            users_total: 1,
            requests_planned: 20_432,
            duration: None,
        };
        assert_eq!(budgets.remaining(&snapshot), Some(Duration::from_secs(50)));
        assert!((budgets.progress(&snapshot).unwrap() - 15_432.0 / 20_432.0).abs() < 1e-9);
        let both = RunShape {
            duration: Some(Duration::from_secs(100)),
            ..budgets
        };
        assert_eq!(both.remaining(&snapshot), Some(Duration::from_secs(17)));
        assert_eq!(both.progress(&snapshot), Some(0.83));
        assert_eq!(RunShape::default().progress(&snapshot), None);
        assert_eq!(RunShape::default().remaining(&snapshot), None);
        snapshot.rates.ten_seconds.requests = 0.0;
        assert_eq!(budgets.remaining(&snapshot), None);
    }
}
