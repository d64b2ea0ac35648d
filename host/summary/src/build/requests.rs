//! Counts and times of requests, as a [`Summary`](crate::Summary) has them: groups, routes, results, the
//! slowest. Used by `build.rs` and by merging.

use std::net::SocketAddr;

use super::{Detail, address};
use crate::json::{
    Address, Arrivals, Cause, Channels, Connections, Distribution, LatencyByOutcome, NotSent,
    Outcomes, Phases, Requests, Route, Series, SlowRequest, StatusClass, Target,
};
use crate::rows::merged;
use vespeiro_metrics::{AddressCounts, Addresses, PhaseTimes, ResultCount, Snapshot, Timing};
use vespeiro_model::{ChannelKind, Failure, GrpcCode, Outcome, OutcomeKind};
use vespeiro_plan::Plan;

pub(super) fn requests(
    snapshot: &Snapshot,
    group: &vespeiro_metrics::Series,
    times: &PhaseTimes,
    detail: Detail,
) -> Requests {
    Requests {
        requests: group.requests(),
        successes: group.successes(),
        failures: group.failures(),
        injected: group.injected(),
        errors: group.errors(),
        success_share: group.success_share(),
        per_second: rate(group.requests(), snapshot.sending.as_secs_f64()),
        throughput: rate(group.requests(), snapshot.elapsed.as_secs_f64()),
        bytes_sent: group.bytes_sent(),
        bytes_received: group.bytes_received(),
        latency: distribution(&group.latency(), detail),
        latency_by_outcome: by_outcome(group, detail),
        phases: phases(times, detail),
    }
}

/// Per second; 0 over no time at all.
pub fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}

fn by_outcome(group: &vespeiro_metrics::Series, detail: Detail) -> LatencyByOutcome {
    let kinds = OutcomeKind::ALL.map(|kind| (kind, group.latency_of(kind)));
    let used = kinds.iter().filter(|(_, timing)| !timing.is_empty());
    used.map(|(kind, timing)| (*kind, distribution(timing, detail)))
        .collect()
}

fn phases(times: &PhaseTimes, detail: Detail) -> Phases {
    let used = times.used();
    used.map(|(phase, timing)| (phase, distribution(timing, detail)))
        .collect()
}

pub(super) fn causes(snapshot: &Snapshot) -> Vec<Cause> {
    let met = snapshot.run.causes.sorted().into_iter();
    let cause = |(failure, cause, count): (_, &str, _)| Cause {
        failure,
        cause: cause.into(),
        count,
    };
    met.map(cause).collect()
}

pub(super) fn connections(snapshot: &Snapshot) -> Connections {
    let (counts, wire) = (&snapshot.run.connections, &snapshot.run.wire);
    Connections {
        opened: counts.opened,
        reused: counts.reused,
        closed_by_us: counts.closed_by_us,
        closed_by_target: counts.closed_by_target,
        open: counts.open(),
        tls_full: counts.tls_full,
        tls_resumed: counts.tls_resumed,
        resent_stale: counts.resent_stale,
        resent_unprocessed: counts.resent_unprocessed,
        wire_sent: wire.sent,
        wire_received: wire.received,
        addresses: addresses(&snapshot.run.addresses),
    }
}

pub(super) fn channels(snapshot: &Snapshot) -> Vec<Channels> {
    let each = ChannelKind::ALL.into_iter().zip(&snapshot.run.channels);
    let used = each.filter(|(_, counts)| counts.opened > 0);
    used.map(|(protocol, counts)| Channels {
        protocol,
        opened: counts.opened,
        open: counts.open(),
        broken: counts.broken,
        sent: counts.sent,
        received: counts.received,
        dropped: counts.dropped,
        sent_bytes: counts.sent_bytes,
        received_bytes: counts.received_bytes,
        lasted: distribution(&counts.lasted, Detail::Histogram),
        first_message: distribution(&counts.first_message, Detail::Histogram),
    })
    .collect()
}

fn addresses(addresses: &Addresses) -> Vec<Address> {
    let one = |(address, counts): (Option<SocketAddr>, AddressCounts)| Address {
        address: address.map_or_else(|| "other".to_owned(), |address| address.to_string()),
        requests: counts.requests,
        errors: counts.errors,
        connections: counts.connections,
        seconds: counts.time.as_secs_f64(),
    };
    addresses.sorted().into_iter().map(one).collect()
}

pub fn distribution(timing: &Timing, detail: Detail) -> Distribution {
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
        histogram: (detail == Detail::Histogram && !timing.is_empty()).then(|| timing.to_base64()),
    }
}

pub(super) fn not_sent(snapshot: &Snapshot) -> Vec<NotSent> {
    snapshot
        .not_sent()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(failure, count)| NotSent { failure, count })
        .collect()
}

pub(super) fn outcomes(results: &[ResultCount]) -> Vec<Outcomes> {
    let one = |result: &ResultCount| {
        let (status, grpc, failure) = outcome(result.outcome);
        Outcomes {
            status,
            grpc,
            failure,
            expected: result.expected,
            accepted: result.is_accepted(),
            count: result.count,
        }
    };
    results.iter().map(one).collect()
}

/// A status, the code of a gRPC call, or the failure that came in their place.
fn outcome(outcome: Outcome) -> (Option<u16>, Option<GrpcCode>, Option<Failure>) {
    match outcome {
        Outcome::Status(status) | Outcome::Accepted(status) => (Some(status), None, None),
        Outcome::Grpc(code) | Outcome::AcceptedGrpc(code) => (None, Some(code), None),
        Outcome::Failed(failure) => (None, None, Some(failure)),
    }
}

pub(super) fn classes(results: &[ResultCount]) -> Vec<StatusClass> {
    let classes = results.iter().map(|result| StatusClass {
        class: result.outcome.status().map_or(0, |status| status / 100),
        count: result.count,
        injected: if result.is_injected() {
            result.count
        } else {
            0
        },
    });
    merged(classes)
}

pub(super) fn routes(snapshot: &Snapshot) -> Vec<Route> {
    snapshot
        .by_route()
        .into_iter()
        .map(|r| Route {
            requests: requests(snapshot, &r.group, &r.phases, Detail::Quantiles),
            method: r.method,
            path: r.path,
        })
        .collect()
}

pub(super) fn targets(plan: &Plan, snapshot: &Snapshot) -> Vec<Target> {
    if plan.targets.is_empty() {
        return Vec::new();
    }
    let each = plan.all_targets().zip(snapshot.by_target());
    each.map(|(one, (name, group, phases))| Target {
        name: name.into(),
        url: address(one.target),
        requests: requests(snapshot, &group, &phases, Detail::Quantiles),
    })
    .collect()
}

pub(super) fn series(snapshot: &Snapshot) -> Vec<Series> {
    snapshot
        .series()
        .map(|(archetype, route, series)| {
            let (method, path) = snapshot.catalog.route(archetype, route);
            let catalog = &snapshot.catalog;
            let target = || catalog.target(catalog.target_of(archetype, route)).into();
            Series {
                archetype: catalog.archetype(archetype).into(),
                method: method.into(),
                path: path.into(),
                category: snapshot.catalog.category_of(archetype, route).into(),
                target: (catalog.targets.len() > 1).then(target),
                results: outcomes(&series.results()),
                bytes_sent: series.bytes_sent(),
                bytes_received: series.bytes_received(),
                latency: distribution(&series.latency(), Detail::Histogram),
                latency_by_outcome: by_outcome(series, Detail::Histogram),
                phases: snapshot
                    .phases_of(archetype, route)
                    .map(|times| phases(times, Detail::Histogram))
                    .unwrap_or_default(),
            }
        })
        .collect()
}

pub(super) fn arrivals(snapshot: &Snapshot) -> Option<Arrivals> {
    let arrivals = &snapshot.run.arrivals;
    (arrivals.due > 0).then(|| Arrivals {
        due: arrivals.due,
        dropped: arrivals.dropped,
        service: distribution(&arrivals.service, Detail::Histogram),
    })
}

pub(super) fn slowest(snapshot: &Snapshot) -> Vec<SlowRequest> {
    let slowest = snapshot.slowest.list().iter();
    let one = |slow: &vespeiro_metrics::SlowRequest| {
        let request = &slow.request;
        let archetype = request.role.archetype;
        let (method, path) = snapshot.catalog.route(archetype, request.route);
        let (status, grpc, failure) = outcome(request.outcome);
        let at = jiff::Timestamp::try_from(request.at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        SlowRequest {
            at: at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            user: request.user,
            archetype: snapshot.catalog.archetype(archetype).into(),
            method: method.into(),
            path: path.into(),
            status,
            grpc,
            failure,
            expected: request.expected,
            latency: request.latency.as_secs_f64(),
            trace_id: slow.trace.map(|trace| trace.to_string()),
            address: slow.address.map(|address| address.to_string()),
        }
    };
    slowest.map(one).collect()
}
