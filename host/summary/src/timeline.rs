//! The run over time, for the summary: its figures point by point, and what happened when. Filled while the run goes
//! on by the commands that write a summary; read by the HTML page.
//!
//! What must stay true: at most `POINTS` points and `EVENTS` events, however long the run. When there are more,
//! neighbors are added up, so that every request stays in one of them.

mod events;
mod merge;
mod stages;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::events::Event;
use self::events::Watcher;
pub(super) use self::merge::merge;
pub use self::stages::StageFigures;
use self::stages::StageRecorder;
use crate::sampler::{CLASSES, SHORT, SampledInterval};
use vespeiro_metrics::{CompactHistogram, DecodeError, Snapshot};
pub use vespeiro_model::EventKind;
use vespeiro_plan::Plan;

/// An even number: full, they become half as many.
const POINTS: usize = 600;
const EVENTS: usize = 200;

/// The run over time, as data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Timeline {
    /// Names of the figures in each point's `mix`.
    pub categories: Vec<String>,
    /// Of the run's profile, in order; those in which no second was are missing, and all where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageFigures>,
    /// In order; each begins where the one before it ends.
    pub points: Vec<Point>,
    /// In order.
    pub events: Vec<Event>,
    /// Events that found no place.
    #[serde(default)]
    pub events_lost: u64,
}

/// An interval of the run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    /// Its end, in seconds since the start of the run.
    pub at: f64,
    /// Its length in seconds: 1 at first, more when the run is long.
    pub over: f64,
    /// Active at its end; the most of them where several seconds are one point.
    pub users: u64,
    pub sessions: u64,
    /// Requests that left.
    pub sent: u64,
    /// Requests that got their outcome.
    pub requests: u64,
    pub errors: u64,
    pub injected: u64,
    pub not_sent: u64,
    /// By the first digit of the status; the first is for requests without a response.
    pub classes: [u64; CLASSES],
    /// Requests by category; categories that came up later are missing at the end.
    pub mix: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Cores that the generator kept busy.
    pub cpu_cores: f64,
    pub memory_bytes: u64,
    /// A worker did not hand in its part in time: some of it is in a later point.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

/// Latency of a point's requests, in seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Latency {
    pub mean: f64,
    /// Quantiles to 1 %.
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
    /// HDR histogram of microseconds with 2 significant digits, V2 deflate form, base64.
    pub histogram: String,
}

impl Latency {
    fn of(histogram: &CompactHistogram) -> Option<Latency> {
        let quantile = |q| Some(histogram.quantile(q)?.as_secs_f64());
        Some(Latency {
            mean: histogram.mean()?.as_secs_f64(),
            p50: quantile(0.5)?,
            p95: quantile(0.95)?,
            p99: quantile(0.99)?,
            max: histogram.max()?.as_secs_f64(),
            histogram: histogram.to_base64(),
        })
    }

    pub(super) fn histogram(&self) -> Result<CompactHistogram, DecodeError> {
        let time = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        CompactHistogram::from_base64(&self.histogram, time(self.mean), time(self.max))
    }
}

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
    list: Vec<PointBuilder>,
    /// Stretches in each point.
    each: usize,
    /// Stretches in the last one.
    last: usize,
}

impl PointsBuilder {
    fn new() -> PointsBuilder {
        PointsBuilder {
            list: Vec::new(),
            each: 1,
            last: 1,
        }
    }

    fn push(&mut self, point_builder: PointBuilder) {
        if let Some(last) = self.list.last_mut()
            && (self.last < self.each || point_builder.point.over < SHORT.as_secs_f64())
        {
            last.append(&point_builder);
            self.last += 1;
            return;
        }
        if self.list.len() == POINTS {
            let pairs = self.list.chunks_exact(2);
            let halves = pairs.map(|pair| {
                let mut first = pair[0].clone();
                first.append(&pair[1]);
                first
            });
            self.list = halves.collect();
            self.each *= 2;
        }
        self.list.push(point_builder);
        self.last = 1;
    }

    fn finish(self) -> Vec<Point> {
        self.list.into_iter().map(PointBuilder::finish).collect()
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
