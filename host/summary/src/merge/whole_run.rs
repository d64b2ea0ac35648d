//! What a run has once: connections, arrivals, values of behaviors, its generator, its cleanup, its course over time.

use vespeiro_metrics::Sketch;
use vespeiro_model::ChannelKind;

use super::MergeError;
use super::figures::{Merger, Times};
use crate::build::Detail;
use crate::build::archetypes::observation;
use crate::build::requests::rate;
use crate::json::{
    Archetype, Arrivals, Channels, Cleanup, Connections, Generator, LatencyByOutcome, Observed,
    Phases, Requests, StageFigures, Timeline,
};
use crate::rows::merged;
use crate::timeline;

impl Merger<'_> {
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

    pub(super) fn channels(&self) -> Result<Vec<Channels>, MergeError> {
        let mut merged = Vec::new();
        for protocol in ChannelKind::ALL {
            let all = self.parts.iter().flat_map(|part| &part.channels);
            let all = || all.clone().filter(|one| one.protocol == protocol);
            let sum = |of: fn(&Channels) -> u64| all().map(of).sum();
            if all().next().is_none() {
                continue;
            }
            merged.push(Channels {
                protocol,
                opened: sum(|one| one.opened),
                open: sum(|one| one.open),
                broken: sum(|one| one.broken),
                sent: sum(|one| one.sent),
                received: sum(|one| one.received),
                dropped: sum(|one| one.dropped),
                sent_bytes: sum(|one| one.sent_bytes),
                received_bytes: sum(|one| one.received_bytes),
                lasted: self.sum(
                    "lifetimes of channels",
                    all().map(|one| &one.lasted),
                    Detail::Histogram,
                )?,
                first_message: self.sum(
                    "times to first messages",
                    all().map(|one| &one.first_message),
                    Detail::Histogram,
                )?,
            });
        }
        Ok(merged)
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
        self.cleanups(self.parts.iter().filter_map(|part| part.cleanup.as_ref()))
    }

    /// Several cleanups as one.
    pub(super) fn cleanups<'c>(
        &self,
        all: impl Iterator<Item = &'c Cleanup> + Clone,
    ) -> Result<Option<Cleanup>, MergeError> {
        let all = || all.clone();
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
