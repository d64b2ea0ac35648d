//! What the live page is sent: [`PageInfo`] once, then the state of the run twice a second, as compact JSON. Numbers are raw;
//! the page writes them as its reader does.
//!
//! What must stay true: it is bounded, whatever the plan or the behaviors do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;

use crate::RunShape;
use crate::language::harmless;
use crate::output::{Phase, SwapEvent};
use crate::status::{RowLimits, RunStatus, rounded};
use vespeiro_metrics::Snapshot;
use vespeiro_plan::{Metric, Module, Plan};
use vespeiro_summary::{SampledInterval, target};

/// How far back the charts look.
const POINTS: usize = 300;
const LIMITS: RowLimits = RowLimits {
    archetypes: 50,
    versions: 8,
    newest_first: true,
};

/// What does not change during a run.
#[derive(Debug, Clone, Serialize)]
pub struct PageInfo {
    run: String,
    scenario: String,
    target: String,
    /// The built-in behaviors that archetypes began with, by archetype.
    builtin: BTreeMap<String, String>,
}

impl PageInfo {
    pub fn of(plan: &Plan) -> PageInfo {
        let archetypes = plan.archetypes.iter().take(LIMITS.archetypes);
        let builtin = archetypes.filter_map(|archetype| match &archetype.module {
            Module::BuiltIn(name) => Some((archetype.name.clone(), name.clone())),
            Module::File(_) | Module::Program { .. } => None,
        });
        PageInfo {
            run: plan.run_id.clone(),
            scenario: harmless(&plan.preset),
            target: harmless(&target(plan)),
            builtin: builtin.collect(),
        }
    }
}

/// A second of the run: when it ended, users, requests sent per second, p95 in seconds, errors per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChartPoint(f64, u64, f64, Option<f64>, f64);

/// Follows a run.
#[derive(Debug)]
pub struct View {
    plan: Arc<Plan>,
    shape: RunShape,
    points: VecDeque<ChartPoint>,
}

/// The state of the run, with the latest of the charts' points.
#[derive(Debug, Serialize)]
struct State {
    #[serde(flatten)]
    status: RunStatus,
    point: Option<ChartPoint>,
}

impl View {
    pub fn new(plan: &Arc<Plan>, shape: RunShape) -> View {
        View {
            plan: Arc::clone(plan),
            shape,
            points: VecDeque::with_capacity(POINTS),
        }
    }

    /// The points of the charts, oldest first.
    pub fn points(&self) -> Vec<ChartPoint> {
        self.points.iter().copied().collect()
    }

    /// The state of the run, as JSON.
    pub fn state(&self, snapshot: &Snapshot, phase: Phase, swaps: Vec<SwapEvent>) -> String {
        let state = State {
            status: RunStatus::new(&self.plan, self.shape, snapshot, phase, swaps, LIMITS),
            point: self.points.back().copied(),
        };
        // It holds only numbers and texts, so it cannot fail; the page ignores an empty state.
        serde_json::to_string(&state).unwrap_or_default()
    }

    /// Take in a second of the run, when one is over.
    pub fn follow(&mut self, interval: Option<&SampledInterval<'_>>) {
        let Some(interval) = interval else { return };
        let (snapshot, came) = (interval.snapshot, &interval.figures);
        // What is left at the end of a run is too short for a rate.
        let Some(throughput) = interval.per_second(Metric::Throughput) else {
            return;
        };
        let sent = interval.per_second(Metric::Rate).unwrap_or(0.0);
        let errors = throughput * came.value(Metric::ErrorRate).unwrap_or(0.0);
        if self.points.len() == POINTS {
            self.points.pop_front();
        }
        self.points.push_back(ChartPoint(
            rounded(snapshot.elapsed.as_secs_f64()),
            snapshot.users_active(),
            rounded(sent),
            came.value(Metric::P95).map(rounded),
            rounded(errors),
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::output::End;
    use crate::testing::shape;
    use vespeiro_metrics::testing::{catalog, snapshot};
    use vespeiro_metrics::{ArchetypeLabels, Catalog, Process, Totals};
    use vespeiro_model::Clock;
    use vespeiro_plan::Language;
    use vespeiro_plan::testing::plan;
    use vespeiro_summary::Sampler;

    fn view() -> View {
        View::new(&Arc::new(plan(Language::English)), shape())
    }

    fn told(view: &View, snapshot: &Snapshot, phase: Phase) -> Value {
        serde_json::from_str(&view.state(snapshot, phase, Vec::new())).unwrap()
    }

    #[test]
    fn what_is_told_is_the_snapshots() {
        let snapshot = snapshot();
        let total = snapshot.total();
        let state = told(&view(), &snapshot, Phase::of(&snapshot));
        assert_eq!(state["phase"], "running");
        assert_eq!(state["why"], Value::Null);
        assert_eq!(state["requests"], total.requests());
        assert_eq!(state["errors"], total.errors());
        assert_eq!(state["injected"], total.injected());
        assert_eq!(state["users"], 74);
        assert_eq!(state["users_wanted"], 100);
        assert_eq!(state["mix"][0]["name"], "auth");
        assert_eq!(state["mix"][0]["wanted"], 0.3);
        assert_eq!(state["thresholds"][1]["state"], "crossed");
        let archetypes = state["archetypes"].as_array().unwrap();
        let of_archetypes = archetypes.iter().map(|a| a["requests"].as_u64().unwrap());
        assert_eq!(of_archetypes.sum::<u64>(), total.requests());
        let version = &archetypes[0]["versions"][0];
        assert_eq!(version["requests"], archetypes[0]["requests"]);
        assert_eq!(
            (&version["version"], &version["share"]),
            (&"0.1.0".into(), &1.0.into())
        );
        assert_eq!(state["recent"][0]["kind"], "good");
        let phases = state["phases"].as_array().unwrap();
        let shares = phases.iter().filter_map(|of| of["share"].as_f64());
        assert!((shares.sum::<f64>() - 1.0).abs() < 0.01, "{phases:?}");
        assert_eq!(
            (&phases[0]["phase"], &phases[0]["share"]),
            (&"blocked".into(), &Value::Null)
        );
    }

    #[test]
    fn a_run_that_is_over_says_why() {
        let state = told(&view(), &snapshot(), Phase::Done(End::Aborted));
        assert_eq!(
            (&state["phase"], &state["why"]),
            (&"done".into(), &"aborted".into())
        );
    }

    #[test]
    fn no_secret_is_told() {
        let plan = plan(Language::English);
        let facts = serde_json::to_string(&PageInfo::of(&plan)).unwrap();
        assert!(facts.contains("http://127.0.0.1:9501"), "{facts}");
        let state = view().state(&snapshot(), Phase::Running, Vec::new());
        assert!(!(facts + &state).contains("secret"));
    }

    #[test]
    fn the_charts_have_a_point_a_second_for_five_minutes() {
        let mut view = view();
        let mut totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
        let mut sampler = Sampler::default();
        for second in 0..=400 {
            let elapsed = Duration::from_secs(second);
            let snapshot = totals.snapshot(elapsed, Process::default());
            view.follow(sampler.update(&snapshot).as_ref());
        }
        let points = view.points();
        assert_eq!(points.len(), POINTS);
        assert_eq!((points[0].0, points[POINTS - 1].0), (101.0, 400.0));
        assert_eq!(points[0], ChartPoint(101.0, 0, 0.0, None, 0.0));
    }

    #[test]
    fn a_huge_plan_is_told_of_in_part() {
        let archetype = |number| ArchetypeLabels {
            name: format!("archetype-{number}"),
            ..ArchetypeLabels::default()
        };
        let catalog = Catalog {
            targets: Vec::new(),
            archetypes: (0..200).map(archetype).collect(),
            categories: (0..250)
                .map(|number| format!("category-{number}"))
                .collect(),
            versions: Vec::new(),
        };
        let mut totals = Totals::new(Arc::new(catalog), 1, Process::default(), Clock::system());
        let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
        let news = (0..100).map(|number| SwapEvent {
            elapsed_seconds: 1.0,
            text: format!("swap {number}"),
            failed: false,
        });
        let text = view().state(&snapshot, Phase::Running, news.collect());
        let state: Value = serde_json::from_str(&text).unwrap();
        let length = |key: &str| state[key].as_array().unwrap().len();
        assert_eq!(
            (length("archetypes"), length("mix"), length("news")),
            (50, 30, 12)
        );
        assert_eq!(state["archetypes_left_out"], 150);
        assert_eq!(state["news"][11]["text"], "swap 99");
        assert!(text.len() < 20_000, "{}", text.len());
    }
}
