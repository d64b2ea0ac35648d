//! From the plan and the last snapshot to a [`Summary`]. Called once, when the run is over. It only regroups: every
//! number of the summary is one of the snapshot's.

use super::json::{
    Archetype, Arrivals, Check, Class, Cleanup, Distribution, Ended, ErrorShare, Fault, Generator,
    Hold, Limit, NotSent, Observed, Outcomes, Regard, Requests, Route, Run, SCHEMA, Series,
    Sessions, Share, Slow, Summary, Swaps, Transitions, Version,
};
use crate::metrics::{
    self, BreakerState, Ending, Group, HoldReason, Outcome, ResultCount, Sketch, Snapshot,
    SwapResult, Timing,
};
use crate::plan::Plan;

impl Summary {
    /// The summary of a run in the state of `snapshot`.
    pub fn new(plan: &Plan, snapshot: &Snapshot) -> Summary {
        let total = snapshot.total();
        Summary {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").into(),
            run: run(plan, snapshot),
            arrivals: arrivals(snapshot),
            not_sent: snapshot
                .not_sent()
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(failure, count)| NotSent { failure, count })
                .collect(),
            classes: classes(&total.results()),
            results: outcomes(&total.results()),
            routes: snapshot
                .by_route()
                .into_iter()
                .map(|r| Route {
                    requests: requests(snapshot, &r.group, Keep::Quantiles),
                    method: r.method,
                    path: r.path,
                })
                .collect(),
            archetypes: archetypes(plan, snapshot),
            versions: versions(snapshot),
            swaps: swaps(snapshot),
            series: series(snapshot),
            mix: mix(plan, snapshot, total.requests()),
            error_mix: error_mix(plan, &total),
            faults: faults(snapshot),
            regard: regard(snapshot),
            sessions: sessions(&snapshot.sessions(), Keep::Quantiles),
            checks: checks(snapshot),
            observed: observed(snapshot),
            slowest: slowest(snapshot),
            generator: generator(snapshot),
            total: requests(snapshot, &total, Keep::Quantiles),
            aborted: super::verdicts::aborted(snapshot),
            thresholds: super::verdicts::thresholds(snapshot),
            timeline: None,
            cleanup: None,
        }
    }
}

impl Cleanup {
    /// A cleanup whose own requests are in `snapshot`; `None` when it did not take place.
    pub fn new(snapshot: Option<&Snapshot>, removed: usize, left: usize) -> Cleanup {
        Cleanup {
            requests: snapshot.map_or(0, Snapshot::requests),
            removed: removed as u64,
            left: left as u64,
            journal: None,
            series: snapshot.map(series).unwrap_or_default(),
        }
    }
}

/// Whether a distribution keeps its histogram: only one that is not the sum of others does.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Keep {
    Quantiles,
    Histogram,
}

/// Where the generator itself was the limit.
pub(super) fn limits(snapshot: &Snapshot) -> Vec<Limit> {
    snapshot
        .gauges()
        .iter()
        .filter(|gauge| gauge.is_over())
        .map(|gauge| Limit {
            kind: gauge.kind,
            value: gauge.value,
            bound: gauge.bound,
        })
        .collect()
}

fn regard(snapshot: &Snapshot) -> Regard {
    let holds = &snapshot.holds;
    let breaker = snapshot.standings.breaker().is_some();
    Regard {
        breaker: BreakerState::ALL
            .iter()
            .filter(|_| breaker)
            .map(|&to| Transitions {
                to,
                count: holds.transitions_to(to),
            })
            .collect(),
        holds: HoldReason::ALL
            .iter()
            .map(|&reason| (reason, holds.wait(reason)))
            .filter(|(_, wait)| wait.count > 0)
            .map(|(reason, wait)| Hold {
                reason,
                count: wait.count,
                seconds: wait.time.as_secs_f64(),
            })
            .collect(),
        retries: holds.retries,
        refused_logins: holds.refused_logins,
        login_pauses: holds.login_pauses,
    }
}

/// The base URL without user name and password.
pub fn target(plan: &Plan) -> String {
    let mut url = plan.target.base_url.clone();
    // Both fail only for URLs that cannot carry credentials at all.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.as_str().trim_end_matches('/').to_owned()
}

fn run(plan: &Plan, snapshot: &Snapshot) -> Run {
    let started =
        jiff::Timestamp::try_from(snapshot.started).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    Run {
        id: plan.run_id.clone(),
        seed: plan.seed,
        scenario: plan.scenario.clone(),
        target: target(plan),
        profile: plan.profile_name().into(),
        users: plan.usual_users(),
        workers: snapshot.workers,
        started_at: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        elapsed_seconds: snapshot.elapsed.as_secs_f64(),
        parts: Vec::new(),
    }
}

fn slowest(snapshot: &Snapshot) -> Vec<Slow> {
    let slowest = snapshot.slowest.list().iter();
    let one = |slow: &metrics::Slow| {
        let request = &slow.request;
        let archetype = request.role.archetype;
        let (method, path) = snapshot.catalog.route(archetype, request.route);
        let (status, failure) = outcome(request.outcome);
        let at = jiff::Timestamp::try_from(request.at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Slow {
            at: at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            user: request.user,
            archetype: snapshot.catalog.archetype(archetype).into(),
            method: method.into(),
            path: path.into(),
            status,
            failure,
            expected: request.expected,
            latency: request.latency.as_secs_f64(),
            trace_id: slow.trace.map(|trace| trace.to_string()),
        }
    };
    slowest.map(one).collect()
}

/// A status, or the failure that came in its place.
fn outcome(outcome: Outcome) -> (Option<u16>, Option<metrics::Failure>) {
    match outcome {
        Outcome::Status(status) => (Some(status), None),
        Outcome::Failed(failure) => (None, Some(failure)),
    }
}

fn arrivals(snapshot: &Snapshot) -> Option<Arrivals> {
    let arrivals = &snapshot.arrivals;
    (arrivals.due > 0).then(|| Arrivals {
        due: arrivals.due,
        dropped: arrivals.dropped,
        service: distribution(&arrivals.service, Keep::Histogram),
    })
}

fn requests(snapshot: &Snapshot, group: &Group, keep: Keep) -> Requests {
    let seconds = snapshot.elapsed.as_secs_f64();
    Requests {
        requests: group.requests(),
        successes: group.successes(),
        errors: group.errors(),
        injected: group.injected(),
        success_share: group.success_share(),
        per_second: if seconds > 0.0 {
            group.requests() as f64 / seconds
        } else {
            0.0
        },
        bytes_sent: group.bytes_sent(),
        bytes_received: group.bytes_received(),
        latency: distribution(group.latency(), keep),
    }
}

pub(super) fn distribution(timing: &Timing, keep: Keep) -> Distribution {
    let quantile = |q| timing.quantile(q).as_secs_f64();
    Distribution {
        count: timing.count(),
        sum: timing.sum().as_secs_f64(),
        mean: timing.mean().as_secs_f64(),
        min: timing.min().as_secs_f64(),
        p50: quantile(0.5),
        p90: quantile(0.9),
        p95: quantile(0.95),
        p99: quantile(0.99),
        p999: quantile(0.999),
        max: timing.max().as_secs_f64(),
        tick: timing.scale().tick_seconds(),
        histogram: (keep == Keep::Histogram && !timing.is_empty()).then(|| timing.to_base64()),
    }
}

fn outcomes(results: &[ResultCount]) -> Vec<Outcomes> {
    results
        .iter()
        .map(|r| {
            let (status, failure) = outcome(r.outcome);
            Outcomes {
                status,
                failure,
                expected: r.expected,
                count: r.count,
            }
        })
        .collect()
}

fn classes(results: &[ResultCount]) -> Vec<Class> {
    let mut classes: Vec<Class> = Vec::new();
    for result in results {
        let class = match result.outcome {
            Outcome::Status(status) => status / 100,
            Outcome::Failed(_) => 0,
        };
        let at = classes
            .iter()
            .position(|c| c.class == class)
            .unwrap_or_else(|| {
                classes.push(Class {
                    class,
                    count: 0,
                    injected: 0,
                });
                classes.len() - 1
            });
        classes[at].count += result.count;
        classes[at].injected += if result.is_injected() {
            result.count
        } else {
            0
        };
    }
    classes
}

fn archetypes(plan: &Plan, snapshot: &Snapshot) -> Vec<Archetype> {
    let labels = &snapshot.catalog.archetypes;
    snapshot
        .by_archetype()
        .iter()
        .zip(labels)
        .zip(&snapshot.archetypes)
        .map(|((group, labels), counts)| Archetype {
            name: labels.name.clone(),
            behavior: labels.behavior.clone(),
            version: labels.version.clone(),
            hash: labels.hash.clone(),
            profile: plan.own_profile(&labels.name),
            users: counts.users_started,
            requests: requests(snapshot, group, Keep::Quantiles),
            sessions: sessions(&counts.sessions, Keep::Histogram),
            guest_calls: distribution(&counts.guest_calls, Keep::Histogram),
            instances_built: counts.instances_built,
            traps: counts.traps,
        })
        .collect()
}

fn versions(snapshot: &Snapshot) -> Vec<Version> {
    snapshot
        .versions
        .iter()
        .filter(|total| !total.is_older() || total.counts.sessions.started > 0)
        .map(|total| {
            let counts = &total.counts;
            let labels = snapshot.catalog.version(total.role.version);
            let [behavior, version, hash] = labels.map_or(["older", "-", "-"], |v| {
                [v.behavior.as_str(), &v.version, &v.hash]
            });
            Version {
                archetype: snapshot.catalog.archetype(total.role.archetype).into(),
                behavior: behavior.into(),
                version: version.into(),
                hash: hash.into(),
                share: labels.map_or(0.0, |v| v.share),
                requests: requests(snapshot, &counts.group(), Keep::Histogram),
                sessions: sessions(&counts.sessions, Keep::Histogram),
                guest_calls: distribution(&counts.guest_calls, Keep::Histogram),
                instances_built: counts.instances_built,
                traps: counts.traps,
            }
        })
        .collect()
}

fn swaps(snapshot: &Snapshot) -> Vec<Swaps> {
    let archetypes = snapshot.catalog.archetypes.iter().zip(&snapshot.swaps);
    archetypes
        .filter(|(_, counts)| counts.iter().sum::<u64>() > 0)
        .map(|(labels, counts)| {
            let count = |result: SwapResult| counts[result as usize];
            Swaps {
                archetype: labels.name.clone(),
                published: count(SwapResult::Published),
                refused: count(SwapResult::Refused),
                rolled_back: count(SwapResult::RolledBack),
            }
        })
        .collect()
}

fn series(snapshot: &Snapshot) -> Vec<Series> {
    snapshot
        .series()
        .map(|(archetype, route, series)| {
            let (method, path) = snapshot.catalog.route(archetype, route);
            Series {
                archetype: snapshot.catalog.archetype(archetype).into(),
                method: method.into(),
                path: path.into(),
                results: outcomes(&series.results()),
                bytes_sent: series.bytes_sent,
                bytes_received: series.bytes_received,
                latency: distribution(&series.latency, Keep::Histogram),
            }
        })
        .collect()
}

/// A part of the requests; none of none is 0.
pub(super) fn share(count: u64, requests: u64) -> f64 {
    count as f64 / requests.max(1) as f64
}

fn error_mix(plan: &Plan, total: &Group) -> Vec<ErrorShare> {
    let target = |at: usize| plan.error_mix.map(|mix| mix.shares()[at] / 100.0);
    let counted = metrics::Class::ALL.into_iter().zip(total.classes());
    counted
        .enumerate()
        .map(|(at, (class, requests))| ErrorShare {
            class,
            requests,
            share: share(requests, total.requests()),
            target: target(at),
        })
        .collect()
}

fn faults(snapshot: &Snapshot) -> Vec<Fault> {
    let counted = metrics::FaultKind::ALL.into_iter().zip(snapshot.faults);
    counted
        .filter(|(_, count)| count.asked + count.committed > 0)
        .map(|(kind, count)| Fault {
            kind,
            asked: count.asked,
            committed: count.committed,
        })
        .collect()
}

fn mix(plan: &Plan, snapshot: &Snapshot, requests: u64) -> Vec<Share> {
    let target = |category: &str| Some(plan.mix.as_ref()?.share(category)? / 100.0);
    snapshot
        .by_category()
        .into_iter()
        .map(|(category, count)| Share {
            category: category.into(),
            requests: count,
            share: share(count, requests),
            target: target(category),
        })
        .collect()
}

fn sessions(sessions: &metrics::Sessions, keep: Keep) -> Sessions {
    Sessions {
        started: sessions.started,
        endings: Ending::ALL
            .iter()
            .map(|&ending| {
                let duration = distribution(sessions.ended(ending), keep);
                Ended {
                    ending,
                    count: duration.count,
                    duration,
                }
            })
            .collect(),
    }
}

fn checks(snapshot: &Snapshot) -> Vec<Check> {
    snapshot
        .catalog
        .archetypes
        .iter()
        .zip(&snapshot.archetypes)
        .flat_map(|(labels, counts)| {
            counts
                .checks
                .sorted()
                .into_iter()
                .map(|(name, check)| Check {
                    archetype: labels.name.clone(),
                    name: name.into(),
                    passed: check.passed,
                    failed: check.failed,
                })
        })
        .collect()
}

fn observed(snapshot: &Snapshot) -> Vec<Observed> {
    snapshot
        .catalog
        .archetypes
        .iter()
        .zip(&snapshot.archetypes)
        .flat_map(|(labels, counts)| {
            let observed = counts.observed.sorted().into_iter();
            observed.map(|(metric, values)| observation(&labels.name, metric, values))
        })
        .collect()
}

pub(super) fn observation(archetype: &str, metric: &str, values: &Sketch) -> Observed {
    Observed {
        archetype: archetype.into(),
        metric: metric.into(),
        count: values.count(),
        sum: values.sum(),
        min: values.min(),
        max: values.max(),
        mean: values.mean(),
        p50: values.quantile(0.5),
        p90: values.quantile(0.9),
        p95: values.quantile(0.95),
        p99: values.quantile(0.99),
        cells: values.cells().to_vec(),
    }
}

fn generator(snapshot: &Snapshot) -> Generator {
    Generator {
        cores: snapshot.cpu.cores,
        cpu_seconds: snapshot.cpu.used.as_secs_f64(),
        cpu_share: snapshot.cpu_share(),
        rss_bytes: snapshot.process.rss,
        open_files: snapshot.process.open_files,
        open_sockets: snapshot.process.open_sockets,
        threads: snapshot.process.threads,
        scheduling_lag: distribution(&snapshot.lag, Keep::Histogram),
        guest_calls: distribution(&snapshot.guest_calls(), Keep::Quantiles),
        guest_share: snapshot.guest_share(),
        limits: limits(snapshot),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::metrics::Scale;
    use crate::metrics::testing::snapshot;
    use crate::plan::Language;
    use crate::report::json::LimitKind;
    use crate::report::testing::plan;

    #[test]
    fn sums_are_those_of_the_snapshot() {
        let snapshot = snapshot();
        let summary = Summary::new(&plan(Language::English), &snapshot);
        let total = snapshot.total();
        let sent = total.requests();
        assert_eq!(summary.total.requests, sent);
        assert_eq!(summary.total.errors + summary.total.successes, sent);
        assert_eq!(summary.total.injected, total.injected());
        assert_eq!(
            summary
                .routes
                .iter()
                .map(|r| r.requests.requests)
                .sum::<u64>(),
            sent
        );
        assert_eq!(
            summary
                .archetypes
                .iter()
                .map(|a| a.requests.requests)
                .sum::<u64>(),
            sent
        );
        let of_versions = summary.versions.iter().map(|v| v.requests.requests);
        assert_eq!(of_versions.sum::<u64>(), sent);
        assert_eq!(summary.classes.iter().map(|c| c.count).sum::<u64>(), sent);
        assert_eq!(
            summary.classes.iter().map(|c| c.injected).sum::<u64>(),
            total.injected()
        );
        assert_eq!(summary.results.iter().map(|r| r.count).sum::<u64>(), sent);
        assert_eq!(summary.mix.iter().map(|m| m.requests).sum::<u64>(), sent);
        assert_eq!(
            summary
                .series
                .iter()
                .flat_map(|s| &s.results)
                .map(|r| r.count)
                .sum::<u64>(),
            sent
        );
        assert_eq!(
            summary.series.iter().map(|s| s.bytes_received).sum::<u64>(),
            summary.total.bytes_received
        );
        assert_eq!(summary.sessions.started, 120);
        let ended: u64 = summary.sessions.endings.iter().map(|e| e.count).sum();
        assert_eq!(summary.sessions.started - ended, snapshot.sessions_active());
    }

    /// The promise behind merging summaries: nothing is lost on the way through the file.
    #[test]
    fn the_series_histograms_give_back_the_total() {
        let snapshot = snapshot();
        let summary = Summary::new(&plan(Language::English), &snapshot);
        let mut merged = Timing::new(Scale::Micros);
        for series in &summary.series {
            let sum = Duration::from_secs_f64(series.latency.sum);
            let text = series.latency.histogram.as_deref().unwrap();
            merged.merge(&Timing::from_base64(Scale::Micros, text, sum).unwrap());
        }
        assert_eq!(merged.to_base64(), snapshot.total().latency().to_base64());
        for quantile in [0.5, 0.9, 0.99, 1.0] {
            assert_eq!(
                merged.quantile(quantile),
                snapshot.total().latency().quantile(quantile)
            );
        }
    }

    #[test]
    fn a_generator_at_its_limit_is_told() {
        let mut snapshot = snapshot();
        assert_eq!(limits(&snapshot), []);
        snapshot.cpu.cores = 1;
        let mut lag = Timing::new(Scale::Micros);
        lag.record(Duration::from_millis(50));
        snapshot.lag = Arc::new(lag);
        let kinds: Vec<LimitKind> = limits(&snapshot).iter().map(|l| l.kind).collect();
        assert_eq!(kinds, [LimitKind::Cpu, LimitKind::SchedulingLag]);
    }
}
