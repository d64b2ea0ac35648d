//! What the live page is told: [`Facts`] once, then the state of the run twice a second, as compact JSON. Numbers are raw;
//! the page writes them as its reader does. A field is never renamed.
//!
//! What must stay true: it is bounded, whatever the plan or the behaviors do.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::shown::{
    Breaker, Recent, Share, Shown, archetypes, millis, rounded, share, shared_users, thresholds,
};
use crate::{Locale, RunShape, warnings};
use vespeiro_metrics::{RecordedRequest, Snapshot};
use vespeiro_model::{Outcome, OutcomeClass};
use vespeiro_plan::{Metric, Module, Plan};
use vespeiro_summary::{Sampler, target};

/// How far back the charts look.
const POINTS: usize = 300;
/// Archetypes, categories, requests and news that are told of at most.
pub(super) const ARCHETYPES: usize = 50;
const CATEGORIES: usize = 30;
const ACTIVITY: usize = 14;
const NEWS: usize = 12;

/// What does not change during a run.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    run: String,
    scenario: String,
    target: String,
    /// The built-in behaviors that archetypes began with, by archetype.
    builtin: BTreeMap<String, String>,
}

impl Facts {
    pub fn of(plan: &Plan) -> Facts {
        let archetypes = plan.archetypes.iter().take(ARCHETYPES);
        let builtin = archetypes.filter_map(|archetype| match &archetype.module {
            Module::BuiltIn(name) => Some((archetype.name.clone(), name.clone())),
            Module::File(_) => None,
        });
        Facts {
            run: plan.run_id.clone(),
            scenario: plan.scenario.clone(),
            target: target(plan),
            builtin: builtin.collect(),
        }
    }
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Running,
    Paused,
    Stopping,
    Cleanup,
    Done(End),
}

impl Phase {
    /// As the snapshot of a run that goes on has it.
    pub fn of(snapshot: &Snapshot) -> Phase {
        match (snapshot.stopping, snapshot.desired.paused) {
            (true, _) => Phase::Stopping,
            (false, true) => Phase::Paused,
            (false, false) => Phase::Running,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Phase::Running => "running",
            Phase::Paused => "paused",
            Phase::Stopping => "stopping",
            Phase::Cleanup => "cleanup",
            Phase::Done(_) => "done",
        }
    }
}

/// Why a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Every user is done.
    Finished,
    /// Its time is over.
    Duration,
    /// Somebody stopped it.
    Stopped,
    /// Its own guard did.
    Aborted,
    /// It could not do its job.
    Failed,
}

/// Something about a swap that people should hear.
#[derive(Debug, Clone, Serialize)]
pub struct Told {
    /// Since the start of the run, in seconds.
    pub at: f64,
    pub text: String,
    pub bad: bool,
}

/// About a second of the run: when it ended, users, requests per second, p95 in milliseconds, errors per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point(f64, u64, f64, Option<f64>, f64);

/// Follows a run.
#[derive(Debug)]
pub struct View {
    locale: Locale,
    shape: RunShape,
    wanted: Vec<(String, f64)>,
    errors_wanted: Option<[f64; OutcomeClass::ALL.len()]>,
    beat: Sampler,
    points: VecDeque<Point>,
}

impl View {
    pub fn new(plan: &Plan, shape: RunShape) -> View {
        let mix = plan.mix.iter().flat_map(|mix| mix.0.iter());
        View {
            locale: Locale::new(plan.output.language),
            shape,
            wanted: mix
                .map(|(name, part)| (name.clone(), part / 100.0))
                .collect(),
            errors_wanted: plan.error_mix.map(|mix| mix.shares().map(|s| s / 100.0)),
            beat: Sampler::default(),
            points: VecDeque::with_capacity(POINTS),
        }
    }

    /// The points of the charts, oldest first.
    pub fn points(&self) -> Vec<Point> {
        self.points.iter().copied().collect()
    }

    /// The state of the run, as JSON.
    pub fn state(&mut self, snapshot: &Snapshot, phase: Phase, mut news: Vec<Told>) -> String {
        self.follow(snapshot);
        news.drain(..news.len().saturating_sub(NEWS));
        let total = snapshot.total();
        let stands = &snapshot.worker_statuses;
        let shown = Shown {
            phase: phase.as_str(),
            why: match phase {
                Phase::Done(why) => Some(why),
                _ => None,
            },
            elapsed: rounded(snapshot.elapsed.as_secs_f64(), 10.0),
            remaining: self
                .shape
                .remaining(snapshot)
                .map(|d| d.as_secs_f64().round()),
            progress: self.shape.progress(snapshot).map(|p| rounded(p, 1_000.0)),
            users: snapshot.users_active(),
            users_wanted: snapshot.desired.users,
            users_shared: shared_users(snapshot),
            in_flight: stands.in_flight(),
            requests: total.requests(),
            rate: rounded(snapshot.rates.second.requests, 10.0),
            rate_wanted: snapshot.desired.rate.map(|rate| rounded(rate, 10.0)),
            success: total.success_share(),
            errors: total.errors(),
            injected: total.injected(),
            latency: (!total.latency().is_empty()).then(|| {
                let quantile = |q| millis(total.latency().quantile(q));
                [
                    quantile(0.5),
                    quantile(0.95),
                    quantile(0.99),
                    millis(total.latency().max()),
                ]
            }),
            cpu: rounded(
                snapshot.rates.second.cores / snapshot.cpu.cores.max(1) as f64,
                1_000.0,
            ),
            memory: snapshot.process.rss,
            breaker: stands.breaker().map(|state| Breaker {
                state: state.as_str(),
                word: self.locale.breaker(state),
            }),
            held: stands.held(),
            pace: rounded(stands.pace(), 10.0),
            logins_paused: stands.logins_paused() > 0,
            alarm: snapshot.guard.abort.as_ref().map(ToString::to_string),
            warnings: warnings(snapshot, self.locale),
            mix: self.mix(snapshot, total.requests()),
            error_mix: self.error_mix(&total.classes(), total.requests()),
            archetypes: archetypes(snapshot),
            archetypes_left_out: snapshot.archetypes.len().saturating_sub(ARCHETYPES),
            thresholds: thresholds(snapshot),
            recent: snapshot
                .activity
                .iter()
                .rev()
                .take(ACTIVITY)
                .map(|activity| self.recent(activity, snapshot))
                .collect(),
            news,
            point: self.points.back().copied(),
        };
        // Numbers and text alone: it cannot fail, and an empty state is one that the page passes over.
        serde_json::to_string(&shown).unwrap_or_default()
    }

    /// Take in what has happened since the last point, if that was long enough ago.
    fn follow(&mut self, snapshot: &Snapshot) {
        let Some(stretch) = self.beat.update(snapshot) else {
            return;
        };
        let (over, came) = (stretch.over, &stretch.came);
        let per_second = |count: u64| rounded(count as f64 / over.as_secs_f64(), 10.0);
        if self.points.len() == POINTS {
            self.points.pop_front();
        }
        self.points.push_back(Point(
            rounded(snapshot.elapsed.as_secs_f64(), 10.0),
            snapshot.users_active(),
            per_second(came.requests),
            came.value(Metric::P95, over)
                .map(|s| rounded(s * 1e3, 1_000.0)),
            per_second(came.errors),
        ));
    }

    fn mix(&self, snapshot: &Snapshot, requests: u64) -> Vec<Share> {
        let wanted = |name: &str| self.wanted.iter().find(|(n, _)| n == name).map(|w| w.1);
        let categories = snapshot.by_category().into_iter().take(CATEGORIES);
        categories
            .map(|(name, count)| Share {
                name: name.into(),
                share: share(count, requests),
                wanted: wanted(name),
            })
            .collect()
    }

    fn error_mix(&self, classes: &[u64], requests: u64) -> Vec<Share> {
        let counted = OutcomeClass::ALL.into_iter().zip(classes).enumerate();
        counted
            .map(|(at, (class, count))| Share {
                name: class.as_str().into(),
                share: share(*count, requests),
                wanted: self.errors_wanted.map(|wanted| wanted[at]),
            })
            .collect()
    }

    fn recent(&self, activity: &RecordedRequest, snapshot: &Snapshot) -> Recent {
        let archetype = activity.role.archetype;
        let (method, path) = snapshot.catalog.route(archetype, activity.route);
        let since = activity.at.duration_since(std::time::UNIX_EPOCH);
        Recent {
            at: since.map_or(0, |since| since.as_millis() as u64),
            user: activity.user,
            archetype: snapshot.catalog.archetype(archetype).into(),
            request: format!("{method} {path}"),
            outcome: match activity.outcome {
                Outcome::Status(status) => status.to_string(),
                Outcome::Failed(failure) => self.locale.failure(failure).into(),
            },
            kind: match activity.outcome.is_good() {
                true => "good",
                false if activity.expected => "expected",
                false => "bad",
            },
            ms: millis(activity.latency),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::testing::shape;
    use vespeiro_metrics::testing::{catalog, snapshot};
    use vespeiro_metrics::{ArchetypeLabels, Catalog, Process, Totals};
    use vespeiro_plan::Language;
    use vespeiro_plan::testing::plan;

    fn view() -> View {
        View::new(&plan(Language::English), shape())
    }

    fn told(view: &mut View, snapshot: &Snapshot, phase: Phase) -> Value {
        serde_json::from_str(&view.state(snapshot, phase, Vec::new())).unwrap()
    }

    #[test]
    fn what_is_told_is_the_snapshots() {
        let snapshot = snapshot();
        let total = snapshot.total();
        let state = told(&mut view(), &snapshot, Phase::of(&snapshot));
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
    }

    #[test]
    fn a_run_that_is_over_says_why() {
        let state = told(&mut view(), &snapshot(), Phase::Done(End::Aborted));
        assert_eq!(
            (&state["phase"], &state["why"]),
            (&"done".into(), &"aborted".into())
        );
    }

    #[test]
    fn no_secret_is_told() {
        let plan = plan(Language::English);
        let facts = serde_json::to_string(&Facts::of(&plan)).unwrap();
        assert!(facts.contains("http://127.0.0.1:9501"), "{facts}");
        let state = view().state(&snapshot(), Phase::Running, Vec::new());
        assert!(!(facts + &state).contains("secret"));
    }

    #[test]
    fn the_charts_have_a_point_a_second_for_five_minutes() {
        let mut view = view();
        let mut totals = Totals::new(catalog(), 1, Process::default());
        for half in 0..=800 {
            let elapsed = Duration::from_millis(500 * half);
            view.follow(&totals.snapshot(elapsed, Process::default()));
        }
        let points = view.points();
        assert_eq!(points.len(), POINTS);
        assert_eq!((points[0].0, points[POINTS - 1].0), (101.0, 400.0));
        assert_eq!(points[0], Point(101.0, 0, 0.0, None, 0.0));
    }

    #[test]
    fn a_huge_plan_is_told_of_in_part() {
        let archetype = |number| ArchetypeLabels {
            name: format!("archetype-{number}"),
            ..ArchetypeLabels::default()
        };
        let catalog = Catalog {
            archetypes: (0..200).map(archetype).collect(),
            categories: (0..250)
                .map(|number| format!("category-{number}"))
                .collect(),
            versions: Vec::new(),
        };
        let mut totals = Totals::new(Arc::new(catalog), 1, Process::default());
        let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
        let news = (0..100).map(|number| Told {
            at: 1.0,
            text: format!("swap {number}"),
            bad: false,
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
