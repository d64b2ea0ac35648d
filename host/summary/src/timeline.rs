//! The run over time, for the summary: its figures point by point, and what happened when. Filled while the run goes
//! on by the commands that write a summary; read by the HTML page.
//!
//! What must stay true: at most `POINTS` points and `EVENTS` events, however long the run. When there are more,
//! neighbors are added up, so that every request stays in one of them.

mod events;
mod merge;
mod stages;

use self::events::Watcher;
pub(super) use self::merge::merge;
use self::stages::StageRecorder;
use crate::json::{Latency, Point, Timeline};
use crate::sampler::{SHORT, SampledInterval};
use vespeiro_metrics::{CompactHistogram, Snapshot};
use vespeiro_plan::Plan;

/// An even number: full, they become half as many.
const POINTS: usize = 600;
const EVENTS: usize = 200;

/// A point that may still grow.
#[derive(Debug, Clone)]
struct PointBuilder {
    point: Point,
    histogram: CompactHistogram,
}

impl PointBuilder {
    fn new(interval: &SampledInterval<'_>) -> PointBuilder {
        let (snapshot, came) = (interval.snapshot, &interval.figures);
        PointBuilder {
            histogram: CompactHistogram::of(&came.latency),
            point: Point {
                at: snapshot.elapsed.as_secs_f64(),
                over: came.over.as_secs_f64(),
                users: snapshot.users_active(),
                sessions: snapshot.sessions_active(),
                sent: came.sent,
                requests: came.requests,
                errors: came.errors,
                injected: came.injected,
                not_sent: came.not_sent,
                classes: interval.classes,
                mix: interval.mix.clone(),
                latency: None,
                cpu_cores: snapshot.rates.interval.cores,
                memory_bytes: snapshot.process.rss,
                incomplete: !snapshot.is_complete,
            },
        }
    }

    /// Of a point that was finished here: its histogram can be read.
    fn again(mut point: Point) -> PointBuilder {
        let histogram = point.latency.take().map(|latency| latency.histogram());
        PointBuilder {
            histogram: histogram.and_then(Result::ok).unwrap_or_default(),
            point,
        }
    }

    /// Grow by the interval that comes next.
    fn append(&mut self, next: &PointBuilder) {
        let (point, next_point) = (&mut self.point, &next.point);
        let over = point.over + next_point.over;
        let busy = point.cpu_cores * point.over + next_point.cpu_cores * next_point.over;
        point.cpu_cores = if over > 0.0 { busy / over } else { 0.0 };
        point.at = next_point.at;
        point.over = over;
        point.users = point.users.max(next_point.users);
        point.sessions = point.sessions.max(next_point.sessions);
        point.memory_bytes = point.memory_bytes.max(next_point.memory_bytes);
        self.count(next);
    }

    /// Add what the other one counted.
    fn count(&mut self, other: &PointBuilder) {
        let (point, next) = (&mut self.point, &other.point);
        point.sent += next.sent;
        point.requests += next.requests;
        point.incomplete |= next.incomplete;
        point.errors += next.errors;
        point.injected += next.injected;
        point.not_sent += next.not_sent;
        for (mine, theirs) in point.classes.iter_mut().zip(next.classes) {
            *mine += theirs;
        }
        point.mix.resize(point.mix.len().max(next.mix.len()), 0);
        for (mine, theirs) in point.mix.iter_mut().zip(&next.mix) {
            *mine += theirs;
        }
        self.histogram.merge(&other.histogram);
    }

    fn finish(self) -> Point {
        Point {
            latency: Latency::of(&self.histogram),
            ..self.point
        }
    }
}

/// Points of equal length, as many as there is room for.
#[derive(Debug)]
struct PointsBuilder {
    /// Those that grow no more, as they will be written: a seventh of what a builder takes.
    done: Vec<Point>,
    last: Option<PointBuilder>,
    /// Stretches in each point.
    each: usize,
    /// Stretches in the last one.
    stretches: usize,
}

impl PointsBuilder {
    fn new() -> PointsBuilder {
        PointsBuilder {
            done: Vec::new(),
            last: None,
            each: 1,
            stretches: 1,
        }
    }

    fn push(&mut self, next: PointBuilder) {
        if let Some(last) = &mut self.last
            && (self.stretches < self.each || next.point.over < SHORT.as_secs_f64())
        {
            last.append(&next);
            self.stretches += 1;
            return;
        }
        self.stretches = 1;
        let Some(last) = self.last.replace(next) else {
            return;
        };
        self.done.push(last.finish());
        if self.done.len() == POINTS {
            let mut points = std::mem::take(&mut self.done).into_iter();
            while let (Some(one), Some(other)) = (points.next(), points.next()) {
                let mut both = PointBuilder::again(one);
                both.append(&PointBuilder::again(other));
                self.done.push(both.finish());
            }
            self.each *= 2;
        }
    }

    fn finish(self) -> Vec<Point> {
        let last = self.last.into_iter().map(PointBuilder::finish);
        self.done.into_iter().chain(last).collect()
    }
}

/// Keeps the timeline of a run that goes on.
#[derive(Debug)]
pub struct TimelineRecorder {
    builder: PointsBuilder,
    stages: StageRecorder,
    watcher: Watcher,
}

impl Default for TimelineRecorder {
    fn default() -> TimelineRecorder {
        TimelineRecorder {
            builder: PointsBuilder::new(),
            stages: StageRecorder::default(),
            watcher: Watcher::default(),
        }
    }
}

impl TimelineRecorder {
    /// Of a run of this plan.
    pub fn of(plan: &Plan) -> TimelineRecorder {
        TimelineRecorder {
            stages: StageRecorder::of(plan),
            ..TimelineRecorder::default()
        }
    }

    /// Take in the state of the run, for the events.
    pub fn watch(&mut self, snapshot: &Snapshot) {
        self.watcher.watch(snapshot);
    }

    /// Take in an interval of the run.
    pub fn add(&mut self, interval: &SampledInterval<'_>) {
        self.builder.push(PointBuilder::new(interval));
        self.stages.add(interval);
    }

    /// The run is over, in this state.
    pub fn finish(self, snapshot: &Snapshot) -> Timeline {
        let (events, events_lost) = self.watcher.finish();
        let categories = snapshot.by_category();
        Timeline {
            categories: categories.iter().map(|(name, _)| (*name).into()).collect(),
            stages: self.stages.finish(),
            points: self.builder.finish(),
            events,
            events_lost,
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
