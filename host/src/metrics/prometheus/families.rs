//! Every metric that the run exports: its name, help, labels and where the value comes from. Used by
//! [`super::encode`]. A name or label that is here once is a promise to dashboards.

use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::writer::{Family, Writer};
use crate::metrics::{ArchetypeCounts, Ending, Failure, FaultKind, Outcome, Snapshot};

/// Upper bounds of the latency buckets, in seconds.
const LATENCY: [f64; 17] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0, 60.0,
];
/// Upper bounds of the buckets for calls into behaviors, in seconds.
const GUEST_CALL: [f64; 12] = [
    1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 1e-2, 1e-1, 1.0,
];
/// Upper bounds of the session buckets, in seconds.
const SESSION: [f64; 12] = [
    0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0,
];
/// Quantiles of a behavior's own metrics.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

#[derive(Debug)]
pub(super) struct Page(pub(super) Arc<Snapshot>);

impl Collector for Page {
    fn encode(&self, encoder: DescriptorEncoder) -> Result<(), Error> {
        let mut page = Writer::new(encoder);
        general(&self.0, &mut page)?;
        requests(&self.0, &mut page)?;
        users(&self.0, &mut page)?;
        behaviors(&self.0, &mut page)?;
        generator(&self.0, &mut page)
    }
}

fn general(s: &Snapshot, page: &mut Writer) -> Result<(), Error> {
    page.family(
        "build_info",
        "The version of Vespeiro that runs",
        None,
        MetricType::Gauge,
        |f| f.gauge(&[("version", env!("CARGO_PKG_VERSION"))], 1.0),
    )?;
    page.family(
        "behavior_info",
        "The behavior that plays an archetype",
        None,
        MetricType::Gauge,
        |f| {
            s.catalog.archetypes.iter().try_for_each(|a| {
                let labels = [
                    ("archetype", a.name.as_str()),
                    ("behavior", &a.behavior),
                    ("version", &a.version),
                    ("hash", &a.hash),
                ];
                f.gauge(&labels, 1.0)
            })
        },
    )?;
    page.family(
        "elapsed",
        "Time since the start of the run",
        Some(Unit::Seconds),
        MetricType::Gauge,
        |f| f.gauge(&[], s.elapsed.as_secs_f64()),
    )
}

fn requests(s: &Snapshot, page: &mut Writer) -> Result<(), Error> {
    let label = |archetype, route| {
        let (method, path) = s.catalog.route(archetype, route);
        [
            ("archetype", s.catalog.archetype(archetype)),
            ("method", method),
            ("route", path),
        ]
    };
    let help = "Requests sent, by what came of them; expected: the tool asked for the failure";
    page.family("requests", help, None, MetricType::Counter, |f| {
        s.series().try_for_each(|(archetype, route, series)| {
            series.results().iter().try_for_each(|r| {
                let code;
                let (status, failure) = match r.outcome {
                    Outcome::Status(status) => {
                        code = status.to_string();
                        (code.as_str(), "-")
                    }
                    Outcome::Failed(failure) => ("-", failure.as_str()),
                };
                let [a, m, p] = label(archetype, route);
                let expected = if r.expected { "true" } else { "false" };
                f.counter(
                    &[
                        a,
                        m,
                        p,
                        ("status", status),
                        ("failure", failure),
                        ("expected", expected),
                    ],
                    r.count,
                )
            })
        })
    })?;
    let help = "Time from the send to the last byte of the response or to the failure";
    page.family(
        "request_duration",
        help,
        Some(Unit::Seconds),
        MetricType::Histogram,
        |f| {
            s.series()
                .try_for_each(|(a, r, series)| f.histogram(&label(a, r), &series.latency, &LATENCY))
        },
    )?;
    page.family(
        "sent",
        "Bytes of requests",
        Some(Unit::Bytes),
        MetricType::Counter,
        |f| {
            s.series()
                .try_for_each(|(a, r, series)| f.counter(&label(a, r), series.bytes_sent))
        },
    )?;
    page.family(
        "received",
        "Bytes of responses",
        Some(Unit::Bytes),
        MetricType::Counter,
        |f| {
            s.series()
                .try_for_each(|(a, r, series)| f.counter(&label(a, r), series.bytes_received))
        },
    )?;
    let help = "Requests that never left, by reason";
    per_archetype(
        s,
        page,
        "requests_not_sent",
        help,
        |f, archetype, counts| {
            Failure::NOT_SENT
                .iter()
                .zip(counts.not_sent)
                .try_for_each(|(failure, count)| {
                    f.counter(
                        &[("archetype", archetype), ("failure", failure.as_str())],
                        count,
                    )
                })
        },
    )?;
    let help = "Requests sent, by the category of the request mix";
    per_archetype(
        s,
        page,
        "category_requests",
        help,
        |f, archetype, counts| {
            counts
                .categories
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0)
                .try_for_each(|(at, count)| {
                    f.counter(
                        &[
                            ("archetype", archetype),
                            ("category", s.catalog.category(at)),
                        ],
                        *count,
                    )
                })
        },
    )?;
    let kinds = || FaultKind::ALL.iter().zip(s.faults);
    let help = "Failures that the tool asked for on purpose, by kind";
    page.family("faults_asked", help, None, MetricType::Counter, |f| {
        kinds().try_for_each(|(kind, count)| f.counter(&[("kind", kind.as_str())], count.asked))
    })?;
    let help = "Requests that failed as the tool asked for, by kind";
    page.family("faults_committed", help, None, MetricType::Counter, |f| {
        kinds().try_for_each(|(kind, count)| f.counter(&[("kind", kind.as_str())], count.committed))
    })
}

fn users(s: &Snapshot, page: &mut Writer) -> Result<(), Error> {
    let help = "Virtual users that have started and not finished";
    page.family("users_active", help, None, MetricType::Gauge, |f| {
        named(s).try_for_each(|(archetype, counts)| {
            f.gauge(&[("archetype", archetype)], counts.users_active() as f64)
        })
    })?;
    per_archetype(
        s,
        page,
        "sessions_started",
        "Sessions begun",
        |f, archetype, counts| f.counter(&[("archetype", archetype)], counts.sessions.started),
    )?;
    let help = "Time that sessions lasted, by how they ended";
    page.family(
        "session_duration",
        help,
        Some(Unit::Seconds),
        MetricType::Histogram,
        |f| {
            named(s).try_for_each(|(archetype, counts)| {
                Ending::ALL.iter().try_for_each(|ending| {
                    let labels = [("archetype", archetype), ("ending", ending.as_str())];
                    f.histogram(&labels, counts.sessions.ended(*ending), &SESSION)
                })
            })
        },
    )
}

fn behaviors(s: &Snapshot, page: &mut Writer) -> Result<(), Error> {
    per_archetype(
        s,
        page,
        "checks",
        "Checks of behaviors, by result",
        |f, archetype, counts| {
            counts
                .checks
                .sorted()
                .into_iter()
                .try_for_each(|(name, check)| {
                    let label = |result| {
                        [
                            ("archetype", archetype),
                            ("check", name),
                            ("result", result),
                        ]
                    };
                    f.counter(&label("passed"), check.passed)?;
                    f.counter(&label("failed"), check.failed)
                })
        },
    )?;
    per_archetype(
        s,
        page,
        "observations",
        "Values that behaviors observed",
        |f, archetype, counts| {
            counts
                .observed
                .sorted()
                .into_iter()
                .try_for_each(|(metric, values)| {
                    f.counter(
                        &[("archetype", archetype), ("metric", metric)],
                        values.count(),
                    )
                })
        },
    )?;
    let help = "Quantiles of the values that behaviors observed, since the start of the run";
    page.family("observed_value", help, None, MetricType::Gauge, |f| {
        named(s).try_for_each(|(archetype, counts)| {
            counts
                .observed
                .sorted()
                .into_iter()
                .try_for_each(|(metric, values)| {
                    QUANTILES.iter().try_for_each(|&quantile| {
                        let text = quantile.to_string();
                        let labels = [
                            ("archetype", archetype),
                            ("metric", metric),
                            ("quantile", text.as_str()),
                        ];
                        f.gauge(&labels, values.quantile(quantile))
                    })
                })
        })
    })?;
    let help = "Sum of the values that behaviors observed";
    page.family("observed_value_sum", help, None, MetricType::Gauge, |f| {
        named(s).try_for_each(|(archetype, counts)| {
            counts
                .observed
                .sorted()
                .into_iter()
                .try_for_each(|(metric, values)| {
                    f.gauge(
                        &[("archetype", archetype), ("metric", metric)],
                        values.sum(),
                    )
                })
        })
    })?;
    let help = "Time of each call into a behavior";
    page.family(
        "guest_call_duration",
        help,
        Some(Unit::Seconds),
        MetricType::Histogram,
        |f| {
            named(s).try_for_each(|(archetype, counts)| {
                f.histogram(
                    &[("archetype", archetype)],
                    &counts.guest_calls,
                    &GUEST_CALL,
                )
            })
        },
    )?;
    per_archetype(
        s,
        page,
        "instances_built",
        "Instances of a behavior made",
        |f, archetype, counts| f.counter(&[("archetype", archetype)], counts.instances_built),
    )?;
    per_archetype(
        s,
        page,
        "traps",
        "Calls into a behavior that trapped",
        |f, archetype, counts| f.counter(&[("archetype", archetype)], counts.traps),
    )
}

fn generator(s: &Snapshot, page: &mut Writer) -> Result<(), Error> {
    let help = "How late the workers' timers fired";
    page.family(
        "scheduling_lag",
        help,
        Some(Unit::Seconds),
        MetricType::Histogram,
        |f| f.histogram(&[], &s.lag, &LATENCY),
    )?;
    page.family(
        "workers",
        "Threads that play users",
        None,
        MetricType::Gauge,
        |f| f.gauge(&[], s.workers as f64),
    )?;
    let help = "CPU time of the generator, user and system";
    page.family(
        "process_cpu",
        help,
        Some(Unit::Seconds),
        MetricType::Counter,
        |f| f.counter_f64(&[], s.process.cpu.as_secs_f64()),
    )?;
    let help = "Resident memory of the generator";
    page.family(
        "process_resident_memory",
        help,
        Some(Unit::Bytes),
        MetricType::Gauge,
        |f| f.gauge(&[], s.process.rss as f64),
    )?;
    page.family(
        "process_open_fds",
        "Open files of the generator",
        None,
        MetricType::Gauge,
        |f| f.gauge(&[], s.process.open_files as f64),
    )?;
    page.family(
        "process_threads",
        "Threads of the generator",
        None,
        MetricType::Gauge,
        |f| f.gauge(&[], s.process.threads as f64),
    )
}

fn named(s: &Snapshot) -> impl Iterator<Item = (&str, &ArchetypeCounts)> {
    s.catalog
        .archetypes
        .iter()
        .zip(&s.archetypes)
        .map(|(labels, counts)| (labels.name.as_str(), &**counts))
}

/// A family of counters that walks the archetypes.
fn per_archetype(
    s: &Snapshot,
    page: &mut Writer,
    name: &str,
    help: &str,
    samples: impl Fn(&mut Family, &str, &ArchetypeCounts) -> Result<(), Error>,
) -> Result<(), Error> {
    page.family(name, help, None, MetricType::Counter, |f| {
        named(s).try_for_each(|(archetype, counts)| samples(f, archetype, counts))
    })
}
