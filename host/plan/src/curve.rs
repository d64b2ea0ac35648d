//! A value over time in straight lines: the number of users, or the rate of arrivals, through the stages of a profile.
//! Made by `profile.rs`; the engine asks it when the next arrival is due.
//!
//! What must stay true: the number of arrivals up to a moment is the integral of the rate up to it, whoever asks and
//! however often; so arrivals can be split over workers and none is lost or made twice.

use std::time::Duration;

use crate::units::show_duration;

/// A value that goes in straight lines from stage to stage, and stays where the last one ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    start: f64,
    pieces: Vec<Piece>,
    /// What it was made of.
    stages: Vec<Stage>,
}

/// One stage, with what came before it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    /// In seconds after the start.
    begins: f64,
    lasts: f64,
    from: f64,
    to: f64,
    /// The integral up to its begin.
    before: f64,
}

impl Piece {
    /// The integral so many seconds after its begin.
    fn integral(&self, seconds: f64) -> f64 {
        let slope = (self.to - self.from) / self.lasts;
        seconds * (self.from + slope * seconds / 2.0)
    }

    /// How many seconds after its begin the integral comes to this much.
    fn reaches(&self, amount: f64) -> f64 {
        if amount <= 0.0 {
            return 0.0;
        }
        let slope = (self.to - self.from) / self.lasts;
        // The root of a quadratic in the form that does not subtract two nearly equal numbers.
        let root = (self.from * self.from + 2.0 * slope * amount)
            .max(0.0)
            .sqrt();
        (2.0 * amount / (self.from + root)).min(self.lasts)
    }

    fn ends(&self) -> f64 {
        self.begins + self.lasts
    }

    fn after(&self) -> f64 {
        self.before + self.integral(self.lasts)
    }
}

impl Curve {
    /// The same value for ever.
    pub fn constant(value: f64) -> Self {
        Self {
            start: value,
            pieces: Vec::new(),
            stages: Vec::new(),
        }
    }

    /// From `start` through the stages. One that takes no time is a jump.
    pub fn new(start: f64, stages: &[Stage]) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        let (mut from, mut begins, mut before) = (start, 0.0, 0.0);
        for stage in stages {
            let piece = Piece {
                begins,
                lasts: stage.lasts.as_secs_f64(),
                from,
                to: stage.target,
                before,
            };
            from = stage.target;
            if stage.lasts.is_zero() {
                continue;
            }
            (begins, before) = (piece.ends(), piece.after());
            pieces.push(piece);
        }
        // Only jumps: the last of them is what holds.
        let start = if pieces.is_empty() { from } else { start };
        // A jump after the last piece holds from its end on.
        if !pieces.is_empty() && pieces.last().is_some_and(|last| last.to != from) {
            pieces.push(Piece {
                begins,
                lasts: f64::MIN_POSITIVE,
                from,
                to: from,
                before,
            });
        }
        let stages = if pieces.is_empty() { &[] } else { stages };
        Self {
            start,
            pieces,
            stages: stages.to_vec(),
        }
    }

    /// The stages that it was made of.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The stage, from 1, that plays so long after the start; `None` after the last one. A jump never plays.
    pub fn stage_at(&self, time: Duration) -> Option<usize> {
        let mut ends = Duration::ZERO;
        let stage = self.stages.iter().position(|stage| {
            ends += stage.lasts;
            time < ends
        });
        stage.map(|at| at + 1)
    }

    pub fn is_constant(&self) -> bool {
        self.pieces.is_empty()
    }

    /// When the last stage ends.
    pub fn lasts(&self) -> Duration {
        Duration::from_secs_f64(self.pieces.last().map_or(0.0, Piece::ends))
    }

    /// The value so long after the start.
    pub fn at(&self, time: Duration) -> f64 {
        let seconds = time.as_secs_f64();
        match self.pieces.iter().find(|piece| seconds < piece.ends()) {
            Some(piece) => {
                piece.from + (piece.to - piece.from) * (seconds - piece.begins) / piece.lasts
            }
            None => self.end(),
        }
    }

    /// The integral from the start.
    pub fn integral(&self, time: Duration) -> f64 {
        let seconds = time.as_secs_f64();
        match self.pieces.iter().find(|piece| seconds < piece.ends()) {
            Some(piece) => piece.before + piece.integral(seconds - piece.begins),
            None => self.done() + self.end() * (seconds - self.over()),
        }
    }

    /// When the integral comes to this much; `None` when it never does.
    pub fn reaches(&self, amount: f64) -> Option<Duration> {
        let seconds = match self.pieces.iter().find(|piece| amount < piece.after()) {
            Some(piece) => piece.begins + piece.reaches(amount - piece.before),
            None if self.end() > 0.0 => self.over() + (amount - self.done()) / self.end(),
            None => return None,
        };
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// The highest value.
    pub(super) fn most(&self) -> f64 {
        let all = self.pieces.iter().flat_map(|piece| [piece.from, piece.to]);
        all.fold(self.start, f64::max)
    }

    /// The value after the last stage.
    fn end(&self) -> f64 {
        self.pieces.last().map_or(self.start, |piece| piece.to)
    }

    fn over(&self) -> f64 {
        self.pieces.last().map_or(0.0, Piece::ends)
    }

    fn done(&self) -> f64 {
        self.pieces.last().map_or(0.0, Piece::after)
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", show_duration(self.lasts), self.target)
    }
}

/// Go to a number within a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    pub lasts: Duration,
    pub target: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn curve(start: f64, stages: &[(f64, f64)]) -> Curve {
        let stages: Vec<Stage> = stages
            .iter()
            .map(|(lasts, target)| Stage {
                lasts: secs(*lasts),
                target: *target,
            })
            .collect();
        Curve::new(start, &stages)
    }

    #[test]
    fn a_stage_plays_from_its_begin_to_its_end_and_a_jump_never() {
        let curve = curve(0.0, &[(10.0, 5.0), (0.0, 9.0), (5.0, 9.0)]);
        for (time, stage) in [
            (0.0, Some(1)),
            (9.9, Some(1)),
            (10.0, Some(3)),
            (14.9, Some(3)),
            (15.0, None),
        ] {
            assert_eq!(curve.stage_at(secs(time)), stage, "{time}");
        }
        assert_eq!(Curve::constant(5.0).stage_at(secs(1.0)), None);
    }

    #[test]
    fn a_ramp_goes_straight_and_then_stays() {
        let curve = curve(
            0.0,
            &[(10.0, 100.0), (5.0, 100.0), (0.0, 10.0), (10.0, 0.0)],
        );
        for (time, value) in [
            (0.0, 0.0),
            (5.0, 50.0),
            (12.0, 100.0),
            (15.0, 10.0),
            (20.0, 5.0),
            (99.0, 0.0),
        ] {
            assert!(
                (curve.at(secs(time)) - value).abs() < 1e-9,
                "{time}: {}",
                curve.at(secs(time))
            );
        }
        assert_eq!(curve.lasts(), secs(25.0));
        assert_eq!(curve.integral(secs(30.0)).round(), 500.0 + 500.0 + 50.0);
        assert_eq!(curve.most(), 100.0);
        assert_eq!(curve.reaches(1051.0), None);
    }

    #[test]
    fn jumps_alone_make_a_constant() {
        assert_eq!(curve(5.0, &[(0.0, 7.0)]), Curve::constant(7.0));
        let last = curve(0.0, &[(2.0, 4.0), (0.0, 9.0)]);
        assert!((last.at(secs(2.5)) - 9.0).abs() < 1e-9);
        assert!((last.integral(secs(3.0)) - 13.0).abs() < 1e-9);
    }

    fn any_curve() -> impl Strategy<Value = Curve> {
        let stage = (
            prop_oneof![Just(0.0), 0.001..100.0f64],
            prop_oneof![Just(0.0), 0.0..1000.0f64],
        );
        (0.0..1000.0f64, prop::collection::vec(stage, 0..6))
            .prop_map(|(start, stages)| curve(start, &stages))
    }

    proptest! {
        #[test]
        fn arrivals_come_in_order_and_as_many_as_the_integral(curve in any_curve(), ends in 0.0..400.0f64) {
            let total = curve.integral(secs(ends));
            prop_assert!(total >= -1e-6);
            let mut last = Duration::ZERO;
            let step = (total / 300.0).ceil().max(1.0);
            let mut n = 0.0;
            while let Some(at) = curve.reaches(n) {
                if n > total {
                    break;
                }
                prop_assert!(at >= last, "{n}: {at:?} after {last:?}");
                last = at;
                // It is the inverse of the integral, to within what floating point and nanoseconds allow.
                let back = curve.integral(at);
                prop_assert!((back - n).abs() <= 1e-6 * (1.0 + n), "{n}: {back}");
                n += step;
            }
            // All that is due by the end comes by the end.
            prop_assert!(n > total - 1e-6 * (1.0 + total));
        }

        #[test]
        fn the_integral_is_the_sum_of_the_values(curve in any_curve(), ends in 0.1..300.0f64) {
            const STEPS: u32 = 20_000;
            let step = ends / f64::from(STEPS);
            let sum: f64 = (0..STEPS).map(|n| curve.at(secs((f64::from(n) + 0.5) * step)) * step).sum();
            let total = curve.integral(secs(ends));
            // Jumps are off by a step's worth.
            prop_assert!((sum - total).abs() <= 0.001 * total + 6.0 * 1000.0 * step, "{sum} {total}");
        }
    }
}
