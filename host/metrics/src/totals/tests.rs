//! Tests of the totals: the same however the run is split among workers and intervals, and over swaps.

use proptest::prelude::*;

use super::*;
use crate::testing::{Event, catalog, event, sample, version};
use crate::{MAX_VERSIONS, Recorder, RequestSample, RouteLabel, UNKNOWN};

fn process(cpu_ms: u64) -> Process {
    Process {
        cpu: Duration::from_millis(cpu_ms),
        ..Process::default()
    }
}

/// Everything countable of a snapshot, in a comparable form.
fn digest(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    for counts in &snapshot.archetypes {
        for series in &counts.routes {
            text += &format!(
                "{:?} {} {} {} {:?}\n",
                series.results(),
                series.bytes_sent(),
                series.bytes_received(),
                series.latency().to_base64(),
                series.latency().sum(),
            );
        }
        for phases in &counts.phases {
            for (phase, timing) in phases.used() {
                text += &format!("{phase} {} {:?}\n", timing.to_base64(), timing.sum());
            }
        }
        text += &format!(
            "{:?} {:?} {}\n",
            counts.categories,
            counts.not_sent,
            counts.users_active()
        );
        for ending in Ending::ALL {
            text += &format!("{} ", counts.behavior.sessions.ended(ending).to_base64());
        }
        text += &format!(
            "{} {} {}\n",
            counts.behavior.sessions.started,
            counts.behavior.instances_built,
            counts.behavior.traps
        );
        text += &format!(
            "{:?} {}\n",
            counts.checks.sorted(),
            counts.behavior.guest_calls.to_base64()
        );
        for (reason, places) in counts.given_up.sorted() {
            text += &format!("{reason} {:?}\n", places.sorted());
        }
        for (name, one) in counts.transactions() {
            let times = [one.active().to_base64(), one.duration().to_base64()];
            text += &format!(
                "{name} {} {} {} {times:?}\n",
                one.passed(),
                one.failed(),
                one.cut
            );
        }
        for (name, observed) in counts.observed.sorted() {
            text += &format!("{name} {} {:?}\n", observed.count(), observed.quantile(0.9));
        }
    }
    for version in &snapshot.versions {
        text += &format!(
            "{:?} {:?} {} {}\n",
            version.role,
            version.counts.requests.results(),
            version.counts.behavior.sessions.started,
            version.counts.behavior.guest_calls.to_base64(),
        );
    }
    text + &snapshot.run.lag.to_base64()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_among_workers_and_intervals_gives_the_same_totals(
        events in prop::collection::vec((event(), 0..3usize, any::<bool>()), 0..200),
        backwards in any::<bool>(),
    ) {
        let catalog = catalog();
        let mut alone = Recorder::new(catalog.clone(), 0, Clock::system());
        let mut workers: Vec<Recorder> = (0..3).map(|w| Recorder::new(catalog.clone(), w, Clock::system())).collect();
        let mut handed_over = Vec::new();
        for (event, worker, hand_over) in &events {
            Event::record(event, &mut alone);
            Event::record(event, &mut workers[*worker]);
            if *hand_over {
                handed_over.push(workers[*worker].take(Interval::new(&catalog)));
            }
        }
        handed_over.extend(workers.iter_mut().map(|w| w.take(Interval::new(&catalog))));
        if backwards {
            handed_over.reverse();
        }

        let mut one = Totals::new(catalog.clone(), 1, Process::default(), Clock::system());
        one.absorb(&mut alone.take(Interval::new(&catalog)));
        let mut many = Totals::new(catalog.clone(), 3, Process::default(), Clock::system());
        let mut held = None;
        for interval in &mut handed_over {
            many.absorb(interval);
            // A reader that still resilience an older snapshot must not disturb the totals.
            held = Some(many.snapshot(Duration::from_secs(1), Process::default()));
        }
        drop(held);
        let end = Duration::from_secs(2);
        prop_assert_eq!(
            digest(&one.snapshot(end, Process::default())),
            digest(&many.snapshot(end, Process::default()))
        );
    }

    #[test]
    fn a_recycled_interval_carries_nothing_over(events in prop::collection::vec(event(), 0..50)) {
        let catalog = catalog();
        let mut recorder = Recorder::new(catalog.clone(), 0, Clock::system());
        events.iter().for_each(|e| e.record(&mut recorder));
        let mut totals = Totals::new(catalog.clone(), 1, Process::default(), Clock::system());
        let mut interval = recorder.take(Interval::new(&catalog));
        totals.absorb(&mut interval);
        let before = digest(&totals.snapshot(Duration::from_secs(1), Process::default()));
        totals.absorb(&mut interval);
        prop_assert_eq!(before, digest(&totals.snapshot(Duration::from_secs(1), Process::default())));
    }
}

/// A catalog that has taken in a behavior with a route and a category of its own.
fn grown(catalog: &Catalog) -> (Arc<Catalog>, Role) {
    let mut catalog = catalog.clone();
    let category = catalog.add_category("brand-new");
    let route = RouteLabel {
        method: "GET".into(),
        path: "/brand/new".into(),
        category,
        target: 0,
    };
    catalog.add_route(0, route);
    let number = catalog.add_version(version(0, "fedcba"));
    catalog.share_out(0, &[(number, 1.0)]);
    let role = catalog.version(number).unwrap().role();
    (Arc::new(catalog), role)
}

#[test]
fn a_catalog_that_grows_moves_nothing_that_was_counted() {
    let before = catalog();
    let (after, role) = grown(&before);
    let mut recorder = Recorder::new(before.clone(), 0, Clock::system());
    let mut slow = Recorder::new(before.clone(), 1, Clock::system());
    let mut totals = Totals::new(before.clone(), 2, Process::default(), Clock::system());
    let unknown = RequestSample {
        category: UNKNOWN,
        ..sample(0, UNKNOWN)
    };
    recorder.request(&sample(0, 2));
    recorder.request(&unknown);
    totals.adopt(after.clone());
    recorder.adopt(after.clone());
    recorder.request(&RequestSample {
        role,
        category: 3,
        ..sample(0, 3)
    });
    recorder.request(&unknown);
    // A worker that has not heard of the swap yet, and an interval that is older still.
    slow.request(&unknown);
    totals.absorb(&mut slow.take(Interval::new(&before)));
    totals.absorb(&mut recorder.take(Interval::new(&before)));
    recorder.request(&unknown);
    totals.absorb(&mut recorder.take(Interval::new(&before)));

    let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
    let by_route: Vec<(String, u64)> = snapshot
        .by_route()
        .into_iter()
        .map(|r| (r.path, r.group.requests()))
        .collect();
    let expected = [("/api/v1/users", 1), ("/brand/new", 1), ("other", 4)];
    assert_eq!(by_route, expected.map(|(path, n)| (path.to_owned(), n)));
    let categories = snapshot.by_category();
    assert_eq!(categories[3..], [("brand-new", 1), ("other", 4)]);
    let versions: Vec<u64> = snapshot
        .versions_of(0)
        .map(|v| v.counts.requests.requests())
        .collect();
    assert_eq!(versions, [5, 1]);
}

#[test]
fn versions_beyond_the_bound_are_counted_together() {
    let mut totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
    let mut recorder = Recorder::new(catalog(), 0, Clock::system());
    let mut labels = (*catalog()).clone();
    let mut interval = Interval::new(&labels);
    for swap in 0..200 {
        let number = labels.add_version(version(0, &format!("{swap}")));
        labels.share_out(0, &[(number, 1.0)]);
        let next = Arc::new(labels.clone());
        totals.adopt(next.clone());
        recorder.adopt(next);
        let role = labels.version(number).unwrap().role();
        recorder.request(&RequestSample {
            role,
            ..sample(0, 0)
        });
        interval = recorder.take(interval);
        totals.absorb(&mut interval);
    }
    // Somebody still plays on the first one, long forgotten.
    recorder.request(&sample(0, 0));
    totals.absorb(&mut recorder.take(interval));
    let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
    let requests = |v: &VersionTotal| v.counts.requests.requests();
    let of_all: u64 = snapshot.versions_of(0).map(requests).sum();
    assert_eq!((of_all, snapshot.requests()), (201, 201));
    assert_eq!(snapshot.versions_of(0).count(), MAX_VERSIONS + 1);
    let older = snapshot.versions_of(0).next().unwrap();
    assert!(older.is_older());
    assert_eq!(requests(older), 137);
}

#[test]
fn a_second_is_added_in_place_where_nobody_holds_a_snapshot() {
    let mut totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
    let mut recorder = Recorder::new(catalog(), 0, Clock::system());
    let mut added_to = |keep: bool| {
        let second = totals.counted_until() + Duration::from_secs(1);
        recorder.request(&sample(0, 0));
        recorder.roll(second);
        totals.take_in(&mut recorder.hand_over());
        let held = totals.snapshot(second, process(0));
        let before = Arc::as_ptr(&held.archetypes[0]);
        let mut held = Some(held);
        let added = totals.next_second(second, || drop(held.take_if(|_| !keep)));
        assert_eq!(added, Some(second));
        let after = totals.snapshot(second, process(0));
        Arc::as_ptr(&after.archetypes[0]) == before
    };
    assert!(added_to(false));
    assert!(!added_to(true), "who holds one keeps it as it was");
}

#[test]
fn rates_are_those_of_the_counters() {
    let catalog = catalog();
    let mut recorder = Recorder::new(catalog.clone(), 0, Clock::system());
    let mut totals = Totals::new(catalog.clone(), 1, process(1_000), Clock::system());
    (0..10).for_each(|_| recorder.request(&sample(0, 0)));
    totals.absorb(&mut recorder.take(Interval::new(&catalog)));
    let looked = Process {
        at: Duration::from_secs(2),
        ..process(2_000)
    };
    let snapshot = totals.snapshot(Duration::from_secs(2), looked);
    let rate = snapshot.rates.interval;
    assert_eq!((rate.over, rate.requests), (Duration::from_secs(2), 5.0));
    let bytes = snapshot.bytes_received() as f64;
    assert_eq!(
        (rate.errors, rate.bytes_received),
        (snapshot.errors() as f64 / 2.0, bytes / 2.0)
    );
    assert_eq!(rate.cores, 0.5);
}

#[test]
fn the_activity_ring_keeps_the_latest() {
    let catalog = catalog();
    let mut recorder = Recorder::new(catalog.clone(), 0, Clock::system());
    let mut totals = Totals::new(catalog.clone(), 1, Process::default(), Clock::system());
    let mut interval = Interval::new(&catalog);
    for user in 0..70 {
        recorder.request(&crate::RequestSample {
            user,
            ..crate::testing::sample(0, 0)
        });
        interval = recorder.take(interval);
        totals.absorb(&mut interval);
    }
    let users: Vec<u32> = totals
        .snapshot(Duration::from_secs(1), Process::default())
        .activity
        .iter()
        .map(|a| a.user)
        .collect();
    assert_eq!(users, (20..70).collect::<Vec<_>>());
}
