//! The run's own guard: looks at the figures at the end of each second, keeps the thresholds' state, and says when the run
//! has to stop. Owned by the orchestrator. Nothing of it is on a request's path, and its memory is bounded by the plan.

mod degradation;
mod subject;

use std::sync::Arc;
use std::time::Duration;

use self::degradation::Degrading;
use self::subject::Subject;
use vespeiro_metrics::{
    Abort, AbortReason, Catalog, GuardStatus, SlidingWindow, Snapshot, ThresholdResult,
    ThresholdState,
};
use vespeiro_plan::{Condition, GuardSettings as Rules, Profile, Selector, Threshold};

/// How far back an `abort_on` without a window looks, and when a threshold without one may stop the run for the first
/// time: the first answers of a run say little.
const USUAL: Duration = Duration::from_secs(10);

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Guard {
    abort_on: Vec<Watched>,
    degrading: Degrading,
    held: Vec<Held>,
    /// What the last evaluation found.
    state: Arc<GuardStatus>,
}

/// A condition that stops the run.
#[derive(Debug)]
struct Watched {
    condition: Condition,
    subject: Subject,
    window: SlidingWindow,
}

/// A threshold and what has come of it so far.
#[derive(Debug)]
struct Held {
    threshold: Threshold,
    subject: Subject,
    window: Option<SlidingWindow>,
    worst: Option<f64>,
}

impl Guard {
    /// `ramp_up` is no part of the run's beginning.
    pub(super) fn new(rules: &Rules, ramp_up: Duration) -> Guard {
        let window = |condition: &Condition| {
            let span = condition.window.unwrap_or(USUAL);
            SlidingWindow::new(span)
        };
        let abort_on = rules.abort_on.iter().map(|condition| Watched {
            condition: condition.clone(),
            subject: Subject::default(),
            window: window(condition),
        });
        let held = rules.thresholds.iter().map(|threshold| Held {
            window: threshold
                .condition
                .window
                .map(|_| window(&threshold.condition)),
            threshold: threshold.clone(),
            subject: Subject::default(),
            worst: None,
        });
        Guard {
            abort_on: abort_on.collect(),
            degrading: Degrading::new(rules.degradation, ramp_up),
            held: held.collect(),
            state: Arc::default(),
        }
    }

    /// Evaluate all conditions at the end of a second. Returns why it has to stop, once and only of a run that `goes_on`.
    pub(super) fn evaluate(&mut self, snapshot: &Snapshot, goes_on: bool) -> Option<&Abort> {
        if self.state.abort.is_some() {
            return None;
        }
        let alarm = self.aborts(snapshot);
        let degradation = self.degrading.evaluate(snapshot);
        let alarm = alarm.or(degradation);
        let verdicts: Vec<ThresholdResult> = self
            .held
            .iter_mut()
            .map(|held| held.evaluate(snapshot))
            .collect();
        let alarm = alarm.or_else(|| stopping(&verdicts, snapshot.elapsed));
        self.state = Arc::new(GuardStatus {
            thresholds: verdicts,
            abort: alarm.filter(|_| goes_on),
            degradation: self.degrading.found(),
        });
        self.state.abort.as_ref()
    }

    /// Write into the snapshot what the last evaluation found.
    pub(super) fn write_status(&self, snapshot: &mut Snapshot) {
        snapshot.guard = Arc::clone(&self.state);
    }

    /// The last word on the whole run.
    pub(super) fn close(&mut self, snapshot: &mut Snapshot) {
        let verdicts = self.held.iter_mut();
        let verdicts = verdicts.map(|held| held.close(snapshot)).collect();
        snapshot.guard = Arc::new(GuardStatus {
            thresholds: verdicts,
            abort: self.state.abort.clone(),
            degradation: self.degrading.found(),
        });
    }

    fn aborts(&mut self, snapshot: &Snapshot) -> Option<Abort> {
        let mut alarm = None;
        for watched in &mut self.abort_on {
            let Watched {
                condition,
                subject,
                window,
            } = watched;
            window.advance(subject.look(snapshot, &condition.selector));
            let value = window.full().and_then(|sum| sum.value(condition.metric));
            if let Some(achieved) = value.filter(|value| condition.holds(*value)) {
                alarm.get_or_insert(Abort {
                    reason: AbortReason::AbortOn,
                    condition: condition.clone(),
                    achieved,
                    baseline: None,
                    at: snapshot.elapsed,
                });
            }
        }
        alarm
    }
}

impl Held {
    fn evaluate(&mut self, snapshot: &Snapshot) -> ThresholdResult {
        let condition = &self.threshold.condition;
        let total = self.subject.look(snapshot, &condition.selector);
        let Some(window) = &mut self.window else {
            return self.verdict(total.value(condition.metric));
        };
        window.advance(total);
        let value = window.full().and_then(|sum| sum.value(condition.metric));
        let worse = |a: f64, b: f64| match condition.comparison.wants_little() {
            true => a.max(b),
            false => a.min(b),
        };
        self.worst = self.worst.into_iter().chain(value).reduce(worse);
        self.verdict(self.worst)
    }

    fn close(&mut self, snapshot: &Snapshot) -> ThresholdResult {
        let condition = &self.threshold.condition;
        // A run that is shorter than the window is a window of its own.
        let whole = self.subject.look(snapshot, &condition.selector);
        self.verdict(self.worst.or_else(|| whole.value(condition.metric)))
    }

    fn verdict(&self, achieved: Option<f64>) -> ThresholdResult {
        let state = match achieved {
            None => ThresholdState::NoData,
            Some(value) if self.threshold.condition.holds(value) => ThresholdState::Ok,
            Some(_) => ThresholdState::Crossed,
        };
        ThresholdResult {
            threshold: self.threshold.clone(),
            achieved,
            state,
        }
    }
}

/// A crossed threshold that stops the run.
fn stopping(verdicts: &[ThresholdResult], at: Duration) -> Option<Abort> {
    let stops = |verdict: &&ThresholdResult| {
        let Threshold { condition, abort } = &verdict.threshold;
        let told = condition.window.is_some() || at >= USUAL;
        *abort && told && verdict.state == ThresholdState::Crossed
    };
    let verdict = verdicts.iter().find(stops)?;
    Some(Abort {
        reason: AbortReason::Threshold,
        condition: verdict.threshold.condition.clone(),
        achieved: verdict.achieved?,
        baseline: None,
        at,
    })
}

/// The first condition that picks nothing of what will be played, and why that cannot be meant. `profile`: the one whose
/// stages have numbers.
pub(super) fn unmatched(
    rules: &Rules,
    catalog: &Catalog,
    profile: Option<&Profile>,
) -> Option<String> {
    let thresholds = rules.thresholds.iter();
    let held = thresholds.map(|t| ("threshold", &t.condition));
    let all = rules.abort_on.iter().map(|c| ("abort_on", c)).chain(held);
    let plays = |stage: usize| {
        let stages = profile.map_or(&[][..], Profile::stages);
        stages
            .get(stage.wrapping_sub(1))
            .is_some_and(|it| !it.lasts.is_zero())
    };
    let wrong = |selector: &Selector| match selector.stage {
        Some(stage) if !plays(stage) => Some(
            "about a stage that never plays: count the stages of the run's profile (--stage) from 1, without jumps",
        ),
        _ if !picks_any(selector, catalog) => Some(
            "about requests that nobody makes: name an archetype that plays, and a route, method or category that its \
             behavior announces (`vespeiro run` lists them in its summary)",
        ),
        _ => None,
    };
    let mut wrong = all.filter_map(|(key, condition)| {
        let why = wrong(&condition.selector)?;
        Some(format!("{key}: {:?} is {why}", condition.to_string()))
    });
    wrong.next()
}

fn picks_any(selector: &Selector, catalog: &Catalog) -> bool {
    let mut archetypes = catalog.archetypes.iter().enumerate();
    archetypes.any(|(at, archetype)| {
        let at = at as u16;
        let by_route = (0..archetype.routes.len() as u16).any(|route| {
            let (method, path) = catalog.route(at, route);
            let category = catalog.category_of(at, route);
            let target = catalog.target(catalog.target_of(at, route));
            selector.picks(&archetype.name, method, path, category, target)
        });
        by_route || (!selector.names_requests() && selector.picks_archetype(&archetype.name))
    })
}

#[cfg(test)]
mod tests;
