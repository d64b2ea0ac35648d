//! A run that has ended, as frames for pushes: what its summary knows, at the moments at which it knows it. Used by
//! [`super::ended`].
//!
//! What must stay true: nothing is guessed. Over time a summary knows all requests together, and by route, archetype and
//! status only their end. So the series of all (`-` in the labels) count up to the end, and then, in one frame, go to 0 while
//! those by route take their place: at each instant a sum over all series is the run's count.

mod totals;

use std::borrow::Cow;
use std::time::Duration;

use self::totals::totals;
use super::pusher::Frame;
use vespeiro_metrics::families::table as metrics;
use vespeiro_metrics::families::{Family, MetricDesc, Value};
use vespeiro_metrics::{Scale, Timing};
use vespeiro_summary::Summary;
use vespeiro_summary::json::{NoTiming, Point};

/// From the last figures over time to those by route.
const HANDOVER: Duration = Duration::from_millis(1);
/// A label that is not known.
const ALL: &str = "-";

/// Why a summary has no figures to push.
#[derive(Debug, thiserror::Error)]
pub enum EndedError {
    #[error("the run has no moment of its start that can be read")]
    NoStart,
    #[error("{0}")]
    NoTiming(#[from] NoTiming),
}

/// Give each frame of a run to `each`, in the order of time.
pub(super) fn frames(
    summary: &Summary,
    mut each: impl FnMut(&Frame<'_>),
) -> Result<(), EndedError> {
    let start: jiff::Timestamp =
        (summary.run.started_at.parse()).map_err(|_| EndedError::NoStart)?;
    let started = Duration::try_from(start.as_duration()).map_err(|_| EndedError::NoStart)?;
    let since = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let points = summary.timeline.as_ref().map_or(&[][..], |t| &t.points);

    let mut so_far = SoFar::default();
    // A class of statuses begins at 0, and one that the run never had is no series.
    for point in points {
        for (known, count) in so_far.classes.iter_mut().zip(point.classes) {
            *known = known.or((count > 0).then_some(0));
        }
    }
    let frame = |elapsed: Duration, families| Frame {
        started,
        at: started.saturating_add(elapsed),
        families,
        late_were_zero: false,
    };
    each(&frame(Duration::ZERO, so_far.families(summary, 0.0)));
    for point in points {
        so_far.add(point)?;
        each(&frame(since(point.at), so_far.families(summary, point.at)));
    }
    let last = points.last().map_or(0.0, |point| point.at);
    let elapsed = summary.run.elapsed_seconds.max(last);
    so_far.hand_over();
    let mut families = so_far.families(summary, elapsed);
    for family in totals(summary)? {
        let same = |known: &&mut Family<'_>| known.metric.name == family.metric.name;
        match families.iter_mut().find(same) {
            Some(known) => known.samples.extend(family.samples),
            None => families.push(family),
        }
    }
    each(&frame(since(elapsed).saturating_add(HANDOVER), families));
    Ok(())
}

/// What all requests together came to, up to a moment.
#[derive(Debug, Default)]
struct SoFar {
    /// By the first digit of the status; those that the run never has are `None`.
    classes: [Option<u64>; 6],
    sent: u64,
    requests: u64,
    errors: u64,
    injected: u64,
    not_sent: u64,
    mix: Vec<u64>,
    latency: Option<Timing>,
    cpu_seconds: f64,
    /// The latest.
    users: u64,
    sessions: u64,
    memory_bytes: u64,
}

impl SoFar {
    fn add(&mut self, point: &Point) -> Result<(), EndedError> {
        for (known, count) in self.classes.iter_mut().zip(point.classes) {
            *known = known.map(|known| known + count);
        }
        self.sent += point.sent;
        self.requests += point.requests;
        self.errors += point.errors;
        self.injected += point.injected;
        self.not_sent += point.not_sent;
        self.mix.resize(self.mix.len().max(point.mix.len()), 0);
        for (known, count) in self.mix.iter_mut().zip(&point.mix) {
            *known += count;
        }
        if let Some(latency) = &point.latency {
            let timing = latency.timing().map_err(NoTiming::from)?;
            self.latency
                .get_or_insert_with(|| Timing::new(Scale::Micros))
                .merge(&timing);
        }
        self.cpu_seconds += point.cpu_cores * point.over;
        self.users = point.users;
        self.sessions = point.sessions;
        self.memory_bytes = point.memory_bytes;
        Ok(())
    }

    /// From here on the requests are those of their routes.
    fn hand_over(&mut self) {
        self.classes = self.classes.map(|known| known.map(|_| 0));
        (self.errors, self.injected, self.not_sent) = (0, 0, 0);
        self.latency = None;
    }

    fn families(&self, summary: &Summary, elapsed: f64) -> Vec<Family<'static>> {
        let run = &summary.run;
        let number = |metric, labels: &[&str], value| family(metric, |f| f.number(labels, value));
        let count = |metric, labels: &[&str], count| family(metric, |f| f.count(labels, count));
        let started = run.started_at.parse::<jiff::Timestamp>();
        let started = started.map_or(0.0, |at| at.as_duration().as_secs_f64());
        let latency = self.latency.clone();
        let latency = latency.unwrap_or_else(|| Timing::new(Scale::Micros));
        vec![
            number(&metrics::BUILD_INFO, &[&summary.version], 1.0),
            number(
                &metrics::RUN_INFO,
                &[&run.id, &run.scenario, &run.target],
                1.0,
            ),
            number(&metrics::START_TIME, &[], started),
            number(&metrics::ELAPSED, &[], elapsed),
            number(&metrics::PROCESS_CPU, &[], self.cpu_seconds),
            count(&metrics::PROCESS_RESIDENT_MEMORY, &[], self.memory_bytes),
            count(&metrics::WORKERS, &[], run.workers as u64),
            count(&metrics::USABLE_CORES, &[], summary.generator.cores as u64),
            count(&metrics::USERS_PLANNED, &[], u64::from(run.users)),
            count(&metrics::USERS_ACTIVE, &[ALL], self.users),
            count(&metrics::SESSIONS_ACTIVE, &[ALL], self.sessions),
            count(
                &metrics::REQUESTS_IN_FLIGHT,
                &[],
                self.sent.saturating_sub(self.requests),
            ),
            count(&metrics::ERRORS, &[ALL; 4], self.errors),
            count(&metrics::FAULTS_COMMITTED, &[ALL], self.injected),
            count(&metrics::REQUESTS_NOT_SENT, &[ALL; 2], self.not_sent),
            family(&metrics::REQUESTS, |f| {
                for (digit, count) in self.classes.iter().enumerate() {
                    let class = match digit {
                        0 => ALL.to_owned(),
                        digit => format!("{digit}xx"),
                    };
                    if let Some(count) = count {
                        f.count(&[ALL, ALL, ALL, &class, ALL, ALL], *count);
                    }
                }
            }),
            family(&metrics::CATEGORY_REQUESTS, |f| {
                let categories = summary.timeline.iter().flat_map(|t| &t.categories);
                for (at, category) in categories.enumerate() {
                    f.count(&[ALL, category], self.mix.get(at).copied().unwrap_or(0));
                }
            }),
            family(&metrics::REQUEST_DURATION, |f| {
                f.sample(&[ALL; 4], Value::Histogram(Cow::Owned(latency)));
            }),
        ]
    }
}

fn family<'a>(metric: &'static MetricDesc, fill: impl FnOnce(&mut Family<'a>)) -> Family<'a> {
    let mut family = Family {
        metric,
        samples: Vec::new(),
    };
    fill(&mut family);
    family
}
