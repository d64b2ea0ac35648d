//! What a summary knows of a run's end alone: everything by route, archetype, version or reason. Used by `ended`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{ALL, EndedError, family};
use vespeiro_metrics::families::table as metrics;
use vespeiro_metrics::families::{Family, MetricDesc, Value};
use vespeiro_model::{Failure, SwapResult, ThresholdState};
use vespeiro_summary::Summary;
use vespeiro_summary::json::{BehaviorFigures, Distribution, Outcomes, Series};

/// Families that are filled side by side, each metric once.
#[derive(Default)]
struct Totals(Vec<Family<'static>>);

impl Totals {
    fn of(&mut self, metric: &'static MetricDesc) -> &mut Family<'static> {
        let same = |family: &Family<'_>| family.metric.name == metric.name;
        let at = self.0.iter().position(same).unwrap_or_else(|| {
            self.0.push(family(metric, |_| ()));
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    fn count(&mut self, metric: &'static MetricDesc, labels: &[&str], count: u64) {
        self.of(metric).count(labels, count);
    }

    fn time(
        &mut self,
        metric: &'static MetricDesc,
        labels: &[&str],
        of: &Distribution,
    ) -> Result<(), EndedError> {
        let timing = of.timing()?;
        self.of(metric)
            .sample(labels, Value::Histogram(Cow::Owned(timing)));
        Ok(())
    }
}

/// What a summary knows of the end alone.
pub(super) fn totals(summary: &Summary) -> Result<Vec<Family<'static>>, EndedError> {
    let mut all = Totals::default();
    for series in &summary.series {
        requests(&mut all, series)?;
    }
    for archetype in &summary.archetypes {
        let name = archetype.name.as_str();
        behavior(&mut all, name, &archetype.figures)?;
        let labels = [
            name,
            &archetype.behavior,
            &archetype.version,
            &archetype.hash,
        ];
        all.of(&metrics::BEHAVIOR_INFO).number(&labels, 1.0);
    }
    for version in &summary.versions {
        let labels = [version.archetype.as_str(), &version.version, &version.hash];
        let requests = &version.figures.requests;
        for (result, count) in [
            ("good", requests.successes),
            ("injected", requests.injected),
            ("error", requests.errors),
        ] {
            let labels = [&labels[..], &[result]].concat();
            all.count(&metrics::VERSION_REQUESTS, &labels, count);
        }
        all.time(
            &metrics::VERSION_REQUEST_DURATION,
            &labels,
            &requests.latency,
        )?;
        for ended in &version.figures.sessions.endings {
            let labels = [&labels[..], &[ended.ending.as_str()]].concat();
            all.count(&metrics::VERSION_SESSIONS_ENDED, &labels, ended.count);
        }
        all.count(&metrics::VERSION_TRAPS, &labels, version.figures.traps);
        all.of(&metrics::VERSION_SHARE)
            .number(&labels, version.share);
    }
    for row in &summary.not_sent {
        all.count(
            &metrics::REQUESTS_NOT_SENT,
            &[ALL, row.failure.as_str()],
            row.count,
        );
    }
    for fault in &summary.faults {
        let kind = [fault.kind.as_str()];
        all.count(&metrics::FAULTS_ASKED, &kind, fault.asked);
        all.count(&metrics::FAULTS_COMMITTED, &kind, fault.committed);
    }
    for check in &summary.checks {
        for (result, count) in [("passed", check.passed), ("failed", check.failed)] {
            let labels = [check.archetype.as_str(), &check.name, result];
            all.count(&metrics::CHECKS, &labels, count);
        }
    }
    let mut reasons: BTreeMap<[&str; 2], u64> = BTreeMap::new();
    for one in &summary.abandoned {
        *reasons.entry([&one.archetype, &one.reason]).or_default() += one.count;
    }
    for (labels, count) in reasons {
        all.count(&metrics::SESSIONS_ABANDONED, &labels, count);
    }
    for one in &summary.transactions {
        let labels = [one.archetype.as_str(), &one.name];
        for (result, count) in [
            ("passed", one.passed),
            ("failed", one.failed),
            ("cut", one.cut),
        ] {
            let labels = [&labels[..], &[result]].concat();
            all.count(&metrics::TRANSACTIONS, &labels, count);
        }
        for (metric, times) in [
            (&metrics::TRANSACTION_ACTIVE, &one.active_by_outcome),
            (&metrics::TRANSACTION_DURATION, &one.duration_by_outcome),
        ] {
            for (outcome, time) in times {
                let labels = [&labels[..], &[outcome.as_str()]].concat();
                all.time(metric, &labels, time)?;
            }
        }
    }
    for values in &summary.observed {
        let quantiles = [(0.5, values.p50), (0.9, values.p90), (0.95, values.p95)];
        let quantiles = quantiles.into_iter().chain([(0.99, values.p99)]);
        let value = Value::Summary {
            quantiles: quantiles.collect(),
            sum: values.sum,
            count: values.count,
        };
        let labels = [values.archetype.as_str(), &values.metric];
        all.of(&metrics::OBSERVED).sample(&labels, value);
    }
    for (at, threshold) in summary.thresholds.iter().enumerate() {
        // A plan may contain the same one twice.
        let mut before = summary.thresholds[..at].iter();
        if before.any(|other| other.condition == threshold.condition) {
            continue;
        }
        let label = [threshold.condition.as_str()];
        let crossed = threshold.state == ThresholdState::Crossed;
        all.count(&metrics::THRESHOLD_CROSSED, &label, u64::from(crossed));
        all.of(&metrics::THRESHOLD_BOUND)
            .number(&label, threshold.bound);
        if let Some(value) = threshold.achieved {
            all.of(&metrics::THRESHOLD_VALUE).number(&label, value);
        }
    }
    machinery(&mut all, summary)?;
    Ok(all.0)
}

/// Of one archetype and route.
fn requests(all: &mut Totals, series: &Series) -> Result<(), EndedError> {
    let labels = [series.archetype.as_str(), &series.method, &series.path];
    let mut kinds: Vec<(&str, u64)> = vec![("4xx", 0), ("5xx", 0)];
    for result in &series.results {
        let status = result.status.map_or(ALL.to_owned(), |s| s.to_string());
        let failure = result.failure.map_or(ALL, Failure::as_str);
        let is_expected = result.expected || result.accepted;
        let expected = if is_expected { "true" } else { "false" };
        let labels = [&labels[..], &[&status, failure, expected]].concat();
        all.count(&metrics::REQUESTS, &labels, result.count);
        if let Some(kind) = error(result) {
            match kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += result.count,
                None => kinds.push((kind, result.count)),
            }
        }
    }
    for (kind, count) in kinds {
        all.count(&metrics::ERRORS, &[&labels[..], &[kind]].concat(), count);
    }
    all.count(&metrics::SENT, &labels, series.bytes_sent);
    all.count(&metrics::RECEIVED, &labels, series.bytes_received);
    for (outcome, latency) in &series.latency_by_outcome {
        let labels = [&labels[..], &[outcome.as_str()]].concat();
        all.time(&metrics::REQUEST_DURATION, &labels, latency)?;
    }
    if series.latency_by_outcome.is_empty() {
        let labels = [&labels[..], &[ALL]].concat();
        all.time(&metrics::REQUEST_DURATION, &labels, &series.latency)?;
    }
    for (phase, time) in &series.phases {
        let labels = [&labels[..], &[phase.as_str()]].concat();
        all.time(&metrics::REQUEST_PHASE_DURATION, &labels, time)?;
    }
    Ok(())
}

/// How a failure that nobody asked for is counted among the errors.
fn error(of: &Outcomes) -> Option<&'static str> {
    if of.expected || of.accepted {
        return None;
    }
    match (of.status, of.failure) {
        (Some(..400), _) => None,
        (Some(400..500), _) => Some("4xx"),
        (Some(_), _) => Some("5xx"),
        (None, failure) => failure.map(Failure::as_str),
    }
}

/// Of one archetype.
fn behavior(all: &mut Totals, name: &str, of: &BehaviorFigures) -> Result<(), EndedError> {
    all.count(&metrics::SESSIONS_STARTED, &[name], of.sessions.started);
    for ended in &of.sessions.endings {
        let labels = [name, ended.ending.as_str()];
        all.count(&metrics::SESSIONS_ENDED, &labels, ended.count);
        all.time(&metrics::SESSION_DURATION, &labels, &ended.duration)?;
    }
    all.time(&metrics::GUEST_CALL_DURATION, &[name], &of.guest_calls)?;
    all.count(&metrics::INSTANCES_BUILT, &[name], of.instances_built);
    all.count(&metrics::TRAPS, &[name], of.traps);
    Ok(())
}

/// Connections, arrivals, resilience and the generator.
fn machinery(all: &mut Totals, summary: &Summary) -> Result<(), EndedError> {
    if let Some(of) = &summary.connections {
        all.count(&metrics::CONNECTIONS_OPENED, &[], of.opened);
        all.count(&metrics::CONNECTIONS_REUSED, &[], of.reused);
        all.count(&metrics::CONNECTIONS_CLOSED, &["us"], of.closed_by_us);
        all.count(
            &metrics::CONNECTIONS_CLOSED,
            &["target"],
            of.closed_by_target,
        );
        all.count(&metrics::CONNECTIONS_OPEN, &[], of.open);
        all.count(&metrics::TLS_HANDSHAKES, &["full"], of.tls_full);
        all.count(&metrics::TLS_HANDSHAKES, &["resumed"], of.tls_resumed);
        all.count(&metrics::REQUESTS_RESENT, &["stale"], of.resent_stale);
        all.count(
            &metrics::REQUESTS_RESENT,
            &["unprocessed"],
            of.resent_unprocessed,
        );
        all.count(&metrics::WIRE, &["sent"], of.wire_sent);
        all.count(&metrics::WIRE, &["received"], of.wire_received);
        for to in &of.addresses {
            let good = to.requests.saturating_sub(to.errors);
            all.count(&metrics::ADDRESS_REQUESTS, &[&to.address, "success"], good);
            all.count(
                &metrics::ADDRESS_REQUESTS,
                &[&to.address, "error"],
                to.errors,
            );
        }
    }
    if let Some(of) = &summary.arrivals {
        all.count(&metrics::ARRIVALS, &[], of.due);
        all.count(&metrics::ARRIVALS_DROPPED, &[], of.dropped);
        all.time(&metrics::SERVICE_DURATION, &[], &of.service)?;
    }
    let of = &summary.resilience;
    for change in &of.breaker {
        all.count(
            &metrics::BREAKER_TRANSITIONS,
            &[change.to.as_str()],
            change.count,
        );
    }
    for hold in &of.holds {
        let reason = [hold.reason.as_str()];
        all.count(&metrics::HOLDS, &reason, hold.count);
        all.of(&metrics::HOLD).number(&reason, hold.seconds);
    }
    all.count(&metrics::RETRIES, &[], of.retries);
    all.count(&metrics::LOGINS_REFUSED, &[], of.refused_logins);
    all.count(&metrics::LOGIN_PAUSES, &[], of.login_pauses);
    for swaps in &summary.swaps {
        for (result, count) in [
            (SwapResult::Published, swaps.published),
            (SwapResult::Refused, swaps.refused),
            (SwapResult::RolledBack, swaps.rolled_back),
        ] {
            let labels = [swaps.archetype.as_str(), result.as_str()];
            all.count(&metrics::SWAPS, &labels, count);
        }
    }
    let of = &summary.generator;
    all.time(&metrics::SCHEDULING_LAG, &[], &of.scheduling_lag)?;
    for limit in &of.limits {
        all.count(&metrics::GENERATOR_LIMIT, &[limit.kind.as_str()], 1);
    }
    Ok(())
}
