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
pub use translation::{translated, word};

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
    use serde_json::Value;

    use super::*;
    use vespeiro_metrics::testing::snapshot;
    use vespeiro_model::text::is_hidden;
    use vespeiro_plan::Language;
    use vespeiro_plan::testing::plan;
    use vespeiro_summary::Summary;

    /// Where texts stand in a value, but for histograms.
    fn texts(of: &Value, at: &str, found: &mut Vec<String>) {
        match of {
            Value::String(_) if !at.ends_with("/histogram") => found.push(at.to_owned()),
            Value::Array(list) => {
                let each = list.iter().enumerate();
                each.for_each(|(place, value)| texts(value, &format!("{at}/{place}"), found));
            }
            Value::Object(fields) => {
                let each = fields.iter();
                each.for_each(|(key, value)| texts(value, &format!("{at}/{key}"), found));
            }
            _ => {}
        }
    }

    /// The summary with something hidden in every text that may be any.
    fn hostile(summary: &Summary) -> (Summary, usize) {
        let mut value = serde_json::to_value(summary).unwrap();
        let mut found = Vec::new();
        texts(&value, "", &mut found);
        let mut changed = 0;
        for at in found {
            let before = value.clone();
            let text = value.pointer_mut(&at).unwrap();
            *text = format!("{}\u{202e}\u{1b}\u{fffe}\u{2066}", text.as_str().unwrap()).into();
            match serde_json::from_value::<Summary>(value.clone()) {
                Ok(_) => changed += 1,
                Err(_) => value = before,
            }
        }
        (serde_json::from_value(value).unwrap(), changed)
    }

    #[test]
    fn nothing_that_is_hidden_in_a_summary_is_shown_as_it_is() {
        let mut summary = Summary::new(&plan(Language::English), &snapshot());
        summary.cleanup = Some(vespeiro_summary::Cleanup {
            journal: Some("a.journal".into()),
            ..vespeiro_summary::Cleanup::new(None, 1, 1)
        });
        let (hostile, changed) = hostile(&summary);
        assert!(changed > 50, "{changed}");
        for language in [Language::English, Language::Portuguese] {
            let shown = [
                summary::text(&hostile, language),
                html::page(&hostile, None, language),
                junit::report(&hostile).to_string().unwrap(),
            ];
            for text in shown {
                let hidden = text.chars().find(|c| *c != '\n' && is_hidden(*c));
                assert_eq!(hidden, None, "{}", text.escape_debug());
                assert!(text.contains("\\u{202e}"), "{text}");
            }
        }
    }

    #[test]
    fn nothing_that_is_hidden_in_a_plan_or_a_behavior_gets_onto_panel_and_page() {
        let mut plan = plan(Language::English);
        plan.preset = "mixed\u{202e}".into();
        let mut snapshot = snapshot();
        let hostile = |text: &mut String| text.push_str("\u{202e}\u{fffe}");
        let catalog = std::sync::Arc::make_mut(&mut snapshot.catalog);
        for archetype in &mut catalog.archetypes {
            let labels = [
                &mut archetype.name,
                &mut archetype.behavior,
                &mut archetype.version,
            ];
            labels.into_iter().for_each(hostile);
            archetype
                .routes
                .iter_mut()
                .for_each(|route| hostile(&mut route.path));
        }
        catalog.categories.iter_mut().for_each(hostile);
        for version in &mut catalog.versions {
            [&mut version.behavior, &mut version.version]
                .into_iter()
                .for_each(hostile);
        }
        let said = "checks{check=a\u{202e}b}>99%";
        std::sync::Arc::make_mut(&mut snapshot.guard).thresholds[0].threshold =
            vespeiro_plan::testing::thresholds(said).unwrap().remove(0);
        let shape = testing::shape();
        let area = ratatui::layout::Rect::new(0, 0, 200, 60);
        for language in [Language::English, Language::Portuguese] {
            plan.output.language = language;
            let mut buffer = ratatui::buffer::Buffer::empty(area);
            panel::render(&snapshot, &PanelState::new(&plan, shape), area, &mut buffer);
            let panel: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
            let news = SwapEvent {
                elapsed_seconds: 1.0,
                text: "swap of a\u{202e}".into(),
                failed: true,
            };
            let view = page::View::new(&std::sync::Arc::new(plan.clone()), shape);
            let state = view.state(&snapshot, Phase::Running, vec![news]);
            let facts = serde_json::to_string(&page::PageInfo::of(&plan)).unwrap();
            for text in [panel, state, facts] {
                assert!(!text.contains(is_hidden), "{}", text.escape_debug());
                assert!(text.contains("\\u{202e}"), "{text}");
            }
        }
    }

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
