//! Thresholds of merged summaries, judged by the figures of all: from the merged histograms, and with a window from the merged
//! seconds. Called when summaries are merged.
//!
//! What must stay true: what is told of the whole is what one process with all the requests would have told. Where the files do
//! not say enough for that, a count is the sum of the parts' counts, and of anything else the worst part counts: what holds in
//! every part holds in the whole.

use std::time::Duration;

use super::MergeError;
use super::figures::Merger;
use crate::json::{Outcomes, Point, Series, StageFigures, Summary};
use crate::rows::merged;
use crate::thresholds::ThresholdReport;
use vespeiro_metrics::{Aggregate, ResultCount, Scale, SlidingWindow, ThresholdState, Timing};
use vespeiro_model::{Ending, Outcome};
use vespeiro_plan::{Condition, Dimension, MAIN_TARGET, Metric, Selector, Threshold};

/// The thresholds of the parts, as they stand for `whole`, which they were merged to.
pub(super) fn judge(all: &Merger<'_>, whole: &Summary) -> Result<Vec<ThresholdReport>, MergeError> {
    let worst = merged(all.parts.iter().flat_map(|part| &part.thresholds).cloned());
    let judged = worst.into_iter().map(|mut report| {
        let everywhere = all.parts.iter().map(|part| {
            let mut own = part.thresholds.iter();
            own.find(|own| own.condition == report.condition)
        });
        let everywhere: Option<Vec<&ThresholdReport>> = everywhere.collect();
        // A condition of some runs alone says nothing of the others.
        let (Some(parts), Ok(threshold)) = (everywhere, report.condition.parse::<Threshold>())
        else {
            return Ok(report);
        };
        let condition = &threshold.condition;
        let achieved = match figures(all, whole, condition)? {
            Some(achieved) => achieved,
            None => added(condition, &parts).unwrap_or(report.achieved),
        };
        report.achieved = achieved;
        report.state = match achieved {
            None => ThresholdState::NoData,
            Some(value) if condition.holds(value) => ThresholdState::Ok,
            Some(_) => ThresholdState::Crossed,
        };
        Ok(report)
    });
    judged.collect()
}

/// What the condition is about, of all parts together; `None` where the files do not say.
fn figures(
    all: &Merger<'_>,
    whole: &Summary,
    condition: &Condition,
) -> Result<Option<Option<f64>>, MergeError> {
    let (selector, metric) = (&condition.selector, condition.metric);
    let Some(window) = condition.window else {
        let figures = match selector.stage {
            None => of_selector(all, whole, selector)?,
            Some(stage) => of_stage(all, whole, stage, condition)?,
        };
        return Ok(figures.map(|figures| figures.value(metric)));
    };
    let points = whole.timeline.as_ref().map(|line| &line.points);
    match points.filter(|_| in_points(condition)) {
        Some(points) => of_windows(all, points, window, condition),
        None => Ok(None),
    }
}

/// Everything that a selector without a stage picks.
fn of_selector(
    all: &Merger<'_>,
    whole: &Summary,
    selector: &Selector,
) -> Result<Option<Aggregate>, MergeError> {
    let knows = |series: &Series| !series.category.is_empty();
    if selector.names_categories() && !whole.series.iter().all(knows) {
        return Ok(None);
    }
    let mut sum = Aggregate {
        over: seconds(all.elapsed),
        sending: seconds(all.sending),
        dropped: whole
            .arrivals
            .as_ref()
            .map_or(0, |arrivals| arrivals.dropped),
        ..Aggregate::empty(selector)
    };
    let of_requests = !selector.names_transactions();
    let picked = whole.series.iter().filter(|series| {
        selector.picks(
            &series.archetype,
            &series.method,
            &series.path,
            &series.category,
            // One that was written where there is one alone does not name it.
            series.target.as_deref().unwrap_or(MAIN_TARGET),
        )
    });
    for series in picked {
        for result in series.results.iter().filter_map(counted) {
            let count = result.count;
            sum.requests += count;
            if result.is_injected() {
                sum.injected += count;
            }
            if selector.picks_status(result.outcome) {
                sum.selected += count;
                sum.failures += if result.is_good() { 0 } else { count };
                sum.errors += if result.is_error() { count } else { 0 };
            }
        }
        let times = match (selector.phase, selector.outcome) {
            (Some(phase), _) => series.phases.get(&phase),
            (None, Some(kind)) => series.latency_by_outcome.get(&kind),
            (None, None) => Some(&series.latency),
        };
        if let Some(times) = times.filter(|_| of_requests) {
            let times = all.timing("latencies", times)?;
            all.add("latencies", &mut sum.latency, &times)?;
        }
    }
    // Each has its outcome in the end.
    sum.sent = sum.requests;
    for archetype in &whole.archetypes {
        if selector.picks_archetype(&archetype.name) {
            sum.not_sent += archetype.not_sent;
            let sessions = &archetype.figures.sessions;
            let by_itself = Ending::ALL.iter().filter(|ending| **ending != Ending::Cut);
            sum.sessions_ended += by_itself.map(|ending| sessions.ended(*ending)).sum::<u64>();
            sum.sessions_completed += sessions.ended(Ending::Completed);
            sum.sessions_failed += sessions.ended(Ending::Failed);
            sum.sessions_crashed += sessions.ended(Ending::Crashed);
        }
    }
    for check in &whole.checks {
        if selector.picks_archetype(&check.archetype) && selector.picks_check(&check.name) {
            sum.checks_passed += check.passed;
            sum.checks_failed += check.failed;
        }
    }
    for one in &whole.transactions {
        if selector.picks_transaction(&one.archetype, &one.name) {
            sum.transactions_passed += one.passed;
            sum.transactions_failed += one.failed;
            if !of_requests {
                all.add_times(&mut sum.latency, one, selector)?;
            }
        }
    }
    Ok(Some(sum))
}

/// Everything that happened in a stage.
fn of_stage(
    all: &Merger<'_>,
    whole: &Summary,
    stage: usize,
    condition: &Condition,
) -> Result<Option<Aggregate>, MergeError> {
    let alone = Selector {
        stage: Some(stage),
        ..Selector::default()
    };
    let stages = whole.timeline.as_ref().map_or(&[][..], |line| &line.stages);
    let found = stages.iter().find(|figures| figures.stage == stage);
    let Some(StageFigures { requests, .. }) =
        found.filter(|_| condition.selector == alone && in_seconds(condition.metric))
    else {
        return Ok(None);
    };
    let figures = found.map(|found| (found.seconds, found.sending_seconds, found.sent));
    let (over, sending, sent) = figures.unwrap_or_default();
    Ok(Some(Aggregate {
        over: seconds(over),
        sending: seconds(sending),
        sent,
        requests: requests.requests,
        selected: requests.requests,
        failures: requests.failures,
        errors: requests.errors,
        injected: requests.injected,
        latency: all.timing("latencies", &requests.latency)?,
        ..Aggregate::default()
    }))
}

/// The worst of all windows, as the guard of a run looks at them.
fn of_windows(
    all: &Merger<'_>,
    points: &[Point],
    span: Duration,
    condition: &Condition,
) -> Result<Option<Option<f64>>, MergeError> {
    let mut window = SlidingWindow::new(span);
    let (mut total, mut worst) = (Aggregate::default(), None::<f64>);
    let worse = |a: f64, b: f64| match condition.comparison.wants_little() {
        true => a.max(b),
        false => a.min(b),
    };
    for point in points {
        total.add(&of_point(all, point)?);
        window.advance(total.clone());
        let value = window.full().and_then(|sum| sum.value(condition.metric));
        worst = worst.into_iter().chain(value).reduce(worse);
    }
    // A run that is shorter than the window is a window of its own.
    Ok(Some(worst.or_else(|| total.value(condition.metric))))
}

fn of_point(all: &Merger<'_>, point: &Point) -> Result<Aggregate, MergeError> {
    let broken = |cause| MergeError::Broken {
        what: "timeline",
        run: all.runs(),
        cause,
    };
    let latency = point.latency.as_ref().map(|latency| latency.timing());
    let latency = latency.transpose().map_err(broken)?;
    Ok(Aggregate {
        over: seconds(point.over),
        sending: seconds(point.over),
        sent: point.sent,
        requests: point.requests,
        selected: point.requests,
        failures: point.errors + point.injected,
        errors: point.errors,
        injected: point.injected,
        not_sent: point.not_sent,
        latency: latency.unwrap_or_else(|| Timing::new(Scale::Micros)),
        ..Aggregate::default()
    })
}

/// The points of a timeline say it.
fn in_points(condition: &Condition) -> bool {
    let metric = condition.metric;
    condition.selector == Selector::default() && (in_seconds(metric) || metric == Metric::NotSent)
}

/// It is made of requests, outcomes and latencies alone.
fn in_seconds(metric: Metric) -> bool {
    !matches!(
        metric,
        Metric::NotSent
            | Metric::Dropped
            | Metric::Checks
            | Metric::FailedSessions
            | Metric::CrashedSessions
            | Metric::CompletedSessions
            | Metric::Transactions
            | Metric::FailedTransactions
    )
}

/// What the parts achieved together, of what can be added up.
fn added(condition: &Condition, parts: &[&ThresholdReport]) -> Option<Option<f64>> {
    let adds = matches!(
        condition.metric.dimension(),
        Dimension::Count | Dimension::PerSecond
    );
    adds.then(|| {
        parts
            .iter()
            .filter_map(|part| part.achieved)
            .reduce(|a, b| a + b)
    })
}

/// As it was counted.
fn counted(of: &Outcomes) -> Option<ResultCount> {
    let outcome = match (of.status, of.grpc, of.failure) {
        (Some(status), ..) if of.accepted => Outcome::Accepted(status),
        (Some(status), ..) => Outcome::Status(status),
        (_, Some(code), _) if of.accepted => Outcome::AcceptedGrpc(code),
        (_, Some(code), _) => Outcome::Grpc(code),
        (None, None, failure) => Outcome::Failed(failure?),
    };
    Some(ResultCount {
        outcome,
        expected: of.expected,
        count: of.count,
    })
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
