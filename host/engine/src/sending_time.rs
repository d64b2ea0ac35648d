//! When requests could leave: not in a pause, and not while the run waits for its last outcomes. What the orchestrator tells
//! it becomes the time that rates are made of.

use std::time::Duration;

/// Times are since the start of the run.
#[derive(Debug)]
pub(crate) struct SendingTime {
    /// Stretches that are over and not in `counted` yet, oldest first.
    over: Vec<(Duration, Duration)>,
    /// The begin of the one that goes on.
    since: Option<Duration>,
    counted: Duration,
}

impl SendingTime {
    /// Of a run that sends from its start.
    pub(crate) fn new() -> Self {
        Self {
            over: Vec::new(),
            since: Some(Duration::ZERO),
            counted: Duration::ZERO,
        }
    }

    /// Requests may leave from now on, or no longer.
    pub(crate) fn set(&mut self, now: Duration, may_send: bool) {
        match (self.since, may_send) {
            (None, true) => self.since = Some(now),
            (Some(since), false) => {
                self.over.push((since, now));
                self.since = None;
            }
            _ => {}
        }
    }

    /// How much of the run it was up to `end`, which is never before an earlier one.
    pub(crate) fn until(&mut self, end: Duration) -> Duration {
        self.over.retain(|(from, to)| {
            let is_past = *to <= end;
            self.counted += if is_past { *to - *from } else { Duration::ZERO };
            !is_past
        });
        let open = self.over.iter().map(|(from, _)| *from);
        let open = open.chain(self.since);
        self.counted + open.map(|from| end.saturating_sub(from)).sum::<Duration>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    proptest! {
        /// Against every millisecond, asked one by one.
        #[test]
        fn it_is_the_milliseconds_in_which_requests_could_leave(
            changes in prop::collection::vec((1..900u32, any::<bool>()), 0..20),
        ) {
            let (mut time, mut now, mut may_send) = (SendingTime::new(), 0, true);
            let mut sent = Vec::new();
            let mut asked = 0;
            for (after, next) in changes {
                sent.extend(std::iter::repeat_n(may_send, after as usize));
                now += after;
                time.set(MILLI * now, next);
                may_send = next;
                while asked + 500 <= now {
                    asked += 500;
                    let expected = sent[..asked as usize].iter().filter(|sent| **sent).count();
                    prop_assert_eq!(time.until(MILLI * asked), MILLI * expected as u32);
                }
            }
            prop_assert!(time.over.len() <= 20);
        }
    }
}
