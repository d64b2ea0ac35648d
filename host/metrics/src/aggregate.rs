//! The figures of a selection of the requests, and the part of them that fell into a window of time. Used by the engine's
//! guard, the time series and the summary's sampler.
//!
//! What must stay true: a window has a bounded number of slots, whatever its length.

use std::collections::VecDeque;
use std::time::Duration;

use super::merge::{Merge as _, counts};
use super::timing::Cells;
use super::{ResultCount, Scale, Snapshot, Timing};
use vespeiro_model::{Ending, OutcomeKind};
use vespeiro_plan::{Metric, Pauses, Selector};

/// Slots that a window is made of; one more is being filled.
const SLOTS: u32 = 60;
/// Finest slot.
const SHORTEST: Duration = Duration::from_secs(1);

counts! {
    /// Sums over some series.
    #[derive(Debug, Clone)]
    pub struct Aggregate {
        /// The time in which it came together.
        pub over: Duration,
        /// The part of it in which requests could leave.
        pub sending: Duration,
        /// Requests that left.
        pub sent: u64,
        /// Requests that got their outcome.
        pub requests: u64,
        /// Those whose status is selected: all of them where none is.
        pub selected: u64,
        /// Requests without a status below 400, whoever is to blame; of a selected status where one is.
        pub failures: u64,
        /// Failures that nobody asked for; of a selected status where one is.
        pub errors: u64,
        /// Failures that the tool asked for.
        pub injected: u64,
        /// Requests that never left.
        pub not_sent: u64,
        /// Arrivals that found no user in time.
        pub dropped: u64,
        pub checks_passed: u64,
        pub checks_failed: u64,
        /// Sessions that ended by themselves: all but those that the host has cut.
        pub sessions_ended: u64,
        pub sessions_completed: u64,
        pub sessions_failed: u64,
        pub sessions_crashed: u64,
        pub transactions_passed: u64,
        pub transactions_failed: u64,
        pub bytes_sent: u64,
        pub bytes_received: u64,
        /// Of the requests; of successes or failures where an outcome is selected, of those that spent time in it where a
        /// phase is. Of the transactions instead, where some are selected.
        pub latency: Timing = Timing::new(Scale::Micros),
    }
}

impl Aggregate {
    /// What `selector` picks of everything since the start of the run.
    pub fn of(snapshot: &Snapshot, selector: &Selector) -> Aggregate {
        let catalog = &snapshot.catalog;
        let picks = |archetype, route| {
            let (method, path) = catalog.route(archetype, route);
            let category = catalog.category_of(archetype, route);
            let target = catalog.target(catalog.target_of(archetype, route));
            let archetype = catalog.archetype(archetype);
            selector.picks(archetype, method, path, category, target)
        };
        let group = snapshot.group(picks);
        let latency = match (selector.phase, selector.outcome) {
            _ if selector.names_transactions() => of_transactions(snapshot, selector),
            (Some(phase), _) => snapshot.phases(picks).of(phase).clone(),
            (None, Some(kind)) => group.latency_of(kind).clone(),
            (None, None) => group.latency().into_owned(),
        };
        let of_status = |kind: fn(&ResultCount) -> bool| {
            group.count(|r| selector.picks_status(r.outcome) && kind(r))
        };
        let mut sum = Aggregate {
            over: snapshot.elapsed,
            sending: snapshot.sending,
            requests: group.requests(),
            selected: of_status(|_| true),
            failures: of_status(|result| !result.is_good()),
            errors: of_status(ResultCount::is_error),
            injected: group.injected(),
            dropped: snapshot.run.arrivals.dropped,
            bytes_sent: group.bytes_sent(),
            bytes_received: group.bytes_received(),
            latency,
            ..Aggregate::default()
        };
        for (archetype, counts) in snapshot.archetypes.iter().enumerate() {
            let sent = counts.sent.iter().zip(0u16..);
            let picked = sent.filter(|(_, route)| picks(archetype as u16, *route));
            sum.sent += picked.map(|(sent, _)| sent).sum::<u64>();
            if selector.picks_archetype(catalog.archetype(archetype as u16)) {
                sum.not_sent += counts.not_sent.iter().sum::<u64>();
                for (name, check) in counts.checks.sorted() {
                    if selector.picks_check(name) {
                        sum.checks_passed += check.passed;
                        sum.checks_failed += check.failed;
                    }
                }
                for (name, one) in counts.transactions() {
                    if selector.picks_transaction(catalog.archetype(archetype as u16), &name) {
                        sum.transactions_passed += one.passed();
                        sum.transactions_failed += one.failed();
                    }
                }
                let ended = |ending| counts.behavior.sessions.ended(ending).count();
                let by_itself = Ending::ALL.iter().filter(|it| **it != Ending::Cut);
                sum.sessions_ended += by_itself.map(|it| ended(*it)).sum::<u64>();
                sum.sessions_completed += ended(Ending::Completed);
                sum.sessions_failed += ended(Ending::Failed);
                sum.sessions_crashed += ended(Ending::Crashed);
            }
        }
        sum
    }

    /// Adds what happened in another time.
    pub fn add(&mut self, other: &Aggregate) {
        self.merge(other);
    }

    /// What was added to an earlier state.
    pub fn since(&self, earlier: &Aggregate) -> Aggregate {
        let less = u64::saturating_sub;
        Aggregate {
            over: self.over.saturating_sub(earlier.over),
            sending: self.sending.saturating_sub(earlier.sending),
            sent: less(self.sent, earlier.sent),
            requests: less(self.requests, earlier.requests),
            selected: less(self.selected, earlier.selected),
            failures: less(self.failures, earlier.failures),
            errors: less(self.errors, earlier.errors),
            injected: less(self.injected, earlier.injected),
            not_sent: less(self.not_sent, earlier.not_sent),
            dropped: less(self.dropped, earlier.dropped),
            checks_passed: less(self.checks_passed, earlier.checks_passed),
            checks_failed: less(self.checks_failed, earlier.checks_failed),
            sessions_ended: less(self.sessions_ended, earlier.sessions_ended),
            sessions_completed: less(self.sessions_completed, earlier.sessions_completed),
            sessions_failed: less(self.sessions_failed, earlier.sessions_failed),
            sessions_crashed: less(self.sessions_crashed, earlier.sessions_crashed),
            transactions_passed: less(self.transactions_passed, earlier.transactions_passed),
            transactions_failed: less(self.transactions_failed, earlier.transactions_failed),
            bytes_sent: less(self.bytes_sent, earlier.bytes_sent),
            bytes_received: less(self.bytes_received, earlier.bytes_received),
            latency: self.latency.since(&earlier.latency),
        }
    }

    /// The value of a metric: in seconds, as a share of 1, per second, or a number. `None` where nothing has happened that
    /// it could be made of.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        let quantile =
            |q| (!self.latency.is_empty()).then(|| self.latency.quantile(q).as_secs_f64());
        let time = |d: Duration| (!self.latency.is_empty()).then_some(d.as_secs_f64());
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let rate = |count: u64, time: Duration| {
            (!time.is_zero()).then(|| count as f64 / time.as_secs_f64())
        };
        match metric {
            Metric::P50 => quantile(0.5),
            Metric::P75 => quantile(0.75),
            Metric::P90 => quantile(0.9),
            Metric::P95 => quantile(0.95),
            Metric::P99 => quantile(0.99),
            Metric::P999 => quantile(0.999),
            Metric::Mean => time(self.latency.mean()),
            Metric::Min => time(self.latency.min()),
            Metric::Max => time(self.latency.max()),
            Metric::ErrorRate => share(self.errors, self.requests),
            Metric::FailureRate => share(self.failures, self.requests),
            Metric::Checks => share(self.checks_passed, self.checks_passed + self.checks_failed),
            Metric::Rate => rate(self.sent, self.sending),
            Metric::Throughput => rate(self.selected, self.over),
            Metric::Requests => Some(self.selected as f64),
            Metric::Errors => Some(self.errors as f64),
            Metric::NotSent => Some(self.not_sent as f64),
            Metric::Dropped => Some(self.dropped as f64),
            Metric::FailedSessions => share(self.sessions_failed, self.sessions_ended),
            Metric::CrashedSessions => share(self.sessions_crashed, self.sessions_ended),
            Metric::CompletedSessions => share(self.sessions_completed, self.sessions_ended),
            Metric::Transactions => Some(self.transactions() as f64),
            Metric::FailedTransactions => share(self.transactions_failed, self.transactions()),
        }
    }

    fn transactions(&self) -> u64 {
        self.transactions_passed + self.transactions_failed
    }

    /// An empty one for the times that a selector picks: those with pauses are counted in milliseconds.
    pub fn empty(selector: &Selector) -> Aggregate {
        let scale = match selector.pauses {
            Some(Pauses::With) => Scale::Millis,
            _ => Scale::Micros,
        };
        Aggregate {
            latency: Timing::new(scale),
            ..Aggregate::default()
        }
    }
}

/// Times of the transactions that a selector picks.
fn of_transactions(snapshot: &Snapshot, selector: &Selector) -> Timing {
    let mut sum = Aggregate::empty(selector).latency;
    let archetypes = snapshot.catalog.archetypes.iter().zip(&snapshot.archetypes);
    for (labels, counts) in archetypes {
        for (name, one) in counts.transactions() {
            if !selector.picks_transaction(&labels.name, &name) {
                continue;
            }
            let kinds = OutcomeKind::ALL.into_iter();
            for kind in kinds.filter(|kind| selector.outcome.is_none_or(|it| it == *kind)) {
                sum.merge(match selector.pauses {
                    Some(Pauses::With) => one.duration_of(kind),
                    _ => one.active_of(kind),
                });
            }
        }
    }
    sum
}

/// The last stretch of a run, in slots.
#[derive(Debug)]
pub struct SlidingWindow {
    span: Duration,
    slot: Duration,
    /// Everything up to the end of the last slot.
    newest: Aggregate,
    slots: VecDeque<Slot>,
}

/// What happened between two looks. Its latency has no memory but for the cells in use.
#[derive(Debug)]
struct Slot {
    counts: Aggregate,
    latency: Cells,
}

impl SlidingWindow {
    /// Of the last `span` of a run.
    pub fn new(span: Duration) -> SlidingWindow {
        SlidingWindow {
            span,
            slot: (span / SLOTS).max(SHORTEST),
            newest: Aggregate::default(),
            slots: VecDeque::new(),
        }
    }

    /// Everything that has happened before does not count.
    pub fn begin(&mut self, total: Aggregate) {
        self.newest = total;
        self.slots.clear();
    }

    /// Take in the state of the run at the end of a second.
    pub fn advance(&mut self, total: Aggregate) {
        let mut counts = total.since(&self.newest);
        if counts.over < self.slot {
            return;
        }
        let latency = counts.latency.take_cells();
        self.slots.push_back(Slot { counts, latency });
        self.newest = total;
        while let Some(oldest) = self.slots.front()
            && self.covered() - oldest.counts.over >= self.span
        {
            self.slots.pop_front();
        }
    }

    /// What has happened in the window; `None` before it is full.
    pub fn full(&self) -> Option<Aggregate> {
        if self.covered() < self.span {
            return None;
        }
        let mut sum = Aggregate {
            latency: Timing::new(self.newest.latency.scale()),
            ..Aggregate::default()
        };
        for slot in &self.slots {
            sum.merge(&slot.counts);
            sum.latency.add_cells(&slot.latency);
        }
        Some(sum)
    }

    fn covered(&self) -> Duration {
        self.slots.iter().map(|slot| slot.counts.over).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::snapshot;

    fn aggregate(over: Duration, latencies: &[u64], errors: u64) -> Aggregate {
        let mut sum = Aggregate {
            over,
            sending: over,
            requests: latencies.len() as u64,
            errors,
            ..Aggregate::default()
        };
        let record = |ms: &u64| sum.latency.record(Duration::from_millis(*ms));
        latencies.iter().for_each(record);
        sum
    }

    proptest! {
        /// Against a list of everything, summed up the slow and obvious way.
        #[test]
        fn a_window_has_what_happened_in_it(
            seconds in prop::collection::vec((prop::collection::vec(1..60_000u64, 0..9), 0..3u64), 1..40),
            span in 1..20u64,
        ) {
            let mut window = SlidingWindow::new(Duration::from_secs(span));
            let (mut all, mut errors) = (Vec::new(), 0);
            for (n, (latencies, failed)) in seconds.iter().enumerate() {
                all.extend(latencies);
                errors += failed;
                window.advance(aggregate(Duration::from_secs(n as u64 + 1), &all, errors));
                let full = window.full();
                prop_assert_eq!(full.is_some(), n as u64 + 1 >= span);
                let Some(sum) = full else { continue };
                prop_assert_eq!(sum.over, Duration::from_secs(span));
                let last = &seconds[n + 1 - span as usize..=n];
                let expected: Vec<u64> = last.iter().flat_map(|(l, _)| l.clone()).collect();
                let expected = aggregate(sum.over, &expected, last.iter().map(|(_, e)| e).sum());
                prop_assert_eq!((sum.requests, sum.errors), (expected.requests, expected.errors));
                prop_assert_eq!(sum.latency.to_base64(), expected.latency.to_base64());
                prop_assert_eq!(sum.latency.sum(), expected.latency.sum());
                for metric in [Metric::Min, Metric::Mean] {
                    prop_assert_eq!(sum.value(metric), expected.value(metric));
                }
                // The window may know its largest value by its cell alone.
                for metric in [Metric::P50, Metric::P95, Metric::Max] {
                    let values = [sum.value(metric), expected.value(metric)].map(Option::unwrap_or_default);
                    prop_assert!((values[0] - values[1]).abs() <= values[1] * 0.001, "{metric:?}: {values:?}");
                }
            }
            prop_assert!(window.slots.len() <= SLOTS as usize + 1);
        }
    }

    #[test]
    fn a_long_window_has_no_more_slots_than_a_short_one() {
        let mut window = SlidingWindow::new(Duration::from_secs(3600));
        for second in 1..10_000 {
            let mut total = aggregate(Duration::from_secs(second), &[7], 0);
            total.requests = second;
            window.advance(total);
        }
        assert_eq!(window.slots.len(), SLOTS as usize);
        assert_eq!(window.full().unwrap().requests, 3600);
    }

    #[test]
    fn a_selector_narrows_an_aggregate() {
        let snapshot = snapshot();
        // Any condition on times, counts or shares that takes these fields.
        let of = |condition: &str| {
            let conditions = vespeiro_plan::testing::conditions(condition).unwrap();
            Aggregate::of(&snapshot, &conditions[0].selector)
        };
        let all = of("p95<1s");
        assert_eq!(
            (all.requests, all.errors),
            (snapshot.requests(), snapshot.errors())
        );
        let admin = of("p95{archetype=admin}<1s");
        assert_eq!(admin.requests, snapshot.by_archetype()[1].requests());
        assert_eq!((all.checks_failed, admin.checks_failed), (1, 0));
        let auth = of("p95{category=auth}<1s");
        assert_eq!(auth.requests, snapshot.by_category()[0].1);
        let connect = of("p95{phase=connect}<1s");
        assert_eq!(
            (connect.requests, connect.latency.count()),
            (all.requests, 100)
        );
        let (good, failed) = (of("p95{outcome=success}<1s"), of("p95{outcome=failure}<1s"));
        assert_eq!(failed.latency.count(), all.failures);
        assert_eq!(good.latency.count() + all.failures, all.requests);
        assert_eq!(good.latency.sum() + failed.latency.sum(), all.latency.sum());
        let nobody = of("p95{route=/nowhere}<1s");
        assert_eq!(nobody.value(Metric::P95), None);
        assert_eq!(nobody.value(Metric::ErrorRate), None);
        assert_eq!(nobody.value(Metric::Rate), Some(0.0));
        // The parts are the whole, whatever they are told apart by.
        let (some, rest) = (
            of("p95{route=/api/v1/users*}<1s"),
            of("p95{route!=/api/v1/users*}<1s"),
        );
        assert!(some.requests > 0 && rest.requests > 0);
        assert_eq!(some.requests + rest.requests, all.requests);
        let (bad, other) = (of("requests{status=503}<1"), of("requests{status!=503}<1"));
        assert_eq!(bad.selected + other.selected, all.requests);
        assert_eq!((bad.selected, bad.failures), (bad.errors, bad.errors));
        let share = bad.errors as f64 / all.requests as f64;
        assert_eq!(bad.value(Metric::ErrorRate), Some(share));
        let mine = of("checks{check=\"profile *\"}>1%");
        assert_eq!(
            (mine.checks_failed, of("checks{check=x}>1%").checks_failed),
            (1, 0)
        );
        // 35 passed, 5 failed, and one of redirects; the cut one is in no figure.
        let spans = of("p95{transaction=*}<1s");
        assert_eq!(
            (spans.transactions_passed, spans.transactions_failed),
            (36, 5)
        );
        assert_eq!(spans.latency.count(), 41);
        let signups = of("p95{transaction=\"sign up\"}<1s");
        assert_eq!(signups.value(Metric::FailedTransactions), Some(5.0 / 40.0));
        assert_eq!(signups.latency.max(), Duration::from_millis(800));
        let whole = of("max{transaction=sign*,pauses=with,outcome=failure}<9s");
        assert_eq!(
            (whole.latency.count(), whole.latency.max()),
            (5, Duration::from_millis(3_600))
        );
        assert_eq!(of("p95{transaction=x}<1s").value(Metric::P95), None);
        let mut window = SlidingWindow::new(Duration::from_secs(1));
        window.advance(whole.clone());
        assert_eq!(window.full().unwrap().value(Metric::Max), Some(3.6));
        // 38 completed, 2 abandoned, 1 crashed.
        let sessions = [
            (Metric::CompletedSessions, 38.0 / 41.0),
            (Metric::CrashedSessions, 1.0 / 41.0),
            (Metric::FailedSessions, 0.0),
        ];
        for (metric, share) in sessions {
            assert_eq!(all.value(metric), Some(share), "{metric:?}");
        }
    }
}
