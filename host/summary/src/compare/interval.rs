//! What change of a figure two runs leave possible, and what that tells: with all of it within a bound the figure is the
//! same, else the runs are too short. Used by `compare.rs` for figures that do not differ by more than chance.
//!
//! What must stay true: an interval errs on the wide side, and where nothing is known it is endless.

use super::significance::{ComparedGroup, welch};
use super::verdict::Verdict;

/// How finely the time that is needed is looked for, and how far: some 10,000 times as long.
const STEP: f64 = 1.1;
const STEPS: i32 = 100;

/// The lowest and the highest change that both runs allow: shares of the older value, or of all requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Interval {
    low: f64,
    high: f64,
}

/// What an interval tells that is `of` runs so many times as long. They took so many seconds, the longer of them.
pub(super) fn told(of: impl Fn(f64) -> Interval, within: f64, seconds: f64) -> Verdict {
    let now = of(1.0);
    if now.is_within(within) {
        return Verdict::Same {
            within: now.low.abs().max(now.high.abs()),
        };
    }
    let mut longer = (1..=STEPS).map(|step| STEP.powi(step));
    let enough = longer.find(|times| {
        let then = of(*times);
        then.is_within(within) || then.low > 0.0 || then.high < 0.0
    });
    Verdict::CannotTell {
        more_seconds: enough.map(|times| ((times - 1.0) * seconds).ceil()),
    }
}

impl Interval {
    pub(super) fn of_rates(
        before: &ComparedGroup<'_>,
        now: &ComparedGroup<'_>,
        rare: f64,
        times: f64,
    ) -> Interval {
        let variances = [before, now].map(|side| side.rate_variance() / times);
        let freedom = [before, now].map(|side| side.evidence.freedom(times));
        let student = student(rare, welch(variances, freedom));
        let off = student * (variances[0] + variances[1]).sqrt();
        let change = now.rate() - before.rate();
        Interval {
            low: (change - off) / before.rate(),
            high: (change + off) / before.rate(),
        }
    }

    /// In shares of all requests. As many hits and misses are added as keep it honest where there were none (Agresti and
    /// Caffo's interval).
    pub(super) fn of_errors(
        before: &ComparedGroup<'_>,
        now: &ComparedGroup<'_>,
        rare: f64,
        times: f64,
    ) -> Interval {
        let sides = [before, now].map(|side| {
            let student = student(rare, side.evidence.freedom(times));
            let added = student * student / 4.0;
            let count = side.counts_for_errors() * times;
            let share = (side.error_share() * count + added) / (count + 2.0 * added);
            (share, student * (share * (1.0 - share) / count).sqrt())
        });
        let [(was, was_off), (is, is_off)] = sides;
        let off = was_off.hypot(is_off);
        Interval {
            low: is - was - off,
            high: is - was + off,
        }
    }

    /// Of each run's quantile by the order of its requests, of their ratio by Zou and Donner's rule (MOVER).
    pub(super) fn of_quantiles(
        before: &ComparedGroup<'_>,
        now: &ComparedGroup<'_>,
        quantile: f64,
        rare: f64,
        times: f64,
    ) -> Interval {
        let sides = [before, now].map(|side| {
            let student = student(rare, side.evidence.freedom(times));
            let count = side.counts_for_quantile(quantile) * times;
            let off = student * (quantile * (1.0 - quantile) / count).sqrt();
            let log = |quantile: f64| match quantile {
                q if q <= 0.0 => f64::NEG_INFINITY,
                q if q < 1.0 => side.latency.quantile(q).as_secs_f64().ln(),
                _ => f64::INFINITY,
            };
            [log(quantile - off), log(quantile), log(quantile + off)]
        });
        let [[was_low, was, was_high], [is_low, is, is_high]] = sides;
        let low = is - was - (is - is_low).hypot(was_high - was);
        let high = is - was + (is_high - is).hypot(was - was_low);
        Interval {
            low: low.exp_m1(),
            high: high.exp_m1(),
        }
    }

    /// Nothing that it allows is more than this.
    fn is_within(self, most: f64) -> bool {
        let bound = -most..=most;
        bound.contains(&self.low) && bound.contains(&self.high)
    }
}

/// What is as rare of Student's t with so many degrees of freedom as `normal` is of a normal distribution: Wallace's
/// approximation, turned round.
fn student(normal: f64, free: f64) -> f64 {
    let z = normal * (8.0 * free + 3.0) / (8.0 * free + 1.0);
    (free * (z * z / free).exp_m1()).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What was measured, as sure as so many times as long runs would have it.
    fn measured(change: f64, off: f64) -> impl Fn(f64) -> Interval {
        move |times: f64| Interval {
            low: change - off / times.sqrt(),
            high: change + off / times.sqrt(),
        }
    }

    #[test]
    fn student_is_no_less_than_tables_say() {
        for (free, table) in [(2.0, 9.925), (5.0, 4.032), (29.0, 2.756), (1e6, 2.576)] {
            let times = student(2.576, free) / table;
            assert!((0.999..1.13).contains(&times), "{free}: {times}");
        }
    }

    #[test]
    fn what_nobody_knows_cannot_be_told() {
        for (low, high) in [(f64::NAN, 0.0), (0.0, f64::NAN), (-1.0, f64::INFINITY)] {
            let verdict = told(|_| Interval { low, high }, 0.5, 60.0);
            assert_eq!(verdict, Verdict::CannotTell { more_seconds: None });
        }
    }

    proptest! {
        /// The same is said of what cannot have changed by more, and the time that is needed is enough and not much more.
        #[test]
        fn a_verdict_is_what_the_interval_tells(
            change in -0.5..0.5f64,
            off in 0.001..20.0f64,
            within in 0.01..0.5f64,
        ) {
            let of = measured(change, off);
            let tells = |times| {
                let now = of(times);
                now.is_within(within) || now.low > 0.0 || now.high < 0.0
            };
            match told(&of, within, 60.0) {
                Verdict::Same { within: told } => {
                    prop_assert!(change.abs() + off <= within * 1.000_001);
                    prop_assert!((told - change.abs() - off).abs() < 1e-9);
                }
                Verdict::CannotTell { more_seconds: Some(more) } => {
                    prop_assert!(change.abs() + off > within);
                    let times = 1.0 + more / 60.0;
                    prop_assert!(tells(times), "{more}");
                    let less = times / STEP - 0.1;
                    prop_assert!(less < 1.0 || !tells(less), "{more}");
                }
                // A bound of 1 % beside an interval of 2,000 % takes longer than anybody foresees.
                other => prop_assert!(off > 40.0 * within, "{other:?}"),
            }
        }
    }
}
