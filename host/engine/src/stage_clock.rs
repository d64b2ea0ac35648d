//! Which stage of the run's profile each second of the run was a part of. Asked by the orchestrator for each snapshot.
//!
//! What must stay true: every second is a part of one stage at most, that in which its middle lies; what comes in after the
//! last one belongs to it, so that the stages add up to the run.

use std::time::Duration;

use vespeiro_plan::Profile;

/// Times are since the start of the run.
#[derive(Debug, Default)]
pub(crate) struct StageClock {
    counted: Duration,
    sending: Duration,
    stage: Option<usize>,
}

impl StageClock {
    /// The stage of the second that ends at `counted`, up to which requests could leave for so long in all: without pauses,
    /// as the profile goes on. `is_live`: the run has not begun to end.
    pub(crate) fn at(
        &mut self,
        profile: Option<&Profile>,
        counted: Duration,
        sending: Duration,
        is_live: bool,
    ) -> Option<usize> {
        if counted > self.counted {
            let middle = (self.sending + sending) / 2;
            let stage = profile.and_then(|profile| profile.stage_at(middle));
            self.stage = stage.or(self.stage.filter(|_| !is_live));
            (self.counted, self.sending) = (counted, sending);
        }
        self.stage
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vespeiro_plan::{Curve, Stage};

    #[test]
    fn a_second_is_of_the_stage_in_which_its_middle_lies() {
        let stages = [1_400, 0, 2_000].map(|millis| Stage {
            lasts: Duration::from_millis(millis),
            target: 5.0,
        });
        let users = Curve::new(0.0, &stages);
        let profile = Profile::RampingUsers { users };
        let mut clock = StageClock::default();
        // A pause of two seconds after the first 1.2; the end, and the last outcomes.
        let seconds = [
            (1_000, true, Some(1)),
            (1_200, true, Some(1)),
            (1_200, true, Some(1)),
            (2_000, true, Some(3)),
            (3_000, true, Some(3)),
            (3_400, false, Some(3)),
            (3_400, false, Some(3)),
        ];
        for ((sending, is_live, stage), counted) in seconds.into_iter().zip(1..) {
            let counted = Duration::from_secs(counted);
            for _ in 0..2 {
                let sending = Duration::from_millis(sending);
                let found = clock.at(Some(&profile), counted, sending, is_live);
                assert_eq!(found, stage, "{counted:?}");
            }
        }
        // A run that goes on without this profile.
        let after = clock.at(
            Some(&profile),
            Duration::from_secs(9),
            Duration::from_secs(5),
            true,
        );
        assert_eq!(after, None);
    }
}
