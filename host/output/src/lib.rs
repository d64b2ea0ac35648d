//! What people see of a run: the live [`Display`], the summary in text and JSON. Called by `run` while it runs and by
//! the commands at the end. Reads snapshots and the plan, and changes neither.

pub mod comparison;
pub mod dashboard;
pub mod html;
pub mod junit;
mod language;
mod lines;
pub mod page;
mod panel;
pub mod prometheus;
pub mod push;
pub mod summary;
mod table;
mod timeseries;
mod words;

use std::io::IsTerminal as _;
use std::time::Duration;

pub use language::Locale;
pub use panel::{PanelState, render};
pub use timeseries::TimeSeries;

use self::lines::Lines;
use self::panel::Panel;
use self::summary::limit_text;
use vespeiro_metrics::Snapshot;
use vespeiro_plan::Plan;

/// How much there is to do: what progress and remaining time are estimated from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunShape {
    pub users_total: u32,
    /// Sum of the users' request budgets; 0 when there is none.
    pub requests_planned: u64,
    /// The run ends after this long at the latest.
    pub duration: Option<Duration>,
}

impl RunShape {
    /// Share of the run that is done, 0 to 1; `None` when neither budgets nor a duration bound it.
    pub fn progress(&self, snapshot: &Snapshot) -> Option<f64> {
        let by_requests = (self.requests_planned > 0)
            .then(|| snapshot.requests() as f64 / self.requests_planned as f64);
        let by_time = self
            .duration
            .filter(|d| !d.is_zero())
            .map(|d| snapshot.elapsed.as_secs_f64() / d.as_secs_f64());
        by_requests
            .into_iter()
            .chain(by_time)
            .reduce(f64::max)
            .map(|share| share.min(1.0))
    }

    /// Estimate of the time that is left, at the present rate.
    pub fn remaining(&self, snapshot: &Snapshot) -> Option<Duration> {
        let left = self.requests_planned.saturating_sub(snapshot.requests());
        let rate = snapshot.rates.ten_seconds.requests;
        let by_requests = (self.requests_planned > 0 && rate > 0.0)
            .then(|| Duration::try_from_secs_f64(left as f64 / rate).ok())
            .flatten();
        let by_time = self.duration.map(|d| d.saturating_sub(snapshot.elapsed));
        by_requests.into_iter().chain(by_time).min()
    }
}

/// Where the generator itself was the limit, in words.
pub fn warnings(snapshot: &Snapshot, locale: Locale) -> Vec<String> {
    let limits = vespeiro_summary::build::generator::limits(snapshot);
    let texts = limits.iter().map(|limit| limit_text(limit, locale));
    texts.collect()
}

/// The live view on standard error: a panel on a terminal, else a plain line every few seconds.
/// It never fails: a closed standard error only ends the view.
#[derive(Debug)]
pub struct Display(View);

#[derive(Debug)]
enum View {
    Panel(Panel),
    Lines(Lines),
}

impl Display {
    /// Begin the view that the plan and standard error allow.
    pub fn start(plan: &Plan, shape: RunShape) -> Display {
        let able = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let state = PanelState::new(plan, shape);
        let out = Box::new(std::io::stderr());
        Display(
            if plan.output.panel && able && std::io::stderr().is_terminal() {
                View::Panel(Panel::new(state, out))
            } else {
                View::Lines(Lines::new(state, out))
            },
        )
    }

    /// Show the state of the run. Call it a few times a second: the panel draws each time, lines have their own pace.
    pub fn update(&mut self, snapshot: &Snapshot) {
        match &mut self.0 {
            View::Panel(panel) => panel.update(snapshot),
            View::Lines(lines) => lines.update(snapshot),
        }
    }

    /// Print a line of text that stays, above the panel.
    pub fn note(&mut self, text: &str) {
        match &mut self.0 {
            View::Panel(panel) => panel.note(text),
            View::Lines(lines) => lines.note(text),
        }
    }

    /// End the view: the panel disappears and the terminal is as it was. Dropping does the same.
    pub fn finish(self) {}
}

#[cfg(test)]
pub(crate) mod testing {
    //! What the tests of this room take for the size of a run.

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
