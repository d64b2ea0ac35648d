//! The circuit breaker between one worker and the target. [`crate::Admission`] asks it before each request leaves and tells
//! it the outcome.
//!
//! Closed, it lets every request pass. It opens when enough of the last requests failed, or when there have been only
//! failures for a while; then nothing passes for a cool-down. Half open, it lets a few probes pass: if all of them succeed
//! it closes, and the first one that fails opens it again.
//!
//! What must stay true: it is a pure function of the times and outcomes that it was told, and never lets out more probes
//! than its rules allow.

use std::time::Duration;

use super::window::Window;
use vespeiro_model::BreakerState;
use vespeiro_plan::BreakerRules;

/// Largest part of a cool-down that chance adds to it, so that the workers do not probe at the same time.
const JITTER: f64 = 0.5;
/// A streak of failures that lasts a tenth of the window opens the breaker, whatever succeeded before: users back off from a
/// dead target, so that their few failures would otherwise take a whole window to outweigh the successes.
const STREAK: u32 = 10;

/// Permission to send one request; to be given back with its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPermit {
    /// The breaker's generation when it was given.
    generation: u32,
}

/// What an outcome says about the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Success,
    Failure,
    /// Nothing: the request was never sent, was broken off, or the tool itself made it fail.
    Ignored,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed,
    Open { until: Duration },
    HalfOpen { out: u32, good: u32 },
}

#[derive(Debug)]
pub struct Breaker {
    rules: BreakerRules,
    phase: Phase,
    /// How often the phase has changed.
    generation: u32,
    window: Window,
    /// Failures since the last success, and when the first of them came.
    streak: Option<(Duration, u32)>,
}

impl Breaker {
    pub fn new(rules: BreakerRules) -> Self {
        Self {
            phase: Phase::Closed,
            generation: 0,
            window: Window::new(rules.window),
            streak: None,
            rules,
        }
    }

    pub fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// How long a request has to wait at least; `None` when it may try. This reserves nothing: another request may be
    /// quicker.
    pub fn wait(&self, now: Duration) -> Option<Duration> {
        match self.phase {
            Phase::Open { until } if now < until => Some(until - now),
            Phase::HalfOpen { out, good } if out + good >= self.rules.probes => {
                Some(self.rules.cool_down / 4)
            }
            _ => None,
        }
    }

    /// Permission for one request; `None` while the breaker lets nothing pass. `now` never goes back.
    pub fn try_acquire(&mut self, now: Duration) -> Option<BreakerPermit> {
        if self.wait(now).is_some() {
            return None;
        }
        if matches!(self.phase, Phase::Open { .. }) {
            self.enter(Phase::HalfOpen { out: 0, good: 0 });
        }
        if let Phase::HalfOpen { out, .. } = &mut self.phase {
            *out += 1;
        }
        Some(BreakerPermit {
            generation: self.generation,
        })
    }

    /// Takes a permit back with what the outcome says. `chance` gives a draw of 0 to 1 for a number. Returns the new state if
    /// it has changed. A request that was sent in an earlier generation says nothing about this one.
    pub fn settle(
        &mut self,
        now: Duration,
        permit: BreakerPermit,
        signal: Signal,
        chance: impl FnOnce(u32) -> f64,
    ) -> Option<BreakerState> {
        if permit.generation != self.generation {
            return None;
        }
        match (&mut self.phase, signal) {
            (Phase::Closed, Signal::Success) => {
                self.window.add(now, false);
                self.streak = None;
            }
            (Phase::Closed, Signal::Failure) => {
                self.window.add(now, true);
                let count = self.window.count(now);
                let over = count.is_over(self.rules.volume, self.rules.threshold);
                if self.is_dead(now) || over {
                    return Some(self.open(now, chance));
                }
            }
            (Phase::HalfOpen { out, .. }, Signal::Ignored) => *out -= 1,
            (Phase::HalfOpen { .. }, Signal::Failure) => return Some(self.open(now, chance)),
            (Phase::HalfOpen { out, good }, Signal::Success) => {
                *out -= 1;
                *good += 1;
                if *good >= self.rules.probes {
                    self.window.clear();
                    self.enter(Phase::Closed);
                    return Some(BreakerState::Closed);
                }
            }
            // An open breaker gives no permits.
            (Phase::Closed, Signal::Ignored) | (Phase::Open { .. }, _) => {}
        }
        None
    }

    /// Counts a failure; `true` when there have been enough of them, and only failures for long enough.
    fn is_dead(&mut self, now: Duration) -> bool {
        let (since, bad) = self.streak.get_or_insert((now, 0));
        *bad = bad.saturating_add(1);
        let lasts = now.saturating_sub(*since);
        let window = self.rules.window;
        *bad >= self.rules.volume && (window / STREAK..=window).contains(&lasts)
    }

    fn open(&mut self, now: Duration, chance: impl FnOnce(u32) -> f64) -> BreakerState {
        let stretch = 1.0 + JITTER * chance(self.generation);
        let until = now + self.rules.cool_down.mul_f64(stretch);
        self.enter(Phase::Open { until });
        BreakerState::Open
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.streak = None;
        self.generation = self.generation.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: BreakerRules = BreakerRules {
        threshold: 0.5,
        volume: 4,
        window: Duration::from_secs(10),
        cool_down: Duration::from_secs(5),
        probes: 2,
    };

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn tell(breaker: &mut Breaker, ms: u64, verdict: Signal) -> Option<BreakerState> {
        let pass = breaker.try_acquire(at(ms)).unwrap();
        breaker.settle(at(ms), pass, verdict, |_| 0.0)
    }

    #[test]
    fn it_opens_probes_and_closes() {
        let mut breaker = Breaker::new(RULES);
        for _ in 0..3 {
            assert_eq!(tell(&mut breaker, 0, Signal::Failure), None);
        }
        assert_eq!(
            tell(&mut breaker, 0, Signal::Failure),
            Some(BreakerState::Open)
        );
        assert_eq!(breaker.wait(at(0)), Some(at(5_000)));
        assert_eq!(breaker.try_acquire(at(4_999)), None);
        let (first, second) = (
            breaker.try_acquire(at(5_000)),
            breaker.try_acquire(at(5_000)),
        );
        assert_eq!(
            breaker.try_acquire(at(5_000)),
            None,
            "two probes and no more"
        );
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        let good = |breaker: &mut Breaker, pass: Option<BreakerPermit>| {
            breaker.settle(at(5_100), pass.unwrap(), Signal::Success, |_| 0.0)
        };
        assert_eq!(good(&mut breaker, first), None);
        assert_eq!(good(&mut breaker, second), Some(BreakerState::Closed));
        // It begins anew: what was before does not count.
        for _ in 0..3 {
            assert_eq!(tell(&mut breaker, 5_200, Signal::Failure), None);
        }
    }

    #[test]
    fn a_probe_that_was_broken_off_makes_room_for_another() {
        let mut breaker = Breaker::new(BreakerRules { probes: 1, ..RULES });
        (0..4).for_each(|_| {
            tell(&mut breaker, 0, Signal::Failure);
        });
        let probe = breaker.try_acquire(at(6_000)).unwrap();
        assert_eq!(breaker.try_acquire(at(6_000)), None);
        breaker.settle(at(6_000), probe, Signal::Ignored, |_| 0.0);
        assert!(breaker.try_acquire(at(6_000)).is_some());
    }

    #[test]
    fn a_dead_target_opens_it_whatever_went_well_before() {
        let mut breaker = Breaker::new(RULES);
        (0..1_000).for_each(|_| {
            tell(&mut breaker, 0, Signal::Success);
        });
        // A blip is over at once, and says nothing.
        for _ in 0..10 {
            assert_eq!(tell(&mut breaker, 100, Signal::Failure), None);
        }
        tell(&mut breaker, 200, Signal::Success);
        for ms in [1_500, 1_900, 2_300, 2_499] {
            assert_eq!(tell(&mut breaker, ms, Signal::Failure), None, "{ms}");
        }
        let opened = tell(&mut breaker, 2_500, Signal::Failure);
        assert_eq!(opened, Some(BreakerState::Open));
    }

    #[test]
    fn few_requests_and_few_failures_open_nothing() {
        let mut breaker = Breaker::new(RULES);
        for n in 0..100 {
            let verdict = if n % 5 < 2 {
                Signal::Failure
            } else {
                Signal::Success
            };
            // Two of five are bad, but not the very first.
            let verdict = if n < 5 { Signal::Success } else { verdict };
            assert_eq!(tell(&mut breaker, n * 10, verdict), None);
        }
        let mut slow = Breaker::new(RULES);
        for n in 0..10 {
            assert_eq!(tell(&mut slow, n * 4_000, Signal::Failure), None, "{n}");
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Pass(u64),
        Ask,
        Come(prop::sample::Index, Signal),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let verdict = prop::sample::select(vec![Signal::Success, Signal::Failure, Signal::Ignored]);
        let step = prop_oneof![
            2 => (0u64..4_000).prop_map(Step::Pass),
            4 => Just(Step::Ask),
            4 => (any::<prop::sample::Index>(), verdict).prop_map(|(at, v)| Step::Come(at, v)),
        ];
        prop::collection::vec(step, 0..300)
    }

    /// The rules, written down a second time and as plainly as can be: lists instead of counters.
    #[derive(Debug)]
    struct Model {
        state: BreakerState,
        until: u64,
        /// Outcomes while closed.
        seen: Vec<(u64, bool)>,
        probes_out: u32,
        probes_good: u32,
        turn: u32,
    }

    impl Model {
        fn enter(&mut self, state: BreakerState) {
            self.state = state;
            self.turn += 1;
            (self.probes_out, self.probes_good) = (0, 0);
            self.seen.clear();
        }

        fn may(&self, now: u64, rules: &BreakerRules) -> bool {
            match self.state {
                BreakerState::Closed => true,
                BreakerState::Open => now >= self.until,
                BreakerState::HalfOpen => self.probes_out + self.probes_good < rules.probes,
            }
        }
    }

    proptest! {
        #[test]
        fn it_does_what_its_rules_say(
            steps in steps(),
            threshold in 0.05f64..=1.0,
            volume in 1u32..8,
            probes in 1u32..5,
        ) {
            // One bucket holds it all, so that the model needs no buckets.
            let rules = BreakerRules {
                threshold,
                volume,
                window: Duration::from_secs(100_000_000),
                cool_down: Duration::from_secs(5),
                probes,
            };
            let chance = |turn: u32| f64::from(turn % 4) / 4.0;
            let mut breaker = Breaker::new(rules);
            let mut model = Model {
                state: BreakerState::Closed,
                until: 0,
                seen: Vec::new(),
                probes_out: 0,
                probes_good: 0,
                turn: 0,
            };
            let mut out: Vec<(BreakerPermit, u32)> = Vec::new();
            let mut now = 0;
            for step in steps {
                match step {
                    Step::Pass(ms) => now += ms,
                    Step::Ask => {
                        let may = model.may(now, &rules);
                        prop_assert_eq!(breaker.wait(at(now)).is_none(), may);
                        let pass = breaker.try_acquire(at(now));
                        prop_assert_eq!(pass.is_some(), may);
                        if let Some(pass) = pass {
                            if model.state == BreakerState::Open {
                                model.enter(BreakerState::HalfOpen);
                            }
                            if model.state == BreakerState::HalfOpen {
                                model.probes_out += 1;
                                prop_assert!(model.probes_out + model.probes_good <= probes);
                            }
                            out.push((pass, model.turn));
                        }
                    }
                    Step::Come(which, verdict) => {
                        if out.is_empty() {
                            continue;
                        }
                        let (pass, turn) = out.swap_remove(which.index(out.len()));
                        let before = model.state;
                        if turn == model.turn {
                            let mut opens = false;
                            match (model.state, verdict) {
                                (BreakerState::Closed, Signal::Ignored) => {}
                                (BreakerState::Closed, verdict) => {
                                    model.seen.push((now, verdict == Signal::Failure));
                                    let bad = model.seen.iter().filter(|(_, bad)| *bad).count() as f64;
                                    opens = verdict == Signal::Failure
                                        && model.seen.len() >= volume as usize
                                        && bad >= threshold * model.seen.len() as f64;
                                }
                                (BreakerState::HalfOpen, Signal::Failure) => opens = true,
                                (BreakerState::HalfOpen, verdict) => {
                                    model.probes_out -= 1;
                                    model.probes_good += u32::from(verdict == Signal::Success);
                                    if model.probes_good == probes {
                                        model.enter(BreakerState::Closed);
                                    }
                                }
                                (BreakerState::Open, _) => prop_assert!(false, "open gives no pass"),
                            }
                            if opens {
                                let stretch = 1.0 + JITTER * chance(model.turn);
                                model.until = now + (5_000.0 * stretch) as u64;
                                model.enter(BreakerState::Open);
                            }
                        }
                        let told = breaker.settle(at(now), pass, verdict, chance);
                        prop_assert_eq!(told, (before != model.state).then_some(model.state));
                    }
                }
                prop_assert_eq!(breaker.state(), model.state);
            }
        }

        #[test]
        fn the_same_story_has_the_same_end(steps in steps()) {
            let play = || {
                let mut breaker = Breaker::new(RULES);
                let (mut now, mut out, mut told) = (0, Vec::new(), Vec::new());
                for step in &steps {
                    match step {
                        Step::Pass(ms) => now += ms,
                        Step::Ask => out.extend(breaker.try_acquire(at(now))),
                        Step::Come(which, verdict) if !out.is_empty() => {
                            let pass = out.swap_remove(which.index(out.len()));
                            told.push(breaker.settle(at(now), pass, *verdict, |_| 0.25));
                        }
                        Step::Come(..) => {}
                    }
                    told.push(Some(breaker.state()));
                }
                told
            };
            prop_assert_eq!(play(), play());
        }
    }
}
