//! What the other shards of a run count, as shard 0 takes it in: seconds of figures, and how they stand. Sent by their totals,
//! added to those of shard 0, as if each shard were one more worker.
//!
//! What must stay true: what comes from another process is looked at as a whole before any of it counts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::merge::{MOST, Merge as _};
use super::{Catalog, Interval, Process, WorkerStatus};

/// One second of all of a shard's workers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShardSecond {
    /// The second of the run, from 0.
    pub(super) second: u64,
    /// All of its workers had handed it in.
    pub(super) is_complete: bool,
    pub(super) counts: Interval,
}

/// How a shard stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShardState {
    /// By worker.
    pub(super) workers: Vec<WorkerStatus>,
    /// Its process, with the CPU time since the start of the run.
    pub(super) process: Process,
    /// Cores that its workers can keep busy at most.
    pub(super) cores: usize,
}

impl ShardSecond {
    pub(super) fn fits(&self, catalog: &Catalog, now: u64) -> bool {
        self.second <= now + AHEAD && self.counts.fits(catalog)
    }
}

/// Seconds that a shard may be ahead: its clock is another one.
const AHEAD: u64 = 60;

impl ShardState {
    /// Of a shard with so many workers.
    pub(super) fn of(workers: usize) -> ShardState {
        ShardState {
            workers: vec![WorkerStatus::default(); workers],
            ..ShardState::default()
        }
    }

    pub(super) fn fits(&self, like: &ShardState) -> bool {
        let is_sound = |one: &WorkerStatus| {
            let logins = one
                .logins
                .iter()
                .flat_map(|l| [l.unplanned, l.planned, l.bound]);
            one.pace.is_finite()
                && one.remaining.unwrap_or_default().fits(&Duration::ZERO)
                && logins
                    .chain([one.coroutines, one.held])
                    .all(|count| count <= MOST)
        };
        let Process {
            rss,
            open_files,
            open_sockets,
            threads,
            cpu,
            ..
        } = self.process;
        self.workers.len() == like.workers.len()
            && self.workers.iter().all(is_sound)
            && [rss, open_files, open_sockets, threads]
                .iter()
                .all(|count| *count <= MOST)
            && cpu.fits(&Duration::ZERO)
            && self.cores <= self.workers.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{catalog, role, sample};
    use crate::{Recorder, Totals};
    use vespeiro_model::{Clock, Failure, Outcome};

    const SECOND: Duration = Duration::from_secs(1);

    /// Requests as (archetype, microseconds, whether it failed), each counted where it is sent.
    fn record(recorder: &mut Recorder, requests: &[(u16, u64, bool)]) {
        for (archetype, micros, fails) in requests {
            recorder.sent(role(*archetype), 0);
            recorder.request(&crate::RequestSample {
                outcome: if *fails {
                    Outcome::Failed(Failure::Timeout)
                } else {
                    Outcome::Status(200)
                },
                latency: Duration::from_micros(*micros),
                ..sample(*archetype, 0)
            });
            recorder.check(*archetype, "named", !fails);
            recorder.observe(*archetype, "seen", *micros as f64 - 9e3);
            recorder.session_started(role(*archetype));
        }
    }

    fn totals() -> Totals {
        Totals::new(catalog(), 1, Process::default(), Clock::system())
    }

    fn hand_over(from: &mut Recorder, to: &mut Totals, now: Duration) {
        from.roll(now);
        for _ in 0..from.due() {
            let mut interval = from.hand_over();
            to.take_in(&mut interval);
            from.recycle(interval);
        }
    }

    /// Plays the seconds on one worker; what there is to tell of them, as bytes.
    fn told(seconds: &[Vec<(u16, u64, bool)>]) -> Vec<Vec<u8>> {
        let mut recorder = Recorder::new(catalog(), 0, Clock::system());
        let mut totals = totals().telling();
        for (at, requests) in seconds.iter().enumerate() {
            recorder.roll(SECOND * at as u32);
            record(&mut recorder, requests);
            hand_over(&mut recorder, &mut totals, SECOND * (at as u32 + 1));
            while totals
                .next_second(SECOND * (at as u32 + 1), || {})
                .is_some()
            {}
        }
        totals.close();
        let untold = totals.take_untold();
        untold
            .iter()
            .map(|second| postcard::to_allocvec(second).unwrap())
            .collect()
    }

    fn request() -> impl Strategy<Value = (u16, u64, bool)> {
        (0..2u16, 1..90_000_000u64, any::<bool>())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Two shards' seconds, over the wire, are what one process counts that does all of it.
        #[test]
        fn seconds_of_shards_add_up_to_those_of_one_process(
            mine in prop::collection::vec(prop::collection::vec(request(), 0..9), 3),
            theirs in prop::collection::vec(prop::collection::vec(request(), 0..9), 3),
        ) {
            let (mut whole, mut alone) = (totals().with_shards(&[1]), totals());
            let mut own = Recorder::new(catalog(), 0, Clock::system());
            let mut one = Recorder::new(catalog(), 0, Clock::system());
            for bytes in told(&theirs) {
                let second: ShardSecond = postcard::from_bytes(&bytes).unwrap();
                prop_assert!(whole.take_in_of_shard(0, &second));
            }
            for (at, (mine, theirs)) in mine.iter().zip(&theirs).enumerate() {
                let (begins, ends) = (SECOND * at as u32, SECOND * (at as u32 + 1));
                own.roll(begins);
                record(&mut own, mine);
                hand_over(&mut own, &mut whole, ends);
                one.roll(begins);
                record(&mut one, mine);
                record(&mut one, theirs);
                hand_over(&mut one, &mut alone, ends);
                prop_assert_eq!(whole.next_second(ends, || {}), Some(ends));
                prop_assert_eq!(alone.next_second(ends, || {}), Some(ends));
                let [whole, alone] = [&mut whole, &mut alone].map(|one| one.snapshot(ends, Process::default()));
                prop_assert!(whole.is_complete);
                prop_assert_eq!(whole.total().results(), alone.total().results());
                prop_assert_eq!(whole.total().latency().to_base64(), alone.total().latency().to_base64());
                prop_assert_eq!(whole.sent(), alone.sent());
                prop_assert_eq!(whole.sessions().started, alone.sessions().started);
                let named = |of: &crate::Snapshot| of.archetypes.iter().map(|a| format!("{:?}", a.checks.sorted())).collect::<Vec<_>>();
                prop_assert_eq!(named(&whole), named(&alone));
                prop_assert_eq!((whole.workers, alone.workers), (2, 1));
            }
        }

        /// Whatever the bytes are: they are refused, or what is taken of them can be added up, shown and summed again.
        #[test]
        fn bytes_of_others_are_refused_or_harmless(
            seconds in prop::collection::vec(prop::collection::vec(request(), 0..5), 1..3),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(), cuts in any::<bool>(),
        ) {
            let mut totals = totals().with_shards(&[1]);
            for mut bytes in told(&seconds) {
                for (at, to) in &flips {
                    let at = at.index(bytes.len());
                    bytes[at] = *to;
                }
                if cuts {
                    bytes.truncate(cut.index(bytes.len()));
                }
                if let Ok(second) = postcard::from_bytes::<ShardSecond>(&bytes) {
                    totals.take_in_of_shard(0, &second);
                    totals.take_in_of_shard(0, &second);
                }
                if let Ok(state) = postcard::from_bytes::<ShardState>(&bytes) {
                    totals.shard_stands(0, state);
                }
            }
            totals.close();
            let snapshot = totals.snapshot(SECOND, Process::default());
            let total = snapshot.total();
            prop_assert!(total.latency().quantile(0.99) <= total.latency().max());
            prop_assert!(total.requests() < 1 << 52);
            for counts in &snapshot.archetypes {
                for (_, seen) in counts.observed.sorted() {
                    prop_assert!(seen.quantile(0.5).is_finite() && seen.mean().is_finite());
                }
            }
        }
    }
}
