//! When a behavior is given up on a worker: a pure function of when its calls crashed, how long they took, and how its
//! sessions ended. Kept by `rollout/runtime.rs`, asked by `versions.rs`.
//!
//! What must stay true: one that never crashes is never given up; one that takes its worker's time away from the others is,
//! however seldom it does.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Crashes in a row, without a session that came to its end between them.
const IN_A_ROW: u32 = 10;
/// How far back the other rules look, in seconds.
const WINDOW: usize = 10;
/// Time in the window that crashed calls may take, three times as long as a call may by default: each of those stops all users
/// of the worker, and three in ten seconds still leave 99 of 100 requests of the others within 50 ms.
const TIME_LOST: Duration = Duration::from_millis(300);
/// Fewer crashes than these in the window say nothing about time: a call may be allowed to take a minute.
const SLOW_CRASHES: u32 = 3;
/// Fewer crashes than these in the window say nothing about shares.
const MANY_CRASHES: u32 = 10;
/// One of so many sessions may be lost, with each crash those of all its instance.
const LOST_OF: u32 = 5;

/// Why an archetype's users had to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GivenUpCause {
    /// Its behavior kept crashing.
    Crashes,
    /// The machine had no memory for its instances.
    Machine,
    /// Its sessions held all of its memory, and no other could begin.
    NoRoom,
}

/// Why a behavior is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuarantineReason {
    InARow { crashes: u32 },
    Time { crashes: u32, lost: Duration },
    Share { crashes: u32, lost: u32, ended: u32 },
    Machine { crashes: u32 },
    NoRoom { waited: Duration },
}

impl QuarantineReason {
    pub(crate) fn cause(self) -> GivenUpCause {
        match self {
            Self::Machine { .. } => GivenUpCause::Machine,
            Self::NoRoom { .. } => GivenUpCause::NoRoom,
            _ => GivenUpCause::Crashes,
        }
    }
}

impl fmt::Display for QuarantineReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InARow { crashes } => write!(f, "{crashes} crashes in a row"),
            Self::Time { crashes, lost } => {
                let lost = lost.as_millis();
                write!(
                    f,
                    "{crashes} crashes in {WINDOW} s, which took {lost} ms from everybody else"
                )
            }
            Self::Share {
                crashes,
                lost,
                ended,
            } => write!(
                f,
                "{crashes} crashes in {WINDOW} s, which cost {lost} of {ended} sessions"
            ),
            Self::Machine { crashes } => {
                write!(
                    f,
                    "{crashes} instances in a row that the machine had no memory for"
                )
            }
            Self::NoRoom { waited } => {
                let waited = waited.as_secs();
                write!(
                    f,
                    "{waited} s in which it had no memory for another session"
                )
            }
        }
    }
}

/// What happened in one second.
#[derive(Debug, Clone, Copy, Default)]
struct Second {
    /// Since the start of the run.
    at: u64,
    crashes: u32,
    time: Duration,
    /// Sessions that ended, and those of them that were lost to a crash.
    ended: u32,
    lost: u32,
}

/// How one behavior has done on one worker. Times are since the start of the run.
#[derive(Debug, Default)]
pub(crate) struct CrashRecord {
    in_a_row: u32,
    seconds: [Second; WINDOW],
}

impl CrashRecord {
    /// A call crashed, after this time.
    pub(crate) fn crashed(
        &mut self,
        now: Duration,
        took: Duration,
        machine: bool,
    ) -> Option<QuarantineReason> {
        self.in_a_row = self.in_a_row.saturating_add(1);
        let second = self.second(now);
        second.crashes += 1;
        second.time += took;
        let (mut crashes, mut time, mut ended, mut lost) = (0, Duration::ZERO, 0, 0);
        for second in self.recent(now) {
            crashes += second.crashes;
            time += second.time;
            ended += second.ended;
            lost += second.lost;
        }
        if self.in_a_row >= IN_A_ROW {
            let crashes = self.in_a_row;
            return Some(match machine {
                true => QuarantineReason::Machine { crashes },
                false => QuarantineReason::InARow { crashes },
            });
        }
        if crashes >= SLOW_CRASHES && time >= TIME_LOST {
            return Some(QuarantineReason::Time {
                crashes,
                lost: time,
            });
        }
        let many = crashes >= MANY_CRASHES && lost.saturating_mul(LOST_OF) >= ended;
        many.then_some(QuarantineReason::Share {
            crashes,
            lost,
            ended,
        })
    }

    /// A session ended.
    pub(crate) fn ended(&mut self, now: Duration, how: SessionFate) {
        if how == SessionFate::Well {
            self.in_a_row = 0;
        }
        let second = self.second(now);
        second.ended += 1;
        second.lost += u32::from(how == SessionFate::Lost);
    }

    /// Crashes without a session that came to its end between them.
    pub(crate) fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    fn second(&mut self, now: Duration) -> &mut Second {
        let at = now.as_secs();
        let second = &mut self.seconds[at as usize % WINDOW];
        if second.at != at {
            *second = Second {
                at,
                ..Second::default()
            };
        }
        second
    }

    fn recent(&self, now: Duration) -> impl Iterator<Item = &Second> {
        let oldest = (now.as_secs() + 1).saturating_sub(WINDOW as u64);
        self.seconds
            .iter()
            .filter(move |second| second.at >= oldest)
    }
}

/// How a session ended, as far as its behavior is judged by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionFate {
    /// By its own decision or the host's.
    Well,
    /// It said that it failed.
    Failed,
    /// To a crash, its own or another one's of its instance.
    Lost,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn ten_crashes_in_a_row_are_too_many_and_a_good_session_begins_anew() {
        let mut record = CrashRecord::default();
        for n in 0..9 {
            assert_eq!(record.crashed(ms(n * 20_000), ms(0), false), None);
        }
        record.ended(ms(180_000), SessionFate::Well);
        for n in 10..19 {
            assert_eq!(record.crashed(ms(n * 20_000), ms(0), false), None);
        }
        let verdict = record.crashed(ms(400_000), ms(0), true).unwrap();
        assert_eq!(verdict.cause(), GivenUpCause::Machine);
    }

    #[test]
    fn the_third_loop_in_ten_seconds_is_the_last_however_well_the_others_do() {
        let mut record = CrashRecord::default();
        for n in 0..1000 {
            record.ended(ms(n), SessionFate::Well);
        }
        assert_eq!(record.crashed(ms(0), ms(110), false), None);
        record.ended(ms(10), SessionFate::Well);
        assert_eq!(record.crashed(ms(4_000), ms(110), false), None);
        let verdict = record.crashed(ms(8_000), ms(110), false);
        assert!(
            matches!(verdict, Some(QuarantineReason::Time { crashes: 3, .. })),
            "{verdict:?}"
        );
        // Once every six seconds it may.
        let mut record = CrashRecord::default();
        for n in 0..100 {
            record.ended(ms(n * 6_000), SessionFate::Well);
            assert_eq!(record.crashed(ms(n * 6_000), ms(110), false), None, "{n}");
        }
    }

    #[test]
    fn quick_crashes_are_judged_by_the_sessions_that_they_cost() {
        let judged = |lost_of_a_hundred: u32| {
            let mut record = CrashRecord::default();
            let mut verdict = None;
            for n in 0..2000_u64 {
                let now = ms(n * 5);
                let is_lost = (n % 100) < u64::from(lost_of_a_hundred);
                if is_lost {
                    verdict = verdict.or(record.crashed(now, ms(0), false));
                }
                record.ended(
                    now,
                    match is_lost {
                        true => SessionFate::Lost,
                        false => SessionFate::Well,
                    },
                );
            }
            verdict
        };
        assert_eq!(judged(4), None);
        assert!(matches!(
            judged(60),
            Some(QuarantineReason::Share { .. } | QuarantineReason::InARow { .. })
        ));
    }

    proptest! {
        #[test]
        fn what_is_past_is_forgotten(times in prop::collection::vec(0u64..100_000, 1..200)) {
            let mut times = times;
            times.sort_unstable();
            let mut record = CrashRecord::default();
            for (n, time) in times.iter().enumerate() {
                record.ended(ms(*time), SessionFate::Well);
                let verdict = record.crashed(ms(*time), ms(110), false);
                let recent = times[..=n].iter().filter(|t| **t / 1000 + 10 > *time / 1000);
                prop_assert_eq!(verdict.is_some(), recent.count() >= 3, "at {}", time);
                if verdict.is_some() {
                    break;
                }
            }
        }
    }
}
