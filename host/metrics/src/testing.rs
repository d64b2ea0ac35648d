//! A fixed run for the tests of this room and those above: small, but with something of everything.

use std::num::NonZeroU128;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::{
    ArchetypeLabels, Catalog, ConnectionCounts, Degraded, DesiredLoad, GuardStatus, Interval,
    Process, Recorder, RefusedLogins, RequestSample, Role, RouteLabel, RunInfo, Snapshot, Span,
    Standing, ThresholdResult, ThresholdState, Totals, TraceId, VersionLabels, WireBytes,
    WorkerStatus,
};
use vespeiro_model::{
    BreakerState, Clock, Ending, Failure, FaultKind, HoldReason, Outcome, Phases,
};
use vespeiro_plan::{ErrorMix, RequestMix};

/// What that run was to be.
pub fn about() -> RunInfo {
    let categories = [
        ("auth", 20.0),
        ("user-query", 50.0),
        ("user-mutation", 30.0),
    ];
    RunInfo {
        run: "0a1b2c3d".into(),
        scenario: "mixed".into(),
        target: "http://localhost:9501".into(),
        users: 100,
        mix: Some(RequestMix(
            categories
                .map(|(name, share)| (name.into(), share))
                .to_vec(),
        )),
        error_mix: Some(ErrorMix {
            success: 85.0,
            client: 12.0,
            server: 3.0,
        }),
    }
}

/// Two archetypes that share a route.
pub fn catalog() -> Arc<Catalog> {
    let route = |method: &str, path: &str, category| RouteLabel {
        method: method.into(),
        path: path.into(),
        category,
        target: 0,
    };
    let archetype = |name: &str, routes| ArchetypeLabels {
        name: name.into(),
        behavior: format!("{name}-behavior"),
        version: "0.1.0".into(),
        hash: "0123456789abcdef".into(),
        routes,
    };
    Arc::new(Catalog {
        targets: vec!["main".into()],
        archetypes: vec![
            archetype(
                "active",
                vec![
                    route("GET", "/api/v1/users/{id}", 1),
                    route("POST", "/api/v1/auth/login", 0),
                    route("POST", "/api/v1/users", 2),
                ],
            ),
            archetype(
                "admin",
                vec![
                    route("POST", "/api/v1/auth/login", 0),
                    route("DELETE", "/api/v1/users/{userId}/roles/{roleId}", 2),
                ],
            ),
        ],
        categories: ["auth", "user-query", "user-mutation"]
            .map(String::from)
            .to_vec(),
        versions: [0, 1]
            .map(|archetype| VersionLabels {
                number: role(archetype).version,
                behavior: format!("{}-behavior", ["active", "admin"][usize::from(archetype)]),
                share: 1.0,
                ..version(archetype, "0123456789abcdef")
            })
            .to_vec(),
    })
}

/// The version that plays an archetype of [`catalog`].
pub fn role(archetype: u16) -> Role {
    Role {
        archetype,
        version: u32::from(archetype) + 1,
    }
}

/// A version that is not in a catalog yet.
pub fn version(archetype: u16, hash: &str) -> VersionLabels {
    VersionLabels {
        archetype,
        behavior: "stranger".into(),
        version: "0.1.0".into(),
        hash: hash.into(),
        ..VersionLabels::default()
    }
}

/// A request that went well.
pub fn sample(archetype: u16, route: u16) -> RequestSample {
    RequestSample {
        role: role(archetype),
        route,
        category: 0,
        user: 0,
        outcome: Outcome::Status(200),
        latency: Duration::from_millis(12),
        waited: None,
        phases: Phases::default(),
        trace: None,
        bytes_sent: 100,
        bytes_received: 300,
        wire: WireBytes {
            sent: 250,
            received: 450,
        },
        address: None,
        reused: false,
        expected: false,
    }
}

/// Of a request that took so long; over a connection of its own or not.
fn phases(micros: u64, opened: bool) -> Phases {
    let part = |of: u64| Duration::from_micros(micros / of);
    let connect = if opened { part(4) } else { Duration::ZERO };
    let (sending, receiving) = (part(100), part(10));
    Phases {
        blocked: connect / 8,
        connect,
        sending,
        receiving,
        waiting: Duration::from_micros(micros) - connect - sending - receiving,
        ..Phases::default()
    }
}

/// A run of 83 s that is the same each time, but for its CPU figures' cores.
pub fn snapshot() -> Snapshot {
    let catalog = catalog();
    let mut totals = Totals::new(catalog.clone(), 2, Process::default(), Clock::system());
    let mut recorder = Recorder::new(catalog.clone(), 0, Clock::system()).keeping(3);
    for archetype in [0, 1] {
        recorder.instance_built(role(archetype));
        (0..50).for_each(|_| recorder.user_started(archetype));
        (0..13).for_each(|_| recorder.user_finished(archetype));
        (0..60).for_each(|_| recorder.session_started(role(archetype)));
        (1..20).for_each(|i| {
            recorder.session_ended(role(archetype), Ending::Completed, Duration::from_secs(i))
        });
        recorder.session_ended(role(archetype), Ending::Abandoned, Duration::from_secs(40));
    }
    recorder.session_ended(role(1), Ending::Crashed, Duration::from_millis(1_500));
    recorder.trap(role(1));
    recorder.instance_built(role(1));
    for i in 0..15_432u32 {
        let archetype = (i % 4 == 3) as u16;
        let route = (i / 4 % if archetype == 0 { 3 } else { 2 }) as u16;
        let (outcome, expected) = match i % 100 {
            0..=79 => (Outcome::Status(200), false),
            80..=89 => (Outcome::Status(201), false),
            90..=95 => (Outcome::Status(404), true),
            96 | 97 => (Outcome::Status(503), false),
            98 => (Outcome::Failed(Failure::Timeout), false),
            _ => (Outcome::Failed(Failure::Connect), false),
        };
        recorder.sent(role(archetype), route);
        recorder.request(&RequestSample {
            role: role(archetype),
            route,
            category: catalog.archetypes[archetype as usize].routes[route as usize].category,
            user: i % 100,
            outcome,
            expected,
            latency: Duration::from_micros(u64::from(900 + i * 7919 % 60_000)),
            phases: phases(u64::from(900 + i * 7919 % 60_000), i < 100),
            ..sample(0, 0)
        });
        recorder.guest_call(
            role(archetype),
            Duration::from_nanos(u64::from(2_000 + i % 3_000)),
        );
        recorder.lag(Duration::from_micros(u64::from(i % 900)));
    }
    for i in 1..=40u64 {
        let span = Span {
            duration: Duration::from_millis(2_000 + 40 * i),
            active: Duration::from_millis(20 * i),
        };
        recorder.transaction(0, "sign up", i % 8 > 0, span);
    }
    recorder.transaction_cut(0, "sign up");
    recorder.abandoned(0, "POST /login: unexpected status 503", Some("shop.js:12"));
    recorder.abandoned(1, "gave up", None);
    recorder.redirected(1, 0, true, Duration::from_millis(30));
    (0..950).for_each(|_| recorder.fault_asked(FaultKind::NotFound));
    (0..924).for_each(|_| recorder.fault_committed(FaultKind::NotFound));
    recorder.fault_asked(FaultKind::RateLimit);
    recorder.request(&RequestSample {
        outcome: Outcome::Failed(Failure::Stopped),
        ..sample(0, 0)
    });
    (0..40).for_each(|i| recorder.check(0, "profile is mine", i != 7));
    (1..=100).for_each(|i| recorder.observe(1, "users listed", f64::from(i)));
    recorder.breaker(BreakerState::Open);
    recorder.breaker(BreakerState::HalfOpen);
    recorder.breaker(BreakerState::Closed);
    (0..9).for_each(|_| recorder.held(HoldReason::RetryAfter, Duration::from_millis(1_100)));
    recorder.held(HoldReason::Breaker, Duration::from_secs(6));
    recorder.retried();
    recorder.connections(ConnectionCounts {
        opened: 112,
        reused: 15_320,
        closed_by_us: 9,
        closed_by_target: 3,
        tls_full: 40,
        tls_resumed: 72,
        resent_stale: 2,
        resent_unprocessed: 1,
    });
    recorder.worker_status(WorkerStatus {
        breaker: Some(BreakerState::Closed),
        coroutines: 74,
        held: 3,
        logins: Some(RefusedLogins {
            unplanned: 2,
            planned: 7,
            bound: 30,
        }),
        ..WorkerStatus::default()
    });
    // These have no outcome yet.
    (0..12).for_each(|_| recorder.sent(role(0), 0));
    let mut interval = recorder.take(Interval::new(&catalog));
    for (i, activity) in interval.activity.iter_mut().enumerate() {
        // 2025-03-04 12:34:15 UTC and on.
        activity.at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_741_091_655 + i as u64);
    }
    for slow in &mut interval.slowest.list {
        slow.request.at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_741_091_663_250);
        slow.trace = Some(TraceId(NonZeroU128::MAX));
    }
    totals.absorb(&mut interval);
    totals.desired(DesiredLoad {
        users: 100,
        rate: None,
        paused: false,
        archetypes: Vec::new(),
    });
    let process = Process {
        at: Duration::from_secs(83),
        cpu: Duration::from_secs(79),
        rss: 48 * 1024 * 1024,
        open_files: 120,
        open_sockets: 100,
        threads: 5,
    };
    let mut snapshot = totals.snapshot(Duration::from_secs(83), process);
    snapshot.started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_741_091_600);
    snapshot.cpu.cores = 2;
    let states = [
        (ThresholdState::Ok, Some(0.057)),
        (ThresholdState::Crossed, Some(0.04)),
        (ThresholdState::NoData, None),
    ];
    let text = "p95<500ms; error_rate{archetype=admin}<1%:30s abort; checks{archetype=admin}>99%";
    let thresholds = vespeiro_plan::testing::thresholds(text).expect("the thresholds are right");
    let verdicts = thresholds.into_iter().zip(states);
    let verdict = |(threshold, (state, achieved))| ThresholdResult {
        threshold,
        achieved,
        state,
    };
    snapshot.guard = Arc::new(GuardStatus {
        thresholds: verdicts.map(verdict).collect(),
        abort: None,
        degradation: Some(Degraded {
            beginning: Standing {
                p95: 0.12,
                error_rate: 0.0,
            },
            now: Standing {
                p95: 0.3,
                error_rate: 0.015,
            },
        }),
    });
    snapshot
}

/// Something that a worker records.
#[derive(Debug, Clone)]
pub enum Event {
    Request(u16, u16, u16, Outcome, bool, u64),
    User(u16, bool),
    Session(u16, Ending, u64),
    Check(u16, u8, bool),
    Observe(u16, u8, f64),
    /// By archetype and number; whether it passed, how long it took in all and without pauses. `None`: it is cut.
    Transaction(u16, u8, Option<(bool, u64, u64)>),
    Redirected(u16, u16, bool, u64),
    /// By archetype, reason and place.
    Abandoned(u16, u8, Option<u8>),
    Guest(u16, u64),
    Lag(u64),
}

impl Event {
    pub fn record(&self, to: &mut Recorder) {
        match *self {
            Event::Request(archetype, route, category, outcome, expected, micros) => {
                if !matches!(outcome, Outcome::Failed(failure) if failure.not_sent().is_some()) {
                    to.sent(role(archetype), route);
                }
                to.request(&RequestSample {
                    category,
                    outcome,
                    expected,
                    latency: Duration::from_micros(micros),
                    phases: phases(micros, micros % 3 == 0),
                    bytes_received: micros % 1_000,
                    ..sample(archetype, route)
                })
            }
            Event::User(archetype, true) => to.user_started(archetype),
            Event::User(archetype, false) => to.user_finished(archetype),
            Event::Session(archetype, ending, millis) => {
                to.session_started(role(archetype));
                to.session_ended(role(archetype), ending, Duration::from_millis(millis));
            }
            Event::Check(archetype, name, passed) => {
                to.check(archetype, &format!("check {name}"), passed)
            }
            Event::Observe(archetype, name, value) => {
                to.observe(archetype, &format!("metric {name}"), value)
            }
            Event::Transaction(archetype, name, Some((passed, millis, active))) => {
                let span = Span {
                    duration: Duration::from_millis(millis),
                    active: Duration::from_micros(active),
                };
                to.transaction(archetype, &format!("transaction {name}"), passed, span);
            }
            Event::Transaction(archetype, name, None) => {
                to.transaction_cut(archetype, &format!("transaction {name}"));
            }
            Event::Redirected(archetype, route, passed, micros) => {
                to.redirected(archetype, route, passed, Duration::from_micros(micros));
            }
            Event::Abandoned(archetype, reason, place) => {
                let place = place.map(|place| format!("place {place}"));
                to.abandoned(archetype, &format!("reason {reason}"), place.as_deref());
            }
            Event::Guest(archetype, nanos) => {
                to.guest_call(role(archetype), Duration::from_nanos(nanos));
                to.instance_built(role(archetype));
                to.trap(role(archetype));
            }
            Event::Lag(micros) => to.lag(Duration::from_micros(micros)),
        }
    }
}

/// Any event that fits [`catalog`].
pub fn event() -> impl Strategy<Value = Event> {
    let outcome = prop_oneof![
        (0..1_200u16).prop_map(Outcome::Status),
        prop::sample::select(Failure::ALL.to_vec()).prop_map(Outcome::Failed)
    ];
    let ending = prop::sample::select(Ending::ALL.to_vec());
    prop_oneof![
        8 => (0..2u16, 0..5u16, 0..5u16, outcome, any::<bool>(), 0..100_000_000u64)
            .prop_map(|(a, r, c, o, e, l)| Event::Request(a, r, c, o, e, l)),
        1 => (0..2u16, any::<bool>()).prop_map(|(a, on)| Event::User(a, on)),
        1 => (0..2u16, ending, 0..100_000_000u64).prop_map(|(a, e, l)| Event::Session(a, e, l)),
        1 => (0..2u16, 0..9u8, any::<bool>()).prop_map(|(a, n, p)| Event::Check(a, n, p)),
        1 => (0..2u16, 0..9u8, -1e6..1e6f64).prop_map(|(a, n, v)| Event::Observe(a, n, v)),
        1 => (0..2u16, 0..3u8, prop::option::weighted(0.8, (any::<bool>(), 0..200_000u64, 0..100_000_000u64)))
            .prop_map(|(a, n, ended)| Event::Transaction(a, n, ended)),
        1 => (0..2u16, 0..3u8, prop::option::of(0..3u8)).prop_map(|(a, r, p)| Event::Abandoned(a, r, p)),
        1 => (0..2u16, 0..5u16, any::<bool>(), 0..100_000_000u64)
            .prop_map(|(a, r, p, t)| Event::Redirected(a, r, p, t)),
        1 => (0..2u16, 0..10_000_000u64).prop_map(|(a, t)| Event::Guest(a, t)),
        1 => (0..1_000_000u64).prop_map(Event::Lag),
    ]
}
