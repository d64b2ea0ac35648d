//! From the plan and the last snapshot to a [`Summary`]. Called when the run is over.
//!
//! What must stay true: it only regroups; every number of the summary is one of the snapshot's.

pub mod archetypes;
pub mod generator;
pub mod mixes;
pub mod requests;
mod transactions;

use self::generator::generator;
use self::mixes::{error_mix, faults, mix};
use self::requests::{
    arrivals, causes, channels, classes, connections, not_sent, outcomes, requests, routes, series,
    slowest, targets,
};
use self::transactions::{abandoned, transactions};
use super::json::{Cleanup, Hold, Resilience, Run, SCHEMA, Shard, Summary, Transitions};
use crate::build::archetypes::{archetypes, checks, observed, sessions, swaps, versions};
use vespeiro_metrics::Snapshot;
use vespeiro_model::{BreakerState, HoldReason};
use vespeiro_plan::Plan;

impl Summary {
    /// The summary of a run in the state of `snapshot`.
    pub fn new(plan: &Plan, snapshot: &Snapshot) -> Summary {
        let total = snapshot.total();
        Summary {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").into(),
            run: run(plan, snapshot),
            arrivals: arrivals(snapshot),
            not_sent: not_sent(snapshot),
            classes: classes(&total.results()),
            results: outcomes(&total.results()),
            causes: causes(snapshot),
            routes: routes(snapshot),
            targets: targets(plan, snapshot),
            archetypes: archetypes(plan, snapshot),
            versions: versions(snapshot),
            swaps: swaps(snapshot),
            series: series(snapshot),
            mix: mix(plan, snapshot, total.requests()),
            error_mix: error_mix(plan, &total),
            faults: faults(snapshot),
            resilience: resilience(snapshot),
            sessions: sessions(&snapshot.sessions(), Detail::Quantiles),
            checks: checks(snapshot),
            observed: observed(snapshot),
            abandoned: abandoned(snapshot),
            transactions: transactions(snapshot),
            slowest: slowest(snapshot),
            generator: generator(snapshot),
            total: requests(
                snapshot,
                &total,
                &snapshot.phases(|_, _| true),
                Detail::Quantiles,
            ),
            connections: Some(connections(snapshot)),
            channels: channels(snapshot),
            aborted: crate::thresholds::aborted(snapshot),
            degradation: snapshot.guard.degradation.map(Into::into),
            thresholds: crate::thresholds::thresholds(plan, snapshot),
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

/// How much of a distribution is kept: the histogram only where it is not the sum of others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Detail {
    Quantiles,
    Histogram,
}

fn resilience(snapshot: &Snapshot) -> Resilience {
    let holds = &snapshot.run.resilience;
    let breaker = snapshot.worker_statuses.breaker().is_some();
    Resilience {
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

/// The run's own target: its base URL without user name and password.
pub fn target(plan: &Plan) -> String {
    address(&plan.target)
}

/// A base URL without user name and password.
fn address(target: &vespeiro_plan::Target) -> String {
    let mut url = target.base_url.clone();
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
        scenario: plan.preset.clone(),
        target: target(plan),
        profile: plan.profile_name().into(),
        users: plan.usual_users(),
        shard: (!plan.shown.is_alone()).then_some(Shard {
            index: plan.shown.index,
            shards: plan.shown.shards,
        }),
        workers: snapshot.workers,
        started_at: started.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        elapsed_seconds: snapshot.elapsed.as_secs_f64(),
        sending_seconds: snapshot.sending.as_secs_f64(),
        parts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use vespeiro_metrics::testing::{catalog, sample, snapshot};
    use vespeiro_metrics::{Interval, Process, Recorder, RequestSample, Scale, Timing, Totals};
    use vespeiro_model::{Clock, Outcome, OutcomeKind};
    use vespeiro_plan::Language;
    use vespeiro_plan::testing::plan;

    /// What a run of requests that took so many microseconds, and failed or not, is told to be.
    fn told(requests: &[(u64, u16)]) -> Summary {
        let catalog = catalog();
        let mut recorder = Recorder::new(catalog.clone(), 0, Clock::system());
        for (micros, status) in requests {
            recorder.request(&RequestSample {
                outcome: Outcome::Status(*status),
                latency: Duration::from_micros(*micros),
                ..sample(0, 0)
            });
        }
        let mut interval = recorder.take(Interval::new(&catalog));
        let mut totals = Totals::new(catalog, 1, Process::default(), Clock::system());
        totals.absorb(&mut interval);
        let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
        Summary::new(&plan(Language::English), &snapshot)
    }

    #[test]
    fn no_maximum_contradicts_the_slowest_request_that_is_listed() {
        // Cells of the histogram are 128 us wide there, and end at 60 s.
        let slow = told(&[(206_913, 200), (1_000, 200), (206_914, 503)]);
        let mut slower = told(&[(75_000_123, 200), (206_950, 503)]);
        slower.run.id = "other000".into();
        let through_a_file: Summary =
            serde_json::from_str(&serde_json::to_string(&slower).unwrap()).unwrap();
        let both = crate::merge::merge(&[slow.clone(), through_a_file]).unwrap();
        let both = both.unwrap();
        for (summary, success, failure) in [
            (slow, 0.206_913, 0.206_914),
            (slower, 75.000_123, 0.206_950),
            (both, 75.000_123, 0.206_950),
        ] {
            let most = summary.slowest[0].latency;
            assert_eq!(most, f64::max(success, failure));
            let routes = summary.routes.iter().map(|route| &route.requests.latency);
            let all = routes.chain([&summary.total.latency]).map(|of| of.max);
            let largest = all.filter(|max| *max > 0.0).collect::<Vec<_>>();
            assert!(largest.iter().all(|max| *max == most), "{largest:?}");
            let apart = &summary.total.latency_by_outcome;
            assert_eq!(apart[&OutcomeKind::Success].max, success);
            assert_eq!(apart[&OutcomeKind::Failure].max, failure);
            let total = &summary.total.latency;
            let ascending = [total.min, total.p50, total.p99, total.p999, total.max];
            assert!(ascending.is_sorted(), "{ascending:?}");
        }
    }

    #[test]
    fn sums_are_those_of_the_snapshot() {
        let snapshot = snapshot();
        let summary = Summary::new(&plan(Language::English), &snapshot);
        let total = snapshot.total();
        let sent = total.requests();
        assert_eq!(summary.total.requests, sent);
        assert_eq!(summary.total.failures + summary.total.successes, sent);
        assert_eq!(
            summary.total.failures,
            summary.total.errors + summary.total.injected
        );
        let by_outcome = summary.total.latency_by_outcome.values();
        assert_eq!(by_outcome.map(|latency| latency.count).sum::<u64>(), sent);
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
                .map(|a| a.figures.requests.requests)
                .sum::<u64>(),
            sent
        );
        let of_versions = summary.versions.iter().map(|v| v.figures.requests.requests);
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

    #[test]
    fn a_summary_of_before_there_were_phases_reads_still() {
        let summary = Summary::new(&plan(Language::English), &snapshot());
        let mut old = serde_json::to_value(&summary).unwrap();
        let strip = |value: &mut serde_json::Value| {
            value.as_object_mut().unwrap().remove("phases").unwrap();
        };
        strip(&mut old["total"]);
        for list in ["routes", "archetypes", "series"] {
            old[list].as_array_mut().unwrap().iter_mut().for_each(strip);
        }
        old.as_object_mut().unwrap().remove("connections").unwrap();
        let old = crate::json::read(old.to_string().as_bytes()).unwrap();
        assert!(old.total.phases.is_empty() && old.connections.is_none());
        assert_eq!(old.total.latency, summary.total.latency);
        let mut other = summary.clone();
        other.run.id = "other".into();
        let merged = crate::merge::merge(&[old, other]).unwrap().unwrap();
        assert_eq!(merged.connections, summary.connections);
        for (phase, merged) in &merged.total.phases {
            assert_eq!(merged.count, summary.total.phases[phase].count);
        }
    }

    /// The promise behind merging summaries: nothing is lost on the way through the file.
    #[test]
    fn the_series_histograms_give_back_the_total() {
        let snapshot = snapshot();
        let summary = Summary::new(&plan(Language::English), &snapshot);
        let mut merged = Timing::new(Scale::Micros);
        for series in &summary.series {
            merged.merge(&series.latency.timing().unwrap());
        }
        assert_eq!(merged.to_base64(), snapshot.total().latency().to_base64());
        for quantile in [0.5, 0.9, 0.99, 1.0] {
            assert_eq!(
                merged.quantile(quantile),
                snapshot.total().latency().quantile(quantile)
            );
        }
    }
}
