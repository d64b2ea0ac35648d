//! The seconds of a run: what the workers hand over, put together by the second in which it happened. Owned by
//! [`super::Totals`], which take in one second after the other.
//!
//! What must stay true: a second is given out once, in order, and not before every worker has handed it in; a worker that
//! keeps it waiting for longer than [`PATIENCE`] makes it incomplete, and nothing that comes late is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Catalog, Interval, Role, SLOWEST, ShardSecond, VersionCounts};

/// The grid that intervals are cut by, on the run's clock.
pub(super) const SECOND: Duration = Duration::from_secs(1);
/// How long a second that is over waits for a worker.
const PATIENCE: Duration = Duration::from_secs(2);

/// The second of the run, counted from 0, in which this time lies.
pub(super) fn second_of(time: Duration) -> u64 {
    time.as_secs()
}

/// Emptied intervals that are kept to be filled again: each holds the memory of the fullest second that it has had.
pub(super) const MAX_SPARE: usize = 2;

/// One second of all workers.
#[derive(Debug)]
pub(super) struct Second {
    pub(super) counts: Interval,
    /// Its end, since the start of the run.
    pub(super) ends: Duration,
    /// Every worker has handed it in, and nothing of another second is in it.
    pub(super) is_complete: bool,
}

/// See the module's documentation.
#[derive(Debug, Clone)]
pub(super) struct Seconds {
    catalog: Arc<Catalog>,
    slowest: usize,
    /// By worker: how many seconds it has handed in, from the first.
    handed_in: Vec<u64>,
    /// How many were given out.
    given_out: u64,
    open: BTreeMap<u64, OpenSecond>,
    /// Emptied ones, to be filled again.
    spare: Vec<Interval>,
}

#[derive(Debug, Clone)]
struct OpenSecond {
    counts: Interval,
    is_mixed: bool,
}

impl Seconds {
    /// Of a run with so many workers.
    pub(super) fn new(catalog: Arc<Catalog>, workers: usize) -> Seconds {
        Seconds {
            catalog,
            slowest: SLOWEST,
            handed_in: vec![0; workers],
            given_out: 0,
            open: BTreeMap::new(),
            spare: Vec::new(),
        }
    }

    /// Keep so many of a second's slowest requests.
    pub(super) fn keep(&mut self, slowest: usize) {
        self.slowest = slowest;
    }

    /// Up to where all that has happened was given out, since the start of the run.
    pub(super) fn given_out(&self) -> Duration {
        SECOND * u32::try_from(self.given_out).unwrap_or(u32::MAX)
    }

    /// Take in what a worker hands over, and empty it for its next round.
    pub(super) fn take_in(&mut self, interval: &mut Interval) {
        if let Some(known) = self.handed_in.get_mut(interval.worker) {
            *known = interval.next.max(*known);
        }
        if interval.first < interval.second {
            // A worker that could not hand over for long knows no longer what belongs where.
            for second in interval.first..interval.second {
                self.open(second).is_mixed = true;
            }
        }
        let is_late = interval.first < self.given_out && !interval.is_empty();
        let open = self.open(interval.second);
        open.is_mixed |= is_late || interval.first < interval.second;
        open.counts.merge(interval);
        interval.reset();
    }

    /// Take in what a shard hands over, as worker number `hand`.
    pub(super) fn take_in_of_shard(&mut self, hand: usize, handed: &ShardSecond) {
        let ShardSecond {
            second,
            is_complete,
            counts,
        } = handed;
        if let Some(known) = self.handed_in.get_mut(hand) {
            *known = (second + 1).max(*known);
        }
        let is_late = *second < self.given_out && !counts.is_empty();
        let open = self.open(*second);
        open.is_mixed |= is_late || !is_complete;
        open.counts.merge(counts);
    }

    /// So many more hand in.
    pub(super) fn joined_by(&mut self, hands: usize) {
        self.handed_in.resize(self.handed_in.len() + hands, 0);
    }

    /// This worker has ended: it hands in nothing more.
    pub(super) fn ended(&mut self, worker: usize) {
        if let Some(known) = self.handed_in.get_mut(worker) {
            *known = u64::MAX;
        }
    }

    /// The next second, if it is over at this time and all have handed it in, or have had time enough to.
    pub(super) fn next(&mut self, now: Duration) -> Option<Second> {
        let ends = self.given_out() + SECOND;
        let all_in = self
            .handed_in
            .iter()
            .all(|seconds| *seconds > self.given_out);
        if now < ends || (!all_in && now < ends + PATIENCE) {
            return None;
        }
        let open = self.open.remove(&self.given_out);
        self.given_out += 1;
        let is_mixed = open.as_ref().is_some_and(|open| open.is_mixed);
        Some(Second {
            counts: open.map_or_else(|| self.empty(), |open| open.counts),
            ends,
            is_complete: all_in && !is_mixed,
        })
    }

    /// All that was not given out, when the run is over: of the second in which it ended.
    pub(super) fn rest(&mut self) -> Interval {
        let mut rest = self.empty();
        for (_, mut open) in std::mem::take(&mut self.open) {
            rest.merge(&open.counts);
            open.counts.reset();
        }
        rest
    }

    /// Take back the counts of a second, emptied.
    pub(super) fn recycle(&mut self, empty: Interval) {
        if self.spare.len() < MAX_SPARE {
            self.spare.push(empty);
        }
    }

    /// What was not given out yet of a version.
    pub(super) fn of_version(&self, role: Role) -> impl Iterator<Item = &VersionCounts> {
        let open = self.open.values();
        open.filter_map(move |open| open.counts.versions.get(role))
    }

    /// The one that is to be filled for a second; for one that was given out, the one that comes next.
    fn open(&mut self, second: u64) -> &mut OpenSecond {
        let second = second.max(self.given_out);
        let Seconds {
            catalog,
            slowest,
            spare,
            open,
            ..
        } = self;
        open.entry(second).or_insert_with(|| OpenSecond {
            counts: empty(spare, catalog, *slowest),
            is_mixed: false,
        })
    }

    fn empty(&mut self) -> Interval {
        empty(&mut self.spare, &self.catalog, self.slowest)
    }
}

/// It is of no worker: the state of none goes with it.
fn empty(spare: &mut Vec<Interval>, catalog: &Catalog, slowest: usize) -> Interval {
    let mut empty = spare.pop().unwrap_or_else(|| Interval::new(catalog));
    empty.worker = usize::MAX;
    empty.slowest.reset(slowest);
    empty
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Recorder;
    use crate::testing::{catalog, role, sample};
    use vespeiro_model::Clock;

    const MILLI: Duration = Duration::from_millis(1);

    fn seconds(workers: usize) -> Seconds {
        Seconds::new(catalog(), workers)
    }

    fn recorders(workers: usize) -> Vec<Recorder> {
        (0..workers)
            .map(|at| Recorder::new(catalog(), at, Clock::system()))
            .collect()
    }

    fn hand_over(from: &mut Recorder, to: &mut Seconds, now: Duration) {
        from.roll(now);
        for _ in 0..from.due() {
            let mut interval = from.hand_over();
            to.take_in(&mut interval);
            from.recycle(interval);
        }
    }

    fn send(from: &mut Recorder, now: Duration) {
        from.roll(now);
        from.sent(role(0), 0);
        from.request(&sample(0, 0));
    }

    fn sent(counts: &Interval) -> u64 {
        counts.archetypes.iter().flat_map(|a| &a.sent).sum()
    }

    proptest! {
        /// Whoever records when, however late it hands over within the patience: each second has what happened in it.
        #[test]
        fn a_second_has_what_happened_in_it(
            moments in prop::collection::vec((0..3usize, 0..6_000u32), 0..300),
            late in prop::collection::vec(0..1_900u32, 3),
        ) {
            let mut moments = moments;
            moments.sort_by_key(|(_, at)| *at);
            let (mut recorders, mut seconds) = (recorders(3), seconds(3));
            let mut rows = Vec::new();
            let mut left = moments.iter().peekable();
            for now in (0..=8_000).step_by(50) {
                while let Some((worker, at)) = left.next_if(|(_, at)| *at < now) {
                    send(&mut recorders[*worker], MILLI * *at);
                }
                for (recorder, late) in recorders.iter_mut().zip(&late) {
                    if (now + late) % 250 < 50 && now >= *late {
                        hand_over(recorder, &mut seconds, MILLI * (now - late));
                    }
                }
                while let Some(second) = seconds.next(MILLI * now) {
                    prop_assert!(second.is_complete);
                    prop_assert_eq!(second.ends, SECOND * (rows.len() as u32 + 1));
                    rows.push(sent(&second.counts));
                }
            }
            prop_assert!(rows.len() >= 6);
            for (n, row) in rows.iter().enumerate() {
                let of = moments.iter().filter(|(_, at)| *at as usize / 1_000 == n);
                prop_assert_eq!(*row, of.count() as u64, "second {}", n);
            }
        }
    }

    #[test]
    fn a_worker_that_hands_nothing_in_is_waited_for_and_no_longer() {
        let (mut recorders, mut seconds) = (recorders(2), seconds(2));
        send(&mut recorders[0], 500 * MILLI);
        send(&mut recorders[1], 600 * MILLI);
        hand_over(&mut recorders[0], &mut seconds, SECOND);
        assert!(seconds.next(SECOND + PATIENCE - MILLI).is_none());
        let first = seconds.next(SECOND + PATIENCE).unwrap();
        assert_eq!((sent(&first.counts), first.is_complete), (1, false));
        // What comes late is in the next second, which says so.
        hand_over(&mut recorders[0], &mut seconds, 2 * SECOND);
        hand_over(&mut recorders[1], &mut seconds, 2 * SECOND);
        let second = seconds.next(SECOND + PATIENCE).unwrap();
        assert_eq!((sent(&second.counts), second.is_complete), (1, false));
        hand_over(&mut recorders[0], &mut seconds, 3 * SECOND);
        hand_over(&mut recorders[1], &mut seconds, 3 * SECOND);
        assert!(seconds.next(SECOND + PATIENCE).unwrap().is_complete);
        assert_eq!(seconds.given_out(), 3 * SECOND);
    }

    #[test]
    fn a_worker_that_has_ended_is_not_waited_for_and_the_rest_is_the_last_second() {
        let (mut recorders, mut seconds) = (recorders(2), seconds(2));
        send(&mut recorders[0], 500 * MILLI);
        send(&mut recorders[1], 1_200 * MILLI);
        for (worker, recorder) in recorders.iter_mut().enumerate() {
            hand_over(recorder, &mut seconds, 1_300 * MILLI);
            hand_over(recorder, &mut seconds, 1_300 * MILLI);
            seconds.ended(worker);
        }
        let now = 1_300 * MILLI;
        assert_eq!(sent(&seconds.next(now).unwrap().counts), 1);
        assert!(seconds.next(now).is_none());
        assert_eq!(sent(&seconds.rest()), 1);
        assert_eq!(sent(&seconds.rest()), 0);
    }

    #[test]
    fn an_orchestrator_that_takes_nothing_costs_bounded_memory_and_no_request() {
        let (mut recorders, mut seconds) = (recorders(1), seconds(1));
        for second in 0..100 {
            send(&mut recorders[0], second * SECOND);
        }
        assert!(recorders[0].due() < 10);
        hand_over(&mut recorders[0], &mut seconds, 100 * SECOND);
        hand_over(&mut recorders[0], &mut seconds, 100 * SECOND);
        let rows: Vec<Second> = std::iter::from_fn(|| seconds.next(100 * SECOND)).collect();
        assert_eq!(rows.len(), 100);
        assert!(
            rows[..8]
                .iter()
                .all(|row| row.is_complete && sent(&row.counts) == 1)
        );
        assert!(rows[8..].iter().all(|row| !row.is_complete));
        let late = rows[8..].iter().map(|row| sent(&row.counts)).sum::<u64>();
        assert_eq!(late + sent(&seconds.rest()), 92);
    }
}
