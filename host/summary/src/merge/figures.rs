//! The figures of merged summaries that need histograms or the time of all. Called by `merge.rs`; a distribution whose
//! histogram is missing is refused, never guessed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{MergeError, joined, sorted};
use vespeiro_metrics::{Scale, Sketch, Timing};
use vespeiro_model::Word;

use crate::build::Detail;
use crate::build::archetypes::observation;
use crate::build::requests::{distribution, rate};
use crate::json::{
    Archetype, Arrivals, BehaviorFigures, Cleanup, Connections, Distribution, EndedSessions,
    Generator, LatencyByOutcome, Observed, Phases, Requests, Route, Series, Sessions, StageFigures,
    Summary, Timeline, Version,
};
use crate::rows::{Row, grouped, merged};
use crate::timeline;

/// What needs histograms, or the time of all.
pub(crate) struct Merger<'a> {
    pub(crate) parts: &'a [Summary],
    pub(crate) elapsed: f64,
    /// Seconds in which at least one could send.
    pub(crate) sending: f64,
}

/// The distributions of a group of requests.
struct Times {
    latency: Distribution,
    by_outcome: LatencyByOutcome,
    phases: Phases,
}

impl Merger<'_> {
    /// The values of a distribution.
    fn timing(&self, what: &'static str, of: &Distribution) -> Result<Timing, MergeError> {
        let scales = [Scale::Nanos, Scale::Micros, Scale::Millis].into_iter();
        let scale = scales
            .min_by(|a, b| {
                let far = |scale: &Scale| (scale.tick_seconds().log10() - of.tick.log10()).abs();
                far(a).total_cmp(&far(b))
            })
            .unwrap_or(Scale::Micros);
        match &of.histogram {
            None if of.count == 0 => Ok(Timing::new(scale)),
            None => Err(MergeError::NoHistogram {
                what,
                run: self.runs(),
            }),
            Some(text) => {
                let sum = Duration::try_from_secs_f64(of.sum).unwrap_or_default();
                Timing::from_base64(scale, text, sum).map_err(|cause| MergeError::Broken {
                    what,
                    run: self.runs(),
                    cause,
                })
            }
        }
    }

    /// Add values to those that are counted in the same unit.
    fn add(&self, what: &'static str, sum: &mut Timing, values: &Timing) -> Result<(), MergeError> {
        if sum.scale() != values.scale() {
            let run = self.runs();
            return Err(MergeError::Unfit { what, run });
        }
        sum.merge(values);
        Ok(())
    }

    /// For messages: of all of them, it may be any one.
    fn runs(&self) -> String {
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
    fn sum<'d>(
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
    fn by_kind<'d, K: Word + Ord>(
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

    pub(super) fn connections(&self) -> Option<Connections> {
        let all = self
            .parts
            .iter()
            .filter_map(|part| part.connections.as_ref());
        all.cloned().reduce(|mut sum, one| {
            sum.opened += one.opened;
            sum.reused += one.reused;
            sum.closed_by_us += one.closed_by_us;
            sum.closed_by_target += one.closed_by_target;
            sum.open += one.open;
            sum.tls_full += one.tls_full;
            sum.tls_resumed += one.tls_resumed;
            sum.resent_stale += one.resent_stale;
            sum.resent_unprocessed += one.resent_unprocessed;
            sum.wire_sent += one.wire_sent;
            sum.wire_received += one.wire_received;
            sum.addresses = merged(sum.addresses.into_iter().chain(one.addresses));
            sum
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
        let joined = grouped(all, is_same).into_iter().map(|group| {
            if let [one] = group[..] {
                return Ok(one.clone());
            }
            let results = group.iter().flat_map(|one| &one.results).cloned();
            let times = self.times(&group, Detail::Histogram)?;
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
        joined.collect()
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

    fn counts<'r>(&self, parts: impl Iterator<Item = &'r Requests>, times: Times) -> Requests {
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

    pub(super) fn archetypes(&self, series: &[Series]) -> Result<Vec<Archetype>, MergeError> {
        let all = self.parts.iter().flat_map(|part| &part.archetypes);
        let merged = grouped(all, |a, b| a.name == b.name)
            .into_iter()
            .map(|parts| {
                let joined = |of: fn(&Archetype) -> &str| joined(parts.iter().map(|a| of(a)));
                let own = series.iter().filter(|s| s.archetype == parts[0].name);
                let times = self.times(&own.collect::<Vec<_>>(), Detail::Quantiles)?;
                let figures: Vec<_> = parts.iter().map(|a| &a.figures).collect();
                Ok(Archetype {
                    behavior: joined(|a| &a.behavior),
                    version: joined(|a| &a.version),
                    hash: joined(|a| &a.hash),
                    users: parts.iter().map(|a| a.users).sum(),
                    figures: self.figures(&figures, times)?,
                    ..parts[0].clone()
                })
            });
        merged.collect()
    }

    pub(super) fn versions(&self) -> Result<Vec<Version>, MergeError> {
        let all = self.parts.iter().flat_map(|part| &part.versions);
        let is_same = |a: &Version, b: &Version| {
            (&a.archetype, &a.behavior) == (&b.archetype, &b.behavior)
                && (&a.version, &a.hash) == (&b.version, &b.hash)
        };
        let merged = grouped(all, is_same).into_iter().map(|parts| {
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
        merged.collect()
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

    pub(super) fn arrivals(&self) -> Result<Option<Arrivals>, MergeError> {
        let all = || self.parts.iter().filter_map(|part| part.arrivals.as_ref());
        if all().next().is_none() {
            return Ok(None);
        }
        Ok(Some(Arrivals {
            due: all().map(|a| a.due).sum(),
            dropped: all().map(|a| a.dropped).sum(),
            service: self.sum(
                "service times",
                all().map(|a| &a.service),
                Detail::Histogram,
            )?,
        }))
    }

    pub(super) fn observed(&self) -> Result<Vec<Observed>, MergeError> {
        let mut sketches: Vec<(String, String, Sketch)> = Vec::new();
        for part in self.parts {
            for one in &part.observed {
                if one.cells.is_empty() && one.count > 0 {
                    let run = part.run.id.clone();
                    return Err(MergeError::NoHistogram {
                        what: "observed values",
                        run,
                    });
                }
                if one.min > one.max {
                    let (what, run) = ("observed values", part.run.id.clone());
                    return Err(MergeError::Unfit { what, run });
                }
                let sketch = Sketch::restored(one.cells.clone(), one.sum, one.min, one.max);
                let same = |(a, m, _): &&mut (String, String, Sketch)| {
                    (a.as_str(), m.as_str()) == (one.archetype.as_str(), one.metric.as_str())
                };
                match sketches.iter_mut().find(same) {
                    Some((.., known)) => known.merge(&sketch),
                    None => sketches.push((one.archetype.clone(), one.metric.clone(), sketch)),
                }
            }
        }
        let merged = sketches
            .iter()
            .map(|(a, m, values)| observation(a, m, values));
        Ok(merged.collect())
    }

    pub(super) fn generator(&self, archetypes: &[Archetype]) -> Result<Generator, MergeError> {
        let all = || self.parts.iter().map(|part| &part.generator);
        let sum = |of: fn(&Generator) -> u64| all().map(of).sum();
        let cpu_seconds: f64 = all().map(|g| g.cpu_seconds).sum();
        let could = self
            .parts
            .iter()
            .map(|p| p.generator.cores as f64 * p.run.elapsed_seconds);
        let could: f64 = could.sum();
        let calls = archetypes.iter().map(|a| &a.figures.guest_calls);
        let guest_calls = self.sum("calls", calls, Detail::Quantiles)?;
        let limits = self.rows(|p| &p.generator.limits);
        Ok(Generator {
            cores: all().map(|g| g.cores).sum(),
            cpu_seconds,
            cpu_share: if could > 0.0 {
                cpu_seconds / could
            } else {
                0.0
            },
            rss_bytes: sum(|g| g.rss_bytes),
            open_files: sum(|g| g.open_files),
            open_sockets: sum(|g| g.open_sockets),
            threads: sum(|g| g.threads),
            scheduling_lag: self.sum(
                "lags",
                all().map(|g| &g.scheduling_lag),
                Detail::Histogram,
            )?,
            guest_share: match cpu_seconds > 0.0 {
                true => (guest_calls.sum / cpu_seconds).min(1.0),
                false => 0.0,
            },
            guest_calls,
            limits,
        })
    }

    pub(super) fn cleanup(&self) -> Result<Option<Cleanup>, MergeError> {
        let all = || self.parts.iter().filter_map(|part| part.cleanup.as_ref());
        if all().next().is_none() {
            return Ok(None);
        }
        let journals: Vec<&str> = all().filter_map(|c| c.journal.as_deref()).collect();
        Ok(Some(Cleanup {
            requests: all().map(|c| c.requests).sum(),
            removed: all().map(|c| c.removed).sum(),
            left: all().map(|c| c.left).sum(),
            journal: (!journals.is_empty()).then(|| journals.join(", ")),
            series: self.join(all().flat_map(|c| &c.series))?,
        }))
    }

    /// Only of runs without a gap between them: charts of nothing tell nothing.
    pub(super) fn timeline(&self, stays: &[(f64, f64)]) -> Result<Option<Timeline>, MergeError> {
        let begin = stays.iter().map(|stay| stay.0).fold(f64::MAX, f64::min);
        let end = stays.iter().map(|stay| stay.1).fold(f64::MIN, f64::max);
        let lines = self.parts.iter().zip(stays);
        let lines: Option<Vec<_>> = lines
            .map(|(part, stay)| Some((stay.0 - begin, part.timeline.as_ref()?)))
            .collect();
        let Some(lines) = lines.filter(|_| end - begin < self.elapsed + 1.0) else {
            return Ok(None);
        };
        let mut merged = timeline::merge(&lines).map_err(|cause| MergeError::Broken {
            what: "timeline",
            run: self.parts[0].run.id.clone(),
            cause,
        })?;
        merged.stages = self.stages()?;
        Ok(Some(merged))
    }

    /// Of runs of the same stages: other ones cannot be one.
    fn stages(&self) -> Result<Vec<StageFigures>, MergeError> {
        let lines = self.parts.iter().filter_map(|part| part.timeline.as_ref());
        let all: Vec<&[StageFigures]> = lines.map(|line| line.stages.as_slice()).collect();
        let Some(first) = all.first() else {
            return Ok(Vec::new());
        };
        let same = |one: &StageFigures, other: &StageFigures| {
            (one.stage, &one.asked) == (other.stage, &other.asked)
        };
        let fits = |other: &&[StageFigures]| {
            let mut pairs = first.iter().zip(*other);
            first.len() == other.len() && pairs.all(|(one, other)| same(one, other))
        };
        if !all.iter().all(fits) {
            return Ok(Vec::new());
        }
        let merged = (0..first.len()).map(|at| {
            let parts: Vec<&StageFigures> = all.iter().map(|stages| &stages[at]).collect();
            let most = |of: fn(&StageFigures) -> f64| {
                parts.iter().map(|part| of(part)).fold(0.0, f64::max)
            };
            let (seconds, sending) = (most(|it| it.seconds), most(|it| it.sending_seconds));
            let sent = parts.iter().map(|part| part.sent).sum();
            let counts = parts.iter().map(|part| &part.requests);
            let latency = counts.clone().map(|part| &part.latency);
            let times = Times {
                latency: self.sum("latencies", latency, Detail::Histogram)?,
                by_outcome: LatencyByOutcome::new(),
                phases: Phases::new(),
            };
            let requests = self.counts(counts, times);
            Ok(StageFigures {
                seconds,
                sending_seconds: sending,
                sent,
                requests: Requests {
                    per_second: rate(sent, sending),
                    throughput: rate(requests.requests, seconds),
                    ..requests
                },
                ..first[at].clone()
            })
        });
        merged.collect()
    }
}
