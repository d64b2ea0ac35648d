//! The figures of merged summaries that need histograms: requests, sessions, routes, archetypes, versions. Called by
//! `merge.rs`; a distribution whose histogram is missing is refused, never guessed.

use std::collections::BTreeMap;

use super::{MergeError, joined, sorted};
use vespeiro_metrics::{Scale, Timing};
use vespeiro_model::Word;

use crate::build::Detail;
use crate::build::requests::{distribution, rate};
use crate::json::{
    Archetype, BehaviorFigures, Distribution, EndedSessions, LatencyByOutcome, NoTiming, Phases,
    Requests, Route, Series, Sessions, Summary, Target, Version,
};
use crate::on_cores::on_cores;
use crate::rows::{Row, grouped, merged};
use vespeiro_plan::MAIN_TARGET;

/// What needs histograms, or the time of all.
pub(crate) struct Merger<'a> {
    pub(crate) parts: &'a [Summary],
    pub(crate) elapsed: f64,
    /// Seconds in which at least one could send.
    pub(crate) sending: f64,
}

/// The distributions of a group of requests.
pub(super) struct Times {
    pub(super) latency: Distribution,
    pub(super) by_outcome: LatencyByOutcome,
    pub(super) phases: Phases,
}

impl Merger<'_> {
    /// The values of a distribution.
    pub(super) fn timing(
        &self,
        what: &'static str,
        of: &Distribution,
    ) -> Result<Timing, MergeError> {
        let run = || self.runs();
        of.timing().map_err(|error| match error {
            NoTiming::LeftOut => MergeError::NoHistogram { what, run: run() },
            NoTiming::Broken(cause) => MergeError::Broken {
                what,
                run: run(),
                cause,
            },
        })
    }

    /// Add values to those that are counted in the same unit.
    pub(super) fn add(
        &self,
        what: &'static str,
        sum: &mut Timing,
        values: &Timing,
    ) -> Result<(), MergeError> {
        if sum.scale() != values.scale() {
            let run = self.runs();
            return Err(MergeError::Unfit { what, run });
        }
        sum.merge(values);
        Ok(())
    }

    /// For messages: of all of them, it may be any one.
    pub(super) fn runs(&self) -> String {
        let ids: Vec<&str> = self.parts.iter().map(|part| part.run.id.as_str()).collect();
        ids.join(" or ")
    }

    /// Latency of the requests that are in these series.
    pub(crate) fn latency(&self, keep: impl Fn(&Series) -> bool) -> Result<Timing, MergeError> {
        let mut sum = Timing::new(Scale::Micros);
        for series in self
            .parts
            .iter()
            .flat_map(|p| &p.series)
            .filter(|s| keep(s))
        {
            let values = self.timing("latencies", &series.latency)?;
            self.add("latencies", &mut sum, &values)?;
        }
        Ok(sum)
    }

    /// All of one kind, which there is at least one of.
    pub(super) fn sum<'d>(
        &self,
        what: &'static str,
        all: impl Iterator<Item = &'d Distribution>,
        detail: Detail,
    ) -> Result<Distribution, MergeError> {
        let mut sum: Option<Timing> = None;
        for one in all {
            let one = self.timing(what, one)?;
            match &mut sum {
                Some(sum) => self.add(what, sum, &one)?,
                none => *none = Some(one),
            }
        }
        let sum = sum.unwrap_or_else(|| Timing::new(Scale::Micros));
        Ok(distribution(&sum, detail))
    }

    /// Distributions of several groups, those of the same phase or outcome added up.
    pub(super) fn by_kind<'d, K: Word + Ord>(
        &self,
        what: &'static str,
        all: impl Iterator<Item = &'d BTreeMap<K, Distribution>>,
        detail: Detail,
    ) -> Result<BTreeMap<K, Distribution>, MergeError> {
        let all: Vec<_> = all.collect();
        let mut sum = BTreeMap::new();
        for (_, kind) in K::TABLE {
            let same: Vec<_> = all.iter().filter_map(|one| one.get(kind)).collect();
            if !same.is_empty() {
                sum.insert(*kind, self.sum(what, same.into_iter(), detail)?);
            }
        }
        Ok(sum)
    }

    /// Times of all these series.
    fn times(&self, series: &[&Series], detail: Detail) -> Result<Times, MergeError> {
        let by_outcome = series.iter().map(|s| &s.latency_by_outcome);
        Ok(Times {
            latency: self.sum("latencies", series.iter().map(|s| &s.latency), detail)?,
            by_outcome: self.by_kind("latencies", by_outcome, detail)?,
            phases: self.by_kind("phases", series.iter().map(|s| &s.phases), detail)?,
        })
    }

    /// Those of the same archetype and route as one.
    pub(super) fn join<'s>(
        &self,
        all: impl Iterator<Item = &'s Series>,
    ) -> Result<Vec<Series>, MergeError> {
        let is_same = |a: &Series, b: &Series| {
            (&a.archetype, &a.path, &a.method) == (&b.archetype, &b.path, &b.method)
        };
        let groups = grouped(all, is_same);
        let joined = on_cores(&groups, |group| {
            if let [one] = group[..] {
                return Ok(one.clone());
            }
            let results = group.iter().flat_map(|one| &one.results).cloned();
            let times = self.times(group, Detail::Histogram)?;
            Ok(Series {
                results: sorted(merged(results)),
                bytes_sent: group.iter().map(|one| one.bytes_sent).sum(),
                bytes_received: group.iter().map(|one| one.bytes_received).sum(),
                latency: times.latency,
                latency_by_outcome: times.by_outcome,
                phases: times.phases,
                ..group[0].clone()
            })
        });
        joined.into_iter().collect()
    }

    /// Counts of the parts, and the latency of their series.
    pub(super) fn requests<'r, 's>(
        &self,
        parts: impl Iterator<Item = &'r Requests>,
        series: impl Iterator<Item = &'s Series>,
    ) -> Result<Requests, MergeError> {
        let series: Vec<&Series> = series.collect();
        Ok(self.counts(parts, self.times(&series, Detail::Quantiles)?))
    }

    pub(super) fn counts<'r>(
        &self,
        parts: impl Iterator<Item = &'r Requests>,
        times: Times,
    ) -> Requests {
        let mut sum = Requests {
            requests: 0,
            successes: 0,
            failures: 0,
            injected: 0,
            errors: 0,
            success_share: None,
            per_second: 0.0,
            throughput: 0.0,
            bytes_sent: 0,
            bytes_received: 0,
            latency: times.latency,
            latency_by_outcome: times.by_outcome,
            phases: times.phases,
        };
        for part in parts {
            sum.requests += part.requests;
            sum.successes += part.successes;
            sum.failures += part.failures;
            sum.injected += part.injected;
            sum.errors += part.errors;
            sum.bytes_sent += part.bytes_sent;
            sum.bytes_received += part.bytes_received;
        }
        if sum.requests > 0 {
            sum.success_share = Some(sum.successes as f64 / sum.requests as f64);
        }
        sum.per_second = rate(sum.requests, self.sending);
        sum.throughput = rate(sum.requests, self.elapsed);
        sum
    }

    /// Rows of all parts, those of the same thing added up.
    pub(super) fn rows<'a, T: Row + 'a>(&'a self, of: fn(&'a Summary) -> &'a Vec<T>) -> Vec<T> {
        merged(self.parts.iter().flat_map(of).cloned())
    }

    pub(super) fn routes(&self, series: &[Series]) -> Result<Vec<Route>, MergeError> {
        let all = self.parts.iter().flat_map(|part| &part.routes);
        let is_same = |a: &Route, b: &Route| (&a.method, &a.path) == (&b.method, &b.path);
        let routes = grouped(all, is_same).into_iter().map(|parts| {
            let route = parts[0];
            let own = series.iter();
            let own = own.filter(|s| (&s.method, &s.path) == (&route.method, &route.path));
            Ok(Route {
                requests: self.requests(parts.iter().map(|r| &r.requests), own)?,
                ..route.clone()
            })
        });
        routes.collect()
    }

    pub(super) fn targets(&self, series: &[Series]) -> Result<Vec<Target>, MergeError> {
        let all = self.parts.iter().flat_map(|part| &part.targets);
        let targets = grouped(all, |a, b| a.name == b.name).into_iter();
        let targets = targets.map(|parts| {
            let target = parts[0];
            // A part with one target alone does not name it: that is each run's own.
            let is_there = |s: &&Series| s.target.as_deref().unwrap_or(MAIN_TARGET) == target.name;
            let own = series.iter().filter(is_there);
            let mut counted: Vec<&Requests> = parts.iter().map(|one| &one.requests).collect();
            if target.name == MAIN_TARGET {
                let alone = self.parts.iter().filter(|part| part.targets.is_empty());
                counted.extend(alone.map(|part| &part.total));
            }
            Ok(Target {
                requests: self.requests(counted.into_iter(), own)?,
                ..target.clone()
            })
        });
        targets.collect()
    }

    pub(super) fn archetypes(&self, series: &[Series]) -> Result<Vec<Archetype>, MergeError> {
        let all = self.parts.iter().flat_map(|part| &part.archetypes);
        let merged = on_cores(&grouped(all, |a, b| a.name == b.name), |parts| {
            let joined = |of: fn(&Archetype) -> &str| joined(parts.iter().map(|a| of(a)));
            let own = series.iter().filter(|s| s.archetype == parts[0].name);
            let times = self.times(&own.collect::<Vec<_>>(), Detail::Quantiles)?;
            let figures: Vec<_> = parts.iter().map(|a| &a.figures).collect();
            Ok(Archetype {
                behavior: joined(|a| &a.behavior),
                version: joined(|a| &a.version),
                hash: joined(|a| &a.hash),
                users: parts.iter().map(|a| a.users).sum(),
                not_sent: parts.iter().map(|a| a.not_sent).sum(),
                figures: self.figures(&figures, times)?,
                ..parts[0].clone()
            })
        });
        merged.into_iter().collect()
    }

    pub(super) fn versions(&self) -> Result<Vec<Version>, MergeError> {
        let all = self.parts.iter().flat_map(|part| &part.versions);
        let is_same = |a: &Version, b: &Version| {
            (&a.archetype, &a.behavior) == (&b.archetype, &b.behavior)
                && (&a.version, &a.hash) == (&b.version, &b.hash)
        };
        let merged = on_cores(&grouped(all, is_same), |parts| {
            let requests = || parts.iter().map(|v| &v.figures.requests);
            let by_outcome = requests().map(|r| &r.latency_by_outcome);
            let detail = Detail::Histogram;
            let times = Times {
                latency: self.sum("versions", requests().map(|r| &r.latency), detail)?,
                by_outcome: self.by_kind("versions", by_outcome, detail)?,
                phases: Phases::new(),
            };
            let figures: Vec<_> = parts.iter().map(|v| &v.figures).collect();
            Ok(Version {
                share: parts.iter().map(|v| v.share).fold(0.0, f64::max),
                figures: self.figures(&figures, times)?,
                ..parts[0].clone()
            })
        });
        merged.into_iter().collect()
    }

    fn figures(
        &self,
        parts: &[&BehaviorFigures],
        times: Times,
    ) -> Result<BehaviorFigures, MergeError> {
        let calls = parts.iter().map(|f| &f.guest_calls);
        Ok(BehaviorFigures {
            requests: self.counts(parts.iter().map(|f| &f.requests), times),
            sessions: self.sessions(parts.iter().map(|f| &f.sessions), Detail::Histogram)?,
            guest_calls: self.sum("calls", calls, Detail::Histogram)?,
            instances_built: parts.iter().map(|f| f.instances_built).sum(),
            traps: parts.iter().map(|f| f.traps).sum(),
        })
    }

    pub(super) fn sessions<'s>(
        &self,
        parts: impl Iterator<Item = &'s Sessions>,
        detail: Detail,
    ) -> Result<Sessions, MergeError> {
        let parts: Vec<&Sessions> = parts.collect();
        let all = parts.iter().flat_map(|sessions| &sessions.endings);
        let endings = grouped(all, |a, b| a.ending == b.ending)
            .into_iter()
            .map(|same| {
                let durations = same.iter().map(|ended| &ended.duration);
                let duration = self.sum("sessions", durations, detail)?;
                Ok(EndedSessions {
                    ending: same[0].ending,
                    count: duration.count,
                    duration,
                })
            });
        Ok(Sessions {
            started: parts.iter().map(|s| s.started).sum(),
            endings: endings.collect::<Result<_, MergeError>>()?,
        })
    }
}
