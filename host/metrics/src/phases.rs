//! Where the requests of a route spent their time: a distribution for each phase. Written by the recorder, beside the
//! route's [`super::Series`]; read through [`super::Snapshot`].
//!
//! What must stay true: the sums of all phases but `blocked` add up to the service time of the requests, exactly; a phase
//! that took no time costs nothing.

use std::time::Duration;

use vespeiro_model::{Phases, RequestPhase};

use super::merge::counts;
use super::{Scale, Timing};

/// Of the histograms.
const RESOLUTION: Duration = Duration::from_micros(1);

counts! {
    /// Times by phase. A request is part of the phases in which it spent time: one over a reused connection has none of
    /// lookup, connect and TLS. To 1 %: there are seven for each route of each archetype, and a day's rare values would fill them.
    #[derive(Debug, Clone)]
    pub struct PhaseTimes {
        by_phase: [Timing; RequestPhase::ALL.len()] = std::array::from_fn(|_| Timing::coarse(Scale::Micros)),
    }
}

impl PhaseTimes {
    pub fn of(&self, phase: RequestPhase) -> &Timing {
        &self.by_phase[phase as usize]
    }

    /// Those that took time.
    pub fn used(&self) -> impl Iterator<Item = (RequestPhase, &Timing)> {
        let all = RequestPhase::ALL.into_iter().zip(&self.by_phase);
        all.filter(|(_, timing)| !timing.is_empty())
    }

    pub(super) fn record(&mut self, phases: &Phases) {
        for (at, (timing, took)) in self.by_phase.iter_mut().zip(phases.each()).enumerate() {
            // A free connection is found in less: who gets one at once has not been blocked.
            let is_none = at == RequestPhase::Blocked as usize && took < RESOLUTION;
            if !took.is_zero() && !is_none {
                timing.record(took);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merge::Merge as _;

    fn phases(nanos: [u64; 7]) -> Phases {
        let [blocked, lookup, connect, tls, sending, waiting, receiving] =
            nanos.map(Duration::from_nanos);
        Phases {
            blocked,
            lookup,
            connect,
            tls,
            sending,
            waiting,
            receiving,
        }
    }

    proptest! {
        #[test]
        fn the_phases_are_the_service_time_however_they_were_counted(
            requests in prop::collection::vec(prop::array::uniform7(0..3_000_000u64), 0..50),
            split in 0..50usize,
        ) {
            let (left, right) = requests.split_at(split.min(requests.len()));
            let (mut whole, mut one, mut other) = Default::default();
            let record = |to: &mut PhaseTimes, all: &[[u64; 7]]| {
                all.iter().for_each(|nanos| to.record(&phases(*nanos)));
            };
            record(&mut whole, &requests);
            record(&mut one, left);
            record(&mut other, right);
            one.merge(&other);
            let service: Duration = requests.iter().map(|nanos| phases(*nanos).service()).sum();
            let counted = |of: &PhaseTimes| -> Duration {
                let used = of.used().filter(|(phase, _)| *phase != RequestPhase::Blocked);
                used.map(|(_, timing)| timing.sum()).sum()
            };
            prop_assert_eq!(counted(&whole), service);
            for phase in RequestPhase::ALL {
                prop_assert_eq!(one.of(phase).sum(), whole.of(phase).sum());
                prop_assert_eq!(one.of(phase).to_base64(), whole.of(phase).to_base64());
            }
        }
    }

    #[test]
    fn a_phase_without_time_is_not_counted() {
        let mut times = PhaseTimes::default();
        times.record(&phases([999, 0, 0, 0, 10_000, 300_000_000, 1]));
        let used: Vec<_> = times.used().map(|(phase, _)| phase.as_str()).collect();
        assert_eq!(used, ["sending", "waiting", "receiving"]);
    }
}
